#include "runner/process/out_of_memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"

static const char *program = "archai", *hint = "";

/* Nothing here may allocate, and nothing that runs at a normal exit may. */
static void end(size_t bytes)
{
    char line[256];

    if (bytes > 0)
        (void)snprintf(line, sizeof line, "%s: out of memory: %zu more bytes could not be had%s\n",
                       program, bytes, hint);
    else
        (void)snprintf(line, sizeof line, "%s: out of memory%s\n", program, hint);
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        _exit(1); /* there is nobody to tell */
    _exit(1);
}

void archai_out_of_memory_ends(const char *name, const char *advice)
{
    program = name;
    hint = advice;
    archai_on_out_of_memory(end);
}
