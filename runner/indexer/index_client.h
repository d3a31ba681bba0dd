/* runner/indexer/index_client.h - rank 0's side of archai-indexer, which writes results.h5.
 *
 * archai-indexer is a separate process, so that no HDF5 call holds up the search; if it dies, or shows no sign of
 * work for long (runner/process/watch/vitals.h), it is started again. Each refresh is followed by a pause of at least 20 times its duration. Never blocks.
 */
#ifndef ARCHAI_RUNNER_INDEXER_INDEX_CLIENT_H
#define ARCHAI_RUNNER_INDEXER_INDEX_CLIENT_H
#include "io/wire/message.h"
#include "runner/process/peer.h"
#include "runner/process/watch/vitals.h"

typedef struct archai_index_client {
    const archai_message *run;   /* borrowed; ARCHAI_MSG_INDEX */
    archai_peer peer;
    bool running, open;          /* open: it knows the run */
    int unanswered;              /* requests under way, INDEX among them */
    int failures;                /* in a row */
    double next_s;               /* clock: earliest next refresh (after a failure: start) */
    int64_t refreshes;           /* that succeeded */
    char asked[16], published[16]; /* states: of the refresh under way, of results.h5; "" before */
    archai_vitals vitals;        /* since the last request or answer */
    bool hung;                   /* the last failure: it showed no sign of work */
    archai_err error;            /* of the last failure */
    char *notes;                 /* owned; what the last refresh left out, for run.log; NULL: nothing more */
} archai_index_client;

#define ARCHAI_INDEX_CLIENT_INIT                                                                   \
    {                                                                                              \
        .peer = ARCHAI_PEER_INIT                                                                   \
    }

void archai_index_client_init(archai_index_client *c, const archai_message *run);
void archai_index_client_close(archai_index_client *c); /* idempotent */

/* May a refresh be asked for now? `hurry`: the pause does not matter. */
bool archai_index_client_is_free(const archai_index_client *c, double now, bool hurry);
int archai_index_client_refresh(archai_index_client *c, const char *state, int64_t rejected,
                                archai_err *err);
/* Start archai-indexer if necessary; read answers. *busy: something happened. Failed refreshes count in
 * `failures`; the caller decides how many are too many. */
void archai_index_client_step(archai_index_client *c, bool *busy);
/* Seconds for which it has shown no sign of work on what it was asked; 0: it was asked for nothing. */
double archai_index_client_idle(archai_index_client *c);
size_t archai_index_client_wake(const archai_index_client *c, struct pollfd *out, size_t max);
#endif
