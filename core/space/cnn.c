/* Search space `cnn`: the CNNSearchSpaceExt of Archai's document "Discrete Search Spaces".
 *
 * Its models are those of core/space/cnn_network.h. All draws follow the document, so a seed
 * gives the document's architectures. Two differences: the output is flattened instead of
 * squeezed (a batch of one keeps its batch dimension), and the input channels and classes are
 * the data set's where one is known.
 */
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/space/cnn_network.h"
#include "core/search/space.h"

struct cnn {
    archai_space base;
    int64_t min_layers, max_layers;
    archai_ints kernel_list, hidden_list;
};

/* clang-format off */
static const archai_option options[] = {
    {"min_layers",  ARCHAI_OPT_INT,  offsetof(struct cnn, min_layers),  1, ARCHAI_CNN_MAX_LAYERS, "1",            "layers",   NULL, "smallest number of convolutions before the pooling"},
    {"max_layers",  ARCHAI_OPT_INT,  offsetof(struct cnn, max_layers),  1, ARCHAI_CNN_MAX_LAYERS, "12",           "layers",   NULL, "largest number of convolutions before the pooling"},
    {"kernel_list", ARCHAI_OPT_INTS, offsetof(struct cnn, kernel_list), 1, ARCHAI_CNN_MAX_KERNEL, "1 3 5 7",      "pixels",   NULL, "kernel sizes to choose from; padding is (k - 1) / 2"},
    {"hidden_list", ARCHAI_OPT_INTS, offsetof(struct cnn, hidden_list), 1, ARCHAI_CNN_MAX_HIDDEN, "16 32 64 128", "channels", NULL, "widths to choose from"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static const struct cnn *self_of(const archai_space *s)
{
    return (const struct cnn *)s;
}

/* -- genome and model ------------------------------------------------------------------ */

/* Write `before` and a number >= 0; returns where the final NUL is. Every candidate is written
 * twice, and printf takes ten times as long. */
static char *put_number(char *at, const char *before, int64_t v)
{
    char digits[20];
    size_t n = 0;

    at = stpcpy(at, before);
    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    *at = '\0';
    return at;
}

static int to_model(const archai_cnn *g, archai_model *out, archai_err *err)
{
    char archid[96];
    json_t *arch = archai_there(json_object());

    archai_must_have(
        json_object_set_new_nocheck(arch, "nb_layers", json_integer(g->nb_layers)) == 0 &&
        json_object_set_new_nocheck(arch, "kernel_size", json_integer(g->kernel_size)) == 0 &&
        json_object_set_new_nocheck(arch, "hidden_dim", json_integer(g->hidden_dim)) == 0);
    (void)put_number(put_number(put_number(archid, "L=", g->nb_layers), ", K=", g->kernel_size),
                     ", H=", g->hidden_dim);
    return archai_model_init(out, arch, archid, NULL, err);
}

static int from_json(const archai_space *s, const json_t *arch, archai_cnn *g, archai_err *err)
{
    static const char *const keys[] = {"nb_layers", "kernel_size", "hidden_dim"};

    if (!json_is_object(arch))
        return archai_fail(err, ARCHAI_EINVAL,
                           "expected an object with nb_layers, kernel_size and hidden_dim");
    ARCHAI_TRY(archai_cnn_read(g, arch, &s->data, err));
    return archai_json_check_keys(arch, keys, 3, err);
}

/* -- the table's functions ------------------------------------------------------------- */

static int64_t largest(const archai_ints *list)
{
    int64_t max = list->at[0];

    for (size_t i = 1; i < list->n; i++)
        max = list->at[i] > max ? list->at[i] : max;
    return max;
}

static int cnn_init(archai_space *s, archai_err *err)
{
    const struct cnn *c = self_of(s);
    archai_cnn most;

    if (c->max_layers < c->min_layers)
        return archai_fail(err, ARCHAI_EINVAL, "max_layers: %lld is less than min_layers %lld",
                           (long long)c->max_layers, (long long)c->min_layers);
    if (c->kernel_list.n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "kernel_list: is empty, expected kernel sizes");
    if (c->hidden_list.n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "hidden_list: is empty, expected widths");
    most = (archai_cnn){c->max_layers, largest(&c->kernel_list), largest(&c->hidden_list)};
    s->encoding_size = 3;
    return archai_err_wrap(err, archai_cnn_check(&most, &s->data, err),
                           "hidden_list: the largest model has ");
}

static int64_t choice(archai_rng *r, const archai_ints *list)
{
    return list->at[archai_rng_below(r, list->n)];
}

static int cnn_random_sample(archai_space *s, archai_model *out, archai_err *err)
{
    const struct cnn *c = self_of(s);
    archai_cnn g;

    g.nb_layers = archai_rng_randint(&s->rng, c->min_layers, c->max_layers);
    g.kernel_size = choice(&s->rng, &c->kernel_list);
    g.hidden_dim = choice(&s->rng, &c->hidden_list);
    return to_model(&g, out, err);
}

static int cnn_load_arch(archai_space *s, const json_t *arch, archai_model *out, archai_err *err)
{
    archai_cnn g;

    ARCHAI_TRY(from_json(s, arch, &g, err));
    return to_model(&g, out, err);
}

/* As json.dumps writes it. */
static int cnn_save_arch(archai_space *s, const archai_model *m, char **out, archai_err *err)
{
    char text[128];
    archai_cnn g;

    ARCHAI_TRY(archai_cnn_read(&g, m->arch, &s->data, err));
    (void)stpcpy(put_number(put_number(put_number(text, "{\"nb_layers\": ", g.nb_layers),
                                       ", \"kernel_size\": ", g.kernel_size),
                            ", \"hidden_dim\": ", g.hidden_dim),
                 "}");
    *out = archai_strdup(text);
    return ARCHAI_OK;
}

static int cnn_mutate(archai_space *s, const archai_model *parent, archai_model *child,
                      archai_err *err)
{
    const struct cnn *c = self_of(s);
    archai_cnn g;

    ARCHAI_TRY(from_json(s, parent->arch, &g, err));
    if (archai_rng_random(&s->rng) < 0.2)
        g.nb_layers = archai_rng_randint(&s->rng, c->min_layers, c->max_layers);
    if (archai_rng_random(&s->rng) < 0.2)
        g.kernel_size = choice(&s->rng, &c->kernel_list);
    if (archai_rng_random(&s->rng) < 0.2)
        g.hidden_dim = choice(&s->rng, &c->hidden_list);
    return to_model(&g, child, err);
}

static int cnn_crossover(archai_space *s, const archai_model *const *parents, size_t n,
                         archai_model *child, archai_err *err)
{
    archai_cnn g, from;

    for (size_t i = 0; i < n; i++) /* checked before the generator moves */
        ARCHAI_TRY(from_json(s, parents[i]->arch, &from, err));
    ARCHAI_TRY(from_json(s, parents[archai_rng_below(&s->rng, n)]->arch, &from, err));
    g.nb_layers = from.nb_layers;
    ARCHAI_TRY(from_json(s, parents[archai_rng_below(&s->rng, n)]->arch, &from, err));
    g.kernel_size = from.kernel_size;
    ARCHAI_TRY(from_json(s, parents[archai_rng_below(&s->rng, n)]->arch, &from, err));
    g.hidden_dim = from.hidden_dim;
    return to_model(&g, child, err);
}

static int cnn_encode(archai_space *s, const archai_model *m, float *out, archai_err *err)
{
    archai_cnn g;

    ARCHAI_TRY(archai_cnn_read(&g, m->arch, &s->data, err)); /* its keys were checked before */
    out[0] = (float)g.nb_layers;
    out[1] = (float)g.kernel_size;
    out[2] = (float)g.hidden_dim;
    return ARCHAI_OK;
}

/* -- enumeration ----------------------------------------------------------------------- */

/* Value number `wanted` of a list, and in *count how many there are, repetitions not counted (when
 * drawing they act as weights). */
static int64_t distinct(const archai_ints *list, size_t wanted, size_t *count)
{
    int64_t found = 0;
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        size_t j = 0;

        while (list->at[j] != list->at[i])
            j++;
        if (j == i && n++ == wanted)
            found = list->at[i];
    }
    *count = n;
    return found;
}

static double cnn_cardinality(const archai_space *s)
{
    const struct cnn *c = self_of(s);
    size_t kernels, widths;

    (void)distinct(&c->kernel_list, 0, &kernels);
    (void)distinct(&c->hidden_list, 0, &widths);
    return (double)(c->max_layers - c->min_layers + 1) * (double)kernels * (double)widths;
}

static int cnn_at(archai_space *s, uint64_t index, archai_model *out, archai_err *err)
{
    const struct cnn *c = self_of(s);
    size_t kernels, widths;
    archai_cnn g;

    if ((double)index >= cnn_cardinality(s))
        return archai_fail(err, ARCHAI_EINVAL, "no architecture number %llu",
                           (unsigned long long)index);
    (void)distinct(&c->kernel_list, 0, &kernels);
    g.hidden_dim = distinct(&c->hidden_list, 0, &widths);
    g.hidden_dim = distinct(&c->hidden_list, index % widths, &widths);
    index /= widths;
    g.kernel_size = distinct(&c->kernel_list, index % kernels, &kernels);
    g.nb_layers = c->min_layers + (int64_t)(index / kernels);
    return to_model(&g, out, err);
}

static char *cnn_feature_name(const archai_space *s, size_t i)
{
    static const char *const names[] = {"nb_layers", "kernel_size", "hidden_dim"};

    (void)s;
    return archai_strdup(names[i]);
}

const archai_space_ops archai_space_cnn = {
    .abi = ARCHAI_SPACE_ABI,
    .name = "cnn",
    .help = "a chain of equal convolutions: number of layers, kernel size, width",
    .size = sizeof(struct cnn),
    .options = options,
    .init = cnn_init,
    .random_sample = cnn_random_sample,
    .load_arch = cnn_load_arch,
    .save_arch = cnn_save_arch,
    .mutate = cnn_mutate,
    .crossover = cnn_crossover,
    .encode = cnn_encode,
    .feature_name = cnn_feature_name,
    .describe = archai_cnn_describe,
    .count = archai_cnn_count,
    .cardinality = cnn_cardinality,
    .at = cnn_at,
};
