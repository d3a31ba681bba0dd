/* The keys of the configuration's own sections. [space], [objective.*] and the keys of algorithms
 * stand with their owners. */
#include "core/config/config.h"

/* clang-format off */
#define AT(member) offsetof(archai_config, member)
#define BIG 0x1p63

static const archai_option search_options[] = {
    {"algorithm",       ARCHAI_OPT_STRING,  AT(search.algorithm),       0, 0,   "evolution_pareto", "", NULL, "which algorithm proposes"},
    {"schedule",        ARCHAI_OPT_CHOICE,  AT(search.schedule),        0, 0,   "async", "", "async generational", "async: a free slot is filled at once; generational: Archai's loops, step by step"},
    {"max_evaluations", ARCHAI_OPT_INT,     AT(search.max_evaluations), 1, BIG, "none", "evaluations", "none=9223372036854775807", "finished evaluations over all starts, cached rows not counted"},
    {"max_time",        ARCHAI_OPT_SECONDS, AT(search.max_time_s),      0.001, BIG, "none", "", "none=inf", "running time of this start"},
    {"seed",            ARCHAI_OPT_INT,     AT(search.seed),            0, BIG, "1", "", NULL, "seed of the algorithm's generator and of the evaluations' own seeds"},
    ARCHAI_OPTION_END,
};

static const archai_option run_options[] = {
    {"coordinator_evaluates", ARCHAI_OPT_BOOL,    AT(run.coordinator_evaluates), 0, 0,     "yes", "", NULL, "rank 0 has a worker slot too"},
    {"grace",                 ARCHAI_OPT_SECONDS, AT(run.grace_s),               0, 86400, "30s", "", NULL, "how long running candidates may go on after a request to stop"},
    {"heartbeat",             ARCHAI_OPT_SECONDS, AT(run.heartbeat_s),           0.01, 3600, "5s", "", NULL, "time between two signs of life of a rank; at least four in lost_after"},
    {"lost_after",            ARCHAI_OPT_SECONDS, AT(run.lost_after_s),          0.2, 1e6, "60s", "", NULL, "a rank that gives no sign of life for so long is lost: its candidates go to others"},
    ARCHAI_OPTION_END,
};

static const archai_option data_options[] = {
    {"format",       ARCHAI_OPT_CHOICE, AT(data.format),       0, 0,       "synthetic", "", "synthetic idx cifar10 hdf5", "what the data files are"},
    {"train_images", ARCHAI_OPT_STRING, AT(data.train_images), 0, 0,       "", "", NULL, "idx: pictures to train on, gzip or plain"},
    {"train_labels", ARCHAI_OPT_STRING, AT(data.train_labels), 0, 0,       "", "", NULL, "idx: their labels"},
    {"val_images",   ARCHAI_OPT_STRING, AT(data.val_images),   0, 0,       "", "", NULL, "idx: pictures to validate on; empty: split off the training data"},
    {"val_labels",   ARCHAI_OPT_STRING, AT(data.val_labels),   0, 0,       "", "", NULL, "idx: their labels"},
    {"test_images",  ARCHAI_OPT_STRING, AT(data.test_images),  0, 0,       "", "", NULL, "idx: pictures that no search sees"},
    {"test_labels",  ARCHAI_OPT_STRING, AT(data.test_labels),  0, 0,       "", "", NULL, "idx: their labels"},
    {"file",         ARCHAI_OPT_STRING, AT(data.file),         0, 0,       "", "", NULL, "hdf5: the file; cifar10: the directory of its binary files"},
    {"validation",   ARCHAI_OPT_DOUBLE, AT(data.validation),   0, 0.9,     "0.1", "", NULL, "share of the training data to validate on, where there are no own files for it"},
    {"max_samples",  ARCHAI_OPT_INT,    AT(data.max_samples),  1, BIG,     "all", "pictures", "all=0", "the first so many of the training file"},
    {"seed",         ARCHAI_OPT_INT,    AT(data.seed),         0, BIG,     "1", "", NULL, "seed of the split and of synthetic pictures"},
    {"samples",      ARCHAI_OPT_INT,    AT(data.samples),      10, 1e7,    "2000", "pictures", NULL, "synthetic: how many"},
    {"classes",      ARCHAI_OPT_INT,    AT(data.classes),      2, 17,      "10", "", NULL, "synthetic: kinds of shapes; with masks, and the background"},
    {"channels",     ARCHAI_OPT_INT,    AT(data.channels),     1, 16,      "1", "", NULL, "synthetic: colour channels"},
    {"width",        ARCHAI_OPT_INT,    AT(data.width),        8, 4096,    "28", "pixels", NULL, "synthetic: width of a picture"},
    {"height",       ARCHAI_OPT_INT,    AT(data.height),       8, 4096,    "28", "pixels", NULL, "synthetic: height of a picture"},
    {"masks",        ARCHAI_OPT_BOOL,   AT(data.masks),        0, 0,       "no", "", NULL, "synthetic: a label for each pixel"},
    ARCHAI_OPTION_END,
};

