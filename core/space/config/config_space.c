/* Search space `config`: Archai's ConfigSearchSpace over a tree declared in a file
 * (core/space/config/param_tree.h).
 *
 * Sampling, mutation and crossover draw as Archai does, one parameter after the other in the
 * tree's order, including those that do not exist. A parameter's features are its number, or 0
 * or 1 for each choice; where it does not exist they are NaN in the text whose sha1 is the
 * archid, and unused_param_value in the encoding. Ranges are not Archai's: their number is encoded
 * as its place on [0, 1] (param_range.h). A model's arch is Archai's ArchConfig, so its
 * metadata do not repeat it. Where the tree has nb_layers, kernel_size and hidden_dim, a model is
 * one of the space `cnn` (core/space/cnn_network.h) and the evaluator `torch` can train it; other
 * trees are for your own evaluators.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/space/cnn_network.h"
#include "core/config/option.h"
#include "core/space/config/param_tree.h"
#include "core/space/config/param_walk.h"
#include "core/base/python_text.h"
#include "core/base/sha1.h"
#include "core/search/space.h"
#include "core/base/yaml.h"

/* Conditional trees are counted up to here, which takes tens of milliseconds. */
enum { COUNT_MAX = 200000 };

struct config {
    archai_space base;
    char *tree_path, *tree_sha1;
    double mutation_prob, unused_param_value;
    bool track_unused_params, hash_archid;
    int range_mutation;
    archai_param_tree *tree; /* owned */
    char *kinds;             /* owned; letters of the encoding */
    archai_param_walk walk;
};

enum { LOCAL };

