/* runner/evaluator/torch_task.h - does what is asked of kind torch fit together? */
#ifndef ARCHAI_RUNNER_EVALUATOR_TORCH_TASK_H
#define ARCHAI_RUNNER_EVALUATOR_TORCH_TASK_H
#include "runner/evaluator/evaluator.h"

/* The slot check_task of kind torch. Draws from the space. ARCHAI_EINVAL begins with the key at fault. */
int archai_torch_check_task(const void *settings, const archai_evaluator_task *task,
                            archai_err *err);
#endif
