/* runner/evaluator/evaluator.h - what a worker evaluates with: one table of functions per kind.
 *
 * A kind is one file runner/evaluator_<name>.c with one `const archai_evaluator_ops` and one line in
 * runner/evaluator/registry.c. A worker opens an evaluator, gives it one candidate at a time and
 * polls for events; nothing blocks. What goes wrong with a candidate is an event, not an error: the
 * return code speaks of this process alone (out of memory and the like).
 *
 *   open -> READY (or NOT_STARTED) -> begin -> PROGRESS* -> MEASURED or FAILED -> begin ...
 *                                                        -> GONE: close, and open again
 */
#ifndef ARCHAI_RUNNER_EVALUATOR_EVALUATOR_H
#define ARCHAI_RUNNER_EVALUATOR_EVALUATOR_H
#include <poll.h>
#include "core/config/config.h"
#include "core/search/trial.h"
#include "core/search/space.h"
#include "io/file/tensors.h"

/* What evaluators are told; outlives them. */
typedef struct archai_evaluator_setup {
    const archai_config *config; /* borrowed */
    const char *config_text;     /* borrowed; the resolved configuration */
    archai_data_shape data;
    int data_fd;           /* the node's data set; -1: none */
    const char *device;    /* "cpu" or "cuda" */
    bool device_is_chosen; /* the user insists on it; else another may be fallen back to */
    const char *gpu;       /* CUDA_VISIBLE_DEVICES for this worker's child, or NULL: as it is */
    int threads;
} archai_evaluator_setup;

typedef enum archai_evaluator_event_kind {
    ARCHAI_EVALUATOR_NOTHING,     /* busy, or nothing to do */
    ARCHAI_EVALUATOR_READY,       /* text: the device */
    ARCHAI_EVALUATOR_PROGRESS,    /* epoch of epochs */
    ARCHAI_EVALUATOR_NOTE,        /* text for run.log */
    ARCHAI_EVALUATOR_MEASURED,    /* result: measures, curves, and tensors on offer */
    ARCHAI_EVALUATOR_FAILED,      /* the candidate: code and text; the evaluator lives on */
    ARCHAI_EVALUATOR_GONE,        /* it died: text, and the signal that killed it or 0 */
    ARCHAI_EVALUATOR_NOT_STARTED  /* it cannot be started: text */
} archai_evaluator_event_kind;

typedef struct archai_evaluator_event {
    archai_evaluator_event_kind kind;
    int code;                  /* archai_rc */
    int signal;
    int epoch, epochs;
    char text[ARCHAI_ERR_TEXT_MAX];
    archai_trial *result; /* owned by the receiver; its measures, curves, tensors are set */
} archai_evaluator_event;
void archai_evaluator_event_fini(archai_evaluator_event *e);

typedef struct archai_evaluator archai_evaluator;
typedef struct archai_evaluator_ops {
    const char *name;   /* evaluator.kind */
    int kind;           /* ARCHAI_EVALUATOR_TORCH and so on */
    const char *help;   /* one line */
    size_t size;        /* bytes of the concrete struct, archai_evaluator first */
    bool needs_data;    /* [data] is loaded once per node */
    bool needs_network; /* the space must describe its models */
    bool trains;        /* a budget counts epochs; weights may be offered */

    /* (optional) On rank 0, before anything starts: files and texts of the configuration.
     * Errors name "evaluator.key: ". */
    int (*check)(const archai_config *config, archai_err *err);
    /* (optional) Likewise, whether it can tell what is asked for. May draw from the space. */
    int (*check_sources)(const archai_config *config, archai_space *space,
                         const archai_objectives *objectives, archai_err *err);
    int (*init)(archai_evaluator *self, archai_err *err); /* (optional) setup is set */
    void (*fini)(archai_evaluator *self);                 /* (optional) close was called */
    int (*open)(archai_evaluator *self, archai_err *err); /* begin to start; poll says READY */
    int (*begin)(archai_evaluator *self, const archai_trial *c, archai_err *err);
    /* (optional) The file into which the weights that the next candidate begins from are written before
     * begin, as safetensors (io/segment/stored.h). begin gets its begin_at 0 where there are none after all. */
    int (*start_fd)(archai_evaluator *self);
    int (*poll)(archai_evaluator *self, archai_evaluator_event *out, archai_err *err);
    /* (optional) Leave a checkpoint at the next epoch's end, then be GONE, killed by SIGTERM. */
    int (*interrupt)(archai_evaluator *self, archai_err *err);
    void (*close)(archai_evaluator *self); /* whatever it does ends; idempotent */
    /* (optional) The file with the tensors on offer, as safetensors: after MEASURED, until begin or close. */
    int (*weights_fd)(archai_evaluator *self);
    /* (optional) descriptors that wake its worker; returns how many of `max` it filled in. */
    size_t (*wake)(archai_evaluator *self, struct pollfd *out, size_t max);
    /* (optional) clock time of the next event, where no descriptor tells; 0: unknown. */
    double (*due)(archai_evaluator *self);
} archai_evaluator_ops;

struct archai_evaluator {
    const archai_evaluator_ops *ops;     /* borrowed */
    const archai_evaluator_setup *setup; /* borrowed */
};

/* What archai-evaluator measures of a model that it trains (archai_evaluator_work.c), so that an objective
 * that asks for something else is refused before anything starts (evaluator_torch.c). X(name, value):
 * `t` is the shim_train_result, `rc` and `counts` what archai_network_count gave. NaN: not measured. */
/* clang-format off */
#define ARCHAI_MEASURED_LIST(X) \
    X(val_accuracy,  t->last.val_accuracy) \
    X(val_loss,      t->last.val_loss) \
    X(val_miou,      t->last.val_miou) \
    X(train_loss,    t->last.train_loss) \
    X(train_seconds, t->train_seconds) \
    X(test_accuracy, t->test_accuracy) \
    X(test_loss,     t->test_loss) \
    X(test_miou,     t->test_miou) \
    X(params,        rc == ARCHAI_OK ? (double)counts.params : NAN) \
    X(macs,          rc == ARCHAI_OK && counts.macs >= 0 ? (double)counts.macs : NAN)
/* clang-format on */

extern const archai_evaluator_ops *const archai_evaluators[]; /* NULL-terminated */
/* The kind of the configuration, or ARCHAI_ENOTSUP. */
int archai_evaluator_find(int kind, const archai_evaluator_ops **out, archai_err *err);
int archai_evaluator_create(archai_evaluator **out, const archai_evaluator_ops *ops,
                            const archai_evaluator_setup *setup, archai_err *err);
void archai_evaluator_destroy(archai_evaluator *e); /* NULL is allowed */
/* For kinds: a space of its own (archai_space_destroy), as the configuration has it. */
int archai_evaluator_space(const archai_evaluator *e, archai_space **out, archai_err *err);
#endif
