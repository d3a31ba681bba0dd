/* runner/evaluator/registry.c - the kinds of evaluators, in the order in which --help prints them. Nothing
 * but this table: a program that defines one of its own replaces it. */
#include "runner/evaluator/evaluator.h"

extern const archai_evaluator_ops archai_evaluator_torch;
extern const archai_evaluator_ops archai_evaluator_table;
extern const archai_evaluator_ops archai_evaluator_command;
extern const archai_evaluator_ops archai_evaluator_null;
extern const archai_evaluator_ops archai_evaluator_plugin;

const archai_evaluator_ops *const archai_evaluators[] = {
    &archai_evaluator_torch,
    &archai_evaluator_table,
    &archai_evaluator_command,
    &archai_evaluator_null,
    &archai_evaluator_plugin,
    NULL,
};
