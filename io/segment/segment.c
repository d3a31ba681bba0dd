/* Opening segments, and writing into them: raw bytes at the offsets that HDF5 named. */
#include "io/segment/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/segment/segment_layout.h"

/* -- opening ------------------------------------------------------------------------------- */

/* The place of a contiguous 1-D dataset of exactly this type, wholly inside the file. */
static int locate(hid_t parent, const char *name, hid_t type, uint64_t file_bytes, uint64_t *at,
                  int64_t *n, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    hid_t theirs = H5I_INVALID_HID;
    hsize_t dims[1] = {0};
    uint64_t size = H5Tget_size(type);
    haddr_t offset;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dopen2(parent, name, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(dataset)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &theirs, H5Dget_type(dataset)), out);
    offset = H5Dget_offset(dataset);
    if (H5Tequal(theirs, type) <= 0 || H5Sget_simple_extent_ndims(space) != 1 ||
        H5Sget_simple_extent_dims(space, dims, NULL) != 1) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "its type or shape is not a segment's");
    } else if (offset == HADDR_UNDEF || size == 0 || offset > file_bytes ||
               dims[0] > (file_bytes - offset) / size) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "its data lies outside the file");
    } else {
        *at = offset;
        *n = (int64_t)dims[0];
    }
out:
    archai_h5_release(&theirs);
    archai_h5_release(&space);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "dataset %s: ", name);
}

static int locate_pools(archai_segment *s, hid_t file, uint64_t file_bytes, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    int rc = ARCHAI_OK;

    if (!archai_h5_has(file, "pool"))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_h5_id(err, &group, H5Gopen2(file, "pool", H5P_DEFAULT)));
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        const char *name = archai_dtype_name((archai_dtype)t);

        if (!archai_h5_has(group, name))
            continue;
        ARCHAI_TRY_GOTO(rc, archai_h5_type(&type, (archai_dtype)t, err), out);
        ARCHAI_TRY_GOTO(
            rc, locate(group, name, type, file_bytes, &s->pool_at[t], &s->size.pool[t], err),
            out);
        archai_h5_release(&type);
    }
out:
    archai_h5_release(&type);
    archai_h5_release(&group);
    return rc;
}

