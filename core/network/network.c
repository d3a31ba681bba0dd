/* Building a description: modules, steps, and the state_dict that follows from the tree. */
#include "core/network/network.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* -- modules --------------------------------------------------------------------------- */

void archai_module_destroy(archai_module *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_children; i++)
        archai_module_destroy(m->children[i]);
    free(m->children);
    free(m->name);
    free(m->class_name);
    free(m);
}

static archai_module *new_module(archai_module *parent, const char *name,
                                 archai_module_kind kind)
{
    archai_module *m = archai_calloc(1, sizeof *m);

    m->kind = kind;
    m->name = archai_strdup(name);
    if (parent != NULL) {
        ARCHAI_RESERVE(parent->children, parent->capacity, parent->n_children + 1);
        parent->children[parent->n_children++] = m;
    }
    return m;
}

archai_module *archai_module_container(archai_module *parent, const char *name,
                                       const char *class_name)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_CONTAINER);

    m->class_name = archai_strdup(class_name);
    return m;
}

archai_module *archai_module_conv2d(archai_module *parent, const char *name, int in, int out,
                                    int kernel, int stride, int padding, int groups, bool bias)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_CONV2D);

    m->u.conv.in_channels = in;
    m->u.conv.out_channels = out;
    m->u.conv.kernel[0] = m->u.conv.kernel[1] = kernel;
    m->u.conv.stride[0] = m->u.conv.stride[1] = stride;
    m->u.conv.padding[0] = m->u.conv.padding[1] = padding;
    m->u.conv.groups = groups;
    m->u.conv.bias = bias;
    return m;
}

archai_module *archai_module_batch_norm2d(archai_module *parent, const char *name, int features)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_BATCH_NORM2D);

    m->u.norm.num_features = features;
    return m;
}

archai_module *archai_module_relu(archai_module *parent, const char *name)
{
    return new_module(parent, name, ARCHAI_MODULE_RELU);
}

archai_module *archai_module_adaptive_avg_pool2d(archai_module *parent, const char *name, int h,
                                                 int w)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_ADAPTIVE_AVG_POOL2D);

    m->u.adaptive.output[0] = h;
    m->u.adaptive.output[1] = w;
    return m;
}

archai_module *archai_module_max_pool2d(archai_module *parent, const char *name, int kernel,
                                        int stride, int padding)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_MAX_POOL2D);

    m->u.pool.kernel = kernel;
    m->u.pool.stride = stride;
    m->u.pool.padding = padding;
    return m;
}

archai_module *archai_module_upsample_size(archai_module *parent, const char *name, int h,
                                           int w)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_UPSAMPLE);

    m->u.up.size[0] = h;
    m->u.up.size[1] = w;
    return m;
}

archai_module *archai_module_upsample_factor(archai_module *parent, const char *name,
                                             int factor)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_UPSAMPLE);

    m->u.up.factor = factor;
    return m;
}

archai_module *archai_module_linear(archai_module *parent, const char *name, int in, int out,
                                    bool bias)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_LINEAR);

    m->u.linear.in_features = in;
    m->u.linear.out_features = out;
    m->u.linear.bias = bias;
    return m;
}

/* -- steps ----------------------------------------------------------------------------- */

/* Every step writes a register of its own; 0 is the input, so the first writes 1. */
static int append(archai_network *net, archai_step step)
{
    ARCHAI_RESERVE(net->steps, net->capacity, net->n_steps + 1);
    if (net->n_values < 1)
        net->n_values = 1;
    step.out = net->n_values++;
    net->steps[net->n_steps++] = step;
    return step.out;
}

int archai_network_call(archai_network *net, const archai_module *leaf, int a)
{
    return append(net, (archai_step){.op = ARCHAI_STEP_CALL, .module = leaf, .a = a});
}

int archai_network_call_all(archai_network *net, const archai_module *sequence, int a)
{
    if (sequence->kind != ARCHAI_MODULE_CONTAINER)
        return archai_network_call(net, sequence, a);
    for (size_t i = 0; i < sequence->n_children; i++)
        a = archai_network_call_all(net, sequence->children[i], a);
    return a;
}