/* clang-format off */
static const archai_option options[] = {
    {"tree",                ARCHAI_OPT_STRING, offsetof(struct config, tree_path),           0, 0, NULL,   "", NULL, "file that declares the parameters, JSON or YAML"},
    {"tree_sha1",           ARCHAI_OPT_STRING, offsetof(struct config, tree_sha1),           0, 0, "",     "", NULL, "sha1 of what the file declares; the resolved configuration has it, so that a run cannot resume with another tree"},
    {"mutation_prob",       ARCHAI_OPT_DOUBLE, offsetof(struct config, mutation_prob),       0, 1, "0.3",  "", NULL, "chance of each parameter to be drawn again"},
    {"range_mutation",      ARCHAI_OPT_CHOICE, offsetof(struct config, range_mutation),      0, 0, "local", "", "local uniform", "local: a number of a range becomes one nearby; uniform: it is drawn anew"},
    {"track_unused_params", ARCHAI_OPT_BOOL,   offsetof(struct config, track_unused_params), 0, 0, "yes",  "", NULL, "leave parameters that do not exist out of the archid"},
    {"unused_param_value",  ARCHAI_OPT_DOUBLE, offsetof(struct config, unused_param_value),  -1e30, 1e30, "-1", "", NULL, "what encodes a parameter that does not exist"},
    {"hash_archid",         ARCHAI_OPT_BOOL,   offsetof(struct config, hash_archid),         0, 0, "yes",  "", NULL, "the archid is the sha1 of the features, else the features"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static struct config *self_of(archai_space *s)
{
    return (struct config *)s;
}

/* -- features and identity --------------------------------------------------------------- */

static void one_hot(const archai_param *p, const json_t *value, double *out)
{
    int choice = archai_param_index(p, value);

    for (size_t k = 0; k < p->n_features; k++)
        out[k] = (int)k == choice ? 1.0 : 0.0;
}

/* [n_features], NaN for what does not exist. Caller frees. */
static double *features_of(const struct config *c, json_t *const *values)
{
    double *features = archai_calloc(c->tree->n_features, sizeof *features), *out = features;
    bool exists[ARCHAI_PARAM_MAX];

    archai_param_tree_exists(c->tree, values, exists);
    for (size_t i = 0; i < c->tree->n; i++) {
        const archai_param *p = &c->tree->params[i];

        if (c->track_unused_params && !exists[i])
            for (size_t k = 0; k < p->n_features; k++)
                out[k] = NAN;
        else if (p->one_hot)
            one_hot(p, values[i], out);
        else
            *out = archai_value_number(values[i]);
        out += p->n_features;
    }
    return features;
}

/* An archid holds the numbers of ranges themselves, an encoding their places on [0, 1]. */
static void scale_ranges(const struct config *c, double *features)
{
    for (size_t i = 0; i < c->tree->n; i++) {
        const archai_param *p = &c->tree->params[i];

        if (p->choices == NULL && !isnan(*features))
            *features = archai_range_scale(&p->range, *features);
        features += p->n_features;
    }
}

/* The text of a Python tuple of floats: "(3.0, nan)", "(3.0,)". Caller frees. */
static char *tuple_text(const double *features, size_t n)
{
    char *text = archai_malloc(n * 34 + 3), *p = text;

    *p++ = '(';
    for (size_t i = 0; i < n; i++) {
        archai_format_double(features[i], p);
        p += strlen(p);
        p = stpcpy(p, i + 1 < n ? ", " : n == 1 ? "," : "");
    }
    (void)stpcpy(p, ")");
    return text;
}

static int to_model(const struct config *c, json_t *const *values, archai_model *out,
                    archai_err *err)
{
    double *features = features_of(c, values);
    char *text = tuple_text(features, c->tree->n_features), hash[ARCHAI_SHA1_HEX];
    int rc = c->hash_archid ? archai_sha1_hex(text, strlen(text), hash, err) : ARCHAI_OK;

    if (rc == ARCHAI_OK)
        rc = archai_model_init(out, archai_param_tree_to_json(c->tree, values),
                               c->hash_archid ? hash : text, NULL, err);
    free(features);
    free(text);
    return rc;
}

static void release(const struct config *c, json_t **values)
{
    for (size_t i = 0; i < c->tree->n; i++)
        json_decref(values[i]);
}

/* -- set-up ------------------------------------------------------------------------------ */

static void config_fini(archai_space *base)
{
    struct config *c = self_of(base);

    archai_param_walk_fini(&c->walk);
    archai_param_tree_destroy(c->tree);
    free(c->kinds);
}

/* The sha1 is that of the declaration; comments and layout do not count. */
static int take_sha1(struct config *c, const json_t *source, archai_err *err)
{
    char hash[ARCHAI_SHA1_HEX], *text = archai_python_json(source, false);
    int rc = archai_sha1_hex(text, strlen(text), hash, err);

    free(text);
    if (rc != ARCHAI_OK)
        return rc;
    if (c->tree_sha1[0] != '\0' && strcmp(c->tree_sha1, hash) != 0)
        return archai_fail(err, ARCHAI_EINVAL, "has changed: its sha1 is %s, tree_sha1 says %.60s",
                           hash, c->tree_sha1);
    free(c->tree_sha1);
    c->tree_sha1 = archai_strdup(hash);
    return ARCHAI_OK;
}

/* A tree whose sha1 was known is that of a run which began with it: an earlier version took lists
 * and mappings for constants, and what it began can be resumed. */
static int load_tree(struct config *c, archai_err *err)
{
    archai_lines *lines = archai_lines_create();
    const bool known = c->tree_sha1[0] != '\0';
    json_t *source = NULL;
    int rc = archai_document_read_lines(c->tree_path, &source, lines, err);

    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, take_sha1(c, source, err), "%s: ", c->tree_path);
    if (rc == ARCHAI_OK)
        rc = archai_param_tree_create(&c->tree, source, lines, known ? ARCHAI_TREE_LENIENT : 0,
                                      err);
    archai_lines_destroy(lines);
    json_decref(source);
    return rc == ARCHAI_OK ? rc : archai_err_wrap(err, rc, "tree: ");
}

static void set_kinds(struct config *c)
{
    char *p = c->kinds = archai_malloc(c->tree->n_features + 1);

    for (size_t i = 0; i < c->tree->n; i++) {
        const archai_param *at = &c->tree->params[i];

        memset(p, at->choices == NULL ? 's' : at->one_hot ? 'c' : 'n', at->n_features);
        p += at->n_features;
    }
    *p = '\0';
}

static bool has_value(const archai_param_tree *t, const char *name)
{
    const archai_param_node *node = archai_param_node_child(t->root, name);

    return node != NULL && (node->kind == ARCHAI_NODE_PARAM || node->kind == ARCHAI_NODE_CONSTANT);
}

static bool describes_cnn(const archai_param_tree *t)
{
    return has_value(t, "nb_layers") && has_value(t, "kernel_size") && has_value(t, "hidden_dim");
}

static const archai_space_ops without_network;

static int config_init(archai_space *base, archai_err *err)
{
    struct config *c = self_of(base);
    int rc = load_tree(c, err);

    if (rc != ARCHAI_OK) {
        config_fini(base);
        return rc;
    }
    set_kinds(c);
    archai_param_walk_init(&c->walk, c->tree, !c->track_unused_params, COUNT_MAX);
    base->encoding_size = c->tree->n_features;
    if (!describes_cnn(c->tree))
        base->ops = &without_network;
    return ARCHAI_OK;
}

/* -- the table's functions --------------------------------------------------------------- */

static int config_random_sample(archai_space *base, archai_model *out, archai_err *err)
{
    struct config *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    int rc;

    for (size_t i = 0; i < c->tree->n; i++)
        values[i] = archai_param_draw(&c->tree->params[i], &base->rng);
    rc = to_model(c, values, out, err);
    release(c, values);
    return rc;
}

static int config_load_arch(archai_space *base, const json_t *arch, archai_model *out,
                            archai_err *err)
{
    struct config *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    int rc;

    ARCHAI_TRY(archai_param_tree_from_json(c->tree, arch, values, err));
    rc = to_model(c, values, out, err);
    release(c, values);
    return rc;
}

static int config_mutate(archai_space *base, const archai_model *parent, archai_model *child,
                         archai_err *err)
{
    struct config *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    int rc;

    ARCHAI_TRY(archai_param_tree_from_json(c->tree, parent->arch, values, err));
    for (size_t i = 0; i < c->tree->n; i++)
        if (archai_rng_random(&base->rng) < c->mutation_prob) {
            json_t *value = archai_param_mutate(&c->tree->params[i], values[i],
                                                c->range_mutation == LOCAL, &base->rng);

            json_decref(values[i]);
            values[i] = value;
        }
    rc = to_model(c, values, child, err);
    release(c, values);
    return rc;
}

/* Two parents with replacement; each parameter is the first one's with even chance. */
static int config_crossover(archai_space *base, const archai_model *const *parents, size_t n,
                            archai_model *child, archai_err *err)
{
    struct config *c = self_of(base);
    json_t *a[ARCHAI_PARAM_MAX], *b[ARCHAI_PARAM_MAX], *values[ARCHAI_PARAM_MAX];
    size_t first = archai_rng_choices(&base->rng, NULL, n);
    size_t second = archai_rng_choices(&base->rng, NULL, n);
    int rc;

    ARCHAI_TRY(archai_param_tree_from_json(c->tree, parents[first]->arch, a, err));
    rc = archai_param_tree_from_json(c->tree, parents[second]->arch, b, err);
    if (rc == ARCHAI_OK) {
        for (size_t i = 0; i < c->tree->n; i++)
            values[i] = archai_rng_random(&base->rng) < 0.5 ? a[i] : b[i];
        rc = to_model(c, values, child, err);
        release(c, b);
    }
    release(c, a);
    return rc;
}

static int config_encode(archai_space *base, const archai_model *m, float *out, archai_err *err)
{
    struct config *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    double *features;

    ARCHAI_TRY(archai_param_tree_from_json(c->tree, m->arch, values, err));
    features = features_of(c, values);
    scale_ranges(c, features);
    for (size_t i = 0; i < c->tree->n_features; i++)
        out[i] = (float)(isnan(features[i]) ? c->unused_param_value : features[i]);
    release(c, values);
    free(features);
    return ARCHAI_OK;
}

static const char *config_encoding_kinds(const archai_space *base)
{
    return ((const struct config *)base)->kinds;
}

static int config_params(archai_space *base, const archai_model *m, json_t **out, archai_err *err)
{
    struct config *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    bool exists[ARCHAI_PARAM_MAX];

    ARCHAI_TRY(archai_param_tree_from_json(c->tree, m->arch, values, err));
    archai_param_tree_exists(c->tree, values, exists);
    *out = archai_there(json_object());
    for (size_t i = 0; i < c->tree->n; i++)
        if (exists[i])
            archai_must_have(json_object_set(*out, c->tree->params[i].path, values[i]) == 0);
    release(c, values);
    return ARCHAI_OK;
}

static double config_cardinality(const archai_space *base)
{
    return ((const struct config *)base)->walk.count;
}

static int config_at(archai_space *base, uint64_t index, archai_model *out, archai_err *err)
{
    struct config *c = self_of(base);

    if (isinf(c->walk.count))
        return archai_fail(err, ARCHAI_ENOTSUP, "space 'config': too large to be enumerated");
    if ((double)index >= c->walk.count)
        return archai_fail(err, ARCHAI_EINVAL, "no architecture number %llu",
                           (unsigned long long)index);
    archai_param_walk_to(&c->walk, index);
    return to_model(c, c->walk.value, out, err);
}

/* clang-format off */
#define OPS                                                                     \
    .abi = ARCHAI_SPACE_ABI,                                                    \
    .name = "config",                                                           \
    .help = "parameters declared in a file: choices, ranges, groups, lists, conditions", \
    .size = sizeof(struct config),                                              \
    .options = options,                                                         \
    .init = config_init,                                                        \
    .fini = config_fini,                                                        \
    .random_sample = config_random_sample,                                      \
    .load_arch = config_load_arch,                                              \
    .mutate = config_mutate,                                                    \
    .crossover = config_crossover,                                              \
    .encode = config_encode,                                                    \
    .encoding_kinds = config_encoding_kinds,                                    \
    .cardinality = config_cardinality,                                          \
    .at = config_at,                                                            \
    .params = config_params
/* clang-format on */

const archai_space_ops archai_space_config = {OPS, .describe = archai_cnn_describe,
                                              .count = archai_cnn_count};
static const archai_space_ops without_network = {OPS};