static const archai_option train_options[] = {
    {"epochs",                 ARCHAI_OPT_INT,    AT(train.epochs),                 1, 100000,  "3", "epochs", NULL, "passes over the training data; where an algorithm gives budgets, these are"},
    {"batch_size",             ARCHAI_OPT_INT,    AT(train.batch_size),             1, 1048576, "64", "pictures", NULL, "pictures per step"},
    {"optimizer",              ARCHAI_OPT_CHOICE, AT(train.optimizer),              0, 0,       "adamw", "", "sgd adam adamw", "as PyTorch defines them"},
    {"learning_rate",          ARCHAI_OPT_DOUBLE, AT(train.learning_rate),          1e-9, 1000,   "1e-3", "", NULL, "of the first step"},
    {"momentum",               ARCHAI_OPT_DOUBLE, AT(train.momentum),               0, 1,       "0.9", "", NULL, "sgd only"},
    {"weight_decay",           ARCHAI_OPT_DOUBLE, AT(train.weight_decay),           0, 1000,    "0", "", NULL, "sgd and adam: L2 penalty; adamw: decoupled"},
    {"learning_rate_schedule", ARCHAI_OPT_CHOICE, AT(train.learning_rate_schedule), 0, 0,       "cosine", "", "constant cosine", "cosine: down to 0 at the last step; of the largest budget, where an algorithm gives budgets"},
    {"checkpoint",             ARCHAI_OPT_CHOICE, AT(train.checkpoint),             0, 0,       "none", "", "none epoch", "epoch: an interrupted training goes on from its last epoch; kind = command: the program gets a place for checkpoints"},
    {"checkpoint_pause",       ARCHAI_OPT_SECONDS, AT(train.checkpoint_pause_s),     0, 86400,   "60s", "", NULL, "so long at least between two checkpoints of a candidate; 0s: after every epoch"},
    {"inherit_weights",        ARCHAI_OPT_BOOL,   AT(train.inherit_weights),        0, 0,       "no", "", NULL, "a child begins with its first parent's weights where names and shapes match"},
    ARCHAI_OPTION_END,
};

static const archai_option evaluator_options[] = {
    {"kind",         ARCHAI_OPT_CHOICE,  AT(evaluator.kind),         0, 0,    "torch", "", "torch table command null plugin", "who evaluates a candidate"},
    {"device",       ARCHAI_OPT_CHOICE,  AT(evaluator.device),       0, 0,    "auto", "", "auto cpu cuda", "auto: a GPU where there is one"},
    {"threads",      ARCHAI_OPT_INT,     AT(evaluator.threads),      1, 4096, "auto", "", "auto=0", "of one evaluator; auto: the node's cores shared among its ranks"},
    {"timeout",      ARCHAI_OPT_SECONDS, AT(evaluator.timeout_s),    0.001, BIG, "none", "", "none=inf", "longest time of one evaluation; it fails beyond"},
    {"retries",      ARCHAI_OPT_INT,     AT(evaluator.retries),      0, 100,  "0", "", NULL, "how often a failed candidate is tried again"},
    {"memory_limit", ARCHAI_OPT_BYTES,   AT(evaluator.memory_limit), 1, BIG,  "none", "", "none=0", "host memory of one evaluator"},
    {"delay",        ARCHAI_OPT_STRING,  AT(evaluator.delay),        0, 0,    "", "", NULL, "table, null: time that an evaluation pretends to take, `60ms` or `lognormal 1.5s 0.8` (mean, sigma)"},
    {"table",        ARCHAI_OPT_STRING,  AT(evaluator.table),        0, 0,    "", "", NULL, "table: path of a CSV file, a column per source"},
    {"command",      ARCHAI_OPT_STRING,  AT(evaluator.command),      0, 0,    "", "", NULL, "command: program and arguments, split at blanks outside \"...\"; no shell"},
    {"plugin",       ARCHAI_OPT_STRING,  AT(evaluator.plugin),       0, 0,    "", "", NULL, "plugin: path of a shared library"},
    ARCHAI_OPTION_END,
};

static const archai_option output_options[] = {
    {"directory", ARCHAI_OPT_STRING, AT(output.directory), 0, 0, "results", "", NULL, "where the results go; it must not hold results yet"},
    {"weights",   ARCHAI_OPT_CHOICE, AT(output.weights),   0, 0, "pareto", "", "pareto all best none", "whose weights are shown under /models"},
    {"report",    ARCHAI_OPT_BOOL,   AT(output.report),    0, 0, "yes", "", NULL, "write report.html at the end"},
    ARCHAI_OPTION_END,
};

const archai_config_section archai_config_sections[] = {
    {"search",    search_options},
    {"run",       run_options},
    {"data",      data_options},
    {"train",     train_options},
    {"evaluator", evaluator_options},
    {"output",    output_options},
    {NULL,        NULL},
};
/* clang-format on */
