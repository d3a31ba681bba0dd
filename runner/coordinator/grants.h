/* runner/coordinator/grants.h - rank 0 hands out the places in the segments.
 *
 * Every owner (a worker rank, or the coordinator's own writer, number `n_owners - 1`) has its own blocks,
 * each aligned to ARCHAI_SEGMENT_ALIGNMENT bytes, so that two nodes never write to the same page of a
 * network file system. When a segment is full the next one is created, larger; it is named
 * segment-<start>-<k>.h5. Rank 0 only.
 */
#ifndef ARCHAI_RUNNER_COORDINATOR_GRANTS_H
#define ARCHAI_RUNNER_COORDINATOR_GRANTS_H
#include "io/wire/message.h"
#include "io/segment/segment.h"

enum { ARCHAI_GRANTS_KEPT = 16 };

typedef struct archai_grant_owner {
    int segment;                           /* of its last grant of rows; -1: none yet */
    struct {
        int segment;
        int64_t row, n_rows;
    } given[ARCHAI_GRANTS_KEPT]; /* its newest grants, number k at k % ARCHAI_GRANTS_KEPT */
    int64_t n_given;
    int64_t pool[ARCHAI_DTYPE_COUNT];      /* next free element of its pool blocks there */
    int64_t end_pool[ARCHAI_DTYPE_COUNT];
} archai_grant_owner;

typedef struct archai_grants {
    const char *directory; /* borrowed: results directory */
    int start;
    bool weights;          /* models may be kept: segments have pools */
    int n_owners;
    archai_grant_owner *owners; /* [n_owners], owned */
    int segment;                /* the one with free places; -1: none yet */
    archai_segment_size size;   /* of it */
    archai_segment_size used;   /* places given away */
} archai_grants;

void archai_grants_init(archai_grants *g, const char *directory, int start, int n_owners,
                        bool weights);
void archai_grants_fini(archai_grants *g);

/* Fill a grant message with at least n_rows rows and text_bytes bytes (caller fini). May create a
 * segment. */
int archai_grants_rows(archai_grants *g, int owner, int64_t n_rows, int64_t text_bytes,
                       archai_message *grant, archai_err *err);
/* Give e's tensors places in the segment of the owner's last grant, if they fit; otherwise *grant (type
 * ARCHAI_MSG_GRANT, else left zeroed) moves the owner to another segment, with room for the row of
 * `text_bytes` as well. *segment (owned by the caller): its name. */
int archai_grants_tensors(archai_grants *g, int owner, archai_trial *e, int64_t text_bytes,
                          char **segment, archai_message *grant, archai_err *err);
/* Visit the rows that an owner committed into its newest grants, thus all that it may not have reported
 * yet: it holds two grants at most, and reports each row at once. The visitor frees or keeps the
 * evaluation. Reads files. */
typedef int (*archai_grants_visit)(void *payload, archai_trial *e, archai_err *err);
int archai_grants_committed(const archai_grants *g, int owner, archai_grants_visit visit,
                            void *payload, archai_err *err);
#endif
