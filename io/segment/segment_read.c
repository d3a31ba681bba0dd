/* Reading segments: a row is trusted only as far as its checksums reach. */
#include "io/segment/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/wire/message.h"
#include "io/segment/segment_layout.h"

enum { SCAN_ROWS = 1024 }; /* read at once: 64 KiB */

static bool row_is_right(const archai_segment *s, const archai_row *r)
{
    return r->crc == archai_row_crc(r) && r->id >= 0 && r->status >= 0 &&
           r->status < ARCHAI_STATUS_COUNT && r->text_offset >= 0 && r->text_bytes >= 0 &&
           r->text_offset <= s->size.text_bytes &&
           r->text_bytes <= s->size.text_bytes - r->text_offset;
}

int archai_segment_detail(const archai_segment *s, const archai_row *r, bool *valid,
                          archai_trial *out, archai_err *err)
{
    const size_t n = (size_t)r->text_bytes;
    archai_trial e = {0};
    archai_err why = ARCHAI_ERR_INIT;
    char *text;
    int rc;

    *valid = false;
    if (n > ARCHAI_FRAME_MAX) /* no worker writes so much */
        return ARCHAI_OK;
    text = archai_malloc(n);
    rc = archai_file_pread(s->fd, text, n, s->text_at + (uint64_t)r->text_offset, s->path, err);
    if (rc == ARCHAI_OK && archai_segment_crc(text, n) == r->text_crc) {
        rc = archai_trial_unpack(text, n, &e, &why);
        if (rc == ARCHAI_OK)
            *valid = e.id == r->id && e.model.archid != NULL && e.arch != NULL;
        else if (rc == ARCHAI_EFORMAT)
            rc = ARCHAI_OK; /* right checksum, foreign content: not a row of ours */
        else
            rc = archai_fail(err, rc, "%s: %s", s->path, why.text);
        for (size_t i = 0; *valid && i < e.n_tensors; i++)
            *valid = archai_segment_holds(s, &e.tensors[i], NULL);
    }
    free(text);
    if (rc == ARCHAI_OK && *valid)
        *out = e;
    else
        archai_trial_fini(&e);
    return rc;
}

int archai_segment_read(const archai_segment *s, int64_t row, bool *valid,
                        archai_trial *out, archai_err *err)
{
    archai_row r;

    *valid = false;
    if (row < 0 || row >= s->size.rows)
        return archai_fail(err, ARCHAI_EINVAL, "%s: has no row %lld", s->path, (long long)row);
    ARCHAI_TRY(archai_file_pread(s->fd, &r, sizeof r, s->rows_at + (uint64_t)row * sizeof r,
                                 s->path, err));
    if (!row_is_right(s, &r))
        return ARCHAI_OK;
    return archai_segment_detail(s, &r, valid, out, err);
}

int archai_segment_read_tensor(const archai_segment *s, const archai_tensor_place *p, void *out,
                               archai_err *err)
{
    size_t size = archai_dtype_size(p->dtype);
    uint64_t n;

    if (!archai_segment_holds(s, p, &n))
        return archai_fail(err, ARCHAI_EFORMAT, "%s: tensor %s lies outside its pool", s->path,
                           p->name);
    return archai_file_pread(s->fd, out, (size_t)n * size,
                             s->pool_at[p->dtype] + (uint64_t)p->offset * size, s->path, err);
}

/* First row at or after `row` that was ever written, as far as the file system knows. */
static int64_t skip_hole(const archai_segment *s, int64_t row, int64_t last)
{
    uint64_t at = s->rows_at + (uint64_t)row * sizeof(archai_row);
    off_t data = lseek(s->fd, (off_t)at, SEEK_DATA);

    if (data < 0)
        return errno == ENXIO ? last : row; /* nothing more; or it does not know */
    if ((uint64_t)data <= at)
        return row;
    row = (int64_t)(((uint64_t)data - s->rows_at) / sizeof(archai_row));
    return row < last ? row : last;
}

static bool is_free(const archai_row *r)
{
    static const archai_row zeros;

    return memcmp(r, &zeros, sizeof zeros) == 0;
}

/* Visit the rows that are right, or those that are neither right nor free. */
static int scan(const archai_segment *s, int64_t first, int64_t last, bool right,
                archai_segment_visit visit, void *payload, archai_err *err)
{
    archai_row *rows;
    int rc = ARCHAI_OK;

    if (first < 0 || last > s->size.rows)
        return archai_fail(err, ARCHAI_EINVAL, "%s: has no rows %lld to %lld", s->path,
                           (long long)first, (long long)last);
    rows = archai_malloc(SCAN_ROWS * sizeof *rows);
    while ((first = skip_hole(s, first, last)) < last) {
        int64_t n = last - first < SCAN_ROWS ? last - first : SCAN_ROWS;

        ARCHAI_TRY_GOTO(rc,
                        archai_file_pread(s->fd, rows, (size_t)n * sizeof *rows,
                                          s->rows_at + (uint64_t)first * sizeof *rows, s->path,
                                          err),
                        out);
        for (int64_t i = 0; i < n; i++)
            if (!is_free(&rows[i]) &&
                (rows[i].finished != 0 && row_is_right(s, &rows[i])) == right)
                ARCHAI_TRY_GOTO(rc, visit(payload, first + i, &rows[i], err), out);
        first += n;
    }
out:
    free(rows);
    return rc;
}

int archai_segment_scan(const archai_segment *s, int64_t first, int64_t last,
                        archai_segment_visit visit, void *payload, archai_err *err)
{
    return scan(s, first, last, true, visit, payload, err);
}

int archai_segment_scan_damaged(const archai_segment *s, archai_segment_visit visit,
                                void *payload, archai_err *err)
{
    return scan(s, 0, s->size.rows, false, visit, payload, err);
}
