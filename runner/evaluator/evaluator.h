/* runner/evaluator/evaluator.h - what a worker evaluates with: a table of functions for each kind.
 *
 * A kind is one file in runner/evaluator/ with one `const archai_evaluator_ops`, and one line in
 * registry.c. A worker opens an evaluator, gives it one candidate at a time and polls for events;
 * nothing blocks. What goes wrong with a candidate is an event; return codes are for problems of this
 * process.
 *
 *   open -> READY (or NOT_STARTED) -> begin -> PROGRESS* -> MEASURED or FAILED -> begin ...
 *                                                        -> GONE: close, and open again
 */
#ifndef ARCHAI_RUNNER_EVALUATOR_EVALUATOR_H
#define ARCHAI_RUNNER_EVALUATOR_EVALUATOR_H
#include <poll.h>
#include "core/config/config.h"
#include "core/config/registry.h"
#include "core/search/trial.h"
#include "core/search/space.h"
#include "io/dataset/dataset.h"
#include "io/file/tensors.h"
#include "runner/process/watch/output_log.h"

/* What an evaluator is given; outlives it. */
typedef struct archai_evaluator_setup {
    const void *settings;        /* borrowed; the kind's own struct */
    const archai_config *config; /* borrowed */
    const char *config_text;     /* borrowed; the resolved configuration */
    archai_data_shape data;
    int data_fd;           /* the node's data set; -1: none */
    const char *device; /* "cpu" or "cuda" */
    const char *gpu;    /* CUDA_VISIBLE_DEVICES for this worker's child, or NULL: as it is */
    int sharing;        /* so many workers share the GPU and its memory; 0 counts as 1 */
    int unused_gpus;    /* that the node has and libtorch cannot use; the device's text says so */
    int threads;
} archai_evaluator_setup;

typedef enum archai_evaluator_event_kind {
    ARCHAI_EVALUATOR_NOTHING,     /* busy, or nothing to do */
    ARCHAI_EVALUATOR_READY,       /* text: the device */
    ARCHAI_EVALUATOR_PROGRESS,    /* at: the epoch or step; epoch of epochs (0: not known); result: measures, or NULL */
    ARCHAI_EVALUATOR_NOTE,        /* text for run.log */
    ARCHAI_EVALUATOR_MEASURED,    /* result: measures, curves, and tensors on offer; its `error`: what of
                                     these was left out, or NULL */
    ARCHAI_EVALUATOR_FAILED,      /* the candidate: code and text; the evaluator stays usable */
    ARCHAI_EVALUATOR_GONE,        /* it died: text, and the signal that killed it or 0 */
    ARCHAI_EVALUATOR_NOT_STARTED  /* it could not be started: text */
} archai_evaluator_event_kind;

typedef struct archai_evaluator_event {
    archai_evaluator_event_kind kind;
    int code;                  /* archai_rc */
    int signal;
    int epoch, epochs;
    double at;     /* NaN: neither epoch nor step was said */
    bool by_epoch; /* at counts epochs, which become places in learning curves */
    char text[ARCHAI_ERR_TEXT_MAX];
    archai_trial *result; /* owned by the receiver; its measures, curves, tensors are set */
} archai_evaluator_event;
void archai_evaluator_event_set(archai_evaluator_event *e, archai_evaluator_event_kind kind,
                                int code, const char *text);
void archai_evaluator_event_fini(archai_evaluator_event *e);

/* What a search asks of an evaluator. */
typedef struct archai_evaluator_task {
    archai_space *space; /* may be drawn from */
    const archai_objectives *objectives;
    const archai_dataset_facts *data; /* n[0] == 0: no data are used */
    const struct archai_config *config;
} archai_evaluator_task;