int archai_network_add(archai_network *net, int a, int b)
{
    return append(net, (archai_step){.op = ARCHAI_STEP_ADD, .a = a, .b = b});
}

int archai_network_flatten(archai_network *net, int a)
{
    return append(net, (archai_step){.op = ARCHAI_STEP_FLATTEN, .a = a});
}

void archai_network_fini(archai_network *net)
{
    archai_module_destroy(net->root);
    free(net->steps);
    memset(net, 0, sizeof *net);
}

/* -- state_dict ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    size_t bytes;
} dtypes[ARCHAI_DTYPE_COUNT] = {
    [ARCHAI_F32] = {"float32", 4}, [ARCHAI_F64] = {"float64", 8}, [ARCHAI_F16] = {"float16", 2},
    [ARCHAI_I64] = {"int64", 8},   [ARCHAI_I32] = {"int32", 4},   [ARCHAI_U8] = {"uint8", 1},
};

size_t archai_dtype_size(archai_dtype t)
{
    return (unsigned)t < ARCHAI_DTYPE_COUNT ? dtypes[t].bytes : 0;
}

const char *archai_dtype_name(archai_dtype t)
{
    return (unsigned)t < ARCHAI_DTYPE_COUNT ? dtypes[t].name : "unknown";
}

typedef struct state {
    archai_state_entry *at;
    size_t n, capacity;
} state;

static void add_entry(state *s, const char *prefix, const char *name, archai_dtype dtype,
                      int ndim, const int64_t *shape)
{
    archai_state_entry e = {.name = archai_printf("%s%s", prefix, name), .dtype = dtype, .ndim = ndim};

    for (int i = 0; i < ndim; i++)
        e.shape[i] = shape[i];
    ARCHAI_RESERVE(s->at, s->capacity, s->n + 1);
    s->at[s->n++] = e;
}

static void add_conv(state *s, const char *prefix, const archai_module *m)
{
    const int64_t shape[4] = {m->u.conv.out_channels, m->u.conv.in_channels / m->u.conv.groups,
                              m->u.conv.kernel[0], m->u.conv.kernel[1]};

    add_entry(s, prefix, "weight", ARCHAI_F32, 4, shape);
    if (m->u.conv.bias)
        add_entry(s, prefix, "bias", ARCHAI_F32, 1, shape);
}

static void add_linear(state *s, const char *prefix, const archai_module *m)
{
    const int64_t shape[2] = {m->u.linear.out_features, m->u.linear.in_features};

    add_entry(s, prefix, "weight", ARCHAI_F32, 2, shape);
    if (m->u.linear.bias)
        add_entry(s, prefix, "bias", ARCHAI_F32, 1, shape);
}

static void add_norm(state *s, const char *prefix, const archai_module *m)
{
    const int64_t features = m->u.norm.num_features;

    add_entry(s, prefix, "weight", ARCHAI_F32, 1, &features);
    add_entry(s, prefix, "bias", ARCHAI_F32, 1, &features);
    add_entry(s, prefix, "running_mean", ARCHAI_F32, 1, &features);
    add_entry(s, prefix, "running_var", ARCHAI_F32, 1, &features);
    add_entry(s, prefix, "num_batches_tracked", ARCHAI_I64, 0, NULL);
}

static void add_module(state *s, const char *prefix, const archai_module *m)
{
    if (m->kind == ARCHAI_MODULE_CONV2D)
        add_conv(s, prefix, m);
    else if (m->kind == ARCHAI_MODULE_LINEAR)
        add_linear(s, prefix, m);
    else if (m->kind == ARCHAI_MODULE_BATCH_NORM2D)
        add_norm(s, prefix, m);
    for (size_t i = 0; i < m->n_children; i++) {
        char *inner = archai_printf("%s%s.", prefix, m->children[i]->name);

        add_module(s, inner, m->children[i]);
        free(inner);
    }
}

archai_state_entry *archai_module_state(const archai_module *root, size_t *n)
{
    state s = {.n = 0};

    add_module(&s, "", root);
    *n = s.n;
    return s.at;
}

void archai_state_free(archai_state_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(entries[i].name);
    free(entries);
}
