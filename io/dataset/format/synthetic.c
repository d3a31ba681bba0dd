/* io/dataset/format/synthetic.c - pictures of shapes, drawn from the seed.
 *
 * One class per shape, at a random place, size, tilt, brightness and contrast (dark on bright or bright
 * on dark), on a sloping background with noise: no single pixel says anything, so that a linear model
 * can only guess, while small convolutional networks learn them. With masks a picture holds one to three shapes,
 * and every pixel's label is its shape's class, from 1; 0 is the background.
 *
 * Picture i depends on (data.seed, i) alone.
 */
#include "io/dataset/format.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/base/rng.h"

static const double noise_sigma = 0.08;                   /* of brightness 0..1 */
static const double slant_max = 0.15;                     /* background, centre to edge */
static const double contrast_min = 0.35, contrast_max = 0.7;
static const double radius_min = 0.26, radius_max = 0.44; /* of the shorter side */
static const double tilt_max = 0.2;                       /* radians */
enum { SUBSAMPLES = 3, MASK_SHAPES_MAX = 3 };

/* Shapes in the square [-1, 1] x [-1, 1], y downwards. */
static bool disc(double x, double y)
{
    return x * x + y * y < 0.81;
}
static bool ring(double x, double y)
{
    double r = x * x + y * y;

    return r < 0.9 && r > 0.36;
}
static bool square(double x, double y)
{
    return fabs(x) < 0.78 && fabs(y) < 0.78;
}
static bool frame(double x, double y)
{
    double m = fmax(fabs(x), fabs(y));

    return m < 0.85 && m > 0.52;
}
static bool triangle(double x, double y)
{
    return y < 0.8 && y > 2.0 * fabs(x) - 0.95;
}
static bool plus(double x, double y)
{
    return fmax(fabs(x), fabs(y)) < 0.95 && fmin(fabs(x), fabs(y)) < 0.26;
}
static bool cross(double x, double y)
{
    return plus((x + y) * M_SQRT1_2, (x - y) * M_SQRT1_2);
}
static bool rows(double x, double y)
{
    return fabs(x) < 0.9 && fabs(y) < 0.9 && fabs(fabs(y) - 0.3) > 0.15;
}
static bool columns(double x, double y)
{
    return rows(y, x);
}
static bool chequer(double x, double y)
{
    return fabs(x) < 0.9 && fabs(y) < 0.9 && (x < 0) == (y < 0);
}
static bool diamond(double x, double y)
{
    return fabs(x) + fabs(y) < 0.95;
}
static bool half_disc(double x, double y)
{
    return disc(x, y) && y < 0;
}
static bool letter_t(double x, double y)
{
    return fabs(x) < 0.9 && fabs(y) < 0.9 && (y < -0.45 || fabs(x) < 0.25);
}
static bool letter_l(double x, double y)
{
    return fabs(x) < 0.9 && fabs(y) < 0.9 && (y > 0.45 || x < -0.45);
}
static bool two_dots(double x, double y)
{
    return (fabs(x) - 0.5) * (fabs(x) - 0.5) + y * y < 0.16;
}
static bool arrow(double x, double y)
{
    return triangle(x, 2 * y + 0.9) || (fabs(x) < 0.22 && fabs(y) < 0.9);
}

static bool (*const shapes[])(double x, double y) = {
    disc,  ring,    square,    frame,    triangle, plus,     cross, rows, columns,
    chequer, diamond, half_disc, letter_t, letter_l, two_dots, arrow,
};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static double uniform(archai_rng *r, double low, double high)
{
    return low + (high - low) * archai_rng_random(r);
}

typedef struct synthetic_settings {
    int64_t samples, classes, channels, width, height;
    bool masks;
} synthetic_settings;

/* clang-format off */
#define AT(member) offsetof(synthetic_settings, member)

static const archai_option synthetic_options[] = {
    {"samples",  ARCHAI_OPT_INT,  AT(samples),  10, 1e7,         "2000", "pictures", NULL, "how many"},
    {"classes",  ARCHAI_OPT_INT,  AT(classes),  2, N_SHAPES + 1, "10", "", NULL, "kinds of shapes; with masks, the background is one"},
    {"channels", ARCHAI_OPT_INT,  AT(channels), 1, 16,           "1", "", NULL, "colour channels"},
    {"width",    ARCHAI_OPT_INT,  AT(width),    8, 4096,         "28", "pixels", NULL, "width of a picture"},
    {"height",   ARCHAI_OPT_INT,  AT(height),   8, 4096,         "28", "pixels", NULL, "height of a picture"},
    {"masks",    ARCHAI_OPT_BOOL, AT(masks),    0, 0,            "no", "", NULL, "a label for each pixel"},
    ARCHAI_OPTION_END,
};
#undef AT
/* clang-format on */

static int synthetic_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                          archai_err *err)
{
    const synthetic_settings *s = source->settings;
    const int most = N_SHAPES + (s->masks ? 1 : 0);

    if (s->classes > most)
        return archai_fail(err, ARCHAI_EINVAL, "data.classes: %" PRId64 ", expected 2 to %d shapes%s",
                           s->classes, most, s->masks ? " and the background" : "");
    out->n[ARCHAI_SPLIT_TRAIN] = s->samples;
    out->channels = (int)s->channels;
    out->height = (int)s->height;
    out->width = (int)s->width;
    out->num_classes = (int)s->classes;
    out->targets = s->masks ? ARCHAI_TARGETS_MASK : ARCHAI_TARGETS_CLASS;
    return ARCHAI_OK;
}

