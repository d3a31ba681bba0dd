/* io/dataset/dataset_map.c - reading a laid-out data set; separate, so that an evaluator links no format. */
#include "io/dataset/dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Do n items of `each` bytes lie at `offset`, behind the header and inside the file, aligned to `unit`? */
static bool lies_inside(const archai_dataset_header *d, uint64_t offset, int64_t n, uint64_t each,
                        size_t unit)
{
    uint64_t bytes, end;

    return !__builtin_mul_overflow((uint64_t)n, each, &bytes) &&
           !__builtin_add_overflow(offset, bytes, &end) && end <= d->bytes &&
           offset >= sizeof *d && offset % unit == 0;
}

static bool is_dtype(int32_t t, archai_dtype other)
{
    return t == ARCHAI_U8 || t == (int32_t)other;
}

/* Exactly one kind of input, with types and targets that go with it. */
static bool is_sane(const archai_dataset_header *d)
{
    const bool numbers = d->targets == ARCHAI_TARGETS_NUMBERS;

    if (d->num_classes < 1 || d->targets < 0 || d->targets >= ARCHAI_TARGETS_COUNT ||
        (numbers ? d->label_dtype != ARCHAI_F32 : !is_dtype(d->label_dtype, ARCHAI_I32)))
        return false;
    if (d->tokens != 0 || d->targets == ARCHAI_TARGETS_NEXT_TOKEN)
        return d->tokens > 0 && d->vocab > 0 && d->targets == ARCHAI_TARGETS_NEXT_TOKEN &&
               d->features == 0 && d->channels == 0 && is_dtype(d->image_dtype, ARCHAI_I32);
    if (d->features != 0)
        return d->features > 0 && d->channels == 0 && d->image_dtype == ARCHAI_F32 &&
               d->targets != ARCHAI_TARGETS_MASK;
    return d->channels > 0 && d->height > 0 && d->width > 0 && is_dtype(d->image_dtype, ARCHAI_F32);
}

/* Bytes of an example and of its labels. */
static bool sizes_of(const archai_dataset_header *d, uint64_t *image, uint64_t *label)
{
    const uint64_t each = archai_dtype_size((archai_dtype)d->label_dtype);
    uint64_t pixels = 0;

    *image = (uint64_t)d->tokens + (uint64_t)d->features; /* one of them, or none for pictures */
    if (d->channels > 0 &&
        (__builtin_mul_overflow((uint64_t)d->height, (uint64_t)d->width, &pixels) ||
         __builtin_mul_overflow(pixels, (uint64_t)d->channels, image)))
        return false;
    *label = d->targets == ARCHAI_TARGETS_MASK ? pixels * each
             : d->targets == ARCHAI_TARGETS_LABELS || d->targets == ARCHAI_TARGETS_NUMBERS
                 ? (uint64_t)d->num_classes * each
                 : each;
    if (d->tokens > 0)
        *label = *image * archai_dtype_size((archai_dtype)d->image_dtype);
    return !__builtin_mul_overflow(*image, archai_dtype_size((archai_dtype)d->image_dtype), image);
}

static int check_header(const archai_dataset_header *d, uint64_t size, archai_err *err)
{
    uint64_t image, label;
    size_t unit;

    if (size < sizeof *d || memcmp(d->magic, ARCHAI_DATASET_MAGIC, sizeof d->magic) != 0)
        return archai_fail(err, ARCHAI_EFORMAT, "not a data set of archai-run");
    if (d->version != ARCHAI_DATASET_VERSION)
        return archai_fail(err, ARCHAI_EFORMAT, "data set of version %u, expected %u", d->version,
                           (unsigned)ARCHAI_DATASET_VERSION);
    if (d->bytes != size || !is_sane(d))
        return archai_fail(err, ARCHAI_EFORMAT, "damaged header of a data set");
    if (!sizes_of(d, &image, &label))
        return archai_fail(err, ARCHAI_EFORMAT, "damaged header of a data set: impossible sizes");
    unit = d->tokens > 0 ? archai_dtype_size((archai_dtype)d->image_dtype) : sizeof(float);
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        const archai_dataset_split *s = &d->split[i];

        if (s->n < 0 || (s->n > 0 && d->streamed == 0 && (!lies_inside(d, s->images, s->n, image, unit) ||
                                      !lies_inside(d, s->labels, s->n, label, unit))))
            return archai_fail(err, ARCHAI_EFORMAT,
                               "damaged header of a data set: split %d of %" PRId64
                               " pictures lies outside",
                               i, s->n);
    }
    if (d->n_constants != 0 && !lies_inside(d, d->constants, (int64_t)d->n_constants, sizeof(double),
                                            sizeof(double)))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "damaged header of a data set: its constants lie outside");
    if (d->about != 0 && (d->about < sizeof *d || d->about >= size ||
                          memchr((const char *)d + d->about, '\0', size - d->about) == NULL))
        return archai_fail(err, ARCHAI_EFORMAT, "damaged header of a data set: its text lies outside");
    return ARCHAI_OK;
}

int archai_dataset_map(int fd, const archai_dataset_header **out, archai_err *err)
{
    struct stat st;
    void *map;
    int rc;

    if (fstat(fd, &st) != 0)
        return archai_fail(err, ARCHAI_EIO, "data set: %s", strerror(errno));
    if (st.st_size < (off_t)sizeof **out)
        return archai_fail(err, ARCHAI_EFORMAT, "not a data set of archai-run");
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return archai_fail(err, ARCHAI_EIO, "data set: %s", strerror(errno));
    rc = check_header(map, (uint64_t)st.st_size, err);
    if (rc != ARCHAI_OK) {
        (void)munmap(map, (size_t)st.st_size);
        return rc;
    }
    *out = map;
    return ARCHAI_OK;
}

void archai_dataset_unmap(const archai_dataset_header *d)
{
    if (d != NULL)
        (void)munmap((void *)(uintptr_t)d, d->bytes);
}

size_t archai_dataset_example_bytes(const archai_dataset_header *d, size_t *labels)
{
    uint64_t image = 0, label = 0;

    (void)sizes_of(d, &image, &label);
    *labels = d->tokens > 0 ? 0 : (size_t)label;
    return (size_t)image + (d->tokens > 0 ? archai_dtype_size((archai_dtype)d->image_dtype) : 0);
}

const char *archai_dataset_about(const archai_dataset_header *d)
{
    return d->about != 0 ? (const char *)d + d->about : "";
}
