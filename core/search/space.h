/* core/search/space.h - search spaces: DiscreteSearchSpace, EvolutionarySearchSpace and
 * BayesOptSearchSpace of Archai in one table of functions.
 *
 * A space is one file or folder in core/space with one `const archai_space_ops` and one line in
 * core/registry.c. Slots marked (optional) may be NULL; callers use archai_space_*(), which
 * answer ARCHAI_ENOTSUP for a NULL slot. A space owns one Python-compatible generator.
 */
#ifndef ARCHAI_CORE_SEARCH_SPACE_H
#define ARCHAI_CORE_SEARCH_SPACE_H
#include <stdbool.h>
#include "core/base/err.h"
#include "core/config/ini.h"
#include "core/search/model.h"
#include "core/network/network.h"
#include "core/config/option.h"
#include "core/base/rng.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ARCHAI_SPACE_ABI = 3 };

typedef struct archai_space archai_space;

/* How the built-in trainer is used. */
typedef struct archai_space_use {
    bool budgets; /* the algorithm decides how many epochs */
} archai_space_use;

typedef struct archai_space_ops {
    int abi;                      /* ARCHAI_SPACE_ABI */
    const char *name, *help;      /* `space.name` in the configuration; one line */
    size_t size;                  /* bytes of the concrete struct, archai_space first */
    const archai_option *options; /* keys of [space], without name and seed */

    /* Options, seed, rng and data are set. An error begins with the key at fault ("max_layers: ...");
     * init then releases what it made, the caller the options. */
    int (*init)(archai_space *self, archai_err *err);
    void (*fini)(archai_space *self); /* (optional) */

    int (*random_sample)(archai_space *self, archai_model *out, archai_err *err);
    /* `arch` is a parsed arch file (borrowed). Accepts any well-formed architecture, also one
     * outside the lists of the space; ARCHAI_EINVAL says which key is wrong. */
    int (*load_arch)(archai_space *self, const json_t *arch, archai_model *out, archai_err *err);
    /* (optional) text of an arch file; NULL: JSON on one line with Python's separators.
     * Caller frees. */
    int (*save_arch)(archai_space *self, const archai_model *m, char **out, archai_err *err);
    /* (optional) a new model, the parent untouched; ARCHAI_ENONE where there is no child. */
    int (*mutate)(archai_space *self, const archai_model *parent, archai_model *child,
                  archai_err *err);
    int (*crossover)(archai_space *self, const archai_model *const *parents, size_t n,
                     archai_model *child, archai_err *err); /* (optional) likewise */
    /* (optional) writes encoding_size features. */
    int (*encode)(archai_space *self, const archai_model *m, float *out, archai_err *err);
    /* (optional) a text of encoding_size letters: "c" the feature is a choice (equal or not), "n" a
     * number (distance counts), "s" a number on a scale from 0 to 1. Absent: all numbers. Borrowed; lives
     * as long as the space. */
    const char *(*encoding_kinds)(const archai_space *self);
    /* (optional) the model as data; absent: only evaluators that need no network. */
    int (*describe)(archai_space *self, const archai_model *m, archai_network *out,
                    archai_err *err);
    double (*cardinality)(const archai_space *self); /* (optional) number of architectures */
    /* (optional) architecture number `index` of 0..cardinality-1, in any fixed order. */
    int (*at)(archai_space *self, uint64_t index, archai_model *out, archai_err *err);
    /* (optional) the parameters by dotted name, for a user's own evaluator; absent: everything in `arch`
     * but objects. *out is a new object. */
    int (*params)(archai_space *self, const archai_model *m, json_t **out, archai_err *err);
    /* (optional, needs describe) what archai_network_count says of its network, without building it: rank 0
     * counts every candidate. */
    int (*count)(archai_space *self, const archai_model *m, archai_counts *out, archai_err *err);
    /* (optional) a drawing; NULL: the data flow of describe. Graphviz text. */
    int (*dot)(archai_space *self, const archai_model *m, FILE *out, archai_err *err);
    /* (optional) keys of [train] that this model is trained with instead of the configuration's: an
     * object of values by key, a new reference; NULL: none. */
    int (*train)(archai_space *self, const archai_model *m, json_t **out, archai_err *err);
    /* (optional, needs describe) Before a run that trains its models with the built-in trainer: are
     * all parameters of use there, and the values of `train` valid? An error begins with the key at
     * fault, as those of init. */
    int (*check_use)(archai_space *self, const archai_space_use *use, archai_err *err);
    /* (optional) what feature i of encode is, as a reader of results.h5 knows it: the name of a parameter, or
     * "name=value" of one that says whether the parameter has that value. Caller frees. */
    char *(*feature_name)(const archai_space *self, size_t i);
} archai_space_ops;