/* Where a shape lies in a picture. */
typedef struct placing {
    int shape;
    double x, y, radius, cosine, sine;
} placing;

static placing place_shape(archai_rng *r, int shape, int width, int height)
{
    double side = width < height ? width : height;
    double radius = side * uniform(r, radius_min, radius_max);
    double tilt = uniform(r, -tilt_max, tilt_max);

    return (placing){.shape = shape,
                     .x = uniform(r, radius, width - radius),
                     .y = uniform(r, radius, height - radius),
                     .radius = radius,
                     .cosine = cos(tilt),
                     .sine = sin(tilt)};
}

/* Share of pixel (px, py) inside the shape. */
static double coverage(const placing *p, int px, int py)
{
    int inside = 0;

    for (int i = 0; i < SUBSAMPLES * SUBSAMPLES; i++) {
        double x = (px + (i % SUBSAMPLES + 0.5) / SUBSAMPLES - p->x) / p->radius;
        double y = (py + (i / SUBSAMPLES + 0.5) / SUBSAMPLES - p->y) / p->radius;

        inside += shapes[p->shape](p->cosine * x + p->sine * y, p->cosine * y - p->sine * x);
    }
    return inside / (double)(SUBSAMPLES * SUBSAMPLES);
}

typedef struct canvas {
    int channels, height, width;
    unsigned char *image; /* [C,H,W] */
    unsigned char *mask;  /* [H,W], or NULL */
} canvas;

static void paint_background(archai_rng *r, const canvas *c, double base)
{
    double dx = uniform(r, -slant_max, slant_max), dy = uniform(r, -slant_max, slant_max);

    for (int k = 0; k < c->channels; k++)
        for (int y = 0; y < c->height; y++)
            for (int x = 0; x < c->width; x++) {
                double v = base + dx * (2.0 * x / c->width - 1) + dy * (2.0 * y / c->height - 1) +
                           noise_sigma * archai_rng_randn_numpy(r);

                c->image[((size_t)k * (size_t)c->height + (size_t)y) * (size_t)c->width + (size_t)x] =
                    (unsigned char)fmin(255, fmax(0, 255 * v));
            }
}

/* Add the shape's brightness to what is there, so that it carries the same noise. */
static void paint_shape(archai_rng *r, const canvas *c, const placing *p, double base)
{
    size_t plane = (size_t)c->height * (size_t)c->width;
    double sign = base < 0.5 ? 1 : -1;

    for (int k = 0; k < c->channels; k++) {
        double contrast = sign * uniform(r, contrast_min, contrast_max);

        for (int y = 0; y < c->height; y++)
            for (int x = 0; x < c->width; x++) {
                double share = coverage(p, x, y);
                unsigned char *v = &c->image[(size_t)k * plane + (size_t)y * (size_t)c->width + (size_t)x];

                *v = (unsigned char)fmin(255, fmax(0, *v + 255 * contrast * share));
                if (c->mask != NULL && share >= 0.5)
                    c->mask[(size_t)y * (size_t)c->width + (size_t)x] = (unsigned char)(p->shape + 1);
            }
    }
}

/* Nothing is open: what is drawn follows from the keys. */
static int synthetic_open(archai_dataset_reader *r, archai_err *err)
{
    static char nothing;

    (void)err;
    r->own = &nothing;
    return ARCHAI_OK;
}

static void synthetic_close(archai_dataset_reader *r)
{
    r->own = NULL;
}

static int synthetic_read(const archai_dataset_reader *reader, int64_t start, int64_t n, void *images,
                          void *labels, archai_err *err)
{
    const archai_dataset_plan *p = reader->plan;
    size_t image = archai_dataset_image_bytes(p), label = archai_dataset_label_bytes(p);
    const bool masks = p->targets == ARCHAI_TARGETS_MASK;

    (void)err;
    for (int64_t i = 0; i < n; i++) {
        canvas c = {p->channels, p->height, p->width, (unsigned char *)images + (size_t)i * image,
                    masks ? (unsigned char *)labels + (size_t)i * label : NULL};
        int n_shapes = 1, first = (int)((start + i) % p->num_classes); /* balanced */
        archai_rng r;
        double base;

        archai_rng_seed(&r, archai_rng_derive((uint64_t)reader->source->seed, (uint64_t)(start + i)));
        base = archai_rng_below(&r, 2) == 0 ? uniform(&r, 0.1, 0.35) : uniform(&r, 0.65, 0.9);
        paint_background(&r, &c, base);
        if (masks) {
            memset(c.mask, 0, label);
            n_shapes = (int)archai_rng_randint(&r, 1, MASK_SHAPES_MAX);
            first = (int)archai_rng_below(&r, (uint64_t)p->num_classes - 1);
        } else {
            ((unsigned char *)labels)[i] = (unsigned char)first;
        }
        for (int k = 0; k < n_shapes; k++) {
            placing where = place_shape(&r, first, p->width, p->height);

            paint_shape(&r, &c, &where, base);
            first = (int)archai_rng_below(&r, (uint64_t)p->num_classes - (masks ? 1 : 0));
        }
    }
    return ARCHAI_OK;
}

const archai_dataset_format archai_dataset_synthetic = {
    .name = "synthetic",
    .help = "pictures of shapes, drawn from data.seed",
    .options = synthetic_options,
    .settings_size = sizeof(synthetic_settings),
    .plan = synthetic_plan,
    .open = synthetic_open,
    .read = synthetic_read,
    .close = synthetic_close,
};
