/* io/segment/stored.h - weights that an evaluation left in a segment, on their way into a
 * safetensors file from which another evaluation begins.
 *
 * The file holds, by name, the row's tensors (the model's, and those that begin with
 * ARCHAI_STATE_PREFIX: io/file/checkpoint.h) and, since the row does not hold these as tensors,
 *       archai:curve:<name>   float32 [epochs]   its learning curves
 *       archai:seconds        float64 [1]        its train_seconds, if it has them
 * Copied piece by piece, so that the caller can do other things in between. A tensor whose
 * checksum is wrong is refused. Not collective.
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
    size_t next, copied;   /* the current tensor, and how many of its bytes are copied */
    uint32_t crc;          /* of these */
    char *piece;           /* owned */
} archai_stored;
#define ARCHAI_STORED_INIT                                                                     \
    {                                                                                          \
        .segment = ARCHAI_SEGMENT_INIT                                                         \
    }

/* Open the row at a place (archai_segment_place). ARCHAI_ENOTFOUND (no such file), ARCHAI_EINVAL
 * (no such row), ARCHAI_EFORMAT (a row without weights; on a network file system perhaps not yet).
 */
int archai_stored_open(archai_stored *out, const char *directory, int64_t place, archai_err *err);
/* Copy about `bytes` more into fd, whose content is replaced. *done: the copy is complete.
 * ARCHAI_EFORMAT: a tensor's checksum is wrong, and the copy is useless. */
int archai_stored_copy(archai_stored *s, int fd, size_t bytes, bool *done, archai_err *err);
void archai_stored_close(archai_stored *s); /* safe on ARCHAI_STORED_INIT */
#endif
