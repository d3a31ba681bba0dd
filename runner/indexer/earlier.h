/* runner/indexer/earlier.h - the rows that earlier starts left, read by a process that a damaged file may
 * crash.
 *
 * Rank 0's side of `archai-indexer --read` (runner/indexer/archai_indexer.h). Blocks until the next row is
 * there. Memory: one row, and the content of a pipe.
 */
#ifndef ARCHAI_RUNNER_INDEXER_EARLIER_H
#define ARCHAI_RUNNER_INDEXER_EARLIER_H
#include "runner/process/peer.h"

typedef struct archai_earlier {
    archai_peer peer;
    char *reading;       /* owned; the file that HDF5 is reading; NULL: none yet */
    archai_message head; /* ARCHAI_MSG_EARLIER */
    char *told;          /* owned; a sentence for the user; NULL: none */
    char *settled;       /* owned; what is to become reconciled.json; NULL: nothing new */
} archai_earlier;

#define ARCHAI_EARLIER_INIT                                                                        \
    {                                                                                              \
        .peer = ARCHAI_PEER_INIT                                                                   \
    }

/* Start the reader and wait for what results.h5 says of itself (e->head). ARCHAI_EFORMAT, one
 * line that names the file: it is damaged, however badly. */
int archai_earlier_open(archai_earlier *e, const char *directory, archai_err *err);
/* The next row in order of id (caller fini); *got false: that was all. */
int archai_earlier_next(archai_earlier *e, archai_trial *out, bool *got, archai_err *err);
void archai_earlier_close(archai_earlier *e); /* ends the reader; idempotent */
#endif
