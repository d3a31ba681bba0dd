/* Building a description: modules, steps, and the state_dict that follows from the tree. */
#include "core/network/network.h"

#include <stdlib.h>
#include <string.h>

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

/* Room for children grows by doubling: it is the power of two at or above n_children. */
static int adopt(archai_module *parent, archai_module *child)
{
    size_t n = parent->n_children;

    if ((n & (n - 1)) == 0) {
        archai_module **grown = realloc(parent->children, (n == 0 ? 1 : 2 * n) * sizeof *grown);

        if (grown == NULL)
            return ARCHAI_ENOMEM;
        parent->children = grown;
    }
    parent->children[parent->n_children++] = child;
    return ARCHAI_OK;
}

static archai_module *new_module(archai_module *parent, const char *name,
                                 archai_module_kind kind)
{
    archai_module *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    m->kind = kind;
    m->name = strdup(name);
    if (m->name == NULL || (parent != NULL && adopt(parent, m) != ARCHAI_OK)) {
        archai_module_destroy(m);
        return NULL;
    }
    return m;
}

archai_module *archai_module_container(archai_module *parent, const char *name,
                                       const char *class_name)
{
    char *copy = strdup(class_name);
    archai_module *m = copy != NULL ? new_module(parent, name, ARCHAI_MODULE_CONTAINER) : NULL;

    if (m == NULL) {
        free(copy);
        return NULL;
    }
    m->class_name = copy;
    return m;
}

archai_module *archai_module_conv2d(archai_module *parent, const char *name, int in, int out,
                                    int kernel, int stride, int padding, int groups, bool bias)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_CONV2D);

    if (m == NULL)
        return NULL;
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

    if (m != NULL)
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

    if (m == NULL)
        return NULL;
    m->u.adaptive.output[0] = h;
    m->u.adaptive.output[1] = w;
    return m;
}

archai_module *archai_module_max_pool2d(archai_module *parent, const char *name, int kernel,
                                        int stride, int padding)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_MAX_POOL2D);

    if (m == NULL)
        return NULL;
    m->u.pool.kernel = kernel;
    m->u.pool.stride = stride;
    m->u.pool.padding = padding;
    return m;
}

archai_module *archai_module_upsample_size(archai_module *parent, const char *name, int h,
                                           int w)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_UPSAMPLE);

    if (m == NULL)
        return NULL;
    m->u.up.size[0] = h;
    m->u.up.size[1] = w;
    return m;
}

archai_module *archai_module_upsample_factor(archai_module *parent, const char *name,
                                             int factor)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_UPSAMPLE);

    if (m != NULL)
        m->u.up.factor = factor;
    return m;
}

archai_module *archai_module_linear(archai_module *parent, const char *name, int in, int out,
                                    bool bias)
{
    archai_module *m = new_module(parent, name, ARCHAI_MODULE_LINEAR);

    if (m == NULL)
        return NULL;
    m->u.linear.in_features = in;
    m->u.linear.out_features = out;
    m->u.linear.bias = bias;
    return m;
}

/* -- steps ----------------------------------------------------------------------------- */

/* Every step writes a register of its own; 0 is the input, so the first writes 1. */
static int append(archai_network *net, archai_step step)
{
    size_t n = net->n_steps;

    if ((n & (n - 1)) == 0) {
        archai_step *grown = realloc(net->steps, (n == 0 ? 1 : 2 * n) * sizeof *grown);

        if (grown == NULL)
            return -1;
        net->steps = grown;
    }
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
    for (size_t i = 0; i < sequence->n_children && a >= 0; i++)
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
    size_t n;
} state;

static int add_entry(state *s, const char *prefix, const char *name, archai_dtype dtype,
                     int ndim, const int64_t *shape)
{
    archai_state_entry *e;

    if ((s->n & (s->n - 1)) == 0) {
        archai_state_entry *grown = realloc(s->at, (s->n == 0 ? 1 : 2 * s->n) * sizeof *grown);

        if (grown == NULL)
            return ARCHAI_ENOMEM;
        s->at = grown;
    }
    e = &s->at[s->n];
    memset(e, 0, sizeof *e);
    e->name = malloc(strlen(prefix) + strlen(name) + 1);
    if (e->name == NULL)
        return ARCHAI_ENOMEM;
    strcat(strcpy(e->name, prefix), name);
    e->dtype = dtype;
    e->ndim = ndim;
    for (int i = 0; i < ndim; i++)
        e->shape[i] = shape[i];
    s->n++;
    return ARCHAI_OK;
}

static int add_conv(state *s, const char *prefix, const archai_module *m)
{
    const int64_t shape[4] = {m->u.conv.out_channels, m->u.conv.in_channels / m->u.conv.groups,
                              m->u.conv.kernel[0], m->u.conv.kernel[1]};

    ARCHAI_TRY(add_entry(s, prefix, "weight", ARCHAI_F32, 4, shape));
    return m->u.conv.bias ? add_entry(s, prefix, "bias", ARCHAI_F32, 1, shape) : ARCHAI_OK;
}

static int add_linear(state *s, const char *prefix, const archai_module *m)
{
    const int64_t shape[2] = {m->u.linear.out_features, m->u.linear.in_features};

    ARCHAI_TRY(add_entry(s, prefix, "weight", ARCHAI_F32, 2, shape));
    return m->u.linear.bias ? add_entry(s, prefix, "bias", ARCHAI_F32, 1, shape) : ARCHAI_OK;
}

static int add_norm(state *s, const char *prefix, const archai_module *m)
{
    const int64_t features = m->u.norm.num_features;

    ARCHAI_TRY(add_entry(s, prefix, "weight", ARCHAI_F32, 1, &features));
    ARCHAI_TRY(add_entry(s, prefix, "bias", ARCHAI_F32, 1, &features));
    ARCHAI_TRY(add_entry(s, prefix, "running_mean", ARCHAI_F32, 1, &features));
    ARCHAI_TRY(add_entry(s, prefix, "running_var", ARCHAI_F32, 1, &features));
    return add_entry(s, prefix, "num_batches_tracked", ARCHAI_I64, 0, NULL);
}

static int add_module(state *s, const char *prefix, const archai_module *m)
{
    switch (m->kind) {
    case ARCHAI_MODULE_CONV2D:
        return add_conv(s, prefix, m);
    case ARCHAI_MODULE_LINEAR:
        return add_linear(s, prefix, m);
    case ARCHAI_MODULE_BATCH_NORM2D:
        return add_norm(s, prefix, m);
    default:
        break;
    }
    for (size_t i = 0; i < m->n_children; i++) {
        const archai_module *child = m->children[i];
        size_t size = strlen(prefix) + strlen(child->name) + 2;
        char *inner = malloc(size);
        int rc;

        if (inner == NULL)
            return ARCHAI_ENOMEM;
        (void)snprintf(inner, size, "%s%s.", prefix, child->name);
        rc = add_module(s, inner, child);
        free(inner);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

int archai_module_state(const archai_module *root, archai_state_entry **out, size_t *n,
                        archai_err *err)
{
    state s = {.n = 0};
    int rc = add_module(&s, "", root);

    if (rc != ARCHAI_OK) {
        archai_state_free(s.at, s.n);
        return archai_fail(err, rc, "state_dict: out of memory");
    }
    *out = s.at;
    *n = s.n;
    return ARCHAI_OK;
}

void archai_state_free(archai_state_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(entries[i].name);
    free(entries);
}
