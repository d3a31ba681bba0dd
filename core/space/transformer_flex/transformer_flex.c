/* Search space `transformer_flex`: Archai's TransformerFlexSearchSpace.
 *
 * Options have Archai's names and defaults (random_seed is `seed`), and all draws are Archai's.
 * Where Archai raises because the heads of a child do not divide its width, there is no child.
 * An archid is always that of the configuration alone: Archai's save_arch adds arch_type to the
 * living model, so that there the children of a saved model have other archids.
 */
#include <math.h>
#include <string.h>

#include "core/config/option.h"
#include "core/search/space.h"
#include "core/space/transformer_flex/transformer_flex.h"

struct flex {
    archai_space base;
    int arch_type; /* archai_transformer_type */
    int64_t min_layers, max_layers, vocab_size, max_sequence_length;
    archai_ints d_inner_options, d_model_options, n_head_options;
    bool share_d_inner;
    double mutation_prob, att_dropout_rate;
};

/* clang-format off */
#define FIELD(name) offsetof(struct flex, name)
#define WIDTHS "128 192 256 320 384 448 512 576 640 704 768 832 896 960"
static const archai_option options[] = {
    {"arch_type",           ARCHAI_OPT_CHOICE, FIELD(arch_type),           0, 0, NULL, "", "codegen gpt2 gpt2-flex mem-transformer opt transfo-xl", "family of transformers; mem-transformer and transfo-xl are for your own evaluators, the others are described and trained here"},
    {"min_layers",          ARCHAI_OPT_INT,    FIELD(min_layers),          1, ARCHAI_TRANSFORMER_MAX_LAYERS, "1",     "layers",   NULL, "smallest number of layers"},
    {"max_layers",          ARCHAI_OPT_INT,    FIELD(max_layers),          1, ARCHAI_TRANSFORMER_MAX_LAYERS, "10",    "layers",   NULL, "largest number of layers"},
    {"d_inner_options",     ARCHAI_OPT_INTS,   FIELD(d_inner_options),     1, ARCHAI_TRANSFORMER_MAX_WIDTH,  WIDTHS,  "features", NULL, "inner sizes of the feed-forward network to choose from"},
    {"d_model_options",     ARCHAI_OPT_INTS,   FIELD(d_model_options),     1, ARCHAI_TRANSFORMER_MAX_WIDTH,  WIDTHS,  "features", NULL, "widths to choose from"},
    {"n_head_options",      ARCHAI_OPT_INTS,   FIELD(n_head_options),      1, ARCHAI_TRANSFORMER_MAX_WIDTH,  "2 4 8", "heads",    NULL, "numbers of attention heads to choose from; only those that divide the width are drawn with it"},
    {"share_d_inner",       ARCHAI_OPT_BOOL,   FIELD(share_d_inner),       0, 0, "yes", "", NULL, "one inner size for all layers, else one for each"},
    {"mutation_prob",       ARCHAI_OPT_DOUBLE, FIELD(mutation_prob),       0, 1, "0.3", "", NULL, "chance of each parameter to be drawn again"},
    {"vocab_size",          ARCHAI_OPT_INT,    FIELD(vocab_size),          1, ARCHAI_TRANSFORMER_MAX_VOCAB,  "10000", "tokens",   NULL, "number of different tokens"},
    {"max_sequence_length", ARCHAI_OPT_INT,    FIELD(max_sequence_length), 1, ARCHAI_TRANSFORMER_MAX_TOKENS, "1024",  "tokens",   NULL, "longest sequence of gpt2 and gpt2-flex; codegen and opt take 2048"},
    {"att_dropout_rate",    ARCHAI_OPT_DOUBLE, FIELD(att_dropout_rate),    0, 1, "0",   "", NULL, "dropout of the attention weights, in gpt2 and gpt2-flex"},
    ARCHAI_OPTION_END,
};
#undef WIDTHS
#undef FIELD
/* clang-format on */

