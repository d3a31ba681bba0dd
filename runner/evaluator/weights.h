/* runner/evaluator/weights.h - what a user's program left in its file for weights: looked at before it is
 * taken. */
#ifndef ARCHAI_RUNNER_EVALUATOR_WEIGHTS_H
#define ARCHAI_RUNNER_EVALUATOR_WEIGHTS_H
#include "core/config/config.h"
#include "core/search/trial.h"

/* Is the file no larger than evaluator.weights_limit? A hole counts like bytes: it would be read as such. By
 * default evaluator.memory_limit, or a quarter of this machine's memory. ARCHAI_EFORMAT: it is larger. */
int archai_weights_check(int fd, const archai_config *config, archai_err *err);
/* Put its tensors on offer: `out` gets their names, types and shapes. Nothing where it is empty.
 * ARCHAI_EFORMAT: it is no safetensors file. ARCHAI_ENOTSUP: it is, but it cannot be kept (a type or number of
 * dimensions that is not known, values that are not finite, too many tensors, too long a name); `out` is left alone. */
int archai_weights_offer(int fd, archai_trial *out, archai_err *err);
#endif
