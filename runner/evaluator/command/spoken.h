/* runner/evaluator/command/spoken.h - a program's output, line by line, in the pieces in which a pipe delivers it. */
#ifndef ARCHAI_RUNNER_EVALUATOR_COMMAND_SPOKEN_H
#define ARCHAI_RUNNER_EVALUATOR_COMMAND_SPOKEN_H
#include <stdbool.h>
#include <stddef.h>

enum { ARCHAI_SPOKEN_MAX = 1 << 20 }; /* bytes of one line */

typedef struct archai_spoken {
    char *data; /* owned; [n] from `at` on are not taken yet */
    size_t at, n, capacity;
    size_t looked; /* of them, without an end of a line */
} archai_spoken;

void archai_spoken_fini(archai_spoken *l); /* safe on a zeroed struct */
void archai_spoken_clear(archai_spoken *l);
void archai_spoken_add(archai_spoken *l, const char *data, size_t n);
/* The next line that is not blank, without its end (a newline, or the carriage return of a progress bar), without
 * escape sequences, NUL bytes as blanks: until the next call of any function here. NULL: none is complete. */
char *archai_spoken_next(archai_spoken *l);
/* After the end of the output: what stands behind the last newline; NULL: nothing, or only blanks. */
char *archai_spoken_rest(archai_spoken *l);
/* Is the line that is not complete yet longer than ARCHAI_SPOKEN_MAX? */
bool archai_spoken_too_long(const archai_spoken *l);
#endif
