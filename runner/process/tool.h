/* runner/process/tool.h - the command lines of archai-inspect and archai-space: PROGRAM INPUT COMMAND. */
#ifndef ARCHAI_RUNNER_PROCESS_TOOL_H
#define ARCHAI_RUNNER_PROCESS_TOOL_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "core/base/err.h"

typedef struct archai_tool_command { /* the first member of a line in the tool's table */
    const char *name, *usage, *help;
    size_t low, high; /* number of arguments */
} archai_tool_command;

typedef struct archai_tool {
    const char *call; /* "archai-inspect RESULTS" */
    const void *commands;
    size_t n, size; /* of a line in the table */
} archai_tool;

void archai_tool_help(const archai_tool *tool, FILE *out); /* usage and purpose of each command */
/* The line of the command `name`. NULL: there is none, or it does not take n_args arguments. */
const void *archai_tool_find(const archai_tool *tool, const char *name, size_t n_args, archai_err *err);
/* The value of -n, at least `low`. */
int archai_tool_count(const char *text, int64_t low, int64_t *out, archai_err *err);
/* For what getopt_long has just returned, ':' or '?', with ":" in front of the short options. */
int archai_tool_bad_option(int option, char **argv, archai_err *err);
#endif
