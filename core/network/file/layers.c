/* Layers and steps: arguments, shapes, operands, and layers that are called again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/file/arguments.h"
#include "core/network/file/build.h"

/* -- steps --------------------------------------------------------------------------------- */

/* Remember the shape of the register that the last step wrote; it is the current value. */
static void keep_value(archai_build *b, int value, const archai_shape *shape)
{
    ARCHAI_RESERVE(b->shapes, b->shapes_capacity, (size_t)value + 1);
    b->shapes[value] = *shape;
    b->x = value;
}

static int infer(archai_build *b, const archai_module *m, const int *inputs, size_t n,
                 archai_shape *out)
{
    archai_shape few[8], *in = n <= 8 ? few : archai_calloc(n, sizeof *in);
    int rc;

    for (size_t i = 0; i < n; i++)
        in[i] = b->shapes[inputs[i]];
    if (b->net->n_steps >= ARCHAI_NETWORK_FILE_STEPS)
        rc =
            archai_fail(b->err, ARCHAI_EINVAL, "more than %d steps", ARCHAI_NETWORK_FILE_STEPS);
    else
        rc = archai_module_infer(m, in, n, NULL, out, b->err);
    if (in != few)
        free(in);
    return rc;
}

/* -- tied weights -------------------------------------------------------------------------- */

static bool weight_of(const archai_module *m, archai_state_entry *out)
{
    size_t n;
    archai_state_entry *entries = archai_module_state(m, &n);
    bool found = false;

    for (size_t i = 0; i < n && !found; i++)
        if (strcmp(entries[i].name, "weight") == 0) {
            *out = entries[i];
            out->name = NULL;
            found = true;
        }
    archai_state_free(entries, n);
    return found;
}

/* The child at a path: from the root, or from a container around that has its first part. */
static const archai_made *find_path(const archai_build *b, const char *path, bool absolute)
{
    const archai_level *level = b->level;
    const archai_made *found = NULL;
    char part[128];
    size_t n = strcspn(path, ".");

    while (absolute && level->outer != NULL)
        level = level->outer;
    if (n == 0 || n >= sizeof part)
        return NULL;
    memcpy(part, path, n);
    part[n] = '\0';
    for (; level != NULL && found == NULL; level = level->outer)
        found = archai_build_child(b, level->container, part);
    for (path += n; found != NULL && *path == '.'; path += n) {
        n = strcspn(++path, ".");
        if (n == 0 || n >= sizeof part)
            return NULL;
        memcpy(part, path, n);
        part[n] = '\0';
        found = archai_build_child(b, found->module, part);
    }
    return found;
}

static int tie(archai_build *b, archai_module *m, const archai_template *to)
{
    const char *path;
    const archai_made *found;
    archai_state_entry mine, other;

    ARCHAI_TRY(archai_build_text(b, to, &path));
    found = find_path(b, path + (path[0] == '/'), true);
    if (found == NULL || found->module == m || found->module->kind == NULL ||
        !weight_of(found->module, &other))
        return archai_fail(b->err, ARCHAI_EINVAL,
                           "tie: there is no layer with a weight at '%.60s'", path);
    if (!m->kind->ties || !weight_of(m, &mine))
        return archai_fail(b->err, ARCHAI_EINVAL,
                           "tie: %s cannot share a weight; Linear, Embedding and Conv1D can",
                           m->kind->name);
    if (mine.ndim != other.ndim || memcmp(mine.shape, other.shape, sizeof mine.shape) != 0) {
        char a[ARCHAI_SHAPE_TEXT], c[ARCHAI_SHAPE_TEXT];
        archai_shape s = {.ndim = mine.ndim}, t = {.ndim = other.ndim};

        memcpy(s.dim, mine.shape, sizeof s.dim);
        memcpy(t.dim, other.shape, sizeof t.dim);
        return archai_fail(b->err, ARCHAI_EINVAL,
                           "tie: its weight is %s, that of '%.60s' is %s",
                           archai_shape_text(&s, a), path, archai_shape_text(&t, c));
    }
    m->tied = found->module->tied != NULL ? found->module->tied : found->module;
    return ARCHAI_OK;
}

/* -- layers -------------------------------------------------------------------------------- */

