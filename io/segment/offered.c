#include "io/segment/offered.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/file.h"

enum {
    PIECE = 1 << 20, /* bytes read and written at a time */
    LEAST = 4096     /* bytes that a small tensor counts as: its system calls take time */
};

/* -- opening ------------------------------------------------------------------------------- */

/* Usually the i-th: the announcement was made from this file. */
static const archai_tensor *find(const archai_tensors *file, size_t i, const char *name)
{
    if (i < file->n && strcmp(file->at[i].name, name) == 0)
        return &file->at[i];
    return archai_tensors_find(file, name); /* by all names: only a file that changed has another order */
}

static int locate(archai_offered *o, const archai_tensors *file,
                  const archai_tensor_place *places, archai_err *err)
{
    for (size_t i = 0; i < o->n; i++) {
        const archai_tensor_place *p = &places[i];
        const archai_tensor *t = find(file, i, p->name);

        if (t == NULL || t->dtype != p->dtype || t->ndim != p->ndim ||
            memcmp(t->shape, p->shape, (size_t)p->ndim * sizeof *p->shape) != 0)
            return archai_fail(err, ARCHAI_EFORMAT, "tensor %s is not what was announced",
                               p->name);
        o->at_byte[i] = t->at_byte;
        o->bytes[i] = t->bytes;
    }
    return ARCHAI_OK;
}

int archai_offered_open(archai_offered *out, int fd, const archai_tensor_place *places,
                        size_t n, archai_err *err)
{
    archai_offered o = {.fd = fd, .n = n};
    archai_tensors file = {0};
    int rc;

    ARCHAI_TRY(archai_safetensors_list_fd(&file, fd, SIZE_MAX, err));
    o.at_byte = archai_calloc(n, sizeof *o.at_byte);
    o.bytes = archai_calloc(n, sizeof *o.bytes);
    o.piece = archai_malloc(PIECE);
    rc = locate(&o, &file, places, err);
    archai_tensors_close(&file);
    if (rc == ARCHAI_OK)
        *out = o;
    else
        archai_offered_close(&o);
    return rc;
}

void archai_offered_close(archai_offered *o)
{
    free(o->at_byte);
    free(o->bytes);
    free(o->piece);
    *o = (archai_offered){0};
}

/* -- copying ------------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

int archai_offered_copy(archai_offered *o, archai_segment *to, archai_tensor_place *places,
                        size_t bytes, bool *done, archai_err *err)
{
    for (size_t total = 0; o->next < o->n && total < bytes;) {
        const size_t n = smaller(o->bytes[o->next] - o->copied, smaller(bytes - total, PIECE));

        ARCHAI_TRY(archai_file_pread(o->fd, o->piece, n, o->at_byte[o->next] + o->copied,
                                     "weights", err));
        ARCHAI_TRY(
            archai_segment_write_piece(to, &places[o->next], o->copied, o->piece, n, err));
        /* Free the memory piece by piece: to free 256 MiB at once would cost the evaluator, which
         * empties the file for the next weights, a tenth of a second. */
        (void)fallocate(o->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t)(o->at_byte[o->next] + o->copied), (off_t)n);
        o->copied += n;
        total += n > LEAST ? n : LEAST;
        if (o->copied == o->bytes[o->next]) {
            o->next++;
            o->copied = 0;
        }
    }
    *done = o->next == o->n;
    return ARCHAI_OK;
}
