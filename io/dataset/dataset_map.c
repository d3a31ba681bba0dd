/* io/dataset/dataset_map.c - reading a laid-out data set; separate, so that an evaluator links no format. */
#include "io/dataset/dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Do n items of `each` bytes lie at `offset`, behind the header and inside the file, aligned? */
static bool lies_inside(const archai_dataset_header *d, uint64_t offset, int64_t n, uint64_t each)
{
    uint64_t bytes, end;

    return !__builtin_mul_overflow((uint64_t)n, each, &bytes) &&
           !__builtin_add_overflow(offset, bytes, &end) && end <= d->bytes &&
           offset >= sizeof *d && offset % sizeof(float) == 0;
}

static int check_header(const archai_dataset_header *d, uint64_t size, archai_err *err)
{
    uint64_t pixels, image, label;

    if (size < sizeof *d || memcmp(d->magic, ARCHAI_DATASET_MAGIC, sizeof d->magic) != 0)
        return archai_fail(err, ARCHAI_EFORMAT, "not a data set of archai-run");
    if (d->version != ARCHAI_DATASET_VERSION)
        return archai_fail(err, ARCHAI_EFORMAT, "data set of version %u, expected %u", d->version,
                           (unsigned)ARCHAI_DATASET_VERSION);
    if (d->bytes != size || d->channels < 1 || d->height < 1 || d->width < 1 ||
        d->num_classes < 1 || (d->image_dtype != ARCHAI_U8 && d->image_dtype != ARCHAI_F32) ||
        (d->label_dtype != ARCHAI_U8 && d->label_dtype != ARCHAI_I32))
        return archai_fail(err, ARCHAI_EFORMAT, "damaged header of a data set");
    if (__builtin_mul_overflow((uint64_t)d->height, (uint64_t)d->width, &pixels) ||
        __builtin_mul_overflow(pixels, (uint64_t)d->channels, &image) ||
        __builtin_mul_overflow(image, archai_dtype_size((archai_dtype)d->image_dtype), &image))
        return archai_fail(err, ARCHAI_EFORMAT, "damaged header of a data set: impossible sizes");
    label = (d->masks ? pixels : 1) * archai_dtype_size((archai_dtype)d->label_dtype);
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        const archai_dataset_split *s = &d->split[i];

        if (s->n < 0 || (s->n > 0 && (!lies_inside(d, s->images, s->n, image) ||
                                      !lies_inside(d, s->labels, s->n, label))))
            return archai_fail(err, ARCHAI_EFORMAT,
                               "damaged header of a data set: split %d of %" PRId64
                               " pictures lies outside",
                               i, s->n);
    }
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
