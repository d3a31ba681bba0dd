/* io/dataset/normalize.c - means and deviations: read, measured, passed on. */
#include "io/dataset/normalize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/dataset/format.h"

enum { MAX_CHANNELS = ARCHAI_NORMALIZE_CHANNELS };

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

void archai_normalize_begin(archai_normalize *m, const archai_dataset_source *s,
                            const archai_dataset_plan *plan)
{
    wish w;

    memset(m, 0, sizeof *m);
    m->plan = plan;
    if (read_wish(s->normalize, &w, NULL) == ARCHAI_OK && w.measure && plan->channels > 0 &&
        plan->channels <= MAX_CHANNELS)
        m->passes = plan->image_dtype == ARCHAI_U8 ? 1 : 2;
}

/* Exact sums. */
static void see_bytes(archai_normalize *m, const unsigned char *x, int64_t n)
{
    const int64_t plane = (int64_t)m->plan->height * m->plan->width;

    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < m->plan->channels; c++, x += plane) {
            uint64_t sum = 0, squares = 0;

            for (int64_t k = 0; k < plane; k++) {
                sum += x[k];
                squares += (uint64_t)x[k] * x[k];
            }
            m->sum_bytes[c] += sum;
            m->square_bytes[c] += squares;
        }
}

/* The mean first, then the squares of what differs from it. */
static void see_floats(archai_normalize *m, const float *x, int64_t n)
{
    const int64_t plane = (int64_t)m->plan->height * m->plan->width;

    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < m->plan->channels; c++, x += plane)
            for (int64_t k = 0; k < plane; k++)
                if (m->pass == 0)
                    m->sum[c] += (double)x[k];
                else
                    m->squares[c] += ((double)x[k] - m->sum[c]) * ((double)x[k] - m->sum[c]);
}

void archai_normalize_see(archai_normalize *m, const void *images, int64_t n)
{
    if (m->plan->image_dtype == ARCHAI_U8)
        see_bytes(m, images, n);
    else
        see_floats(m, images, n);
    m->n += n;
}

/* sum and squares become mean and deviation; bytes count as numbers from 0 to 1. */
void archai_normalize_turn(archai_normalize *m)
{
    const double count = (double)m->plan->height * (double)m->plan->width * (double)m->n;

    for (int c = 0; c < m->plan->channels; c++)
        if (m->plan->image_dtype == ARCHAI_U8) {
            const double mean = (double)m->sum_bytes[c] / count;

            m->sum[c] = mean / 255;
            m->squares[c] =
                sqrt(fmax((double)m->square_bytes[c] / count - mean * mean, 0)) / 255;
        } else if (m->pass == 0) {
            m->sum[c] /= count;
        } else {
            m->squares[c] = sqrt(m->squares[c] / count);
        }
    m->pass++;
    m->n = 0;
}

int archai_normalize_put(const archai_normalize *m, const archai_dataset_source *s, json_t *about,
                         archai_err *err)
{
    json_t *means, *deviations, *both;
    wish w;

    ARCHAI_TRY(read_wish(s->normalize, &w, err));
    if (!w.measure && w.n == 0)
        return ARCHAI_OK;
    means = archai_there(json_array());
    deviations = archai_there(json_array());
    both = archai_there(json_object());
    for (int c = 0; c < m->plan->channels; c++) {
        const double mean = w.measure ? m->sum[c] : w.mean[w.n > 1 ? c : 0];
        double deviation = w.measure ? m->squares[c] : w.deviation[w.n > 1 ? c : 0];

        if (!(deviation > 0) || !isfinite(deviation)) /* the same everywhere, or not finite */
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
