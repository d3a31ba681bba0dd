/* runner/inspect/verify/verify.h - what verify.c and verify_models.c share. */
#ifndef ARCHAI_RUNNER_INSPECT_VERIFY_VERIFY_H
#define ARCHAI_RUNNER_INSPECT_VERIFY_VERIFY_H
#include <stdint.h>
#include "io/results/reconcile.h"
#include "io/segment/segment.h"
#include "runner/inspect/json.h"

struct verifying {
    const inspect *t;
    archai_segment *segment; /* the current one */
    size_t faults;
    int64_t rows, values; /* seen */
    archai_reconciled reconciled;
    int64_t absent, repeated; /* rows that results.h5 should have; that do not count (reconcile.h) */
    int64_t pending;      /* rows that a running search has committed since its last refresh */
    bool *stored;         /* [r.n]: some segment holds the row */
    json_t *out, *told, *checkpoints; /* --json; else NULL */
};

/* A line, or an element of `faults`; counted. */
void verify_fault(struct verifying *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A number of the answer: a line of text, or a member of the object. */
void verify_tell(struct verifying *v, const char *name, int64_t value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int verify_models(struct verifying *v, archai_err *err);
void verify_front(struct verifying *v);
#endif