/* Called now and then while a space is at work, so that signals and messages are seen to; an answer other
 * than ARCHAI_OK ends the work with that error. What was drawn is lost then: a search that was
 * interrupted is not asked again. */
typedef struct archai_interrupt {
    int (*check)(void *payload, archai_err *err);
    void *payload;
} archai_interrupt;

struct archai_space {            /* base; first member of every concrete type */
    const archai_space_ops *ops; /* borrowed, static lifetime (or a loaded plug-in's) */
    archai_rng rng;
    int64_t seed;
    archai_data_shape data;
    size_t encoding_size; /* set by init; 0 without encode */
    char *plugin;         /* owned; path of the plug-in that brought ops, NULL: built in */
    const archai_interrupt *interrupt; /* borrowed; NULL: nobody */
};
/* For loops of a space that may take long (every few hundred microseconds is often enough). Random samples,
 * mutations and crossovers begin with it. Meanwhile load_arch, describe, encode and count of the same
 * space may be called. */
int archai_space_breathe(archai_space *s, archai_err *err);

/* Create the space of section [space]; marks its entries used. `data` may be NULL.
 * Errors carry "file:line: space.key: ". */
int archai_space_create(archai_space **out, archai_ini *ini, const archai_data_shape *data,
                        archai_err *err);
void archai_space_destroy(archai_space *s); /* NULL is allowed */

/* "mutate", "crossover", "encode", "describe", "at" (enumeration, with cardinality) */
bool archai_space_can(const archai_space *s, const char *ability);

int archai_space_random_sample(archai_space *s, archai_model *out, archai_err *err);
int archai_space_mutate(archai_space *s, const archai_model *parent, archai_model *child,
                        archai_err *err);
int archai_space_crossover(archai_space *s, const archai_model *const *parents, size_t n,
                           archai_model *child, archai_err *err);
int archai_space_encode(archai_space *s, const archai_model *m, float *out, archai_err *err);
int archai_space_describe(archai_space *s, const archai_model *m, archai_network *out,
                          archai_err *err);
/* Parameters, MACs and so on, by count or else from describe. Errors are those of either. */
int archai_space_count(archai_space *s, const archai_model *m, archai_counts *out, archai_err *err);
int archai_space_params(archai_space *s, const archai_model *m, json_t **out, archai_err *err);
/* *out NULL: the configuration holds. */
int archai_space_train(archai_space *s, const archai_model *m, json_t **out, archai_err *err);
/* Errors begin with "space.KEY: ". */
int archai_space_check_use(archai_space *s, const archai_space_use *use, archai_err *err);
/* save_arch / load_arch on text (JSON, or YAML where the space writes it) and on parsed JSON. Errors about
 * a text begin with its line ("3: kernel_size: ..."); the caller puts "path:" before it. */
int archai_space_save_arch(archai_space *s, const archai_model *m, char **text, archai_err *err);
int archai_space_load_arch(archai_space *s, const char *text, size_t size, archai_model *out,
                           archai_err *err);
int archai_space_load_json(archai_space *s, const json_t *arch, archai_model *out,
                           archai_err *err);
/* What Archai prints for an ArchaiModel ("ArchaiModel(\n\tarchid=..."), without a final newline. */
int archai_space_print(archai_space *s, const archai_model *m, FILE *out, archai_err *err);
/* Number of architectures, or infinity where the space cannot tell. */
double archai_space_cardinality(const archai_space *s);
/* i < s->encoding_size. Where the space does not say: "feature_<i>". Caller frees. */
char *archai_space_feature_name(const archai_space *s, size_t i);

extern const archai_space_ops *const archai_spaces[]; /* registry.c; NULL-terminated */

/* Keys of [space] that every space has. */
typedef struct archai_space_common {
    char *name;   /* "plugin": the space that space.plugin brings */
    char *plugin; /* path of a shared library (core/plugin.h) */
    int64_t seed;
} archai_space_common;
extern const archai_option archai_space_common_options[];

#ifdef __cplusplus
}
#endif
#endif
