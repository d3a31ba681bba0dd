/* runner/evaluator/registry.c - the kinds of evaluators, a line for each, in the order of --help. The
 * file has nothing else, so that a program can replace the table by its own. */
#include "runner/evaluator/evaluator.h"

/* clang-format off */
#define EVALUATORS(X) \
    X(torch)          \
    X(table)          \
    X(command)        \
    X(null)           \
    X(plugin)         \
    /* archai_evaluator_<name> of <name>.c */
/* clang-format on */

#define X(name) extern const archai_evaluator_ops archai_evaluator_##name;
EVALUATORS(X)
#undef X

#define X(name) &archai_evaluator_##name,
const archai_evaluator_ops *const archai_evaluators[] = {EVALUATORS(X) NULL};
#undef X
