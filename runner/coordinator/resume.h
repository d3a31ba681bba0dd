/* runner/coordinator/resume.h - what earlier starts of a run left, and whether they may be continued.
 *
 * results.h5 and all valid rows of the segments together are the truth, whether or not rank 0 knew of them
 * before it died. Rank 0 only.
 */
#ifndef ARCHAI_RUNNER_COORDINATOR_RESUME_H
#define ARCHAI_RUNNER_COORDINATOR_RESUME_H
#include "core/base/err.h"

struct archai_plan;
/* Enter every earlier row into plan->search. Does nothing if there are none. A changed space or
 * objective is ARCHAI_EINVAL; a complete run sets plan->complete. */
int archai_resume(struct archai_plan *plan, archai_err *err);
#endif
