/* io/dataset/dataset.c - the validation split; the layout in a sealed memfd. */
#include "io/dataset/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/rng.h"
#include "io/dataset/format.h"

enum { ALIGN = 64 }; /* bytes: a cache line, and what vector loads like */

size_t archai_dataset_image_bytes(const archai_dataset_plan *p)
{
    return (size_t)p->channels * (size_t)p->height * (size_t)p->width *
           archai_dtype_size(p->image_dtype);
}

size_t archai_dataset_label_bytes(const archai_dataset_plan *p)
{
    return (p->masks ? (size_t)p->height * (size_t)p->width : 1) *
           archai_dtype_size(p->label_dtype);
}

int archai_dataset_check_labels(const archai_dataset_plan *p, const void *labels, int64_t n,
                                archai_err *err)
{
    int64_t per_picture = p->masks ? (int64_t)p->height * p->width : 1;

    for (int64_t i = 0; i < n * per_picture; i++) {
        int64_t label = p->label_dtype == ARCHAI_U8 ? ((const uint8_t *)labels)[i]
                                                    : ((const int32_t *)labels)[i];

        if ((label < 0 || label >= p->num_classes) &&
            (p->ignore_index < 0 || label != p->ignore_index))
            return archai_fail(err, ARCHAI_EFORMAT,
                               "label %" PRId64 " of picture %" PRId64 ", expected 0 to %d", label,
                               i / per_picture, p->num_classes - 1);
    }
    return ARCHAI_OK;
}

/* The format's plan, bounded by max_samples, with the validation split's size in it.
 * *split_off: how many of the n[TRAIN] + n[VAL] pictures of the training file become validation. */
static int make_plan(const archai_dataset_source *s, archai_dataset_plan *out, int64_t *split_off,
                     archai_err *err)
{
    archai_dataset_plan p = {.image_dtype = ARCHAI_U8, .label_dtype = ARCHAI_U8, .ignore_index = -1};
    int64_t *train = &p.n[ARCHAI_SPLIT_TRAIN], *val = &p.n[ARCHAI_SPLIT_VAL];

    ARCHAI_TRY(s->format->plan(s, &p, err));
    if (*train < 1)
        return archai_fail(err, ARCHAI_EINVAL, "data.format: %s finds no training pictures",
                           s->format->name);
    if (s->max_samples > 0 && *train > s->max_samples)
        *train = s->max_samples;
    *split_off = 0;
    if (*val == 0) {
        if (s->validation <= 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "data.validation: 0 leaves no validation pictures, expected a share "
                               "such as 0.1, or validation files");
        *split_off = llround(s->validation * (double)*train);
        *split_off = *split_off < 1 ? 1 : *split_off;
        *train -= *split_off;
        *val = *split_off;
    }
    if (*train < 1)
        return archai_fail(err, ARCHAI_EINVAL,
                           "data.max_samples: %" PRId64 " training pictures remain, expected at "
                           "least 1 beside %" PRId64 " for validation",
                           *train, *val);
    *out = p;
    return ARCHAI_OK;
}

int archai_dataset_probe(const archai_dataset_source *s, archai_data_shape *out, bool *masks,
                         archai_err *err)
{
    archai_dataset_plan p = {0};
    int64_t split_off = 0;

    ARCHAI_TRY(make_plan(s, &p, &split_off, err));
    *out = (archai_data_shape){.channels = p.channels,
                               .height = p.height,
                               .width = p.width,
                               .num_classes = p.num_classes};
    if (masks != NULL)
        *masks = p.masks;
    return ARCHAI_OK;
}

/* `*at` aligned, then moved behind n items of `each` bytes. */
static int place(uint64_t *at, int64_t n, size_t each, uint64_t *out, archai_err *err)
{
    uint64_t bytes;

    *out = (*at + ALIGN - 1) / ALIGN * ALIGN;
    if (__builtin_mul_overflow((uint64_t)n, (uint64_t)each, &bytes) ||
        __builtin_add_overflow(*out, bytes, at) || *at > INT64_MAX / 2)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "data: %" PRId64 " pictures of %zu bytes are too many", n, each);
    return ARCHAI_OK;
}

/* Train and validation lie one behind the other, so that a training file can be read in one go and
 * divided in place. */
