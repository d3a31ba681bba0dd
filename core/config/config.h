/* core/config/config.h - the configuration: sections of option tables, and the struct they fill.
 *
 * Sections [space] and [objective.*] and the algorithm's own keys of [search] are read by their
 * owners (space.h, objective.h, search.h) from the same archai_ini; archai_config_check_unused()
 * then names every key that nobody took. archai_config_write() spells out every default.
 */
#ifndef ARCHAI_CORE_CONFIG_CONFIG_H
#define ARCHAI_CORE_CONFIG_CONFIG_H
#include <stdio.h>
#include "core/base/err.h"
#include "core/config/ini.h"
#include "core/config/option.h"

typedef struct archai_config {
    struct {
        char *algorithm;
        int schedule; /* archai_schedule: async generational */
        int64_t max_evaluations; /* INT64_MAX: none */
        double max_time_s; /* inf: none */
        int64_t seed;
    } search;
    struct {
        bool coordinator_evaluates;
        double grace_s;
        double heartbeat_s, lost_after_s;
    } run;
    struct {
        int format; /* archai_data_format (io/dataset/dataset.h), index into the table's choices */
        char *train_images, *train_labels; /* idx */
        char *val_images, *val_labels;     /* idx; "" : split off `validation` */
        char *test_images, *test_labels;   /* idx; "" : none */
        char *file;                        /* hdf5, cifar10 directory */
        double validation;                 /* share of the training data, [0, 0.9] */
        int64_t max_samples;               /* of the training file, 0: all */
        int64_t seed;                      /* of the split and of synthetic pictures */
        int64_t samples, classes, channels, width, height; /* synthetic */
        bool masks;                        /* synthetic: per-pixel labels */
    } data;
    struct {
        int64_t epochs, batch_size;
        int optimizer; /* sgd adam adamw */
        double learning_rate, momentum, weight_decay;
        int learning_rate_schedule; /* constant cosine */
        int checkpoint;             /* none epoch */
        double checkpoint_pause_s;  /* between two of a candidate */
        bool inherit_weights;
    } train;
    struct {
        int kind; /* torch table command null plugin */
        int device; /* auto cpu cuda */
        int64_t threads; /* 0: auto */
        double timeout_s; /* inf: none */
        int64_t retries;
        int64_t memory_limit; /* bytes, 0: none */
        char *delay;      /* table, null: "" | "60ms" | "lognormal 1.5s 0.8" */
        char *table;      /* path of a CSV */
        char *command;    /* split at blanks with "..." quoting; no shell */
        char *plugin;     /* path */
    } evaluator;
    struct {
        char *directory;
        int weights; /* pareto all best none */
        bool report;
    } output;
} archai_config;

enum { ARCHAI_WEIGHTS_PARETO, ARCHAI_WEIGHTS_ALL, ARCHAI_WEIGHTS_BEST, ARCHAI_WEIGHTS_NONE };
enum { ARCHAI_EVALUATOR_TORCH, ARCHAI_EVALUATOR_TABLE, ARCHAI_EVALUATOR_COMMAND, ARCHAI_EVALUATOR_NULL, ARCHAI_EVALUATOR_PLUGIN };
enum { ARCHAI_CHECKPOINT_NONE, ARCHAI_CHECKPOINT_EPOCH };
enum { ARCHAI_OPTIMIZER_SGD, ARCHAI_OPTIMIZER_ADAM, ARCHAI_OPTIMIZER_ADAMW };
enum { ARCHAI_LR_CONSTANT, ARCHAI_LR_COSINE };
enum { ARCHAI_DEVICE_AUTO, ARCHAI_DEVICE_CPU, ARCHAI_DEVICE_CUDA };
enum { ARCHAI_DATA_SYNTHETIC, ARCHAI_DATA_IDX, ARCHAI_DATA_CIFAR10, ARCHAI_DATA_HDF5 };

/* One section's table; `archai_config_sections` ends with name NULL. All refer to archai_config. */
typedef struct archai_config_section {
    const char *name;
    const archai_option *options;
} archai_config_section;
extern const archai_config_section archai_config_sections[];

/* Apply the entries of `section` to `obj` through `table` (defaults first), marking them used.
 * Unknown keys are left for archai_config_check_unused. Errors, all that there are, a line each:
 * "file:line: section.key: ...". The caller frees obj's options also then. */
int archai_config_apply(archai_ini *ini, const char *section, const archai_option *table, void *obj,
                        archai_err *err);

/* Sections above into `out` (zeroed by this call). Relative paths stay as written (they are
 * relative to the working directory). Keys that need each other are checked as well; every problem
 * is reported, a line each. Nothing to free on failure. */
int archai_config_load(archai_config *out, archai_ini *ini, archai_err *err);
void archai_config_free(archai_config *c);

/* After all owners have taken their keys: unknown sections and keys, with the nearest known one.
 * `algorithm` and `space` name whose keys are meant in [search] and [space]. */
int archai_config_check_unused(const archai_ini *ini, const char *algorithm, const char *space,
                               archai_err *err);
/* The same for [space] alone, for tools that leave the other sections unread. */
int archai_config_check_space(const archai_ini *ini, const char *space, archai_err *err);

/* The resolved configuration, every default spelled out, loadable as it is. `space` etc. are the
 * objects whose tables belong to the shared sections; NULL leaves their keys out. */
struct archai_space;
struct archai_objectives;
struct archai_algorithm;
int archai_config_write(const archai_config *c, const struct archai_space *space,
                        const struct archai_objectives *objectives,
                        const struct archai_algorithm *algorithm, FILE *out, archai_err *err);
/* The README's table of all keys, from the same tables (Markdown). */
void archai_config_markdown(FILE *out);
#endif
