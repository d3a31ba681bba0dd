/* Building a description: modules, steps, and the state_dict that follows from the tree. */
#include "core/network/network.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/kind/kind.h"

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
    free(m->extra);
    free(m);
}

static archai_module *new_module(archai_module *parent, const char *name)
{
    archai_module *m = archai_calloc(1, sizeof *m);

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
    archai_module *m = new_module(parent, name);

    m->class_name = archai_strdup(class_name);
    return m;
}

archai_module *archai_module_layer(archai_module *parent, const char *name,
                                   const archai_module_kind *kind, const double *args)
{
    archai_module *m = new_module(parent, name);
    size_t n = 0;

    m->kind = kind;
    archai_module_defaults(kind, m->args);
    for (const archai_arg *a = kind->args; args != NULL && a != NULL && a->name != NULL; a++)
        n += archai_arg_width(a);
    for (size_t i = 0; i < n; i++)
        m->args[i] = args[i];
    return m;
}

/* -- steps ----------------------------------------------------------------------------- */

/* Every step writes a new register; 0 is the input, so the first writes 1. */
static int append(archai_network *net, const archai_module *module, const int *inputs, size_t n)
{
    archai_step step = {.module = module, .n_inputs = n};

    step.inputs = archai_memdup(inputs, n * sizeof *inputs);
    ARCHAI_RESERVE(net->steps, net->capacity, net->n_steps + 1);
    if (net->n_values < 1)
        net->n_values = 1;
    step.out = net->n_values++;
    net->steps[net->n_steps++] = step;
    return step.out;
}

int archai_network_call(archai_network *net, const archai_module *layer, int a)
{
    return append(net, layer, &a, 1);
}

int archai_network_call_many(archai_network *net, const archai_module *layer, const int *inputs,
                             size_t n)
{
    return append(net, layer, inputs, n);
}

int archai_network_call_all(archai_network *net, const archai_module *sequence, int a)
{
    if (sequence->kind != NULL)
        return archai_network_call(net, sequence, a);
    for (size_t i = 0; i < sequence->n_children; i++)
        a = archai_network_call_all(net, sequence->children[i], a);
    return a;
}

int archai_network_apply(archai_network *net, const archai_module_kind *kind, const double *args,
                         const int *inputs, size_t n)
{
    if (net->operations == NULL)
        net->operations = new_module(NULL, "");
    return append(net, archai_module_layer(net->operations, kind->name, kind, args), inputs, n);
}

int archai_network_add(archai_network *net, int a, int b)
{
    return archai_network_apply(net, &archai_kind_add, NULL, (const int[]){a, b}, 2);
}

int archai_network_flatten(archai_network *net, int a)
{
    return archai_network_apply(net, &archai_kind_flatten, NULL, &a, 1);
}

void archai_network_fini(archai_network *net)
{
    archai_module_destroy(net->root);
    archai_module_destroy(net->operations);
    for (size_t i = 0; i < net->n_steps; i++)
        free(net->steps[i].inputs);
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
    [ARCHAI_BF16] = {"bfloat16", 2}, [ARCHAI_BOOL] = {"bool", 1}, [ARCHAI_I8] = {"int8", 1},
    [ARCHAI_I16] = {"int16", 2},   [ARCHAI_U16] = {"uint16", 2},  [ARCHAI_U32] = {"uint32", 4},
    [ARCHAI_U64] = {"uint64", 8},  [ARCHAI_C64] = {"complex64", 8},
    [ARCHAI_F8_E4M3] = {"float8_e4m3fn", 1}, [ARCHAI_F8_E5M2] = {"float8_e5m2", 1},
    [ARCHAI_F8_E8M0] = {"float8_e8m0fnu", 1},
};

size_t archai_dtype_size(archai_dtype t)
{
    return (unsigned)t < ARCHAI_DTYPE_COUNT ? dtypes[t].bytes : 0;
}

const char *archai_dtype_name(archai_dtype t)
{
    return (unsigned)t < ARCHAI_DTYPE_COUNT ? dtypes[t].name : "unknown";
}

void archai_state_append(archai_state_list *t, const char *name, archai_dtype dtype, int ndim,
                         const int64_t *shape)
{
    /* A tensor without a name is the layer itself: "encoder.pos_embedding". */
    const int n = (int)strlen(t->prefix) - (name[0] == '\0' && t->prefix[0] != '\0');
    archai_state_entry e = {
        .name = archai_printf("%.*s%s", n, t->prefix, name), .dtype = dtype, .ndim = ndim};

    for (int i = 0; i < ndim; i++)
        e.shape[i] = shape[i];
    ARCHAI_RESERVE(t->at, t->capacity, t->n + 1);
    t->at[t->n++] = e;
}

static void add_module(archai_state_list *t, const archai_module *m);

static void add_child(archai_state_list *t, const archai_module *child)
{
    const char *prefix = t->prefix;
    char *inner = prefix != NULL ? archai_printf("%s%s.", prefix, child->name) : NULL;

    t->prefix = inner;
    add_module(t, child);
    t->prefix = prefix;
    free(inner);
}

static bool is_own(const archai_module *child)
{
    return child->kind != NULL && child->kind->own;
}

/* A module's own parameters come before those of its children. */
static void add_module(archai_state_list *t, const archai_module *m)
{
    t->tied = m->tied != NULL;
    if (m->kind != NULL && m->kind->state != NULL)
        m->kind->state(m, t);
    for (size_t i = 0; i < m->n_children; i++)
        if (is_own(m->children[i]))
            add_child(t, m->children[i]);
    for (size_t i = 0; i < m->n_children; i++)
        if (!is_own(m->children[i]))
            add_child(t, m->children[i]);
}

int64_t archai_module_params(const archai_module *m)
{
    archai_state_list t = {.prefix = NULL};

    add_module(&t, m);
    return t.params;
}

archai_state_entry *archai_module_state(const archai_module *root, size_t *n)
{
    archai_state_list t = {.prefix = ""};

    add_module(&t, root);
    *n = t.n;
    return t.at;
}

void archai_state_free(archai_state_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(entries[i].name);
    free(entries);
}