static int lay_out(const archai_dataset_plan *p, archai_dataset_header *h, archai_err *err)
{
    uint64_t at = sizeof *h;

    memcpy(h->magic, ARCHAI_DATASET_MAGIC, sizeof h->magic);
    h->version = ARCHAI_DATASET_VERSION;
    h->image_dtype = (int32_t)p->image_dtype;
    h->label_dtype = (int32_t)p->label_dtype;
    h->channels = p->channels;
    h->height = p->height;
    h->width = p->width;
    h->num_classes = p->num_classes;
    h->ignore_index = p->ignore_index;
    h->masks = p->masks;
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        h->split[i].n = p->n[i];
        ARCHAI_TRY(place(&at, p->n[i], archai_dataset_image_bytes(p), &h->split[i].images, err));
    }
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        ARCHAI_TRY(place(&at, p->n[i], archai_dataset_label_bytes(p), &h->split[i].labels, err));
    h->bytes = (at + ALIGN - 1) / ALIGN * ALIGN;
    return ARCHAI_OK;
}

static void swap_bytes(char *a, char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = a[i];

        a[i] = b[i];
        b[i] = c;
    }
}

/* Divide the pictures, which start as one run in the training split: those that a shuffle puts last are
 * swapped to the end, then moved to the validation split. */
static int split_off_validation(const archai_dataset_source *s, const archai_dataset_plan *p,
                                const archai_dataset_header *h, char *base, archai_err *err)
{
    const archai_dataset_split *train = &h->split[ARCHAI_SPLIT_TRAIN];
    const archai_dataset_split *val = &h->split[ARCHAI_SPLIT_VAL];
    size_t image = archai_dataset_image_bytes(p), label = archai_dataset_label_bytes(p);
    size_t n = (size_t)(train->n + val->n), n_train = (size_t)train->n;
    size_t *order = malloc(n * sizeof *order);
    bool *leaves = calloc(n, sizeof *leaves);
    archai_rng rng;
    int rc = ARCHAI_OK;

    if (order == NULL || leaves == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "data: order of %zu pictures", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    archai_rng_seed(&rng, (uint64_t)s->seed);
    archai_rng_shuffle(&rng, order, n);
    for (size_t i = n_train; i < n; i++)
        leaves[order[i]] = true;
    for (size_t i = 0, j = n_train; i < n_train; i++) {
        if (!leaves[i])
            continue;
        while (leaves[j])
            j++; /* there are as many stayers behind n_train as leavers before it */
        swap_bytes(base + train->images + i * image, base + train->images + j * image, image);
        swap_bytes(base + train->labels + i * label, base + train->labels + j * label, label);
        j++;
    }
    memmove(base + val->images, base + train->images + n_train * image, (n - n_train) * image);
    memmove(base + val->labels, base + train->labels + n_train * label, (n - n_train) * label);
out:
    free(leaves);
    free(order);
    return rc;
}

static int fill(const archai_dataset_source *s, const archai_dataset_plan *p,
                const archai_dataset_header *h, int64_t split_off, char *base, archai_err *err)
{
    memcpy(base, h, sizeof *h);
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        archai_dataset_plan part = *p;

        if (i == ARCHAI_SPLIT_TRAIN)
            part.n[i] += split_off;
        if (p->n[i] == 0 || (i == ARCHAI_SPLIT_VAL && split_off > 0))
            continue;
        ARCHAI_TRY(s->format->read(s, &part, i, base + h->split[i].images,
                                   base + h->split[i].labels, err));
    }
    return split_off > 0 ? split_off_validation(s, p, h, base, err) : ARCHAI_OK;
}

int archai_dataset_load(const archai_dataset_source *s, int *out, archai_err *err)
{
    archai_dataset_header h = {0};
    archai_dataset_plan p = {0};
    int64_t split_off = 0;
    char *base = MAP_FAILED;
    int fd = -1, rc;

    ARCHAI_TRY(make_plan(s, &p, &split_off, err));
    ARCHAI_TRY(lay_out(&p, &h, err));
    fd = memfd_create("archai-data", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* Allocated now: a node short of memory says so here, and does not die of a signal later. */
    if (fd < 0 || (errno = posix_fallocate(fd, 0, (off_t)h.bytes)) != 0) {
        rc = archai_fail(err, errno == ENOSPC || errno == ENOMEM ? ARCHAI_ENOMEM : ARCHAI_EIO,
                         "data: %" PRIu64 " bytes of memory for the data set: %s", h.bytes,
                         strerror(errno));
        goto out;
    }
    base = mmap(NULL, h.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "data: mapping %" PRIu64 " bytes: %s", h.bytes,
                         strerror(errno));
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, fill(s, &p, &h, split_off, base, err), out);
    (void)munmap(base, h.bytes); /* a writable mapping would forbid the seal */
    base = MAP_FAILED;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        rc = archai_fail(err, ARCHAI_EIO, "data: sealing the data set: %s", strerror(errno));
        goto out;
    }
    *out = fd;
    fd = -1;
out:
    if (base != MAP_FAILED)
        (void)munmap(base, h.bytes);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}
