/* io/dataset/format/picture_fit.c - resizing as PIL does it, of the part that is kept.
 *
 * PIL's Image.resize(..., BILINEAR): a triangle as wide as the step between pixels, horizontally and then
 * vertically, with weights of 22 bits and a rounding to bytes in between. Source: Pillow 9.4,
 * src/libImaging/Resample.c (precompute_coeffs, normalize_coeffs_8bpc). The size and the place of the crop
 * are those of torchvision 0.14, transforms/functional.py (resize, center_crop).
 */
#include "io/dataset/format/picture.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { PRECISION_BITS = 32 - 8 - 2 };

/* The weights of the pixels that make up each pixel of a line. */
typedef struct weights {
    int each;   /* room for so many at a pixel */
    int *first; /* [n] */
    int *count; /* [n] */
    int *at;    /* [n * each] */
} weights;

/* Pixels `from` to `from + n` of a line of `in` pixels that becomes one of `out`. */
static weights make_weights(int in, int out, int from, int n)
{
    const double scale = (double)in / out, wide = scale < 1.0 ? 1.0 : scale;
    weights w = {.each = (int)ceil(wide) * 2 + 1};
    double *real = archai_malloc((size_t)w.each * sizeof *real);

    w.first = archai_calloc((size_t)n, sizeof *w.first);
    w.count = archai_calloc((size_t)n, sizeof *w.count);
    w.at = archai_calloc((size_t)n * (size_t)w.each, sizeof *w.at);
    for (int i = 0; i < n; i++) {
        const double centre = (from + i + 0.5) * scale;
        int low = (int)(centre - wide + 0.5), high = (int)(centre + wide + 0.5);
        double sum = 0;

        low = low < 0 ? 0 : low;
        high = high > in ? in : high;
        for (int k = 0; k < high - low; k++) {
            const double distance = fabs((k + low - centre + 0.5) * (1.0 / wide));

            real[k] = distance < 1.0 ? 1.0 - distance : 0.0;
            sum += real[k];
        }
        w.first[i] = low;
        w.count[i] = high - low;
        for (int k = 0; k < high - low; k++)
            w.at[i * w.each + k] = (int)(0.5 + (sum != 0.0 ? real[k] / sum : real[k]) * (1 << PRECISION_BITS));
    }
    free(real);
    return w;
}

static void free_weights(weights *w)
{
    free(w->first);
    free(w->count);
    free(w->at);
}

static unsigned char to_byte(int sum)
{
    const int v = sum >> PRECISION_BITS;

    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* One pixel of the three colours: `count` pixels of `in`, `step` bytes apart. */
static void mix(const unsigned char *in, size_t step, const int *weight, int count, unsigned char out[3])
{
    for (int c = 0; c < 3; c++) {
        int sum = 1 << (PRECISION_BITS - 1);

        for (int k = 0; k < count; k++)
            sum += in[(size_t)k * step + (size_t)c] * weight[k];
        out[c] = to_byte(sum);
    }
}

/* Where the middle part of `n` pixels begins; Python rounds halves to even. */
static int crop_at(int n, int crop)
{
    return (int)nearbyint((n - crop) / 2.0);
}

void archai_picture_fit(const archai_picture *x, int shorter, int crop, unsigned char *out)
{
    const int64_t low = x->width < x->height ? x->width : x->height;
    const int64_t high = x->width < x->height ? x->height : x->width;
    const int longer = (int)((double)(shorter * high) / (double)low);
    const int width = x->width <= x->height ? shorter : longer;
    const int height = x->width <= x->height ? longer : shorter;
    const int left = crop_at(width, crop), top = crop_at(height, crop);
    weights across = make_weights(x->width, width, left, crop);
    weights down = make_weights(x->height, height, top, crop);
    const int first = down.first[0], last = down.first[crop - 1] + down.count[crop - 1];
    const size_t plane = (size_t)crop * (size_t)crop, stride = 3 * (size_t)crop;
    unsigned char *rows = archai_malloc((size_t)(last - first) * stride);

    for (int y = first; y < last; y++) /* a width that stays has weights of 1: nothing changes */
        for (int i = 0; i < crop; i++)
            mix(x->rgb + ((size_t)y * (size_t)x->width + (size_t)across.first[i]) * 3, 3,
                across.at + i * across.each, across.count[i],
                rows + (size_t)(y - first) * stride + (size_t)i * 3);
    for (int y = 0; y < crop; y++)
        for (int i = 0; i < crop; i++) {
            unsigned char rgb[3];

            mix(rows + (size_t)(down.first[y] - first) * stride + (size_t)i * 3, stride,
                down.at + y * down.each, down.count[y], rgb);
            for (size_t c = 0; c < 3; c++)
                out[c * plane + (size_t)y * (size_t)crop + (size_t)i] = rgb[c];
        }
    free(rows);
    free_weights(&across);
    free_weights(&down);
}
