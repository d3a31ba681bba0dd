/* runner/trainer/archai_evaluator.h - what the files of the program archai-evaluator share among themselves.
 *
 * archai_evaluator.c           frames, OPEN, the loop of requests
 * archai_evaluator_work.c      WORK: candidates trained and measured, checkpoints
 * archai_evaluator_begin.c     ... from where: a checkpoint, stored weights, those of a parent
 * archai_evaluator_requests.c  PREDICT, SAVE_PT, FIT
 */
#ifndef ARCHAI_RUNNER_TRAINER_ARCHAI_EVALUATOR_H
#define ARCHAI_RUNNER_TRAINER_ARCHAI_EVALUATOR_H
#include "core/config/config.h"
#include "core/plugin.h"
#include "core/search/space.h"
#include "io/file/checkpoint.h"
#include "io/dataset/dataset.h"
#include "io/wire/message.h"
#include "shim/shim.h"

/* Descriptors, as runner/process/evaluator_client.c passes them. */
enum { REQUESTS = 3, REPLIES = 4, WEIGHTS = 5, DATA = 6, EXCHANGE = 7 };
enum { CHUNK = 65536, TEXT_MAX = 256 };

typedef struct archai_server {
    archai_buffer in; /* received bytes; the first in_used of them are done with */
    size_t in_used;
    archai_buffer out;
    archai_ini ini;
    archai_config config;
    archai_space *space;               /* owned; NULL: OPEN brought no section [space] */
    const archai_dataset_header *data; /* owned mapping; NULL: none */
    const archai_plugin *plugin;       /* evaluator.kind = plugin: it measures, nothing is trained */
    shim_device *device;               /* owned; NULL before OPEN and where a plug-in measures */
    char device_text[TEXT_MAX];
    shim_surrogate *surrogate; /* owned; NULL before the first FIT */
    bool draining; /* what runs shall leave a checkpoint and end */
} archai_server;

bool archai_serve_stopped(void); /* SIGTERM or SIGINT has come */

/* Errors of these are errors of the pipe, after which the process ends. */
int archai_serve_send(archai_server *e, const archai_message *m, archai_err *err);
int archai_serve_failure(archai_server *e, int64_t id, int code, const archai_err *cause,
                         archai_err *err);

/* The network of an arch text, and a model of it with fresh weights. Caller releases both, in the
 * reverse order, also on failure. */
int archai_serve_build(archai_server *e, const char *arch, uint64_t seed, archai_network *net,
                       shim_model **model, archai_err *err);

/* -- where a training begins ------------------------------------------------------------------- */

typedef struct archai_beginning {
    archai_checkpoint checkpoint; /* of the candidate itself; id -1: none */
    archai_tensors stored;        /* what WEIGHTS held when the candidate came (io/segment/stored.h) */
    int64_t epochs_before;        /* trained by evaluations before this one */
    double inherited;             /* share of the state_dict's entries that are the parent's */
} archai_beginning;
/* The candidate's own checkpoint; else, where it was promoted, what its last evaluation stored; else the
 * parent's weights where names and shapes match, as far as the worker found them. Sets what `settings`
 * need, which borrow from *b. What does not fit is a note, and the model begins anew. */
int archai_serve_begin(archai_server *e, const archai_trial *c, shim_model *model,
                       shim_train_settings *settings, archai_trial *r, archai_beginning *b,
                       archai_err *err);
/* The parent's weights alone. */
int archai_serve_inherit(const archai_trial *c, shim_model *model, archai_beginning *b,
                         archai_err *err);
void archai_serve_begun(archai_beginning *b); /* nothing of it is needed any more; idempotent */

/* A line for run.log. */
int archai_serve_note(archai_server *e, int64_t id, archai_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

int archai_serve_work(archai_server *e, const archai_message *m, archai_err *err);
int archai_serve_predict(archai_server *e, const archai_message *m, archai_err *err);
int archai_serve_save_pt(archai_server *e, const archai_message *m, archai_err *err);
int archai_serve_fit(archai_server *e, const archai_message *m, archai_err *err);
#endif
