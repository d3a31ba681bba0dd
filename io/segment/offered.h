/* io/segment/offered.h - the weights that an evaluator offers, on their way from its file (safetensors,
 * a memfd) into a segment.
 *
 * Copied piece by piece, so that whoever copies can look after other things. The file is read,
 * not mapped, meanwhile: its writer may still hold it, and what is cut short then is an error,
 * no SIGBUS. Not collective.
 */
#ifndef ARCHAI_IO_SEGMENT_OFFERED_H
#define ARCHAI_IO_SEGMENT_OFFERED_H
#include "io/segment/segment.h"

typedef struct archai_offered {
    int fd;            /* borrowed */
    uint64_t *at_byte; /* owned; [n], where each tensor begins in the file */
    size_t *bytes;     /* owned; [n] */
    size_t n;
    size_t next, copied; /* the tensor at hand and how many of its bytes are copied */
    char *piece;         /* owned */
} archai_offered;

/* The tensors that `places` name, [n]. ARCHAI_EFORMAT: the file does not hold what was
 * announced. */
int archai_offered_open(archai_offered *out, int fd, const archai_tensor_place *places,
                        size_t n, archai_err *err);
/* Copy up to `bytes` more to their places in `to`, and their checksums into these. In the file
 * they are zero then, and their memory is free. *done: all of it is there. ARCHAI_EFORMAT: the
 * file has become shorter. */
int archai_offered_copy(archai_offered *o, archai_segment *to, archai_tensor_place *places,
                        size_t bytes, bool *done, archai_err *err);
void archai_offered_close(archai_offered *o); /* safe on a zeroed struct */
#endif
