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
                                   const archai_module_kind *kind, const int *args)
{
    archai_module *m = new_module(parent, name);

    m->kind = kind;
    for (size_t i = 0; kind->args[i] != NULL; i++)
        m->args[i] = args[i];
    return m;
}

/* -- steps ----------------------------------------------------------------------------- */

/* Every step writes a new register; 0 is the input, so the first writes 1. */
static int append(archai_network *net, archai_step step)
{
    ARCHAI_RESERVE(net->steps, net->capacity, net->n_steps + 1);
    if (net->n_values < 1)
        net->n_values = 1;
    step.out = net->n_values++;
    net->steps[net->n_steps++] = step;
    return step.out;
}

int archai_network_call(archai_network *net, const archai_module *layer, int a)
{
    return append(net, (archai_step){.op = ARCHAI_STEP_CALL, .module = layer, .a = a});
}

int archai_network_call_all(archai_network *net, const archai_module *sequence, int a)
{
    if (sequence->kind != NULL)
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

void archai_state_append(archai_state_list *t, const char *name, archai_dtype dtype, int ndim,
                         const int64_t *shape)
{
    archai_state_entry e = {
        .name = archai_printf("%s%s", t->prefix, name), .dtype = dtype, .ndim = ndim};

    for (int i = 0; i < ndim; i++)
        e.shape[i] = shape[i];
    ARCHAI_RESERVE(t->at, t->capacity, t->n + 1);
    t->at[t->n++] = e;
}

static void add_module(archai_state_list *t, const archai_module *m)
{
    const char *prefix = t->prefix;

    if (m->kind != NULL && m->kind->state != NULL)
        m->kind->state(m, t);
    for (size_t i = 0; i < m->n_children; i++) {
        char *inner = prefix != NULL ? archai_printf("%s%s.", prefix, m->children[i]->name) : NULL;

        t->prefix = inner;
        add_module(t, m->children[i]);
        free(inner);
    }
    t->prefix = prefix;
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