static int check(archai_build *b, archai_module *m, const int *inputs, size_t n,
                 archai_shape *shape)
{
    const char *missing;
    archai_shape few[8];
    const size_t known = n <= 8 ? n : 8; /* more of them decide nothing */

    for (size_t i = 0; i < known; i++)
        few[i] = b->shapes[inputs[i]];
    archai_module_deduce(m, few, known);
    missing = archai_module_missing(m);
    if (missing != NULL) {
        char text[ARCHAI_SHAPE_TEXT];

        return archai_fail(b->err, ARCHAI_EINVAL, "%s: '%s' does not follow from %s",
                           m->kind->name, missing,
                           archai_shape_text(&b->shapes[inputs[0]], text));
    }
    return infer(b, m, inputs, n, shape);
}

/* The path says the layer's name, so the message says its class: "module '0': ..." becomes
 * "Conv2d: ...". */
static int name_class(archai_build *b, const archai_module *m, int rc)
{
    char prefix[160];
    size_t n;

    if (rc == ARCHAI_OK || b->err == NULL)
        return rc;
    n = (size_t)snprintf(prefix, sizeof prefix, "module '%s': ", m->name);
    if (n >= sizeof prefix || strncmp(b->err->text, prefix, n) != 0)
        return rc;
    memmove(b->err->text, b->err->text + n, strlen(b->err->text + n) + 1);
    return archai_err_wrap(b->err, rc, "%s: ", m->kind->name);
}

static int apply(archai_build *b, const archai_item *item, const archai_module_kind *kind,
                 const double *args, const int *inputs, size_t n)
{
    archai_module m = {.kind = kind, .name = (char *)kind->name};
    archai_shape shape;

    memcpy(m.args, args, sizeof m.args);
    ARCHAI_TRY(archai_build_item_at(b, item, NULL,
                                    name_class(b, &m, check(b, &m, inputs, n, &shape))));
    keep_value(b, archai_network_apply(b->net, kind, m.args, inputs, n), &shape);
    return ARCHAI_OK;
}

static int add_layer(archai_build *b, const archai_item *item, const archai_module_kind *kind,
                     const double *args, const int *inputs, size_t n, const char *name)
{
    archai_module *m;
    archai_shape shape;
    const size_t from = b->net->n_steps;
    size_t index;
    int rc;

    m = archai_module_layer(b->level->container, name, kind, args);
    rc = name_class(b, m, check(b, m, inputs, n, &shape));
    if (rc == ARCHAI_OK && item->tie.n > 0)
        rc = tie(b, m, &item->tie);
    ARCHAI_TRY(archai_build_item_at(b, item, name, rc));
    index = archai_build_made(b, m);
    keep_value(b, archai_network_call_many(b->net, m, inputs, n), &shape);
    b->made[index] =
        (archai_made){b->level->container, m, from, b->net->n_steps, inputs[0], b->x, true};
    return ARCHAI_OK;
}

int archai_build_kind(archai_build *b, const archai_item *item, const archai_module_kind *kind,
                      const int *inputs, size_t n, const char *name)
{
    static const archai_arguments none;
    double args[ARCHAI_MODULE_MAX_ARGS];
    const json_t *at = NULL;
    const bool operation = archai_kind_is_operation(kind);
    const bool mine = item->type == ARCHAI_ITEM_KIND || item->type == ARCHAI_ITEM_MAKE ||
                      item->type == ARCHAI_ITEM_USE;
    int rc;

    if (kind->own && name == NULL)
        return archai_build_item_at(b, item, NULL,
                                    archai_fail(b->err, ARCHAI_EINVAL,
                                                "%s: needs a name, 'name: {%s: ...}'",
                                                kind->name, kind->name));
    if (!operation)
        ARCHAI_TRY(archai_build_name(b, item, &name));
    rc = archai_arguments_of_kind(kind, mine ? &item->arguments : &none, &b->scope, args, &at,
                                  b->err);
    ARCHAI_TRY(
        archai_build_at(b, at != NULL ? at : item->at, item->in, operation ? NULL : name, rc));
    return operation ? apply(b, item, kind, args, inputs, n)
                     : add_layer(b, item, kind, args, inputs, n, name);
}

/* -- operands ------------------------------------------------------------------------------ */

typedef struct operand_list {
    int before;     /* the value that each of them starts from */
    int *registers; /* owned */
    size_t n, capacity;
} operand_list;

static int add_operands(archai_build *b, const archai_body *body, void *data);

