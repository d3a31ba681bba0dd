/* core/space/transformer_flex/transformer_layers.h - how the three families of networks are put
 * together: layers and steps by PyTorch's names, with the initial weights that Hugging Face
 * gives them. */
#ifndef ARCHAI_CORE_SPACE_TRANSFORMER_FLEX_TRANSFORMER_LAYERS_H
#define ARCHAI_CORE_SPACE_TRANSFORMER_FLEX_TRANSFORMER_LAYERS_H
#include <stdio.h>
#include <string.h>

#include "core/network/kind/kind.h"
#include "core/space/transformer_flex/transformer_flex.h"

#define ARCHAI_HF_INIT_STD 0.02 /* initializer_range, init_std */
enum {
    ARCHAI_HF_POSITIONS = 2048
}; /* n_positions, max_position_embeddings where Archai sets none */

/* A network in the making. */
typedef struct builder {
    const archai_transformer *t;
    archai_network *net;
} builder;

/* An argument under PyTorch's name. */
typedef struct named {
    const char *name;
    double value;
} named;
#define NAMED(...) ((const named[]){__VA_ARGS__, {NULL, 0}})

static inline void set(const archai_module_kind *kind, double args[ARCHAI_MODULE_MAX_ARGS],
                       const named *given)
{
    archai_module_defaults(kind, args);
    for (; given != NULL && given->name != NULL; given++) {
        double *at = args;

        for (const archai_arg *a = kind->args; strcmp(a->name, given->name) != 0; a++)
            at += archai_arg_width(a);
        *at = given->value;
    }
}

/* -- modules ------------------------------------------------------------------------------- */

static inline archai_module *layer(archai_module *parent, const char *name, const char *kind,
                                   const named *given)
{
    const archai_module_kind *k = archai_module_kind_find(kind);
    double args[ARCHAI_MODULE_MAX_ARGS];

    set(k, args, given);
    return archai_module_layer(parent, name, k, args);
}

/* A layer whose weight begins as that of Hugging Face's models. */
static inline archai_module *weighted(archai_module *parent, const char *name, const char *kind,
                                      const named *given)
{
    archai_module *m = layer(parent, name, kind, given);

    m->init_std = ARCHAI_HF_INIT_STD;
    return m;
}

static inline archai_module *linear(archai_module *parent, const char *name, int64_t in,
                                    int64_t out, bool bias)
{
    return weighted(
        parent, name, "Linear",
        NAMED({"in_features", (double)in}, {"out_features", (double)out}, {"bias", bias}));
}

static inline archai_module *conv1d(archai_module *parent, const char *name, int64_t out,
                                    int64_t in)
{
    return weighted(parent, name, "Conv1D", NAMED({"nf", (double)out}, {"nx", (double)in}));
}

/* A table: "Embedding", or one for places. */
static inline archai_module *table(archai_module *parent, const char *name, const char *kind,
                                   int64_t rows, int64_t dim)
{
    return weighted(parent, name, kind,
                    NAMED({"num_embeddings", (double)rows}, {"embedding_dim", (double)dim}));
}

static inline archai_module *layer_norm(archai_module *parent, const char *name, int64_t dim)
{
    archai_module *m = layer(parent, name, "LayerNorm", NULL);

    archai_module_deduce(m, &(archai_shape){.ndim = 1, .dim = {dim}}, 1);
    return m;
}

static inline archai_module *dropout(archai_module *parent, const char *name, double p)
{
    return layer(parent, name, "Dropout", NAMED({"p", p}));
}

static inline archai_module *new_gelu(archai_module *parent, const char *name)
{
    return layer(parent, name, "NewGELUActivation", NULL);
}

/* Element `i` of a ModuleList. */
static inline archai_module *element(archai_module *list, int64_t i, const char *class_name)
{
    char name[24];

    (void)snprintf(name, sizeof name, "%lld", (long long)i);
    return archai_module_container(list, name, class_name);
}

/* -- steps --------------------------------------------------------------------------------- */

static inline int call(const builder *b, const archai_module *m, int x)
{
    return archai_network_call(b->net, m, x);
}

static inline int add(const builder *b, int x, int y)
{
    return archai_network_add(b->net, x, y);
}

static inline int apply(const builder *b, const char *kind, const named *given,
                        const int *inputs, size_t n)
{
    const archai_module_kind *k = archai_module_kind_find(kind);
    double args[ARCHAI_MODULE_MAX_ARGS];

    set(k, args, given);
    return archai_network_apply(b->net, k, args, inputs, n);
}

/* Features from `start` to `end`. */
static inline int slice(const builder *b, int x, int64_t start, int64_t end)
{
    return apply(b, "slice", NAMED({"dim", -1}, {"start", (double)start}, {"end", (double)end}),
                 &x, 1);
}

/* Sizes of a sample; -1: what is left. */
static inline int reshape(const builder *b, int x, int n, const double *sizes)
{
    double args[ARCHAI_MODULE_MAX_ARGS] = {n};

    memcpy(args + 1, sizes, (size_t)n * sizeof *sizes);
    return archai_network_apply(b->net, archai_module_kind_find("reshape"), args, &x, 1);
}

static inline int attention(const builder *b, int64_t heads, double dropout_p, const int qkv[3])
{
    return apply(
        b, "attention",
        NAMED({"num_heads", (double)heads}, {"is_causal", 1}, {"dropout_p", dropout_p}), qkv,
        3);
}

/* What describes each family; sets net->root. */
void archai_describe_gpt2(const builder *b); /* gpt2 and gpt2-flex */
void archai_describe_codegen(const builder *b);
void archai_describe_opt(const builder *b);
#endif
