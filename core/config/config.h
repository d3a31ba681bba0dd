/* core/config/config.h - the configuration: sections of option tables, and the struct they fill.
 *
 * Sections [space], [data] and [objective.*] and the keys of the chosen algorithm and evaluator are read
 * by their owners from the same archai_ini; archai_config_check_unused() then names every key that none of
 * them took. archai_config_write() spells out every default. Both live in core/search/, which knows what an
 * objective is.
 */
#ifndef ARCHAI_CORE_CONFIG_CONFIG_H
#define ARCHAI_CORE_CONFIG_CONFIG_H
#include <stdio.h>
#include "core/base/err.h"
#include "core/config/ini.h"
#include "core/config/option.h"
#include "core/config/registry.h"
#include "core/config/train.h"
#include "core/progress/prune.h"

typedef struct archai_config {
    struct {
        char *algorithm;
        int schedule; /* archai_schedule: async generational */
        int64_t max_evaluations; /* INT64_MAX: none */
        double max_time_s; /* inf: none */
        int64_t max_infeasible; /* INT64_MAX: none */
        int64_t seed;
        bool allow_test_objective;
        archai_prune_settings prune;
        char *prune_source; /* auto: of the first objective that is measured */
    } search;
    struct {
        bool coordinator_evaluates;
        double grace_s;
        double heartbeat_s, lost_after_s;
    } run;
    archai_train_settings train;
    struct {
        char *kind;
        int device;      /* auto cpu cuda */
        int64_t threads; /* 0: auto */
        int64_t workers_per_device; /* 0: any number */
        double timeout_s; /* inf: none */
        int64_t retries;
        int64_t memory_limit; /* bytes, 0: none */
        int64_t weights_limit; /* bytes, 0: auto */
    } evaluator;
    struct {
        char *directory;
        int weights; /* pareto all best none */
        int logs;    /* failed all none */
        bool report;
    } output;
} archai_config;

enum { ARCHAI_WEIGHTS_PARETO, ARCHAI_WEIGHTS_ALL, ARCHAI_WEIGHTS_BEST, ARCHAI_WEIGHTS_NONE };
enum { ARCHAI_LOGS_FAILED, ARCHAI_LOGS_ALL, ARCHAI_LOGS_NONE };
enum { ARCHAI_DEVICE_AUTO, ARCHAI_DEVICE_CPU, ARCHAI_DEVICE_CUDA };

/* One section's table, of fields of archai_config. `archai_config_sections` ends with name NULL. */
typedef struct archai_config_section {
    const char *name;
    const archai_option *options;
} archai_config_section;
extern const archai_config_section archai_config_sections[];

/* Apply the entries of `section` to `obj` through `table` (defaults first) and mark them used.
 * Unknown keys are left to archai_config_check_unused. All problems, a line each,
 * "file:line: section.key: ..."; the caller frees obj's options then, too. */
int archai_config_apply(archai_ini *ini, const char *section, const archai_option *table, void *obj,
                        archai_err *err);

/* The sections above into `out` (zeroed by this call). Relative paths stay as written (they are
 * relative to the working directory). Every problem is reported, a line each. Nothing to free on
 * failure. */
int archai_config_load(archai_config *out, archai_ini *ini, archai_err *err);
void archai_config_free(archai_config *c);

/* After all owners have taken their keys: unknown sections and keys, with the nearest known one, and
 * keys of kinds that were not chosen where those are refused. What is accepted and not at its default is
 * a line in `notes` (NULL: nowhere), "file:line: section.key: not used with ...". `choices` are those of
 * all registries. */
int archai_config_check_unused(const archai_ini *ini, const archai_choice *choices, FILE *notes,
                               archai_err *err);
/* The same for the section of one registry, for tools that leave the others unread. */
int archai_config_check_section(const archai_ini *ini, const archai_choice *choice, archai_err *err);

/* The resolved configuration, every default spelled out, loadable as it is: archai_config's sections,
 * each with the keys of the kind that it chose, then those of `choices` with a table of common keys. */
struct archai_objectives;
int archai_config_write(const archai_config *c, const archai_choice *choices,
                        const struct archai_objectives *objectives, FILE *out, archai_err *err);
/* The list of all keys, configs/KEYS.md, from the same tables. `registries` ends with NULL. */
void archai_config_markdown(const archai_registry *const *registries, FILE *out);
#endif