static int add_operand(archai_build *b, const archai_item *item, operand_list *l)
{
    const archai_body *body = NULL;

    if (item->type == ARCHAI_ITEM_FOR)
        return archai_build_for(b, item, add_operands, l);
    if (item->type == ARCHAI_ITEM_IF || item->type == ARCHAI_ITEM_CHOOSE) {
        ARCHAI_TRY(archai_build_choice(b, item, &body));
        return body != NULL ? add_operands(b, body, l) : ARCHAI_OK;
    }
    b->x = l->before;
    ARCHAI_TRY(archai_build_item(b, item, NULL));
    if (l->n >= ARCHAI_NETWORK_FILE_STEPS)
        return archai_build_item_at(b, item, NULL,
                                    archai_fail(b->err, ARCHAI_EINVAL, "more than %d operands",
                                                ARCHAI_NETWORK_FILE_STEPS));
    ARCHAI_RESERVE(l->registers, l->capacity, l->n + 1);
    l->registers[l->n++] = b->x;
    return ARCHAI_OK;
}

static int add_operands(archai_build *b, const archai_body *body, void *data)
{
    for (size_t i = 0; i < body->n; i++)
        ARCHAI_TRY(add_operand(b, &body->items[i], data));
    return ARCHAI_OK;
}

int archai_build_operands(archai_build *b, const archai_item *item, const char *name)
{
    operand_list l = {.before = b->x};
    const archai_module_kind *kind = item->kind;
    int rc;

    if (item->with_x || item->body.n == 0) { /* without operands, all of them are the value */
        const size_t n = item->with_x || kind->min_inputs < 1 ? 1 : kind->min_inputs;

        ARCHAI_RESERVE(l.registers, l.capacity, n);
        while (l.n < n)
            l.registers[l.n++] = b->x;
    }
    rc = add_operands(b, &item->body, &l);
    if (rc == ARCHAI_OK && (l.n < kind->min_inputs || l.n > kind->max_inputs || l.n == 0))
        rc = archai_build_item_at(
            b, item, name,
            archai_fail(b->err, ARCHAI_EINVAL, "%s: takes %s%zu operands, got %zu", kind->name,
                        l.n < kind->min_inputs ? "at least " : "at most ",
                        l.n < kind->min_inputs ? kind->min_inputs : kind->max_inputs, l.n));
    if (rc == ARCHAI_OK)
        rc = archai_build_kind(b, item, kind, l.registers, l.n, name);
    free(l.registers);
    return rc;
}

/* -- once more ----------------------------------------------------------------------------- */

/* Registers that the child's own steps wrote are written anew, the one that came in is the
 * current value, and others stay what they are. */
static int replay(archai_build *b, const archai_made *made)
{
    const archai_step *steps = b->net->steps;
    const int first = made->to > made->from ? steps[made->from].out : 0;
    const int moved = b->net->n_values - first, count = (int)(made->to - made->from), x = b->x;

    for (size_t i = made->from; i < made->to; i++) {
        const archai_step *s = &b->net->steps[i]; /* they move as the network grows */
        const archai_module *module = s->module;
        const size_t n = s->n_inputs;
        int few[8], *inputs = n <= 8 ? few : archai_calloc(n, sizeof *inputs), rc;
        archai_shape shape;

        for (size_t k = 0; k < n; k++) {
            const int r = s->inputs[k];

            inputs[k] = r == made->in ? x : r >= first && r - first < count ? r + moved : r;
        }
        rc = archai_expression_work(&b->scope, 1 + n, b->err);
        if (rc == ARCHAI_OK)
            rc = name_class(b, module, infer(b, module, inputs, n, &shape));
        if (rc == ARCHAI_OK)
            keep_value(b, archai_network_call_many(b->net, module, inputs, n), &shape);
        if (inputs != few)
            free(inputs);
        ARCHAI_TRY(rc);
    }
    if (made->out == made->in)
        b->x = x;
    else if (count > 0 && made->out >= first && made->out - first < count)
        b->x = made->out + moved;
    else
        b->x = made->out;
    return ARCHAI_OK;
}

int archai_build_again(archai_build *b, const archai_item *item)
{
    const char *path = "";
    const archai_made *found = NULL;
    archai_made made;
    int rc = archai_build_text(b, &item->name, &path);

    if (rc == ARCHAI_OK) {
        found = find_path(b, path + (path[0] == '/'), path[0] == '/');
        if (found == NULL)
            rc = archai_fail(b->err, ARCHAI_EINVAL, "there is no child '%.60s' before this",
                             path);
        else if (!found->complete)
            rc = archai_fail(b->err, ARCHAI_EINVAL, "'%.60s' is not complete yet", path);
    }
    if (rc == ARCHAI_OK) {
        made = *found;
        rc = archai_err_wrap(b->err, replay(b, &made), "'%.60s': ", path);
    }
    return archai_build_item_at(b, item, NULL, archai_err_wrap(b->err, rc, "call: "));
}