static int learn_layout(archai_segment *s, archai_err *err)
{
    hid_t file = H5I_INVALID_HID;
    hid_t row = H5I_INVALID_HID;
    char *format = NULL;
    int64_t version;
    struct stat st;
    int rc;

    ARCHAI_TRY(archai_h5_open(&file, s->path, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_get_string(file, "format", &format, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_get_int(file, "format_version", &version, err), out);
    if (strcmp(format, ARCHAI_SEGMENT_FORMAT) != 0 || version != ARCHAI_SEGMENT_VERSION) {
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "format \"%s\" version %lld, expected %s version %d", format,
                         (long long)version, ARCHAI_SEGMENT_FORMAT, ARCHAI_SEGMENT_VERSION);
        goto out;
    }
    if (fstat(s->fd, &st) != 0) {
        rc = archai_fail(err, ARCHAI_EIO, "cannot stat: %s", strerror(errno));
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_row_type(&row, err), out);
    ARCHAI_TRY_GOTO(
        rc, locate(file, "rows", row, (uint64_t)st.st_size, &s->rows_at, &s->size.rows, err),
        out);
    ARCHAI_TRY_GOTO(rc,
                    locate(file, "detail", H5T_STD_U8LE, (uint64_t)st.st_size, &s->text_at,
                           &s->size.text_bytes, err),
                    out);
    rc = locate_pools(s, file, (uint64_t)st.st_size, err);
out:
    free(format);
    archai_h5_release(&row);
    archai_h5_release(&file);
    return archai_err_wrap(err, rc, "%s: ", s->path);
}

int archai_segment_open(archai_segment *out, const char *directory, const char *name,
                        bool writable, archai_err *err)
{
    archai_segment s = {.name = archai_strdup(name), .path = archai_file_path(directory, name)};
    int rc;

    s.fd = open(s.path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (s.fd < 0)
        rc = archai_fail(err, errno == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EIO,
                         "%s: cannot open: %s", s.path, strerror(errno));
    else
        rc = learn_layout(&s, err);
    if (rc == ARCHAI_EIO && s.fd >= 0 && !writable) {
        rc = ARCHAI_EFORMAT; /* HDF5 could open the file but not read it: damage */
        if (err != NULL)
            err->code = rc;
    }
    if (rc != ARCHAI_OK) {
        archai_segment_close(&s);
        return rc;
    }
    *out = s;
    return ARCHAI_OK;
}

void archai_segment_close(archai_segment *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s->name);
    free(s->path);
    *s = (archai_segment)ARCHAI_SEGMENT_INIT;
}

/* -- writing ------------------------------------------------------------------------------- */

uint32_t archai_row_crc(const archai_row *r)
{
    return (uint32_t)crc32(0, (const unsigned char *)r, offsetof(archai_row, crc));
}

bool archai_segment_holds(const archai_segment *s, const archai_tensor_place *p, uint64_t *n)
{
    uint64_t count = 1;

    if ((int)p->dtype < 0 || p->dtype >= ARCHAI_DTYPE_COUNT || p->ndim < 0 ||
        p->ndim > ARCHAI_MAX_DIMS || p->offset < 0)
        return false;
    for (int d = 0; d < p->ndim; d++)
        if (p->shape[d] < 0 || __builtin_mul_overflow(count, (uint64_t)p->shape[d], &count))
            return false;
    if (n != NULL)
        *n = count;
    return count == 0 || ((uint64_t)p->offset <= (uint64_t)s->size.pool[p->dtype] &&
                          count <= (uint64_t)s->size.pool[p->dtype] - (uint64_t)p->offset);
}

uint32_t archai_segment_crc(const void *data, size_t n)
{
    return (uint32_t)crc32_z(0, data, n);
}

int archai_segment_write_piece(archai_segment *s, archai_tensor_place *p, size_t at,
                               const void *data, size_t n, archai_err *err)
{
    const size_t size = archai_dtype_size(p->dtype);
    uint64_t count;

    if (!archai_segment_holds(s, p, &count))
        return archai_fail(err, ARCHAI_EINTERNAL, "%s: tensor %s has no place in the pool", s->path,
                           p->name);
    if (at > count * size || n > count * size - at)
        return archai_fail(err, ARCHAI_EINTERNAL, "%s: tensor %s is larger than its place", s->path,
                           p->name);
    p->crc = (uint32_t)crc32_z(at == 0 ? 0 : p->crc, data, n);
    return archai_file_pwrite(s->fd, data, n, s->pool_at[p->dtype] + (uint64_t)p->offset * size + at,
                              s->path, err);
}

static double unix_time(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

archai_row archai_segment_row(const archai_trial *e, int64_t text_offset, const char *detail,
                              size_t detail_bytes)
{
    archai_row r = {.id = e->id,
                    .budget = e->budget,
                    .finished = unix_time(),
                    .text_offset = text_offset,
                    .text_bytes = (int64_t)detail_bytes,
                    .status = e->status,
                    .rank = e->rank,
                    .is_test = e->is_test,
                    .text_crc = archai_segment_crc(detail, detail_bytes)};

    r.crc = archai_row_crc(&r);
    return r;
}

void archai_segment_row_finished(archai_row *r, double finished)
{
    r->finished = finished;
    r->crc = archai_row_crc(r);
}

int archai_segment_commit_rows(archai_segment *s, int64_t row, const archai_row *rows, size_t n,
                               const char *details, size_t bytes, archai_err *err)
{
    const int64_t text = rows[0].text_offset;

    if (row < 0 || row > s->size.rows || n > (uint64_t)(s->size.rows - row) || text < 0 ||
        text > s->size.text_bytes || bytes > (uint64_t)(s->size.text_bytes - text))
        return archai_fail(err, ARCHAI_EINTERNAL,
                           "%s: row %lld with %zu bytes at %lld has no place", s->path,
                           (long long)row, bytes, (long long)text);
    ARCHAI_TRY(archai_file_pwrite(s->fd, details, bytes, s->text_at + (uint64_t)text, s->path, err));
    /* 64 bytes that never cross a page: a reader sees the whole row or none of it. */
    return archai_file_pwrite(s->fd, (const char *)rows, n * sizeof *rows,
                              s->rows_at + (uint64_t)row * sizeof *rows, s->path, err);
}

int archai_segment_sync(archai_segment *s, archai_err *err)
{
    while (fdatasync(s->fd) != 0)
        if (errno != EINTR)
            return archai_fail(err, ARCHAI_EIO, "%s: %s: %s", s->path,
                               errno == ENOSPC || errno == EDQUOT ? "disk full syncing"
                                                                  : "cannot sync",
                               strerror(errno));
    return ARCHAI_OK;
}
