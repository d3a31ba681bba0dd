#include "io/segment/stored.h"

#include <stdlib.h>
#include <zlib.h>

#include "core/base/alloc.h"
#include "io/file/checkpoint.h"
#include "io/file/file.h"

enum { PIECE = 1 << 20 }; /* bytes read and written at a time */

/* -- opening ------------------------------------------------------------------------------- */

/* Takes the name over. */
static void add(archai_stored *s, char *name, archai_dtype dtype, int ndim, const int64_t *shape,
                const void *data)
{
    archai_tensor *t = &s->at[s->n++];

    *t = (archai_tensor){.name = name, .dtype = dtype, .ndim = ndim, .data = data};
    t->bytes = archai_dtype_size(dtype);
    for (int d = 0; d < ndim; d++) {
        t->shape[d] = shape[d];
        t->bytes *= (size_t)shape[d]; /* cannot overflow: archai_segment_holds() */
    }
}

static void list_tensors(archai_stored *s)
{
    const archai_trial *e = &s->row;
    const size_t most = e->n_tensors + e->n_curves + 1;
    const int64_t one = 1;

    s->at = archai_calloc(most, sizeof *s->at);
    s->at_byte = archai_calloc(most, sizeof *s->at_byte);
    s->piece = archai_malloc(PIECE);
    for (size_t i = 0; i < e->n_tensors; i++) {
        const archai_tensor_place *p = &e->tensors[i];

        add(s, archai_strdup(p->name), p->dtype, p->ndim, p->shape, NULL);
    }
    for (size_t i = 0; i < e->n_curves; i++) {
        const int64_t n = (int64_t)e->curves[i].n;

        add(s, archai_printf(ARCHAI_STATE_PREFIX "curve:%s", e->curves[i].name), ARCHAI_F32, 1, &n,
            e->curves[i].values);
    }
    s->seconds = archai_measure_get(e->measures, e->n_measures, "train_seconds");
    if (s->seconds >= 0)
        add(s, archai_strdup(ARCHAI_STATE_PREFIX "seconds"), ARCHAI_F64, 1, &one, NULL);
}

int archai_stored_open(archai_stored *out, const char *directory, int64_t place, archai_err *err)
{
    archai_stored s = ARCHAI_STORED_INIT;
    char name[ARCHAI_SEGMENT_NAME_MAX];
    bool valid = false;
    int64_t row;
    int rc;

    if (!archai_segment_of_place(place, name, &row))
        return archai_fail(err, ARCHAI_EFORMAT, "%lld is not a place of weights", (long long)place);
    ARCHAI_TRY_GOTO(rc, archai_segment_open(&s.segment, directory, name, false, err), out);
    ARCHAI_TRY_GOTO(rc, archai_segment_read(&s.segment, row, &valid, &s.row, err), out);
    if (!valid || s.row.n_tensors == 0)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: row %lld is damaged or holds no weights",
                         s.segment.path, (long long)row);
    else
        list_tensors(&s);
out:
    if (rc == ARCHAI_OK)
        *out = s;
    else
        archai_stored_close(&s);
    return rc;
}

void archai_stored_close(archai_stored *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->at[i].name);
    free(s->at);
    free(s->at_byte);
    free(s->piece);
    archai_trial_fini(&s->row);
    archai_segment_close(&s->segment);
    *s = (archai_stored)ARCHAI_STORED_INIT;
}

/* -- copying ------------------------------------------------------------------------------- */

/* Copy up to PIECE bytes of the current tensor. */
static int copy_piece(archai_stored *s, int fd, size_t *n, archai_err *err)
{
    const archai_tensor *t = &s->at[s->next];
    const archai_segment *from = &s->segment;
    const void *data = s->piece;

    *n = t->bytes - s->copied < PIECE ? t->bytes - s->copied : PIECE;
    if (s->next < s->row.n_tensors) {
        const archai_tensor_place *p = &s->row.tensors[s->next];
        const uint64_t at = from->pool_at[p->dtype] +
                            (uint64_t)p->offset * archai_dtype_size(p->dtype) + s->copied;

        ARCHAI_TRY(archai_file_pread(from->fd, s->piece, *n, at, from->path, err));
        s->crc = (uint32_t)crc32_z(s->crc, (const unsigned char *)s->piece, *n);
        if (s->copied + *n == t->bytes && s->crc != p->crc)
            return archai_fail(err, ARCHAI_EFORMAT, "%s: tensor %s of candidate %lld does not have "
                               "its checksum", from->path, t->name, (long long)s->row.id);
    } else {
        data = t->data != NULL ? (const char *)t->data + s->copied : (const char *)&s->seconds;
    }
    return archai_file_pwrite(fd, data, *n, s->at_byte[s->next] + s->copied, "stored weights", err);
}

int archai_stored_copy(archai_stored *s, int fd, size_t bytes, bool *done, archai_err *err)
{
    size_t n = 0;

    *done = false;
    if (s->next == 0 && s->copied == 0)
        ARCHAI_TRY(archai_safetensors_head(fd, s->at, s->n, s->at_byte, err));
    for (size_t total = 0; s->next < s->n && total < bytes; total += n) {
        ARCHAI_TRY(copy_piece(s, fd, &n, err));
        s->copied += n;
        if (s->copied == s->at[s->next].bytes) {
            s->next++;
            s->copied = 0;
            s->crc = 0;
        }
    }
    *done = s->next == s->n;
    return ARCHAI_OK;
}
