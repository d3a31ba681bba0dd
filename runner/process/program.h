/* runner/process/program.h - how each of our programs begins and ends. */
#ifndef ARCHAI_RUNNER_PROCESS_PROGRAM_H
#define ARCHAI_RUNNER_PROCESS_PROGRAM_H
#include "core/base/err.h"

/* The first thing that main does. From here on, running out of memory (core/base/alloc.h) is one line
 * on standard error, "NAME: out of memory ...<advice>", and exit code 1. Both texts are static. */
void archai_program_begin(const char *name, const char *advice);
/* The last thing: what is wrong on standard error, after "NAME: ". Returns the exit code. Output that could
 * not be written counts as an error, too. */
int archai_program_end(int rc, archai_err *err);
#endif
