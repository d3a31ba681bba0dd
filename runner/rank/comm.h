/* runner/rank/comm.h - messages between ranks, and agreement about errors.
 *
 * Sending never blocks. A post appends one frame (io/wire/message.h) to the outbox of its destination.
 * While an MPI message to that rank is in flight, further posts gather behind it and leave together, so
 * that many short candidates cost few messages. Receiving probes, then takes (MPI_Improbe, MPI_Mrecv).
 * A rank's posts to itself do not pass through MPI.
 */
#ifndef ARCHAI_RUNNER_RANK_COMM_H
#define ARCHAI_RUNNER_RANK_COMM_H
#include <mpi.h>
#include <stdbool.h>
#include "core/base/err.h"
#include "io/wire/message.h"
#include "runner/rank/mpi_call.h"

/* Collective over comm; a waiting rank sleeps. ARCHAI_EMPI when this rank's pulse finds that another is lost:
 * no collective call is possible after that.
 *
 * agree turns a per-rank outcome into a common one: afterwards every rank holds the code and text of
 * the lowest failing rank, and returns that code; ARCHAI_OK only if all ranks passed it. */
int archai_comm_agree(MPI_Comm comm, int rc, archai_err *err);
int archai_comm_share(MPI_Comm comm, int root, void *data, size_t size, archai_err *err);
/* Rank 0's text to all; the caller frees *text on the other ranks. */
int archai_comm_share_text(MPI_Comm comm, char **text, archai_err *err);
int archai_comm_barrier(MPI_Comm comm, archai_err *err);

typedef struct archai_outbox {
    archai_buffer waiting; /* frames posted since the last send began */
    archai_buffer sending; /* owned by MPI until `request` is done */
    MPI_Request request;
    bool gone; /* the rank was lost: posts to it are dropped */
} archai_outbox;

typedef struct archai_comm {
    MPI_Comm comm; /* owned duplicate; MPI errors are returned, not fatal */
    int rank, size;
    archai_outbox *to; /* [size], owned; to[rank] loops back */
    int *busy;         /* [n_busy], owned; the ranks with a busy outbox: few of all */
    size_t n_busy;
    archai_buffer in; /* the message being taken apart; in_used bytes are done */
    size_t in_used;
    int in_source;
} archai_comm;

/* Collective over `parent`. */
int archai_comm_init(archai_comm *c, MPI_Comm parent, archai_err *err);
/* Collective: frees buffers and the duplicate. If a rank is gone, MPI's resources are left as they are. */
void archai_comm_fini(archai_comm *c);

/* Not collective, never blocks. Failures of MPI are ARCHAI_EMPI: the job cannot continue. */
int archai_comm_post(archai_comm *c, int dest, const archai_message *m, archai_err *err);
/* Complete the sends under way, start the next ones. */
int archai_comm_progress(archai_comm *c, archai_err *err);
/* *got: the next message is in *out (caller fini). */
int archai_comm_take(archai_comm *c, int *source, archai_message *out, bool *got,
                     archai_err *err);
bool archai_comm_is_idle(const archai_comm *c); /* everything posted has been sent */
/* A rank was lost: drop what waits for it and what will be posted to it, and do not wait for sends to it. It
 * may come back; what was dropped stays dropped. */
void archai_comm_forget(archai_comm *c, int rank);
void archai_comm_remember(archai_comm *c, int rank);
#endif
