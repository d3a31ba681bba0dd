#include "runner/process/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"

static const char *program = "archai", *hint = "";

/* Nothing here may allocate, and no exit handlers may run. */
static void out_of_memory(size_t bytes)
{
    char line[256];

    if (bytes > 0)
        (void)snprintf(line, sizeof line, "%s: out of memory: cannot allocate %zu bytes%s\n", program,
                       bytes, hint);
    else
        (void)snprintf(line, sizeof line, "%s: out of memory%s\n", program, hint);
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        _exit(1); /* nobody can be told */
    _exit(1);
}

void archai_program_begin(const char *name, const char *advice)
{
    program = name;
    hint = advice;
    archai_on_out_of_memory(out_of_memory);
}

int archai_program_end(int rc, archai_err *err)
{
    if (fflush(stdout) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "standard output: %s", strerror(errno));
    if (rc != ARCHAI_OK)
        (void)fprintf(stderr, "%s: %s\n", program, err->text);
    return archai_rc_exit_status(rc);
}
