/* runner/measure/measures.h - the evaluators behind sections [measure.NAME] (core/measure/measure.h). */
#ifndef ARCHAI_RUNNER_MEASURE_MEASURES_H
#define ARCHAI_RUNNER_MEASURE_MEASURES_H
#include <stdio.h>
#include "runner/evaluator/evaluator.h"

/* Those that take measures of their own (runner/worker/worker_parts.c). */
extern const archai_evaluator_ops archai_evaluator_command, archai_evaluator_torch;
/* Keys of kind command with this program; caller frees with archai_settings_free. */
int archai_evaluator_command_settings(const char *command, void **settings, archai_err *err);
/* The programs of all [measure.NAME] are there? All problems, a line each. */
int archai_evaluator_check_measures(const archai_measure_specs *measures, const archai_ini *ini,
                                    archai_err *err);
/* Can this machine take the measures of the model, where candidates are evaluated on `device`, "cpu" or "cuda"? A
 * GPU that is not there, or an energy meter that an objective needs, is ARCHAI_EINVAL, "measure.NAME.key: ..."; what is
 * only wished for is a line in `notes`. `root` is put before /proc and /sys: "", but for tests. */
int archai_measures_check_here(const archai_objectives *o, const char *device, const char *root, FILE *notes,
                               archai_err *err);
/* ARCHAI_EINVAL, "measure.NAME.kind: ...", where a section has a name that the evaluator gives a measure of its own:
 * `name`, or one that begins with `name` and "_". `whose`: for the message. */
int archai_measures_check_name(const archai_measure_specs *measures, const char *own, const char *whose, archai_err *err);
/* Is `source` measured by a section [measure.NAME], or does it come with one? */
bool archai_evaluator_is_measured(const archai_measure_specs *measures, const char *source);
#endif
