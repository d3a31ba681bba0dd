/* runner/evaluator/command_text.h - what goes to a user's program and what comes back, as text.
 *
 * A program is started once per candidate. It reads one line from standard input, a JSON object:
 *
 *   {"archid": ..., "arch": {...}, "id": 7, "seed": 123, "budget": 1.0,
 *    "params": {"op": "conv"}}
 *
 * `arch` is the architecture as in its file, `params` the parameters that exist, by dotted name. The
 * last line of standard output that is not blank is one JSON object of measures. NaN,
 * Infinity and -Infinity are taken as Python's json writes them, integers of any size become the nearest
 * double; null is a missing measure; a list of numbers is a learning curve, a value per epoch. Names are
 * free: results.h5 has them escaped (core/base/text.h), control characters become '?'. What is no number
 * is left out: it costs the candidate only if an objective needs it.
 */
#ifndef ARCHAI_RUNNER_EVALUATOR_COMMAND_TEXT_H
#define ARCHAI_RUNNER_EVALUATOR_COMMAND_TEXT_H
#include "core/search/trial.h"
#include "core/search/space.h"

/* Split at blanks outside "...", inside which \" and \\ stand for " and \; nothing is expanded.
 * *out ends with NULL; free it with archai_command_free. ARCHAI_EINVAL: it names no program, or a
 * quote is open. */
int archai_command_split(const char *text, char ***out, archai_err *err);
void archai_command_free(char **argv); /* NULL is allowed */
/* The program's path: as written if it has a slash, else the first in $PATH. Caller frees.
 * ARCHAI_ENOTFOUND: it cannot be executed. */
int archai_command_find(const char *program, char **out, archai_err *err);

/* The line for standard input, newline included. Caller frees. `space` may be NULL: no params. `more`: an object
 * whose keys are added, or NULL. */
int archai_command_request(archai_space *space, const archai_trial *c, const json_t *more, char **out,
                           archai_err *err);
/* Adds the measures and curves of a line to `out`, whose `error` becomes what was left out, or stays NULL.
 * ARCHAI_EFORMAT: the line is no object of measures; says what is wrong with it. */
int archai_command_result(const char *line, archai_trial *out, archai_err *err);
/* Its two halves. In the object numbers and tokens are marked texts, which archai_command_number reads; false: it
 * is no number. Integers of any size become the nearest double, an infinite one beyond its range. */
int archai_command_object(const char *line, json_t **out, archai_err *err); /* json_decref */
void archai_command_measures(const json_t *object, archai_trial *out);
bool archai_command_number(const json_t *v, double *out);
#endif
