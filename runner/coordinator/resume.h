/* runner/coordinator/resume.h - what earlier starts of a run left, and whether they may be continued.
 *
 * The truth is the union of results.h5 and of all valid rows of the segments, whatever rank 0 had
 * heard of before it died. Rank 0 only.
 */
#ifndef ARCHAI_RUNNER_COORDINATOR_RESUME_H
#define ARCHAI_RUNNER_COORDINATOR_RESUME_H
#include "core/base/err.h"

struct archai_plan;
/* Enter every earlier row into plan->search. Nothing there: nothing is done. A changed space or
 * objective is ARCHAI_EINVAL; a complete run sets plan->complete. */
int archai_resume(struct archai_plan *plan, archai_err *err);
#endif
