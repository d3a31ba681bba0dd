/* configs/examples/plugin_stack.c - your own search space and measure, as a plug-in.
 *
 *   cc -O2 -shared -fPIC -I . configs/examples/plugin_stack.c -o stack.so $(pkg-config --cflags --libs jansson)
 *
 * The space: a stack of 3x3 convolutions, each with a width of its own, halving the picture after
 * every second one. An architecture is {"widths": [16, 32, 16]}, its archid "16-32-16".
 * The measure: `balance`, 1 where all widths are equal and less the more they differ; it stands where
 * a simulator, a cost model or a device's profiler would be called.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plugin.h"

enum { LAYERS_MAX = 16, WIDTH_MAX = 4096 };

typedef struct stack {
    archai_space base; /* first */
    int64_t max_layers;
    archai_ints widths;
} stack;

/* clang-format off */
static const archai_option options[] = {
    {"max_layers", ARCHAI_OPT_INT,  offsetof(stack, max_layers), 1, LAYERS_MAX, "6", "layers", NULL, "most convolutions in a stack"},
    {"widths",     ARCHAI_OPT_INTS, offsetof(stack, widths),     1, WIDTH_MAX,  "8 16 32", "channels", NULL, "widths to choose from"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int init(archai_space *self, archai_err *err)
{
    const stack *s = (const stack *)self;

    if (s->widths.n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "widths: is empty, expected at least one number");
    self->encoding_size = (size_t)s->max_layers;
    return ARCHAI_OK;
}

/* -- an architecture as data --------------------------------------------------------------- */

typedef struct widths {
    int at[LAYERS_MAX];
    int n;
} widths;

static int read_widths(const json_t *arch, widths *out, archai_err *err)
{
    const json_t *list = json_object_get(arch, "widths");

    if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > LAYERS_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "widths: expected a list of 1 to %d numbers",
                           LAYERS_MAX);
    out->n = (int)json_array_size(list);
    for (int i = 0; i < out->n; i++) {
        const json_t *w = json_array_get(list, (size_t)i);

        if (!json_is_integer(w) || json_integer_value(w) < 1 || json_integer_value(w) > WIDTH_MAX)
            return archai_fail(err, ARCHAI_EINVAL, "widths: number %d is not within 1 to %d", i,
                               WIDTH_MAX);
        out->at[i] = (int)json_integer_value(w);
    }
    return ARCHAI_OK;
}

static int make(const widths *w, json_t *metadata, archai_model *out, archai_err *err)
{
    json_t *list = json_array();
    char archid[16 * LAYERS_MAX] = "";

    for (int i = 0; i < w->n; i++) {
        size_t n = strlen(archid);

        (void)json_array_append_new(list, json_integer(w->at[i]));
        (void)snprintf(archid + n, sizeof archid - n, "%s%d", i > 0 ? "-" : "", w->at[i]);
    }
    return archai_model_init(out, json_pack("{s:o}", "widths", list), archid, metadata, err);
}

static int load_arch(archai_space *self, const json_t *arch, archai_model *out, archai_err *err)
{
    widths w;

    (void)self;
    ARCHAI_TRY(read_widths(arch, &w, err));
    return make(&w, NULL, out, err);
}

/* -- abilities ---------------------------------------------------------------------------- */

static int draw(stack *s)
{
    return (int)s->widths.at[archai_rng_below(&s->base.rng, s->widths.n)];
}

static int random_sample(archai_space *self, archai_model *out, archai_err *err)
{
    stack *s = (stack *)self;
    widths w = {.n = (int)archai_rng_randint(&self->rng, 1, s->max_layers)};

    for (int i = 0; i < w.n; i++)
        w.at[i] = draw(s);
    return make(&w, NULL, out, err);
}

/* One of three steps: a layer more, a layer less, another width. */
static int mutate(archai_space *self, const archai_model *parent, archai_model *child,
                  archai_err *err)
{
    stack *s = (stack *)self;
    widths w;
    double u = archai_rng_random(&self->rng);

    ARCHAI_TRY(read_widths(parent->arch, &w, err));
    if (u < 1.0 / 3 && w.n < s->max_layers)
        w.at[w.n++] = draw(s);
    else if (u < 2.0 / 3 && w.n > 1)
        w.n--;
    else
        w.at[archai_rng_below(&self->rng, (uint64_t)w.n)] = draw(s);
    return make(&w, json_pack("{s:s}", "parent", parent->archid), child, err);
}

/* The depth of one parent, each width from a parent that has such a layer. */
static int crossover(archai_space *self, const archai_model *const *parents, size_t n,
                     archai_model *child, archai_err *err)
{
    widths w, other;

    ARCHAI_TRY(read_widths(parents[archai_rng_below(&self->rng, n)]->arch, &w, err));
    for (int i = 0; i < w.n; i++) {
        ARCHAI_TRY(read_widths(parents[archai_rng_below(&self->rng, n)]->arch, &other, err));
        if (i < other.n)
            w.at[i] = other.at[i];
    }
    return make(&w, NULL, child, err);
}

static int encode(archai_space *self, const archai_model *m, float *out, archai_err *err)
{
    widths w;

    ARCHAI_TRY(read_widths(m->arch, &w, err));
    for (size_t i = 0; i < self->encoding_size; i++)
        out[i] = (int)i < w.n ? (float)w.at[i] : 0.0f;
    return ARCHAI_OK;
}

static int describe(archai_space *self, const archai_model *m, archai_network *out,
                    archai_err *err)
{
    int channels = self->data.channels > 0 ? self->data.channels : 1;
    int classes = self->data.num_classes > 0 ? self->data.num_classes : 10;
    archai_module *root = archai_module_container(NULL, "", "Stack"), *layers, *head = NULL;
    widths w;
    char name[16];
    int value = 0, part = 0;
    bool ok = root != NULL;

    out->root = root;
    out->input[0] = channels;
    out->input[1] = self->data.height;
    out->input[2] = self->data.width;
    ARCHAI_TRY(read_widths(m->arch, &w, err));
    layers = ok ? archai_module_container(root, "layers", "Sequential") : NULL;
    ok = layers != NULL;
    for (int i = 0; ok && i < w.n; i++) {
        int stride = i % 2 == 1 ? 2 : 1;

        (void)snprintf(name, sizeof name, "%d", part++);
        ok = archai_module_conv2d(layers, name, channels, w.at[i], 3, stride, 1, 1, false) != NULL;
        (void)snprintf(name, sizeof name, "%d", part++);
        ok = ok && archai_module_batch_norm2d(layers, name, w.at[i]) != NULL;
        (void)snprintf(name, sizeof name, "%d", part++);
        ok = ok && archai_module_relu(layers, name) != NULL;
        channels = w.at[i];
    }
    (void)snprintf(name, sizeof name, "%d", part);
    ok = ok && archai_module_adaptive_avg_pool2d(layers, name, 1, 1) != NULL;
    if (ok)
        head = archai_module_linear(root, "head", channels, classes, true);
    if (head != NULL) {
        value = archai_network_call_all(out, layers, 0);
        if (value >= 0)
            value = archai_network_flatten(out, value);
        if (value >= 0)
            value = archai_network_call(out, head, value);
    }
    if (head == NULL || value < 0)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a description");
    return ARCHAI_OK;
}

static double cardinality(const archai_space *self)
{
    const stack *s = (const stack *)self;
    double all = 0;

    for (int64_t n = 1; n <= s->max_layers; n++)
        all += pow((double)s->widths.n, (double)n);
    return all;
}

static const archai_space_ops stack_ops = {
    .abi = ARCHAI_SPACE_ABI,
    .name = "stack",
    .help = "3x3 convolutions, each with a width of its own",
    .size = sizeof(stack),
    .options = options,
    .init = init,
    .random_sample = random_sample,
    .load_arch = load_arch,
    .mutate = mutate,
    .crossover = crossover,
    .encode = encode,
    .describe = describe,
    .cardinality = cardinality,
};

/* -- the measure -------------------------------------------------------------------------- */

static int measure(archai_space *space, const archai_candidate *c, archai_evaluation *e,
                   archai_err *err)
{
    widths w;
    double low = INFINITY, high = 0;

    (void)space;
    ARCHAI_TRY(read_widths(c->model.arch, &w, err));
    for (int i = 0; i < w.n; i++) {
        low = fmin(low, w.at[i]);
        high = fmax(high, w.at[i]);
    }
    return archai_evaluation_set_measure(e, "balance", low / high, err);
}

const archai_plugin archai_plugin_entry = {
    .abi = ARCHAI_PLUGIN_ABI,
    .name = "stack",
    .space = &stack_ops,
    .measure = measure,
};
