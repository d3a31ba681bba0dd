/* Search space `config`: Archai's ConfigSearchSpace over a tree declared in a file
 * (core/space/config/param_tree.h).
 *
 * Sampling, mutation and crossover draw as Archai does, one parameter after the other in the
 * tree's order, including those that do not exist. A parameter's features are its number, or 0
 * or 1 for each choice; where it does not exist they are NaN in the text whose sha1 is the
 * archid, and unused_param_value in the encoding. Ranges are not Archai's: their number is encoded
 * as its place on [0, 1] (param_range.h). A model's arch is Archai's ArchConfig, so its
 * metadata do not repeat it.
 *
 * The evaluator `torch` can train a model whose network the file describes as well
 * (core/network/file) or, where the tree has nb_layers, kernel_size and hidden_dim, which is one of
 * the space `cnn` (core/space/cnn_network.h). Other trees are for your own evaluators.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/parameters.h"
#include "core/space/cnn_network.h"
#include "core/config/option.h"
#include "core/space/config/config_private.h"
#include "core/base/sha1.h"

/* Conditional trees are counted up to here, which takes tens of milliseconds. */
enum { COUNT_MAX = 200000 };

enum { LOCAL };

/* clang-format off */
static const archai_option options[] = {
    {"tree",                ARCHAI_OPT_STRING, offsetof(archai_config_space, tree_path),           0, 0, NULL,   "", NULL, "file that declares the parameters and, if you like, the network, JSON or YAML"},
    {"tree_sha1",           ARCHAI_OPT_STRING, offsetof(archai_config_space, tree_sha1),           0, 0, "",     "", NULL, "sha1 of what the file declares; the resolved configuration has it, so that a run cannot resume with another tree"},
    {"mutation_prob",       ARCHAI_OPT_DOUBLE, offsetof(archai_config_space, mutation_prob),       0, 1, "0.3",  "", NULL, "chance of each parameter to be drawn again"},
    {"range_mutation",      ARCHAI_OPT_CHOICE, offsetof(archai_config_space, range_mutation),      0, 0, "local", "", "local uniform", "local: a number of a range becomes one nearby; uniform: it is drawn anew"},
    {"track_unused_params", ARCHAI_OPT_BOOL,   offsetof(archai_config_space, track_unused_params), 0, 0, "yes",  "", NULL, "leave parameters that do not exist out of the archid"},
    {"unused_param_value",  ARCHAI_OPT_DOUBLE, offsetof(archai_config_space, unused_param_value),  -1e30, 1e30, "-1", "", NULL, "what encodes a parameter that does not exist"},
    {"hash_archid",         ARCHAI_OPT_BOOL,   offsetof(archai_config_space, hash_archid),         0, 0, "yes",  "", NULL, "the archid is the sha1 of the features, else the features"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static archai_config_space *self_of(archai_space *s)
{
    return (archai_config_space *)s;
}

/* -- features and identity --------------------------------------------------------------- */

static void one_hot(const archai_param *p, const json_t *value, double *out)
{
    int choice = archai_param_index(p, value);

    for (size_t k = 0; k < p->n_features; k++)
        out[k] = (int)k == choice ? 1.0 : 0.0;
}

/* [n_features], NaN for what does not exist. Caller frees. */
static double *features_of(const archai_config_space *c, json_t *const *values)
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
static void scale_ranges(const archai_config_space *c, double *features)
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

static int to_model(const archai_config_space *c, json_t *const *values, archai_model *out,
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

int archai_config_space_values(const archai_config_space *c, const archai_model *m, json_t **values,
                               archai_err *err)
{
    return archai_param_tree_from_json(c->tree, m->arch, values, err);
}

void archai_config_space_release(const archai_config_space *c, json_t **values)
{
    for (size_t i = 0; i < c->tree->n; i++)
        json_decref(values[i]);
}

/* -- set-up ------------------------------------------------------------------------------ */

static void config_fini(archai_space *base)
{
    archai_config_space *c = self_of(base);

    archai_param_walk_fini(&c->walk);
    archai_param_tree_destroy(c->tree);
    archai_network_file_destroy(c->network);
    archai_lines_destroy(c->lines);
    json_decref(c->document);
    free(c->kinds);
}

static void set_kinds(archai_config_space *c)
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

bool archai_config_space_is_cnn(const archai_param_tree *t)
{
    return has_value(t, "nb_layers") && has_value(t, "kernel_size") && has_value(t, "hidden_dim");
}

static const archai_space_ops with_network, without_network;

static int config_init(archai_space *base, archai_err *err)
{
    archai_config_space *c = self_of(base);
    int rc = archai_config_space_read(c, err);

    if (rc == ARCHAI_OK)
        rc = archai_config_space_try(c, 2, false, err);
    if (rc != ARCHAI_OK) {
        config_fini(base);
        return rc;
    }
    set_kinds(c);
    archai_param_walk_init(&c->walk, c->tree, !c->track_unused_params, COUNT_MAX);
    base->encoding_size = c->tree->n_features;
    if (c->network != NULL)
        base->ops = &with_network;
    else if (!archai_config_space_is_cnn(c->tree))
        base->ops = &without_network;
    return ARCHAI_OK;
}

/* -- the table's functions --------------------------------------------------------------- */

static int config_random_sample(archai_space *base, archai_model *out, archai_err *err)
{
    archai_config_space *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    int rc;

    for (size_t i = 0; i < c->tree->n; i++)
        values[i] = archai_param_draw(&c->tree->params[i], &base->rng);
    rc = to_model(c, values, out, err);
    archai_config_space_release(c, values);
    return rc;
}

static int config_load_arch(archai_space *base, const json_t *arch, archai_model *out,
                            archai_err *err)
{
    archai_config_space *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    int rc;

    ARCHAI_TRY(archai_param_tree_from_json(c->tree, arch, values, err));
    rc = to_model(c, values, out, err);
    archai_config_space_release(c, values);
    return rc;
}

static int config_mutate(archai_space *base, const archai_model *parent, archai_model *child,
                         archai_err *err)
{
    archai_config_space *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    int rc;

    ARCHAI_TRY(archai_config_space_values(c, parent, values, err));
    for (size_t i = 0; i < c->tree->n; i++)
        if (archai_rng_random(&base->rng) < c->mutation_prob) {
            json_t *value = archai_param_mutate(&c->tree->params[i], values[i],
                                                c->range_mutation == LOCAL, &base->rng);

            json_decref(values[i]);
            values[i] = value;
        }
    rc = to_model(c, values, child, err);
    archai_config_space_release(c, values);
    return rc;
}

/* Two parents with replacement; each parameter is the first one's with even chance. */
static int config_crossover(archai_space *base, const archai_model *const *parents, size_t n,
                            archai_model *child, archai_err *err)
{
    archai_config_space *c = self_of(base);
    json_t *a[ARCHAI_PARAM_MAX], *b[ARCHAI_PARAM_MAX], *values[ARCHAI_PARAM_MAX];
    size_t first = archai_rng_choices(&base->rng, NULL, n);
    size_t second = archai_rng_choices(&base->rng, NULL, n);
    int rc;

    ARCHAI_TRY(archai_config_space_values(c, parents[first], a, err));
    rc = archai_config_space_values(c, parents[second], b, err);
    if (rc == ARCHAI_OK) {
        for (size_t i = 0; i < c->tree->n; i++)
            values[i] = archai_rng_random(&base->rng) < 0.5 ? a[i] : b[i];
        rc = to_model(c, values, child, err);
        archai_config_space_release(c, b);
    }
    archai_config_space_release(c, a);
    return rc;
}

static int config_encode(archai_space *base, const archai_model *m, float *out, archai_err *err)
{
    archai_config_space *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    double *features;

    ARCHAI_TRY(archai_config_space_values(c, m, values, err));
    features = features_of(c, values);
    scale_ranges(c, features);
    for (size_t i = 0; i < c->tree->n_features; i++)
        out[i] = (float)(isnan(features[i]) ? c->unused_param_value : features[i]);
    archai_config_space_release(c, values);
    free(features);
    return ARCHAI_OK;
}

static const char *config_encoding_kinds(const archai_space *base)
{
    return ((const archai_config_space *)base)->kinds;
}

static int config_params(archai_space *base, const archai_model *m, json_t **out, archai_err *err)
{
    archai_config_space *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    bool exists[ARCHAI_PARAM_MAX];

    ARCHAI_TRY(archai_config_space_values(c, m, values, err));
    archai_param_tree_exists(c->tree, values, exists);
    *out = archai_there(json_object());
    for (size_t i = 0; i < c->tree->n; i++)
        if (exists[i])
            archai_must_have(json_object_set(*out, c->tree->params[i].path, values[i]) == 0);
    archai_config_space_release(c, values);
    return ARCHAI_OK;
}

/* A choice has a feature for each of its values. */
static char *config_feature_name(const archai_space *base, size_t i)
{
    const archai_config_space *c = (const archai_config_space *)base;
    const archai_param *p = c->tree->params;
    char *value, *name;

    for (; i >= p->n_features; p++)
        i -= p->n_features;
    if (!p->one_hot)
        return archai_strdup(p->path);
    value = archai_parameter_text(json_array_get(p->choices, i));
    name = archai_printf("%s=%s", p->path, value);
    free(value);
    return name;
}

static double config_cardinality(const archai_space *base)
{
    return ((const archai_config_space *)base)->walk.count;
}

static int config_at(archai_space *base, uint64_t index, archai_model *out, archai_err *err)
{
    archai_config_space *c = self_of(base);

    if (isinf(c->walk.count))
        return archai_fail(err, ARCHAI_ENOTSUP, "space 'config': too large to be enumerated");
    if ((double)index >= c->walk.count)
        return archai_fail(err, ARCHAI_EINVAL, "no architecture number %llu",
                           (unsigned long long)index);
    archai_param_walk_to(&c->walk, index);
    return to_model(c, c->walk.value, out, err);
}

static int config_describe(archai_space *base, const archai_model *m, archai_network *out,
                           archai_err *err)
{
    archai_config_space *c = self_of(base);
    json_t *values[ARCHAI_PARAM_MAX];
    int rc;

    ARCHAI_TRY(archai_config_space_values(c, m, values, err));
    rc = archai_config_space_network(c, values, out, err);
    archai_config_space_release(c, values);
    return rc;
}

/* clang-format off */
#define OPS                                                                     \
    .abi = ARCHAI_SPACE_ABI,                                                    \
    .name = "config",                                                           \
    .help = "parameters declared in a file: choices, ranges, groups, lists, conditions", \
    .size = sizeof(archai_config_space),                                              \
    .options = options,                                                         \
    .init = config_init,                                                        \
    .fini = config_fini,                                                        \
    .random_sample = config_random_sample,                                      \
    .load_arch = config_load_arch,                                              \
    .mutate = config_mutate,                                                    \
    .crossover = config_crossover,                                              \
    .encode = config_encode,                                                    \
    .feature_name = config_feature_name,                                        \
    .encoding_kinds = config_encoding_kinds,                                    \
    .cardinality = config_cardinality,                                          \
    .at = config_at,                                                            \
    .params = config_params,                                                    \
    .train = archai_config_space_train,                                         \
    .check_use = archai_config_space_check_use
/* clang-format on */

const archai_space_ops archai_space_config = {OPS, .describe = archai_cnn_describe,
                                              .count = archai_cnn_count};
static const archai_space_ops with_network = {OPS, .describe = config_describe};
static const archai_space_ops without_network = {OPS};
