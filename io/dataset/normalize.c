/* io/dataset/normalize.c - means and deviations: read, measured, passed on. */
#include "io/dataset/normalize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { MAX_CHANNELS = 64 };

typedef struct wish {
    bool measure; /* auto */
    size_t n;     /* of numbers given; 0: none */
    double mean[MAX_CHANNELS], deviation[MAX_CHANNELS];
} wish;

/* Numbers up to `end`; *n of them. */
static const char *read_numbers(const char *text, char end, double *out, size_t *n)
{
    for (*n = 0;;) {
        char *rest;

        text += strspn(text, " ,\t");
        if (*text == end)
            return text;
        if (*n == MAX_CHANNELS)
            return NULL;
        out[*n] = strtod(text, &rest);
        if (rest == text || !isfinite(out[(*n)++]))
            return NULL;
        text = rest;
    }
}

static int read_wish(const char *text, wish *out, archai_err *err)
{
    const char *rest;
    size_t n;

    memset(out, 0, sizeof *out);
    if (text[0] == '\0' || strcmp(text, "none") == 0)
        return ARCHAI_OK;
    out->measure = strcmp(text, "auto") == 0;
    if (out->measure)
        return ARCHAI_OK;
    rest = read_numbers(text, '/', out->mean, &out->n);
    if (rest == NULL || read_numbers(rest + 1, '\0', out->deviation, &n) == NULL ||
        n != out->n || n == 0)
        return archai_fail(
            err, ARCHAI_EINVAL,
            "'%.80s', expected auto, none or means / deviations, as many of each, such "
            "as 0.49 0.48 0.45 / 0.25 0.24 0.26",
            text);
    for (size_t i = 0; i < n; i++)
        if (!((float)out->deviation[i] > 0)) /* as the network sees it */
            return archai_fail(err, ARCHAI_EINVAL, "a deviation of %g, expected more than 0",
                               out->deviation[i]);
        else if (!isfinite((float)out->deviation[i]) || !isfinite((float)out->mean[i]))
            return archai_fail(err, ARCHAI_EINVAL, "%g / %g, expected numbers of float32",
                               out->mean[i], out->deviation[i]);
    return ARCHAI_OK;
}

void archai_dataset_normalize_check(const archai_dataset_source *s, archai_check *c)
{
    archai_err why = ARCHAI_ERR_INIT;
    wish w;

    if (read_wish(s->normalize, &w, &why) != ARCHAI_OK)
        archai_check_fail(c, "normalize", NULL, "%s", why.text);
}

int archai_dataset_normalize_fits(const archai_dataset_source *s, const archai_dataset_facts *f,
                                  archai_err *err)
{
    const int64_t channels = f->shape.channels;
    wish w;

    ARCHAI_TRY(read_wish(s->normalize, &w, err));
    if (!w.measure && w.n == 0)
        return ARCHAI_OK;
    if (channels == 0)
        return archai_fail(err, ARCHAI_EINVAL, "data.normalize: the data are not pictures");
    if (channels > MAX_CHANNELS)
        return archai_fail(err, ARCHAI_EINVAL,
                           "data.normalize: pictures of %lld channels, expected "
                           "at most %d",
                           (long long)channels, MAX_CHANNELS);
    if (w.n > 1 && (int64_t)w.n != channels)
        return archai_fail(err, ARCHAI_EINVAL,
                           "data.normalize: %zu means, but the pictures have %lld channels",
                           w.n, (long long)channels);
    return ARCHAI_OK;
}

/* Of bytes, as numbers from 0 to 1: exact sums. */
static void measure_bytes(const archai_dataset_header *h, const unsigned char *x,
                          int64_t channel, double *mean, double *deviation)
{
    const int64_t plane = (int64_t)h->height * h->width, n = h->split[ARCHAI_SPLIT_TRAIN].n;
    const double count = (double)plane * (double)n;
    uint64_t sum = 0, squares = 0;
    double m;

    for (int64_t i = 0; i < n; i++) {
        const unsigned char *at = x + (i * h->channels + channel) * plane;

        for (int64_t k = 0; k < plane; k++) {
            sum += at[k];
            squares += (uint64_t)at[k] * at[k];
        }
    }
    m = (double)sum / count;
    *mean = m / 255;
    *deviation = sqrt(fmax((double)squares / count - m * m, 0)) / 255;
}

static void measure_floats(const archai_dataset_header *h, const float *x, int64_t channel,
                           double *mean, double *deviation)
{
    const int64_t plane = (int64_t)h->height * h->width, n = h->split[ARCHAI_SPLIT_TRAIN].n;
    const double count = (double)plane * (double)n;
    double sum = 0, squares = 0;

    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < n; i++) {
            const float *at = x + (i * h->channels + channel) * plane;

            for (int64_t k = 0; k < plane; k++)
                if (pass == 0)
                    sum += (double)at[k];
                else
                    squares += ((double)at[k] - sum / count) * ((double)at[k] - sum / count);
        }
    *mean = sum / count;
    *deviation = sqrt(squares / count);
}

int archai_dataset_normalize(const archai_dataset_source *s, const archai_dataset_header *h,
                             const char *base, json_t *about, archai_err *err)
{
    const void *images = base + h->split[ARCHAI_SPLIT_TRAIN].images;
    json_t *means, *deviations, *both;
    wish w;

    ARCHAI_TRY(read_wish(s->normalize, &w, err));
    if (!w.measure && w.n == 0)
        return ARCHAI_OK;
    means = archai_there(json_array());
    deviations = archai_there(json_array());
    both = archai_there(json_object());
    for (int64_t c = 0; c < h->channels; c++) {
        double mean = w.mean[w.n > 1 ? c : 0], deviation = w.deviation[w.n > 1 ? c : 0];

        if (w.measure && h->image_dtype == ARCHAI_U8)
            measure_bytes(h, images, c, &mean, &deviation);
        else if (w.measure)
            measure_floats(h, images, c, &mean, &deviation);
        if (!(deviation > 0)) /* the same everywhere, or not finite */
            deviation = 1;
        archai_must_have(json_array_append_new(means, json_real(isfinite(mean) ? mean : 0)) ==
                         0);
        archai_must_have(json_array_append_new(deviations, json_real(deviation)) == 0);
    }
    archai_must_have(json_object_set_new(both, "mean", means) == 0);
    archai_must_have(json_object_set_new(both, "std", deviations) == 0);
    archai_must_have(json_object_set_new(about, "normalize", both) == 0);
    return ARCHAI_OK;
}

bool archai_dataset_normalization(const archai_dataset_header *d, double *mean,
                                  double *deviation)
{
    json_t *about = json_loads(archai_dataset_about(d), 0, NULL);
    const json_t *both = json_object_get(about, "normalize");
    const json_t *means = json_object_get(both, "mean"),
                 *deviations = json_object_get(both, "std");
    const bool found = both != NULL && json_array_size(means) == (size_t)d->channels &&
                       json_array_size(deviations) == (size_t)d->channels;

    for (int64_t c = 0; found && c < d->channels; c++) {
        mean[c] = json_number_value(json_array_get(means, (size_t)c));
        deviation[c] = json_number_value(json_array_get(deviations, (size_t)c));
    }
    json_decref(about);
    return found;
}
