/* runner/measure/measures.h - the evaluators behind sections [measure.NAME] (core/measure/measure.h). */
#ifndef ARCHAI_RUNNER_MEASURE_MEASURES_H
#define ARCHAI_RUNNER_MEASURE_MEASURES_H
#include "runner/evaluator/evaluator.h"

/* Those that take measures of their own (runner/worker/worker_parts.c). */
extern const archai_evaluator_ops archai_evaluator_command, archai_evaluator_torch;
/* Keys of kind command with this program; caller frees with archai_settings_free. */
int archai_evaluator_command_settings(const char *command, void **settings, archai_err *err);
/* The programs of all [measure.NAME] are there? All problems, a line each. */
int archai_evaluator_check_measures(const archai_measure_specs *measures, const archai_ini *ini,
                                    archai_err *err);
/* Is `source` measured by a section [measure.NAME], or does it come with one? */
bool archai_evaluator_is_measured(const archai_measure_specs *measures, const char *source);
#endif
