#include "io/dataset/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ALIGN = 64 }; /* bytes: a cache line, and what vector loads like */

size_t archai_dataset_image_bytes(const archai_dataset_plan *p)
{
    const size_t pixels = (size_t)p->channels * (size_t)p->height * (size_t)p->width;

    return (pixels + (size_t)p->features + (size_t)p->tokens) * archai_dtype_size(p->image_dtype);
}

size_t archai_dataset_label_bytes(const archai_dataset_plan *p)
{
    const size_t each = archai_dtype_size(p->label_dtype);

    switch (p->targets) {
    case ARCHAI_TARGETS_MASK:
        return (size_t)p->height * (size_t)p->width * each;
    case ARCHAI_TARGETS_LABELS:
    case ARCHAI_TARGETS_NUMBERS:
        return (size_t)p->num_classes * each;
    case ARCHAI_TARGETS_NEXT_TOKEN:
        return 0;
    default:
        return each;
    }
}

int64_t archai_dataset_bad_label(const archai_dataset_plan *p, const void *labels, int64_t n)
{
    const size_t each = archai_dtype_size(p->label_dtype);
    const int64_t all = n * (int64_t)(archai_dataset_label_bytes(p) / each);
    const int64_t classes = p->targets == ARCHAI_TARGETS_LABELS ? 2 : p->num_classes;

    for (int64_t i = 0; i < all && p->targets == ARCHAI_TARGETS_NUMBERS; i++)
        if (!isfinite(((const float *)labels)[i]))
            return i;
    for (int64_t i = 0; i < all && p->targets != ARCHAI_TARGETS_NUMBERS; i++) {
        const int64_t label = p->label_dtype == ARCHAI_U8 ? ((const uint8_t *)labels)[i]
                                                          : ((const int32_t *)labels)[i];

        if ((label < 0 || label >= classes) && (p->ignore_index < 0 || label != p->ignore_index))
            return i;
    }
    return -1;
}

int archai_dataset_refuse_label(const archai_dataset_plan *p, const char *text, int64_t picture,
                                archai_err *err)
{
    const int classes = p->targets == ARCHAI_TARGETS_LABELS ? 2 : p->num_classes;

    if (p->targets == ARCHAI_TARGETS_NUMBERS)
        return archai_fail(err, ARCHAI_EFORMAT, "target %s of picture %" PRId64, text, picture);
    return archai_fail(err, ARCHAI_EFORMAT, "label %s of picture %" PRId64 ", expected 0 to %d", text,
                       picture, classes - 1);
}

int archai_dataset_check_labels(const archai_dataset_plan *p, const void *labels, int64_t first,
                                int64_t n, archai_err *err)
{
    const int64_t bad = archai_dataset_bad_label(p, labels, n);
    char text[32];

    if (bad < 0)
        return ARCHAI_OK;
    if (p->label_dtype == ARCHAI_F32)
        (void)snprintf(text, sizeof text, "%g", (double)((const float *)labels)[bad]);
    else
        (void)snprintf(text, sizeof text, "%d",
                       p->label_dtype == ARCHAI_U8 ? ((const uint8_t *)labels)[bad]
                                                   : (int)((const int32_t *)labels)[bad]);
    return archai_dataset_refuse_label(
        p, text,
        first + bad / (int64_t)(archai_dataset_label_bytes(p) / archai_dtype_size(p->label_dtype)), err);
}

int archai_dataset_open_split(archai_dataset_reader *out, const archai_dataset_source *source,
                              const archai_dataset_plan *plan, int split, archai_err *err)
{
    *out = (archai_dataset_reader){source, plan, split, NULL};
    return source->format->open(out, err);
}

void archai_dataset_close_split(archai_dataset_reader *r)
{
    if (r->own != NULL)
        r->source->format->close(r);
    r->own = NULL;
}

int archai_dataset_blame(int rc, archai_err *err)
{
    if (rc == ARCHAI_EIO && err != NULL)
        err->code = ARCHAI_EFORMAT;
    return rc == ARCHAI_EIO ? ARCHAI_EFORMAT : rc;
}

/* What is meant by "10 pictures". */
static const char *examples(const archai_dataset_plan *p)
{
    return p->tokens > 0 ? "sequences" : p->features > 0 ? "rows" : "pictures";
}