static const struct flex *self_of(const archai_space *s)
{
    return (const struct flex *)s;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* -- set-up ------------------------------------------------------------------------------ */

static bool has_network(int type)
{
    return type != ARCHAI_MEM_TRANSFORMER && type != ARCHAI_TRANSFO_XL;
}

static bool some_heads_divide(const struct flex *f)
{
    for (size_t i = 0; i < f->d_model_options.n; i++)
        for (size_t j = 0; j < f->n_head_options.n; j++)
            if (f->d_model_options.at[i] % f->n_head_options.at[j] == 0)
                return true;
    return false;
}

static int check_data(const struct flex *f, archai_err *err)
{
    const archai_data_shape *data = &f->base.data;

    if (data->vocab > f->vocab_size)
        return archai_fail(err, ARCHAI_EINVAL,
                           "vocab_size: %lld, but the data set has %d tokens",
                           (long long)f->vocab_size, data->vocab);
    if (data->tokens > f->max_sequence_length)
        return archai_fail(
            err, ARCHAI_EINVAL,
            "max_sequence_length: %lld, but the data set's sequences have %d tokens",
            (long long)f->max_sequence_length, data->tokens);
    return ARCHAI_OK;
}

static const archai_space_ops without_network;

static int flex_init(archai_space *s, archai_err *err)
{
    const struct flex *f = self_of(s);

    if (f->max_layers < f->min_layers)
        return archai_fail(err, ARCHAI_EINVAL, "max_layers: %lld is less than min_layers %lld",
                           (long long)f->max_layers, (long long)f->min_layers);
    if (f->d_inner_options.n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "d_inner_options: is empty, expected sizes");
    if (f->d_model_options.n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "d_model_options: is empty, expected widths");
    if (!some_heads_divide(f))
        return archai_fail(err, ARCHAI_EINVAL,
                           "n_head_options: no number in it divides one of d_model_options");
    if (f->arch_type == ARCHAI_OPT && f->vocab_size < 2)
        return archai_fail(err, ARCHAI_EINVAL, "vocab_size: 1, but opt pads with token 1");
    ARCHAI_TRY(check_data(f, err));
    s->encoding_size = f->share_d_inner ? 4 : (size_t)f->max_layers + 3;
    if (!has_network(f->arch_type))
        s->ops = &without_network;
    return ARCHAI_OK;
}

/* -- drawing ----------------------------------------------------------------------------- */

static int64_t choice(archai_rng *r, const archai_ints *list)
{
    return list->at[archai_rng_below(r, list->n)];
}

static int to_model(const archai_transformer *t, archai_model *out, archai_err *err)
{
    char archid[ARCHAI_TRANSFORMER_ARCHID];

    ARCHAI_TRY(archai_transformer_archid(t, archid, err));
    return archai_model_init(out, archai_transformer_to_json(t), archid, NULL, err);
}

static int read(const struct flex *f, archai_transformer *t, const json_t *arch,
                archai_err *err)
{
    return archai_transformer_from_json(t, arch, (archai_transformer_type)f->arch_type, err);
}

/* What the space fixes; d_inner is a list where layers do not share it. */
static void begin(const struct flex *f, archai_transformer *t)
{
    t->type = (archai_transformer_type)f->arch_type;
    t->vocab_size = f->vocab_size;
    t->max_sequence_length = f->max_sequence_length;
    t->dropatt = f->att_dropout_rate;
    t->dropatt_whole = false;
    t->d_inner.list = !f->share_d_inner;
    t->d_inner.n = f->share_d_inner ? 1 : (int)f->max_layers;
    t->n_head.list = false;
    t->n_head.n = 1;
}

static int flex_random_sample(archai_space *s, archai_model *out, archai_err *err)
{
    const struct flex *f = self_of(s);
    archai_transformer t;

    begin(f, &t);
    do {
        t.n_layer = archai_rng_randint(&s->rng, f->min_layers, f->max_layers);
        for (int i = 0; i < t.d_inner.n; i++)
            t.d_inner.at[i] = choice(&s->rng, &f->d_inner_options);
        t.d_model = choice(&s->rng, &f->d_model_options);
        t.n_head.at[0] = choice(&s->rng, &f->n_head_options);
    } while (t.d_model % t.n_head.at[0] != 0);
    return to_model(&t, out, err);
}

/* An arch file may hold one number where the space has a list, or a shorter list. */
static void spread(const struct flex *f, archai_per_layer *v)
{
    for (int i = v->n; i < f->max_layers; i++)
        v->at[i] = v->at[0];
    v->n = (int)greater(v->n, f->max_layers);
    v->list = true;
}

static int flex_mutate(archai_space *s, const archai_model *parent, archai_model *child,
                       archai_err *err)
{
    const struct flex *f = self_of(s);
    archai_transformer t;

    ARCHAI_TRY(read(f, &t, parent->arch, err));
    if (archai_rng_random(&s->rng) < f->mutation_prob)
        t.n_layer = archai_rng_randint(&s->rng, f->min_layers, f->max_layers);
    if (!f->share_d_inner) {
        spread(f, &t.d_inner);
        for (int i = 0; i < t.d_inner.n; i++)
            if (archai_rng_random(&s->rng) < f->mutation_prob)
                t.d_inner.at[i] = choice(&s->rng, &f->d_inner_options);
    } else if (archai_rng_random(&s->rng) < f->mutation_prob) {
        t.d_inner = (archai_per_layer){.n = 1, .at = {choice(&s->rng, &f->d_inner_options)}};
    }
    if (archai_rng_random(&s->rng) < f->mutation_prob)
        t.d_model = choice(&s->rng, &f->d_model_options);
    if (archai_rng_random(&s->rng) < f->mutation_prob)
        t.n_head = (archai_per_layer){.n = 1, .at = {choice(&s->rng, &f->n_head_options)}};
    ARCHAI_TRY(archai_transformer_check_heads(&t, ARCHAI_ENONE, err));
    return to_model(&t, child, err);
}

/* Each parameter from one of the first two models; where layers do not share d_inner, each
 * element. */
static int flex_crossover(archai_space *s, const archai_model *const *parents, size_t n,
                          archai_model *child, archai_err *err)
{
    const struct flex *f = self_of(s);
    archai_transformer a, b;

    if (n < 2)
        return archai_fail(err, ARCHAI_ENONE, "no child: a crossover needs two parents");
    ARCHAI_TRY(read(f, &a, parents[0]->arch, err));
    ARCHAI_TRY(read(f, &b, parents[1]->arch, err));
    if (archai_rng_below(&s->rng, 2) == 1)
        a.n_layer = b.n_layer;
    if (!f->share_d_inner) {
        spread(f, &a.d_inner);
        spread(f, &b.d_inner);
        for (int i = 0; i < a.d_inner.n && i < b.d_inner.n; i++)
            if (archai_rng_below(&s->rng, 2) == 1)
                a.d_inner.at[i] = b.d_inner.at[i];
    } else if (archai_rng_below(&s->rng, 2) == 1) {
        a.d_inner = b.d_inner;
    }
    if (archai_rng_below(&s->rng, 2) == 1)
        a.d_model = b.d_model;
    if (archai_rng_below(&s->rng, 2) == 1)
        a.n_head = b.n_head;
    ARCHAI_TRY(archai_transformer_check_heads(&a, ARCHAI_ENONE, err));
    return to_model(&a, child, err);
}

/* -- files and numbers ------------------------------------------------------------------- */

static int flex_load_arch(archai_space *s, const json_t *arch, archai_model *out,
                          archai_err *err)
{
    archai_transformer t;

    ARCHAI_TRY(read(self_of(s), &t, arch, err));
    return to_model(&t, out, err);
}

static int flex_save_arch(archai_space *s, const archai_model *m, char **out, archai_err *err)
{
    (void)s;
    (void)err;
    *out = archai_transformer_text(m->arch);
    return ARCHAI_OK;
}

/* What has one number here may be a list in a file: its mean. */
static float mean(const archai_per_layer *v, int64_t layers)
{
    double sum = 0;

    for (int64_t i = 0; i < layers; i++)
        sum += (double)archai_per_layer_at(v, i);
    return (float)(sum / (double)layers);
}

/* n_layer, d_inner (of each layer, zeros after the last), d_model, n_head */
static int flex_encode(archai_space *s, const archai_model *m, float *out, archai_err *err)
{
    const struct flex *f = self_of(s);
    archai_transformer t;

    ARCHAI_TRY(read(f, &t, m->arch, err));
    *out++ = (float)t.n_layer;
    if (f->share_d_inner)
        *out++ = mean(&t.d_inner, t.n_layer);
    else
        for (int64_t i = 0; i < f->max_layers; i++)
            *out++ = i < t.n_layer ? (float)archai_per_layer_at(&t.d_inner, i) : 0.0f;
    *out++ = (float)t.d_model;
    *out = mean(&t.n_head, t.n_layer);
    return ARCHAI_OK;
}

/* -- enumeration --------------------------------------------------------------------------- */

/* Is element i the first of its value? Repetitions act as weights when drawing. */
static bool is_first(const archai_ints *list, size_t i)
{
    size_t j = 0;

    while (list->at[j] != list->at[i])
        j++;
    return j == i;
}

static int64_t distinct(const archai_ints *list, uint64_t wanted, uint64_t *count)
{
    int64_t found = 0;

    *count = 0;
    for (size_t i = 0; i < list->n; i++)
        if (is_first(list, i) && (*count)++ == wanted)
            found = list->at[i];
    return found;
}

/* Pair number `wanted` of a width and a number of heads that divides it; *count: how many there
 * are. */
static void pairs(const struct flex *f, uint64_t wanted, archai_transformer *t, uint64_t *count)
{
    *count = 0;
    for (size_t i = 0; i < f->d_model_options.n; i++)
        for (size_t j = 0; j < f->n_head_options.n; j++)
            if (is_first(&f->d_model_options, i) && is_first(&f->n_head_options, j) &&
                f->d_model_options.at[i] % f->n_head_options.at[j] == 0 &&
                (*count)++ == wanted) {
                t->d_model = f->d_model_options.at[i];
                t->n_head.at[0] = f->n_head_options.at[j];
            }
}

/* Models with that many layers; of lists, only what the layers use counts. */
static double of_depth(const struct flex *f, int64_t layers)
{
    archai_transformer t;
    uint64_t widths, sizes;

    pairs(f, 0, &t, &widths);
    (void)distinct(&f->d_inner_options, 0, &sizes);
    return (double)widths * pow((double)sizes, f->share_d_inner ? 1.0 : (double)layers);
}

static double flex_cardinality(const archai_space *s)
{
    const struct flex *f = self_of(s);
    double n = 0;

    for (int64_t layers = f->min_layers; layers <= f->max_layers; layers++)
        n += of_depth(f, layers);
    return n;
}

/* The shallow ones first. Elements of lists that no layer uses are the first option. */
static int flex_at(archai_space *s, uint64_t index, archai_model *out, archai_err *err)
{
    const struct flex *f = self_of(s);
    archai_transformer t;
    uint64_t widths, sizes;

    if ((double)index >= flex_cardinality(s))
        return archai_fail(err, ARCHAI_EINVAL, "no architecture number %llu",
                           (unsigned long long)index);
    begin(f, &t);
    for (t.n_layer = f->min_layers; (double)index >= of_depth(f, t.n_layer); t.n_layer++)
        index -= (uint64_t)of_depth(f, t.n_layer);
    pairs(f, 0, &t, &widths);
    pairs(f, index % widths, &t, &widths);
    index /= widths;
    (void)distinct(&f->d_inner_options, 0, &sizes);
    for (int i = 0; i < t.d_inner.n; i++) {
        t.d_inner.at[i] = distinct(&f->d_inner_options, index % sizes, &sizes);
        index /= sizes;
    }
    return to_model(&t, out, err);
}

/* -- the network --------------------------------------------------------------------------- */

/* For sequences as long as the data's, else as long as max_sequence_length says. */
static int flex_describe(archai_space *s, const archai_model *m, archai_network *out,
                         archai_err *err)
{
    archai_transformer t;
    int64_t tokens, longest;

    ARCHAI_TRY(read(self_of(s), &t, m->arch, err));
    longest = archai_transformer_longest(&t);
    tokens = s->data.tokens > 0 ? s->data.tokens : t.max_sequence_length;
    archai_transformer_describe(&t, tokens < longest ? tokens : longest, out);
    return ARCHAI_OK;
}

/* clang-format off */
#define OPS                                                                             \
    .abi = ARCHAI_SPACE_ABI,                                                            \
    .name = "transformer_flex",                                                         \
    .help = "language models: number of layers, heads, width and inner size",           \
    .size = sizeof(struct flex),                                                        \
    .options = options,                                                                 \
    .init = flex_init,                                                                  \
    .random_sample = flex_random_sample,                                                \
    .load_arch = flex_load_arch,                                                        \
    .save_arch = flex_save_arch,                                                        \
    .mutate = flex_mutate,                                                              \
    .crossover = flex_crossover,                                                        \
    .encode = flex_encode,                                                              \
    .cardinality = flex_cardinality,                                                    \
    .at = flex_at
/* clang-format on */

const archai_space_ops archai_space_transformer_flex = {OPS, .describe = flex_describe};
static const archai_space_ops without_network = {OPS};
