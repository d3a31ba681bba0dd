/* runner/space_tool/space_tool.h - what the commands of archai-space share.
 *
 * Each command is one function in a file of this folder and one line in the table of archai_space.c.
 * Results go to standard output, messages to standard error.
 */
#ifndef ARCHAI_RUNNER_SPACE_TOOL_SPACE_TOOL_H
#define ARCHAI_RUNNER_SPACE_TOOL_SPACE_TOOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "core/base/err.h"
#include "core/config/ini.h"
#include "core/search/space.h"

typedef struct space_tool {
    void (*words)(FILE *out); /* --help or --version: what to print instead; else NULL */
    const char *config, *command;
    char **args; /* after the command, without the options; borrowed */
    size_t n_args;
    char **sets; /* --set; owned list */
    size_t n_sets;
    archai_ini ini;     /* owned; the configuration as read, with what --set says */
    archai_space *space; /* owned */
    archai_model model; /* owned; the first argument, for commands on one architecture */
    int64_t count;      /* -n */
    bool json;          /* --json: text as JSON, too */
    const char *weights, *input, *output; /* predict; NULL: not given */
    const char *history; /* serve; NULL: not given */
} space_tool;

enum { SPACE_TOOL_FILE_MAX = 16 * 1024 * 1024 }; /* bytes of an arch file or a script */

/* A whole file, or standard input for "-"; NUL-terminated, caller frees. */
int space_tool_read(const char *path, char **text, size_t *size, archai_err *err);
/* load_arch of a file, or of a line that space_tool_line() printed; errors name the file. */
int space_tool_load(space_tool *t, const char *path, archai_model *out, archai_err *err);
/* A line of JSON. */
int space_tool_print(const json_t *value, archai_err *err);
/* {"archid": ..., "arch": {...}, "metadata": {...}} and a newline; NULL prints null. */
int space_tool_line(const archai_model *m, archai_err *err);

int space_sample(space_tool *t, archai_err *err);
int space_mutate(space_tool *t, archai_err *err);
int space_crossover(space_tool *t, archai_err *err);
void space_kinds(FILE *out); /* the kinds of core/network/kind/, a line each, with their arguments */
void space_kinds_json(FILE *out); /* the same as JSON */
int space_encode(space_tool *t, archai_err *err);
int space_show(space_tool *t, archai_err *err);
int space_info(space_tool *t, archai_err *err);
int space_dot(space_tool *t, archai_err *err);
int space_replay(space_tool *t, archai_err *err);
int space_predict(space_tool *t, archai_err *err);
int space_serve(space_tool *t, archai_err *err);
#endif
