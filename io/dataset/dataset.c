/* io/dataset/dataset.c - a data set in a sealed memfd: all of it, or what it is. */
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
#include "io/dataset/measure.h"
#include "io/dataset/read.h"
#include "io/file/file.h"

/* -- reading ------------------------------------------------------------------------------- */

/* The examples of a split in its file: those that become validation lie in the training file. */
static archai_dataset_plan whole_files(const archai_dataset_plan *p, int64_t split_off)
{
    archai_dataset_plan whole = *p;

    whole.n[ARCHAI_SPLIT_TRAIN] += split_off;
    if (split_off > 0)
        whole.n[ARCHAI_SPLIT_VAL] = 0;
    return whole;
}

static int fill(const archai_dataset_source *s, const archai_dataset_plan *p,
                const archai_dataset_header *h, int64_t split_off, char *base, archai_err *err)
{
    const archai_dataset_plan whole = whole_files(p, split_off);
    const int workers = archai_dataset_workers(s, p);

    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        archai_dataset_reader r;
        int rc;

        if (whole.n[i] == 0)
            continue;
        ARCHAI_TRY(archai_dataset_open_split(&r, s, &whole, i, err));
        rc = archai_dataset_fill(&r, NULL, 0, whole.n[i], workers, base + h->split[i].images,
                                 base + h->split[i].labels, err);
        archai_dataset_close_split(&r);
        ARCHAI_TRY(rc);
    }
    if (split_off > 0)
        archai_dataset_split_off(s, p, h, base);
    return ARCHAI_OK;
}

/* Everything once, in blocks, in the files' order. */
static int check(const archai_dataset_source *s, const archai_dataset_plan *p, int64_t split_off,
                 archai_err *err)
{
    const archai_dataset_plan whole = whole_files(p, split_off);
    const int workers = archai_dataset_workers(s, p);

    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        archai_dataset_reader r;
        int rc;

        if (whole.n[i] == 0)
            continue;
        ARCHAI_TRY(archai_dataset_open_split(&r, s, &whole, i, err));
        rc = archai_dataset_each(&r, NULL, whole.n[i], workers, NULL, NULL, err);
        archai_dataset_close_split(&r);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* -- the memfd ------------------------------------------------------------------------------- */

/* `size` bytes behind everything else; *at: where. */
static int append(int fd, archai_dataset_header *h, const void *data, size_t size, uint64_t *at,
                  archai_err *err)
{
    *at = h->bytes;
    h->bytes += (size + 63) / 64 * 64;
    errno = archai_file_allocate(fd, *at, h->bytes - *at);
    if (errno != 0)
        return archai_fail(err, ARCHAI_ENOMEM, "data: %zu bytes of memory: %s", size, strerror(errno));
    return archai_file_pwrite(fd, data, size, *at, "the data set", err);
}

/* What the format has to say, and the numbers by which it adjusts examples; then the header. */
static int append_rest(int fd, archai_dataset_header *h, const archai_dataset_measured *m,
                       const json_t *about, archai_err *err)
{
    char *text;
    int rc;

    if (m->n_constants > 0) {
        h->n_constants = m->n_constants;
        ARCHAI_TRY(append(fd, h, m->constants, m->n_constants * sizeof *m->constants, &h->constants,
                          err));
    }
    if (json_object_size(about) > 0) {
        text = archai_there(json_dumps(about, JSON_COMPACT));
        rc = append(fd, h, text, strlen(text) + 1, &h->about, err);
        free(text);
        ARCHAI_TRY(rc);
    }
    return archai_file_pwrite(fd, h, sizeof *h, 0, "the data set", err);
}

/* Allocated now: a node short of memory says so here, and does not die of a signal later. */
static int make_room(const archai_dataset_header *h, int *fd, char **base, archai_err *err)
{
    *fd = memfd_create("archai-data", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0 || (errno = archai_file_allocate(*fd, 0, h->bytes)) != 0)
        return archai_fail(err, errno == ENOSPC || errno == ENOMEM ? ARCHAI_ENOMEM : ARCHAI_EIO,
                           "data: %" PRIu64 " bytes of memory for the data set: %s", h->bytes,
                           strerror(errno));
    *base = mmap(NULL, h->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (*base != MAP_FAILED)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_ENOMEM, "data: mapping %" PRIu64 " bytes: %s", h->bytes,
                       strerror(errno));
}

static int seal(int fd, archai_err *err)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EIO, "data: sealing the data set: %s", strerror(errno));
}

/* Into the memory at `base`, or (streamed) past it. */
static int read_all(const archai_dataset_source *s, const archai_dataset_plan *p,
                    const archai_dataset_header *h, int64_t split_off, char *base,
                    archai_dataset_measured *m, json_t *about, archai_err *err)
{
    memcpy(base, h, sizeof *h);
    if (h->streamed != 0)
        ARCHAI_TRY(check(s, p, split_off, err));
    else
        ARCHAI_TRY(fill(s, p, h, split_off, base, err));
    if (s->format->finish != NULL)
        ARCHAI_TRY(s->format->finish(s, p, about, err));
    return archai_dataset_measure(s, p, h, split_off, base, m, about, err);
}

int archai_dataset_load(const archai_dataset_source *s, int *out, archai_err *err)
{
    archai_dataset_measured measured = {.constants = NULL};
    archai_dataset_header h = {0};
    archai_dataset_plan p = {0};
    int64_t split_off = 0;
    char *base = MAP_FAILED;
    size_t mapped = 0;
    json_t *about = NULL;
    bool streamed;
    int fd = -1, rc;

    ARCHAI_TRY(archai_dataset_plan_make(s, &p, &split_off, err));
    ARCHAI_TRY(archai_dataset_lay_out(&p, &h, err));
    ARCHAI_TRY(archai_dataset_choose(s, &p, h.bytes, &streamed, err));
    if (streamed)
        archai_dataset_leave_out(&p, &h);
    about = archai_there(json_object());
    mapped = h.bytes;
    ARCHAI_TRY_GOTO(rc, make_room(&h, &fd, &base, err), out);
    rc = archai_dataset_blame(read_all(s, &p, &h, split_off, base, &measured, about, err), err);
    ARCHAI_TRY_GOTO(rc, rc, out);
    (void)munmap(base, mapped); /* a writable mapping would forbid the seal */
    base = MAP_FAILED;
    ARCHAI_TRY_GOTO(rc, append_rest(fd, &h, &measured, about, err), out);
    ARCHAI_TRY_GOTO(rc, seal(fd, err), out);
    *out = fd;
    fd = -1;
out:
    if (base != MAP_FAILED)
        (void)munmap(base, mapped);
    free(measured.constants);
    json_decref(about);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int archai_dataset_check(const archai_dataset_source *s, archai_err *err)
{
    archai_dataset_plan p = {0};
    archai_dataset_header h;
    int64_t split_off = 0;
    bool streamed;

    ARCHAI_TRY(archai_dataset_plan_make(s, &p, &split_off, err));
    ARCHAI_TRY(archai_dataset_lay_out(&p, &h, err));
    ARCHAI_TRY(archai_dataset_choose(s, &p, h.bytes, &streamed, err));
    return archai_dataset_blame(check(s, &p, split_off, err), err);
}