typedef struct archai_evaluator archai_evaluator;
typedef struct archai_evaluator_ops {
    const char *name, *help;           /* `evaluator.kind`; one line */
    const archai_option *options;      /* its own keys of [evaluator], over its own struct of */
    size_t settings_size;              /* settings, to which setup->settings points */
    const char *const *measuring_keys; /* (optional) the keys that decide what is measured (a delay
                                          does not); ends with NULL */
    size_t size;        /* bytes of the concrete struct, archai_evaluator first */
    bool needs_data;    /* [data] is loaded once per node */
    bool needs_network; /* the space must describe its models */
    bool trains;        /* a budget counts epochs; weights may be offered */
    bool checkpoints;   /* can write them: train.checkpoint */
    bool uses_device;   /* an archai-evaluator with libtorch: that it starts on the device is seen before anything begins */
    /* (optional) Does it report while a candidate trains, and end it early (stop)? NULL: no. */
    bool (*reports)(const void *settings);
    bool tests;         /* can measure stored weights on the test data: train.test = front */

    /* (optional) On rank 0, before anything starts: keys that need each other, files, texts. */
    void (*check)(const void *settings, archai_check *c);
    /* (optional) Then, if there was no problem: can it do what the search asks? Errors begin with the key,
     * "evaluator.table: ". */
    int (*check_task)(const void *settings, const archai_evaluator_task *task, archai_err *err);
    int (*init)(archai_evaluator *self, archai_err *err); /* (optional) setup is set */
    void (*fini)(archai_evaluator *self);                 /* (optional) close was called */
    int (*open)(archai_evaluator *self, archai_err *err); /* begin to start; poll says READY */
    int (*begin)(archai_evaluator *self, const archai_trial *c, archai_err *err);
    /* (optional) A file for the weights that the next candidate begins from, written before begin, as
     * safetensors (io/segment/stored.h). If there are none after all, begin sees begin_at == 0. */
    int (*start_fd)(archai_evaluator *self);
    int (*poll)(archai_evaluator *self, archai_evaluator_event *out, archai_err *err);
    /* (optional) Write a checkpoint after the current epoch, then report GONE with SIGTERM. */
    int (*interrupt)(archai_evaluator *self, archai_err *err);
    /* (optional) End the candidate early with what it has measured: MEASURED follows, with
     * status pruned, or ok if it had come to its end. */
    int (*stop)(archai_evaluator *self, archai_err *err);
    void (*close)(archai_evaluator *self); /* ends any evaluation; idempotent */
    /* (optional) The file with the tensors on offer, as safetensors: after MEASURED, until begin or close. */
    int (*weights_fd)(archai_evaluator *self);
    /* (optional) descriptors that wake its worker; returns how many of `max` it filled in. */
    size_t (*wake)(archai_evaluator *self, struct pollfd *out, size_t max);
    /* (optional) clock time of the next event, if no descriptor announces it; 0: unknown. */
    double (*due)(archai_evaluator *self);
} archai_evaluator_ops;

struct archai_evaluator {
    const archai_evaluator_ops *ops;     /* borrowed */
    const archai_evaluator_setup *setup; /* borrowed */
    archai_output_log *log; /* borrowed; for what is printed during a candidate; NULL: not wanted. Cleared by
                               the worker before begin */
};

/* What archai-evaluator measures of a model that it trains (archai_evaluator_work.c); an objective with
 * another source is refused before anything starts (torch.c). X(name, value): `t` is the
 * shim_train_result, `rc` and `counts` are the results of archai_network_count. NaN: not measured. */
/* clang-format off */
#define ARCHAI_MEASURED_LIST(X) \
    X(val_accuracy,  t->kept.val_accuracy) \
    X(val_loss,      t->kept.val_loss) \
    X(val_miou,      t->kept.val_miou) \
    X(val_top5,      t->kept.val_top5) \
    X(val_mae,       t->kept.val_mae) \
    X(val_rmse,      t->kept.val_rmse) \
    X(val_perplexity, t->kept.val_perplexity) \
    X(train_loss,    t->kept.train_loss) \
    X(train_seconds, t->train_seconds) \
    X(data_wait,     t->data_wait) \
    X(test_accuracy, t->test_accuracy) \
    X(test_loss,     t->test_loss) \
    X(test_miou,     t->test_miou) \
    X(test_top5,     t->test_top5) \
    X(test_mae,      t->test_mae) \
    X(test_rmse,     t->test_rmse) \
    X(test_perplexity, t->test_perplexity) \
    X(params,        counts != NULL ? (double)counts->params : NAN) \
    X(macs,          counts != NULL && counts->macs >= 0 ? (double)counts->macs : NAN)
/* clang-format on */

extern const archai_evaluator_ops *const archai_evaluators[]; /* registry.c; NULL-terminated */
extern const archai_registry archai_evaluator_registry;
/* The kind of that name, and its keys, which are marked used. Caller frees *settings with
 * archai_settings_free. All problems, a line each, "file:line: evaluator.key: ...". */
int archai_evaluator_choose(const char *kind, archai_ini *ini, const archai_evaluator_ops **ops,
                            void **settings, archai_err *err);
/* Its own check, and whether it can do what [train] asks for. All problems, likewise. */
int archai_evaluator_check(const archai_evaluator_ops *ops, const void *settings,
                           const archai_config *config, const archai_ini *ini, archai_err *err);
/* For archai_config_write; borrows. */
archai_choice archai_evaluator_choice(const archai_evaluator_ops *ops, const void *settings);
/* Does this key of [evaluator] decide what is measured? */
bool archai_evaluator_measures_by(const archai_evaluator_ops *ops, const char *key);
int archai_evaluator_create(archai_evaluator **out, const archai_evaluator_ops *ops,
                            const archai_evaluator_setup *setup, archai_err *err);
void archai_evaluator_destroy(archai_evaluator *e); /* NULL is allowed */
/* For kinds that need one: another instance of the configuration's space (archai_space_destroy). */
int archai_evaluator_space(const archai_evaluator *e, archai_space **out, archai_err *err);
#endif
