/* io/segment/offered.h - the weights that an evaluator offers, on their way from its file
 * (safetensors, a memfd) into a segment.
 *
 * Copied piece by piece, so that the caller can do other things in between. The file is read, not
 * mapped: if its writer, who may still hold it, truncates it, the result is an error and not SIGBUS.
 * Not collective.
 */
#ifndef ARCHAI_IO_SEGMENT_OFFERED_H
#define ARCHAI_IO_SEGMENT_OFFERED_H
#include "io/segment/segment.h"

typedef struct archai_offered {
    int fd;            /* borrowed */
    uint64_t *at_byte; /* owned; [n], where each tensor begins in the file */
    size_t *bytes;     /* owned; [n] */
    size_t n;
    size_t next, copied; /* the current tensor, and how many of its bytes are copied */
    char *piece;         /* owned */
} archai_offered;

/* Find the tensors that places [n] name. ARCHAI_EFORMAT: not what was announced. */
int archai_offered_open(archai_offered *out, int fd, const archai_tensor_place *places,
                        size_t n, archai_err *err);
/* Copy up to `bytes` more to their places in `to`, and set the places' checksums. The bytes are
 * removed from the file, which frees their memory. *done: everything is copied. ARCHAI_EFORMAT: the
 * file has become shorter. */
int archai_offered_copy(archai_offered *o, archai_segment *to, archai_tensor_place *places,
                        size_t bytes, bool *done, archai_err *err);
void archai_offered_close(archai_offered *o); /* safe on a zeroed struct */
#endif