int archai_dataset_plan_make(const archai_dataset_source *s, archai_dataset_plan *out,
                             int64_t *split_off, archai_err *err)
{
    archai_dataset_plan p = {.image_dtype = ARCHAI_U8, .label_dtype = ARCHAI_U8, .ignore_index = -1};
    int64_t *train = &p.n[ARCHAI_SPLIT_TRAIN], *val = &p.n[ARCHAI_SPLIT_VAL];

    ARCHAI_TRY(archai_dataset_blame(s->format->plan(s, &p, err), err));
    if (*train < 1)
        return archai_fail(err, ARCHAI_EINVAL, "data.format: %s finds no training %s",
                           s->format->name, examples(&p));
    if (s->max_samples > 0 && *train > s->max_samples)
        *train = s->max_samples;
    *split_off = 0;
    if (*val == 0) {
        if (s->validation <= 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "data.validation: 0 leaves no validation %s, expected a share "
                               "such as 0.1, or validation files",
                               examples(&p));
        *split_off = llround(s->validation * (double)*train);
        *split_off = *split_off < 1 ? 1 : *split_off;
        *train -= *split_off;
        *val = *split_off;
    }
    if (*train < 1)
        return archai_fail(err, ARCHAI_EINVAL,
                           "data.max_samples: %" PRId64 " training %s remain, expected at "
                           "least 1 beside %" PRId64 " for validation",
                           *train, examples(&p), *val);
    *out = p;
    return ARCHAI_OK;
}

/* `*at` aligned, then moved behind n items of `each` bytes and `more` bytes. */
static int place(const archai_dataset_plan *p, uint64_t *at, int64_t n, size_t each, size_t more,
                 uint64_t *out, archai_err *err)
{
    uint64_t bytes;

    *out = (*at + ALIGN - 1) / ALIGN * ALIGN;
    if (__builtin_mul_overflow((uint64_t)n, (uint64_t)each, &bytes) ||
        __builtin_add_overflow(*out, bytes, at) || __builtin_add_overflow(*at, more, at) ||
        *at > INT64_MAX / 2)
        return archai_fail(err, ARCHAI_EFORMAT, "data: %" PRId64 " %s of %zu bytes are too many", n,
                           examples(p), each);
    return ARCHAI_OK;
}

int archai_dataset_lay_out(const archai_dataset_plan *p, archai_dataset_header *h, archai_err *err)
{
    const size_t token = archai_dtype_size(p->image_dtype);
    uint64_t at = sizeof *h;

    *h = (archai_dataset_header){
        .version = ARCHAI_DATASET_VERSION,
        .image_dtype = (int32_t)p->image_dtype,
        .label_dtype = (int32_t)p->label_dtype,
        .channels = p->channels,
        .height = p->height,
        .width = p->width,
        .tokens = p->tokens,
        .vocab = p->vocab,
        .features = p->features,
        .num_classes = p->num_classes,
        .ignore_index = p->ignore_index,
        .targets = (int32_t)p->targets,
    };
    memcpy(h->magic, ARCHAI_DATASET_MAGIC, sizeof h->magic);
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        h->split[i].n = p->n[i];
        ARCHAI_TRY(place(p, &at, p->n[i], archai_dataset_image_bytes(p),
                         p->tokens > 0 && p->n[i] > 0 ? token : 0, &h->split[i].images, err));
    }
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        if (p->tokens > 0)
            h->split[i].labels = h->split[i].images + (p->n[i] > 0 ? token : 0);
        else
            ARCHAI_TRY(place(p, &at, p->n[i], archai_dataset_label_bytes(p), 0,
                             &h->split[i].labels, err));
    h->bytes = (at + ALIGN - 1) / ALIGN * ALIGN;
    return ARCHAI_OK;
}

void archai_dataset_leave_out(const archai_dataset_plan *p, archai_dataset_header *h)
{
    h->streamed = 1;
    h->together = p->together > 1 ? p->together : 1;
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        h->split[i].images = h->split[i].labels = 0;
    h->bytes = (sizeof *h + ALIGN - 1) / ALIGN * ALIGN;
}
