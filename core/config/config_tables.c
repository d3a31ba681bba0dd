/* The keys that archai_config holds. Those of [space], [data] and [objective.*], and those of the
 * algorithms and evaluators, are with their owners. */
#include "core/config/config.h"

/* clang-format off */
#define AT(member) offsetof(archai_config, member)
#define BIG 0x1p63

static const archai_option search_options[] = {
    {"algorithm",       ARCHAI_OPT_STRING,  AT(search.algorithm),       0, 0,   "evolution_pareto", "", NULL, "which algorithm proposes"},
    {"schedule",        ARCHAI_OPT_CHOICE,  AT(search.schedule),        0, 0,   "async", "", "async generational", "async: a free slot is filled at once; generational: Archai's loops, step by step, and the default of an algorithm that has no other"},
    {"max_evaluations", ARCHAI_OPT_INT,     AT(search.max_evaluations), 1, BIG, "none", "evaluations", "none=9223372036854775807", "finished evaluations, over all starts, without cached rows and those that a constraint ended early"},
    {"max_time",        ARCHAI_OPT_SECONDS, AT(search.max_time_s),      0.001, BIG, "none", "", "none=inf", "running time of this start"},
    {"allow_test_objective", ARCHAI_OPT_BOOL, AT(search.allow_test_objective), 0, 0, "no", "", NULL, "an objective or constraint may be measured on the test data, which then say nothing more about new data"},
    {"max_infeasible",  ARCHAI_OPT_INT,     AT(search.max_infeasible),  1, BIG, "1000", "candidates", "none=9223372036854775807", "ends a search in which so many candidates in a row violate a constraint before everything is measured; those do not count in max_evaluations"},
    {"prune",           ARCHAI_OPT_CHOICE,  AT(search.prune.rule),      0, 0, "none", "", ARCHAI_PRUNE_NAMES, "which candidates end early, by what is reported while they train; median: worse than the median of complete ones at the same step, as Optuna's MedianPruner; asha: not among the best at a rung, as Ray Tune's ASHAScheduler"},
    {"prune_source",    ARCHAI_OPT_STRING,  AT(search.prune_source),    0, 0, "auto", "", NULL, "the measure that prune compares, source of an objective; auto: that of the first objective that is measured"},
    {"n_startup_trials", ARCHAI_OPT_INT,    AT(search.prune.n_startup_trials), 0, BIG, "5", "candidates", NULL, "prune = median: nothing ends before so many are complete"},
    {"n_warmup_steps",  ARCHAI_OPT_INT,     AT(search.prune.n_warmup_steps), 0, BIG, "0", "steps", NULL, "prune = median: nothing ends before this epoch or step"},
    {"interval_steps",  ARCHAI_OPT_INT,     AT(search.prune.interval_steps), 1, BIG, "1", "steps", NULL, "prune = median: epochs or steps between two looks at a candidate, after n_warmup_steps"},
    {"grace_period",    ARCHAI_OPT_INT,     AT(search.prune.grace_period), 1, BIG, "1", "steps", NULL, "prune = asha: the epoch or step of the first rung, before which nothing ends"},
    {"reduction_factor", ARCHAI_OPT_DOUBLE, AT(search.prune.reduction_factor), 1.01, 1000, "4", "", NULL, "prune = asha: each rung is so many times the one before, and the best of so many stay"},
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
    {"epochs",                 ARCHAI_OPT_DOUBLE, AT(train.epochs),                 1e-3, 100000, "3", "epochs", NULL, "passes over the training data, may be a fraction; an algorithm that sets budgets decides instead"},
    {"batch_size",             ARCHAI_OPT_INT,    AT(train.batch_size),             1, 1048576, "64", "images", NULL, "images per step"},
    {"optimizer",              ARCHAI_OPT_CHOICE, AT(train.optimizer),              0, 0,       "adamw", "", "sgd adam adamw rmsprop lion", "as PyTorch defines them; lion: arXiv:2302.06675"},
    {"learning_rate",          ARCHAI_OPT_DOUBLE, AT(train.learning_rate),          1e-9, 1000,   "1e-3", "", NULL, "of the first step; one_cycle: the highest"},
    {"momentum",               ARCHAI_OPT_DOUBLE, AT(train.momentum),               0, 1,       "0.9", "", NULL, "sgd and rmsprop only"},
    {"nesterov",               ARCHAI_OPT_BOOL,   AT(train.nesterov),               0, 0,       "no", "", NULL, "sgd only: Nesterov's momentum"},
    {"weight_decay",           ARCHAI_OPT_DOUBLE, AT(train.weight_decay),           0, 1000,    "0", "", NULL, "sgd, adam and rmsprop: L2 penalty; adamw and lion: decoupled"},
    {"weight_decay_on",        ARCHAI_OPT_CHOICE, AT(train.weight_decay_on),        0, 0,       "all", "", "all weights", "weights: not on norms and biases, parameters of one dimension"},
    {"learning_rate_schedule", ARCHAI_OPT_CHOICE, AT(train.learning_rate_schedule), 0, 0,       "cosine", "", "constant cosine step multistep linear one_cycle", "as PyTorch defines them, by steps; cosine: down to 0 at the last step, that of the largest budget where an algorithm sets budgets"},
    {"warmup",                 ARCHAI_OPT_DOUBLE, AT(train.warmup),                 0, 100000,  "0", "epochs", NULL, "the rate rises from a hundredth; below 1: a share of the training; one_cycle: its rising part, 0: 0.3"},
    {"step_size",              ARCHAI_OPT_DOUBLE, AT(train.step_size),              0, 100000,  "0", "epochs", NULL, "schedule step: how often the rate falls; below 1: a share of the training"},
    {"milestones",             ARCHAI_OPT_DOUBLES, AT(train.milestones),            0, 100000,  "", "epochs", NULL, "schedule multistep: when the rate falls, counted from the first; below 1: shares of the training"},
    {"gamma",                  ARCHAI_OPT_DOUBLE, AT(train.gamma),                  0, 1,       "0.1", "", NULL, "schedules step and multistep: the factor by which the rate falls"},
    {"end_factor",             ARCHAI_OPT_DOUBLE, AT(train.end_factor),             0, 1,       "0", "", NULL, "schedules cosine and linear: the rate at the end, of learning_rate"},
    {"loss",                   ARCHAI_OPT_CHOICE, AT(train.loss),                   0, 0,       "auto", "", "auto cross_entropy bce mse l1 huber", "as PyTorch defines them; auto: cross_entropy for classes, pixels and tokens, bce for several labels, mse for numbers"},
    {"clip_grad_norm",         ARCHAI_OPT_DOUBLE, AT(train.clip_grad_norm),         1e-9, 1e9,  "none", "", "none=0", "the largest norm of all gradients together"},
    {"label_smoothing",        ARCHAI_OPT_DOUBLE, AT(train.label_smoothing),        0, 0.99,    "0", "", NULL, "in the training loss alone; val_loss is without"},
    {"ema",                    ARCHAI_OPT_DOUBLE, AT(train.ema),                    0, 0.999999, "none", "", "none=0", "decay of an exponential moving average of the weights, which is validated and kept"},
    {"keep",                   ARCHAI_OPT_CHOICE, AT(train.keep),                   0, 0,       "last", "", "last best", "the epoch whose weights and measures count; best: with the lowest val_loss"},
    {"patience",               ARCHAI_OPT_INT,    AT(train.patience),               1, 100000,  "none", "epochs", "none=0", "training ends after so many epochs without a lower val_loss"},
    {"test",                   ARCHAI_OPT_CHOICE, AT(train.test),                   0, 0,       "all", "", "all front none", "which models are measured on the test data: all, after their training; those of the front, at the end, from their stored weights; none"},
    {"precision",              ARCHAI_OPT_CHOICE, AT(train.precision),              0, 0,       "fp32", "", "fp32 bf16 fp16 auto", "of products, as PyTorch's autocast; fp16: GPUs only, with a scaled loss; auto: bf16 where the processor has instructions for it, else fp32, on a GPU also fp16 and tf32. The column device says what was used"},
    {"tf32",                   ARCHAI_OPT_CHOICE, AT(train.tf32),                   0, 0,       "conv", "", "conv yes no", "fp32 products on a GPU may use TF32; conv, PyTorch's default: those of convolutions alone; precision = auto: yes, unless it is no"},
    {"cudnn_benchmark",        ARCHAI_OPT_BOOL,   AT(train.cudnn_benchmark),        0, 0,       "no", "", NULL, "a GPU tries cuDNN's algorithms for each shape, as torch.backends.cudnn.benchmark"},
    {"deterministic",          ARCHAI_OPT_BOOL,   AT(train.deterministic),          0, 0,       "no", "", NULL, "only deterministic algorithms, as torch.use_deterministic_algorithms: an operation without one fails"},
    {"checkpoint",             ARCHAI_OPT_CHOICE, AT(train.checkpoint),             0, 0,       "none", "", "none epoch", "epoch: interrupted training resumes from its last epoch; evaluator.kind = command: the program gets a path for its checkpoint"},
    {"checkpoint_pause",       ARCHAI_OPT_SECONDS, AT(train.checkpoint_pause_s),     0, 86400,   "60s", "", NULL, "least time between two checkpoints of a candidate; 0s: after every epoch"},
    {"inherit_weights",        ARCHAI_OPT_BOOL,   AT(train.inherit_weights),        0, 0,       "no", "", NULL, "a child starts from its first parent's weights where names and shapes match"},
    ARCHAI_OPTION_END,
};

