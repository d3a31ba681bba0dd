/* io/segment/stored.h - weights that an evaluation left in a segment, on their way into a safetensors file from
 * which another evaluation begins.
 *
 * The file holds, by name, the row's tensors (a model's own, and what begins with ARCHAI_STATE_PREFIX:
 * see io/file/checkpoint.h) and, since they are no tensors in the row,
 *       archai:curve:<name>   float32 [epochs]   its learning curves
 *       archai:seconds        float64 [1]        its train_seconds, if it has them
 * Copied piece by piece, so that whoever copies can look after other things. Nothing is believed that
 * does not have its checksum. Not collective.
 */
#ifndef ARCHAI_IO_SEGMENT_STORED_H
#define ARCHAI_IO_SEGMENT_STORED_H
#include "io/segment/segment.h"

typedef struct archai_stored {
    archai_segment segment;
    archai_trial row; /* whose weights they are */
    archai_tensor *at;     /* owned, with the names; data: curves and seconds; NULL: lies in the segment */
    size_t *at_byte;       /* owned; [n], where each belongs in the copy */
    size_t n;
    double seconds;
    size_t next, copied;   /* the tensor at hand and how many of its bytes are copied */
    uint32_t crc;          /* of these */
    char *piece;           /* owned */
} archai_stored;
#define ARCHAI_STORED_INIT                                                                     \
    {                                                                                          \
        .segment = ARCHAI_SEGMENT_INIT                                                         \
    }

/* The row at a place (archai_segment_place). ARCHAI_ENOTFOUND, ARCHAI_EINVAL (no such row),
 * ARCHAI_EFORMAT: there is none with weights; perhaps not yet, on a network file system. */
int archai_stored_open(archai_stored *out, const char *directory, int64_t place, archai_err *err);
/* Copy about `bytes` more into fd, whose content is replaced. *done: it is whole. ARCHAI_EFORMAT: a
 * tensor does not have its checksum, and the copy is worth nothing. */
int archai_stored_copy(archai_stored *s, int fd, size_t bytes, bool *done, archai_err *err);
void archai_stored_close(archai_stored *s); /* safe on ARCHAI_STORED_INIT */
#endif
