/* runner/evaluator/last_line.h - the last line of a program's output that is not blank. */
#ifndef ARCHAI_RUNNER_EVALUATOR_LAST_LINE_H
#define ARCHAI_RUNNER_EVALUATOR_LAST_LINE_H
#include <stdbool.h>
#include <stddef.h>

enum { ARCHAI_LAST_LINE_MAX = 1 << 20 }; /* bytes */

typedef struct archai_last_line {
    char *line, *last; /* owned; [ARCHAI_LAST_LINE_MAX + 1]; being read, and the last complete one */
    size_t n;
    bool too_long; /* the last line did not fit */
} archai_last_line;

void archai_last_line_init(archai_last_line *r);
void archai_last_line_fini(archai_last_line *r); /* safe on a zeroed struct */
void archai_last_line_clear(archai_last_line *r);
void archai_last_line_take(archai_last_line *r, const char *data, size_t n);
/* After the end of the output, whose last line may lack its newline. "": there was none. */
const char *archai_last_line_end(archai_last_line *r);
/* Colours, titles and cursors. */
void archai_line_drop_escapes(char *line);
#endif