static const archai_option evaluator_options[] = {
    {"kind",         ARCHAI_OPT_STRING,  AT(evaluator.kind),         0, 0,    "torch", "", NULL, "what evaluates a candidate"},
    {"device",       ARCHAI_OPT_CHOICE,  AT(evaluator.device),       0, 0,    "auto", "", "auto cpu cuda", "auto: a GPU where there is one; a job that was given GPUs and cannot use them ends before it starts"},
    {"workers_per_device", ARCHAI_OPT_INT, AT(evaluator.workers_per_device), 1, 1024, "auto", "workers", "auto=0", "at most so many on one GPU, whose memory they share evenly; auto: all of a node, dealt round"},
    {"threads",      ARCHAI_OPT_INT,     AT(evaluator.threads),      1, 4096, "auto", "", "auto=0", "of one evaluation; auto: the cores and CPU quotas that the node's ranks have, shared out; at most OMP_THREAD_LIMIT"},
    {"timeout",      ARCHAI_OPT_SECONDS, AT(evaluator.timeout_s),    0.001, BIG, "none", "", "none=inf", "longest time of one evaluation; after that it fails"},
    {"retries",      ARCHAI_OPT_INT,     AT(evaluator.retries),      0, 100,  "0", "", NULL, "how many more attempts a failed candidate gets"},
    {"memory_limit", ARCHAI_OPT_BYTES,   AT(evaluator.memory_limit), 1, BIG,  "none", "", "none=0", "host memory of one evaluator"},
    {"weights_limit", ARCHAI_OPT_BYTES,  AT(evaluator.weights_limit), 1, BIG, "auto", "", "auto=0", "largest file of weights that a candidate may hand over, beyond it fails; auto: memory_limit, or else a quarter of the machine's memory"},
    ARCHAI_OPTION_END,
};

static const archai_option output_options[] = {
    {"directory", ARCHAI_OPT_STRING, AT(output.directory), 0, 0, "results", "", NULL, "where the results go; must not hold results yet"},
    {"weights",   ARCHAI_OPT_CHOICE, AT(output.weights),   0, 0, "pareto", "", "pareto all best none", "which models' weights appear under /models"},
    {"logs",      ARCHAI_OPT_CHOICE, AT(output.logs),      0, 0, "failed", "", "failed all none", "whose output is kept: logs/ID.log, named in /candidates/log; at most the first 64 and the last 192 KiB of it"},
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
