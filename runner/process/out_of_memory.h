/* runner/process/out_of_memory.h - how a program ends where memory runs out (core/base/alloc.h). */
#ifndef ARCHAI_RUNNER_PROCESS_OUT_OF_MEMORY_H
#define ARCHAI_RUNNER_PROCESS_OUT_OF_MEMORY_H

/* From here on such an end is one line on standard error, "NAME: out of memory ...<advice>", and
 * exit code 1. The first thing that main does. Both texts are static; advice may be "". */
void archai_out_of_memory_ends(const char *name, const char *advice);
#endif
