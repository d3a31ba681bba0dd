/* The keys that archai_config holds. Those of [space], [data] and [objective.*], and those of the
 * algorithms and evaluators, are with their owners. */
#include "core/config/config.h"

/* clang-format off */
#define AT(member) offsetof(archai_config, member)
#define BIG 0x1p63

static const archai_option search_options[] = {
    {"algorithm",       ARCHAI_OPT_STRING,  AT(search.algorithm),       0, 0,   "evolution_pareto", "", NULL, "which algorithm proposes"},
    {"schedule",        ARCHAI_OPT_CHOICE,  AT(search.schedule),        0, 0,   "async", "", "async generational", "async: a free slot is filled at once; generational: Archai's loops, step by step"},
    {"max_evaluations", ARCHAI_OPT_INT,     AT(search.max_evaluations), 1, BIG, "none", "evaluations", "none=9223372036854775807", "finished evaluations, over all starts and without cached rows"},
    {"max_time",        ARCHAI_OPT_SECONDS, AT(search.max_time_s),      0.001, BIG, "none", "", "none=inf", "running time of this start"},
    {"seed",            ARCHAI_OPT_INT,     AT(search.seed),            0, BIG, "1", "", NULL, "seed of the algorithm's generator and of the evaluations' seeds"},
    ARCHAI_OPTION_END,
};

static const archai_option run_options[] = {
    {"coordinator_evaluates", ARCHAI_OPT_BOOL,    AT(run.coordinator_evaluates), 0, 0,     "yes", "", NULL, "rank 0 evaluates, too"},
    {"grace",                 ARCHAI_OPT_SECONDS, AT(run.grace_s),               0, 86400, "30s", "", NULL, "how long running candidates may continue after a request to stop"},
    {"heartbeat",             ARCHAI_OPT_SECONDS, AT(run.heartbeat_s),           0.01, 3600, "5s", "", NULL, "time between two heartbeats of a rank; at most a quarter of lost_after"},
    {"lost_after",            ARCHAI_OPT_SECONDS, AT(run.lost_after_s),          0.2, 1e6, "60s", "", NULL, "a rank that is silent for this long is lost; its candidates go to others"},
    ARCHAI_OPTION_END,
};

static const archai_option train_options[] = {
    {"epochs",                 ARCHAI_OPT_INT,    AT(train.epochs),                 1, 100000,  "3", "epochs", NULL, "passes over the training data; an algorithm that sets budgets decides instead"},
    {"batch_size",             ARCHAI_OPT_INT,    AT(train.batch_size),             1, 1048576, "64", "images", NULL, "images per step"},
    {"optimizer",              ARCHAI_OPT_CHOICE, AT(train.optimizer),              0, 0,       "adamw", "", "sgd adam adamw", "as PyTorch defines them"},
    {"learning_rate",          ARCHAI_OPT_DOUBLE, AT(train.learning_rate),          1e-9, 1000,   "1e-3", "", NULL, "of the first step"},
    {"momentum",               ARCHAI_OPT_DOUBLE, AT(train.momentum),               0, 1,       "0.9", "", NULL, "sgd only"},
    {"weight_decay",           ARCHAI_OPT_DOUBLE, AT(train.weight_decay),           0, 1000,    "0", "", NULL, "sgd and adam: L2 penalty; adamw: decoupled"},
    {"learning_rate_schedule", ARCHAI_OPT_CHOICE, AT(train.learning_rate_schedule), 0, 0,       "cosine", "", "constant cosine", "cosine: down to 0 at the last step, that of the largest budget where an algorithm sets budgets"},
    {"checkpoint",             ARCHAI_OPT_CHOICE, AT(train.checkpoint),             0, 0,       "none", "", "none epoch", "epoch: interrupted training resumes from its last epoch; evaluator.kind = command: the program gets a path for its checkpoint"},
    {"checkpoint_pause",       ARCHAI_OPT_SECONDS, AT(train.checkpoint_pause_s),     0, 86400,   "60s", "", NULL, "least time between two checkpoints of a candidate; 0s: after every epoch"},
    {"inherit_weights",        ARCHAI_OPT_BOOL,   AT(train.inherit_weights),        0, 0,       "no", "", NULL, "a child starts from its first parent's weights where names and shapes match"},
    ARCHAI_OPTION_END,
};

static const archai_option evaluator_options[] = {
    {"kind",         ARCHAI_OPT_STRING,  AT(evaluator.kind),         0, 0,    "torch", "", NULL, "what evaluates a candidate"},
    {"device",       ARCHAI_OPT_CHOICE,  AT(evaluator.device),       0, 0,    "auto", "", "auto cpu cuda", "auto: a GPU where there is one"},
    {"threads",      ARCHAI_OPT_INT,     AT(evaluator.threads),      1, 4096, "auto", "", "auto=0", "of one evaluation; auto: the node's cores, shared among its ranks"},
    {"timeout",      ARCHAI_OPT_SECONDS, AT(evaluator.timeout_s),    0.001, BIG, "none", "", "none=inf", "longest time of one evaluation; after that it fails"},
    {"retries",      ARCHAI_OPT_INT,     AT(evaluator.retries),      0, 100,  "0", "", NULL, "how many more attempts a failed candidate gets"},
    {"memory_limit", ARCHAI_OPT_BYTES,   AT(evaluator.memory_limit), 1, BIG,  "none", "", "none=0", "host memory of one evaluator"},
    ARCHAI_OPTION_END,
};

static const archai_option output_options[] = {
    {"directory", ARCHAI_OPT_STRING, AT(output.directory), 0, 0, "results", "", NULL, "where the results go; must not hold results yet"},
    {"weights",   ARCHAI_OPT_CHOICE, AT(output.weights),   0, 0, "pareto", "", "pareto all best none", "which models' weights appear under /models"},
    {"report",    ARCHAI_OPT_BOOL,   AT(output.report),    0, 0, "yes", "", NULL, "write report.html at the end"},
    ARCHAI_OPTION_END,
};

const archai_config_section archai_config_sections[] = {
    {"search",    search_options},
    {"run",       run_options},
    {"train",     train_options},
    {"evaluator", evaluator_options},
    {"output",    output_options},
    {NULL,        NULL},
};
/* clang-format on */
