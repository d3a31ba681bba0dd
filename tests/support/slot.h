/* tests/support/slot.h - a worker slot alone: the test is its rank 0, and its evaluator a few
 * lines that offer four tensors at once. No MPI: what the slot posts stays in its outbox.
 */
#ifndef ARCHAI_TESTS_SLOT_H
#define ARCHAI_TESTS_SLOT_H
#include "runner/worker/worker_private.h"

enum { SLOT_ID = 7, SLOT_TENSORS = 4 };

typedef struct slot_evaluator {
    archai_evaluator base;
    int fd; /* the file with the weights */
    bool is_open, told, busy;
    bool dies; /* once it has nothing to do */
    const char *device; /* that it says it is on; NULL: nothing */
    int fails;          /* candidates fail with this code and `why`; 0: they do not */
    const char *why;
    archai_tensor tensors[SLOT_TENSORS];
} slot_evaluator;

typedef struct slot {
    archai_outbox box; /* what the worker posted; `used` bytes of it are read */
    size_t used;
    archai_comm comm;
    archai_config config;
    archai_objectives objectives;
    archai_evaluator_setup setup;
    archai_worker w;
    slot_evaluator *f;
    const char *directory;
    float *data; /* [n_data] */
    size_t n_data;
    double width[2];
    int64_t steps[1];
} slot;

extern const char slot_first[], slot_next[]; /* names of segments */

/* Its model has `bytes` of float32 and a little more; slot_first exists. */
void slot_open(slot *b, const char *directory, size_t bytes);
void slot_close(slot *b);
void slot_make_segment(const slot *b, const char *name);

/* The next message of the worker; false: it has not said anything. NEED, HELLO are passed over.
 */
bool slot_heard(slot *b, archai_message *m);
/* Steps until there is one; it must be of this type. Caller fini. */
archai_message slot_expect(slot *b, archai_message_type type);
void slot_tell(slot *b, archai_message m); /* borrows what it points to */
void slot_grant(slot *b, const char *segment);
void slot_step(slot *b);

/* Candidate SLOT_ID, and a place for its row. */
void slot_give(slot *b);
/* It is measured, and told that its weights are kept in `segment`: slot_first,
 * or another that is granted for them. */
void slot_keep_in(slot *b, const char *segment);
/* `done` reports what stands there, byte for byte. */
void slot_assert_kept(const slot *b, const char *segment, const archai_message *done);
#endif
