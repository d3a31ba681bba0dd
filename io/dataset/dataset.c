/* io/dataset/dataset.c - a data set in a sealed memfd. */
#include "io/dataset/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/layout.h"
#include "io/dataset/normalize.h"
#include "io/file/file.h"

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
    if (split_off > 0)
        archai_dataset_split_off(s, p, h, base);
    return ARCHAI_OK;
}

/* Write what the format has to say behind everything else, and where it is into the header. */
static int append_about(int fd, archai_dataset_header *h, const json_t *about, archai_err *err)
{
    const uint64_t at = h->bytes;
    char *text;
    size_t size;
    int rc;

    if (json_object_size(about) == 0)
        return ARCHAI_OK;
    text = archai_there(json_dumps(about, JSON_COMPACT));
    size = strlen(text) + 1;
    h->about = at;
    h->bytes += (size + 63) / 64 * 64;
    errno = posix_fallocate(fd, (off_t)at, (off_t)(h->bytes - at));
    rc = errno == 0 ? ARCHAI_OK
                    : archai_fail(err, ARCHAI_ENOMEM, "data: %zu bytes of memory for names: %s", size,
                                  strerror(errno));
    if (rc == ARCHAI_OK)
        rc = archai_file_pwrite(fd, text, size, at, "the data set", err);
    free(text);
    return rc == ARCHAI_OK ? archai_file_pwrite(fd, h, sizeof *h, 0, "the data set", err) : rc;
}

int archai_dataset_load(const archai_dataset_source *s, int *out, archai_err *err)
{
    archai_dataset_header h = {0};
    archai_dataset_plan p = {0};
    int64_t split_off = 0;
    char *base = MAP_FAILED;
    size_t mapped = 0;
    json_t *about = NULL;
    int fd = -1, rc;

    ARCHAI_TRY(archai_dataset_plan_make(s, &p, &split_off, err));
    ARCHAI_TRY(archai_dataset_lay_out(&p, &h, err));
    about = archai_there(json_object());
    fd = memfd_create("archai-data", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* Allocated now: a node short of memory says so here, and does not die of a signal later. */
    if (fd < 0 || (errno = posix_fallocate(fd, 0, (off_t)h.bytes)) != 0) {
        rc = archai_fail(err, errno == ENOSPC || errno == ENOMEM ? ARCHAI_ENOMEM : ARCHAI_EIO,
                         "data: %" PRIu64 " bytes of memory for the data set: %s", h.bytes,
                         strerror(errno));
        goto out;
    }
    mapped = h.bytes;
    base = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "data: mapping %" PRIu64 " bytes: %s", h.bytes,
                         strerror(errno));
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, fill(s, &p, &h, split_off, base, err), out);
    if (s->format->finish != NULL)
        ARCHAI_TRY_GOTO(rc, s->format->finish(s, &h, base, about, err), out);
    ARCHAI_TRY_GOTO(rc, archai_dataset_normalize(s, &h, base, about, err), out);
    (void)munmap(base, mapped); /* a writable mapping would forbid the seal */
    base = MAP_FAILED;
    ARCHAI_TRY_GOTO(rc, append_about(fd, &h, about, err), out);
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        rc = archai_fail(err, ARCHAI_EIO, "data: sealing the data set: %s", strerror(errno));
        goto out;
    }
    *out = fd;
    fd = -1;
out:
    if (base != MAP_FAILED)
        (void)munmap(base, mapped);
    json_decref(about);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}
