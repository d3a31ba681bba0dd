/* runner/worker/writer.h - commits a rank's evaluations to the places that it was granted.
 *
 * Rank 0 grants blocks of rows and of detail bytes in a segment (runner/coordinator/grants.h); within them a rank
 * writes without asking. It holds at most two grants, the one in use and the next, so that it never waits
 * between blocks. Rows of instant evaluations are gathered and written together: two system calls for
 * each row would be a tenth of their whole cost. Not collective.
 */
#ifndef ARCHAI_RUNNER_WORKER_WRITER_H
#define ARCHAI_RUNNER_WORKER_WRITER_H
#include "io/wire/message.h"
#include "io/segment/segment.h"

typedef struct archai_grant {
    archai_segment segment;    /* opened at first use */
    char *name;                /* owned; NULL: no grant */
    int64_t row, end_row;      /* free rows */
    int64_t text, end_text;    /* free bytes of detail */
    double open_by;            /* a segment that is not seen by then is an error (NFS takes time) */
} archai_grant;

typedef struct archai_writer {
    const char *directory;  /* borrowed: results directory */
    archai_grant now, next;
    archai_buffer packed;   /* of the evaluation being written */
    archai_buffer details;  /* gathered, in the order of their places */
    archai_row *rows;       /* gathered; [n_rows], owned; the first goes to number now.row - n_rows */
    size_t n_rows;
    int64_t rows_written, bytes_written; /* their quotient sizes the next grant */
    bool asked;             /* a NEED is under way */
    bool dirty;             /* written since the last sync */
    bool synced_by_index;   /* rank 0's, which must not wait for a disk: the indexer runs on the same node
                             * and syncs a segment before it takes rows of it into the index */
} archai_writer;

void archai_writer_init(archai_writer *w, const char *directory);
int archai_writer_fini(archai_writer *w, archai_err *err); /* syncs and closes */
/* Take over a grant message. */
void archai_writer_grant(archai_writer *w, const archai_message *grant);
/* Which grant is wanted now? *wanted: fill n_rows and text_bytes of a NEED message and send it.
 * Asked for early, so that it comes before the last row is used. */
void archai_writer_need(archai_writer *w, bool *wanted, archai_message *need);

/* *ready: the places in use have room for this evaluation, also once its tensors have their places.
 * Before it is offered to rank 0, since a kept model's row must follow its tensors into one segment. */
int archai_writer_reserve(archai_writer *w, const archai_trial *e, bool *ready,
                          archai_err *err);
/* `segment` (a verdict's) becomes the one in use: as soon as the verdict is there, since a later grant may
 * take the place of the next one. Then tensors can be written into now.segment, once it is *open; false:
 * it is not seen yet, ask again later. */
int archai_writer_turn_to(archai_writer *w, const char *segment, archai_err *err);
int archai_writer_open(archai_writer *w, bool *open, archai_err *err);
/* Gather a row: it has its place (now.row - 1), and is committed by the next flush. *done is false while
 * no granted place holds it (ask again after the next grant). */
int archai_writer_add(archai_writer *w, const archai_trial *e, bool *done, archai_err *err);
int archai_writer_flush(archai_writer *w, archai_err *err);
void archai_writer_drop(archai_writer *w); /* forget what was gathered */
/* Both at once. */
int archai_writer_commit(archai_writer *w, const archai_trial *e, bool *done,
                         archai_err *err);
/* fdatasync, if anything was written and nobody else does it. */
int archai_writer_sync(archai_writer *w, archai_err *err);
#endif
