/* runner/evaluator/command/command.h - what the files of evaluator.kind = command share.
 *
 * command.c     its keys, what both ways have in common
 * once.c        a process for each candidate: standard input, then the last line of output
 * persistent.c  a process for many: lines in, lines out
 */
#ifndef ARCHAI_RUNNER_EVALUATOR_COMMAND_COMMAND_H
#define ARCHAI_RUNNER_EVALUATOR_COMMAND_COMMAND_H
#include "runner/evaluator/command/spoken.h"
#include "runner/evaluator/environment.h"
#include "runner/evaluator/evaluator.h"
#include "runner/evaluator/last_line.h"
#include "runner/process/child.h"

typedef struct archai_command_settings {
    char *command;
    bool persistent;
} archai_command_settings;

typedef struct archai_command {
    archai_evaluator base;
    char **argv;         /* owned; argv[0] is the program's path */
    archai_space *space; /* owned; knows a candidate's parameters */
    archai_child child;
    bool is_opening, busy; /* READY is still to be said; a candidate is being evaluated */
    char unusable[256]; /* why the program cannot be started here; "": it can, as far as is known */
    char *request;      /* owned; for standard input */
    size_t sent, request_size;
    int weights_fd, start_fd; /* memfds */
    archai_environment environment;
    char *checkpoint;   /* owned; ARCHAI_CHECKPOINT=path, or NULL */
    archai_last_line out; /* once: of its standard output */
    archai_spoken lines;   /* persistent */
    int64_t id;           /* persistent: of the candidate */
    int64_t answers;      /* persistent: of this process */
    bool heard;           /* it has said something since the candidate went in */
    bool stopped;         /* it was asked to end early */
    double at, epochs;    /* where it was last, and is to come; NaN: not known */
} archai_command;

/* -- command.c --------------------------------------------------------------------------------- */
void archai_command_end_program(archai_command *e);
/* The files for weights are empty but for what the candidate begins from; a place for its checkpoint. */
int archai_command_prepare(archai_command *e, const archai_trial *c, archai_err *err);
/* The program with the environment that `e` has by now, and what all candidates have in common. */
int archai_command_start(archai_command *e, archai_err *err);
/* As much of the request as the pipe takes. */
void archai_command_feed(archai_command *e);
/* What it wrote to its standard output into data[size]; also into the log. */
size_t archai_command_read(archai_command *e, char *data, size_t size);
/* It has ended, and not as it should: the event that this is. False: by itself, with status 0. */
bool archai_command_ended(archai_command *e, archai_evaluator_event *out);
/* `r` (taken over) becomes the event MEASURED with the weights on offer; or FAILED, where these are too many. */
void archai_command_measured(archai_command *e, archai_trial *r, archai_evaluator_event *out);

/* -- once.c, persistent.c ------------------------------------------------------------------------ */
int archai_once_begin(archai_command *e, const archai_trial *c, archai_err *err);
void archai_once_poll(archai_command *e, archai_evaluator_event *out);
int archai_persistent_begin(archai_command *e, const archai_trial *c, archai_err *err);
void archai_persistent_poll(archai_command *e, archai_evaluator_event *out);
/* End the candidate early: `{"stop": id}`. */
void archai_persistent_stop(archai_command *e);
#endif
