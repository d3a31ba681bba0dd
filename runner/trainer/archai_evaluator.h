/* runner/trainer/archai_evaluator.h - what the files of the program archai-evaluator share.
 *
 * The errors that functions here return are those of the pipe to the rank, and end the process. An error of
 * a request is a FAILED message (archai_parent_answer).
 */
#ifndef ARCHAI_RUNNER_TRAINER_ARCHAI_EVALUATOR_H
#define ARCHAI_RUNNER_TRAINER_ARCHAI_EVALUATOR_H
#include <sys/types.h>
#include "core/config/config.h"
#include "core/plugin.h"
#include "core/search/objective.h"
#include "core/search/space.h"
#include "core/search/trial.h"
#include "io/file/checkpoint.h"
#include "io/dataset/dataset.h"
#include "runner/process/parent.h"
#include "shim/shim.h"

/* Descriptors, as runner/process/evaluator_client.c passes them. */
enum { WEIGHTS = 5, DATA = 6, EXCHANGE = 7 };
enum { TEXT_MAX = 256 };

typedef struct archai_server {
    archai_parent parent;
    archai_ini ini;
    archai_config config;
    archai_objectives objectives;      /* with [measure.*]; n = 0 where the configuration has none */
    archai_space *space;               /* owned; NULL: OPEN brought no section [space] */
    const archai_dataset_header *data; /* owned mapping; NULL: none */
    archai_augment augment;            /* [data] augment */
    const archai_plugin *plugin;       /* evaluator.kind = plugin: it measures, nothing is trained */
    shim_device *other;                /* owned; of measures that want another device; NULL before that */
    struct archai_feed *feed;          /* owned; NULL: the data are held, or archai-loader is not running */
    pid_t loader;                      /* of the feed; 0: none */
    int threads;                       /* of OPEN */
    shim_device *device;               /* owned; NULL before OPEN and where a plug-in measures */
    char device_text[TEXT_MAX];
    shim_surrogate *surrogate; /* owned; NULL before the first FIT */
    int64_t pruned; /* the candidate that is to end early; -1: none */
    bool draining; /* the candidate in training leaves a checkpoint and ends */
} archai_server;

/* archai-loader for data that are not held, started if it is not running: before a candidate. */
int archai_serve_feed(archai_server *e, archai_err *err);
/* After an error of a candidate, which may be its own: the next one gets a new loader. */
void archai_serve_feed_close(archai_server *e);

bool archai_serve_stopped(void); /* SIGTERM or SIGINT has come */

enum { ARCHAI_WEIGHT_BYTES = 4 };
/* ARCHAI_ENOMEM where so many bytes for each parameter are more than this process can have. */
int archai_serve_fits(const archai_network *net, int64_t per_parameter, archai_err *err);

/* The network of an arch text, and a model of it with new weights, if `per_parameter` bytes for each
 * of them are there. The caller releases both, the model first, on failure too. */
int archai_serve_build(archai_server *e, const char *arch, uint64_t seed, int64_t per_parameter,
                       archai_network *net, shim_model **model, archai_err *err);

/* What a training measured, where it is a number: the measures whose names begin with `prefix`. counts: NULL: not counted. */
void archai_serve_set_measures(archai_trial *r, const char *prefix, const archai_counts *counts,
                               const shim_train_result *t);
/* The measures of the test data, of the weights in WEIGHTS (archai_evaluator_stored.c). `config`: [train] as it holds for the candidate. */
int archai_serve_test(archai_server *e, const archai_trial *c, const archai_config *config,
                      archai_trial *r, archai_err *err);
/* The tensors of the model: all of them, and no others. */
int archai_serve_take_weights(const archai_tensors *file, shim_model *model, archai_err *err);

/* -- where training starts ------------------------------------------------------------------- */

typedef struct archai_train_start {
    archai_checkpoint checkpoint; /* of the candidate itself; id -1: none */
    archai_tensors stored;        /* what WEIGHTS held when the candidate came (io/segment/stored.h) */
    int64_t epochs_before;        /* trained by earlier evaluations of the candidate */
    double inherited;             /* share of the state_dict's entries that come from the parent */
} archai_train_start;
/* From the candidate's own checkpoint; else, if it was promoted, from what its last evaluation
 * stored; else from the parent's weights where names and shapes match, if the worker found them.
 * Completes *settings, which borrow from *start. What does not fit is noted in run.log, and
 * training starts from scratch. */
int archai_train_start_load(archai_server *e, const archai_trial *c, shim_model *model,
                       shim_train_settings *settings, archai_trial *r, archai_train_start *start,
                       archai_err *err);
/* The parent's weights alone. */
int archai_train_start_inherit(const archai_trial *c, shim_model *model, archai_train_start *start,
                         archai_err *err);
void archai_train_start_close(archai_train_start *start); /* idempotent */

/* -- after each epoch (archai_evaluator_epoch.c) ------------------------------------------------ */

/* For archai_train_on_epoch: where to report, and where the curves grow. */
typedef struct archai_train_progress {
    archai_server *e;
    archai_trial *result;
    const archai_trial *candidate;
    archai_train_start *start;
    double left_at;  /* clock: of the last checkpoint, or of the start */
    bool complained; /* a checkpoint could not be written */
    bool offered;    /* the final state lies in WEIGHTS */
    shim_epoch last; /* where it was pruned */
    archai_err err;  /* of a reply that could not be sent */
} archai_train_progress;
bool archai_train_on_epoch(void *payload, const shim_epoch *epoch, shim_training *training);
/* Curves of the data, for so many epochs. */
void archai_train_make_curves(archai_trial *r, size_t epochs, const archai_dataset_header *data);
int archai_train_offer_weights(archai_trial *r, shim_model *model, archai_err *err);
int archai_train_end_pruned(const archai_train_progress *p, const archai_network *net, archai_err *err);

/* A line for run.log. */
int archai_serve_note(archai_server *e, int64_t id, archai_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The measures of the model that are to be taken in that stage (archai_stage; -1: in any) into *r. One that fails
 * is an error if it is an objective, else a note. */
int archai_serve_measures(archai_server *e, const archai_trial *c, int stage, archai_trial *r,
                          archai_err *err);
/* Has something that was measured violated a constraint? */
bool archai_serve_is_infeasible(const archai_server *e, const archai_trial *c, const archai_trial *r);

int archai_serve_work(archai_server *e, const archai_message *m, archai_err *err);
int archai_serve_predict(archai_server *e, const archai_message *m, archai_err *err);
int archai_serve_save_pt(archai_server *e, const archai_message *m, archai_err *err);
int archai_serve_fit(archai_server *e, const archai_message *m, archai_err *err);
#endif
