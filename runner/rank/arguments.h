/* runner/rank/arguments.h - the command line of archai-run. */
#ifndef ARCHAI_RUNNER_RANK_ARGUMENTS_H
#define ARCHAI_RUNNER_RANK_ARGUMENTS_H
#include <stdbool.h>
#include <stdio.h>
#include "core/base/err.h"
#include "runner/coordinator/progress.h"

typedef struct archai_arguments {
    const char *config;   /* borrowed from argv; NULL where `words` ends the program */
    const char *output;   /* borrowed; NULL: as configured */
    const char **sets;    /* owned list of borrowed "section.key=value" */
    size_t n_sets;
    const char *from;     /* borrowed; --from RESULTS, whose models are trained; NULL: a search */
    char *const *models;  /* borrowed; [n_models] words after the configuration: which of them */
    size_t n_models;
    bool fresh;           /* --fresh */
    archai_progress_mode progress;
    bool resume, dry_run;
    void (*words)(FILE *out); /* --help and the like: what to print instead of a run; else NULL */
} archai_arguments;

/* Errors are ARCHAI_EINVAL. */
int archai_arguments_parse(archai_arguments *out, int argc, char **argv, archai_err *err);
void archai_arguments_free(archai_arguments *a);
#endif
