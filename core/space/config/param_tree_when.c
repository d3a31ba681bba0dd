/* When a parameter exists: conditions, their order, and their truth for given values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/space/config/param_tree_private.h"

enum { NAME_MAX_BYTES = 256 };

/* -- looking up names -------------------------------------------------------------------- */

/* The node at a dotted path below `from`. Through a list: "_configs.0.op". */
static const archai_param_node *descend(const archai_param_node *from, const char *path)
{
    char part[NAME_MAX_BYTES];

    while (from != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");

        if (n >= sizeof part)
            return NULL;
        memcpy(part, path, n);
        part[n] = '\0';
        path += n + (path[n] == '.');
        if (from->kind == ARCHAI_NODE_LIST && strcmp(part, "_repeat_times") == 0)
            return *path == '\0' ? from : NULL;
        if (from->kind == ARCHAI_NODE_LIST && strcmp(part, "_configs") == 0)
            continue;
        from = archai_param_node_child(from, part);
    }
    return from;
}

static bool has_param(const archai_param_node *node)
{
    return node != NULL && (node->kind == ARCHAI_NODE_PARAM || node->kind == ARCHAI_NODE_LIST);
}

/* The nearest parameter of that name, from the group around `node` outwards. */
static const archai_param_node *look_up(const archai_param_node *node, const char *name)
{
    for (const archai_param_node *at = node->parent; at != NULL; at = at->parent) {
        const archai_param_node *found = at->kind == ARCHAI_NODE_GROUP ? descend(at, name) : NULL;

        if (has_param(found))
            return found;
    }
    return NULL;
}

/* -- resolving --------------------------------------------------------------------------- */

typedef struct resolver {
    archai_param_tree *t;
    const archai_lines *lines; /* of the source; NULL: unknown */
    archai_err *err;
} resolver;

static int fault(resolver *r, const archai_param_node *node, const char *name, const char *what)
{
    char last[NAME_MAX_BYTES];

    (void)snprintf(last, sizeof last, "when.%.200s", name);
    return archai_param_located(r->lines, json_object_get(node->when, name), node->source,
                                archai_param_fault(node, last, what, r->err), r->err);
}

/* Values of a range can be told apart only where they are counted. */
static int check_value(resolver *r, const archai_param_node *node, const char *name,
                       const archai_param *p, const json_t *value)
{
    if (p->choices == NULL && p->range.step == 0)
        return fault(r, node, name, "is any number of a range: expected a choice or whole numbers");
    if (p->choices == NULL ? !archai_range_takes(&p->range, value)
                           : archai_param_index(p, value) < 0)
        return fault(r, node, name, "the parameter has no such choice");
    return ARCHAI_OK;
}

static int resolve_name(resolver *r, archai_param_node *node, const char *name, json_t *value)
{
    const archai_param_node *target = look_up(node, name);
    json_t *values;

    if (target == NULL)
        return fault(r, node, name, "there is no such parameter");
    values = json_is_array(value) ? json_incref(value) : archai_there(json_pack("[O]", value));
    node->conditions[node->n_conditions++] = (archai_condition){target->param, values, 0};
    for (size_t i = 0; i < json_array_size(values); i++)
        ARCHAI_TRY(check_value(r, node, name, &r->t->params[target->param],
                               json_array_get(values, i)));
    return ARCHAI_OK;
}

/* Group i of a list exists where there are more than i groups; no condition if there always are. */
static void add_place(const archai_param_tree *t, archai_param_node *node)
{
    const json_t *times;
    int64_t above = strtoll(node->name, NULL, 10);

    if (node->parent == NULL || node->parent->kind != ARCHAI_NODE_LIST)
        return;
    times = t->params[node->parent->param].choices;
    for (size_t i = 0; i < json_array_size(times); i++)
        if (json_integer_value(json_array_get(times, i)) <= above) {
            node->conditions[node->n_conditions++] =
                (archai_condition){node->parent->param, NULL, above};
            return;
        }
}

static int resolve_node(resolver *r, archai_param_node *node)
{
    const char *name;
    json_t *value;

    node->conditions = archai_calloc(json_object_size(node->when) + 1, sizeof *node->conditions);
    add_place(r->t, node);
    json_object_foreach(node->when, name, value)
        ARCHAI_TRY(resolve_name(r, node, name, value));
    for (size_t i = 0; i < node->n_children; i++)
        ARCHAI_TRY(resolve_node(r, node->children[i]));
    return ARCHAI_OK;
}

/* -- places and order of dependence ------------------------------------------------------ */

/* Count the nodes of each parameter in first_place[p + 1] or, given `places`, put them there. */
static void visit_places(archai_param_tree *t, archai_param_node *node, archai_param_node **places)
{
    if (has_param(node)) {
        if (places != NULL)
            places[t->first_place[node->param]++] = node;
        else
            t->first_place[node->param + 1]++;
    }
    for (size_t i = 0; i < node->n_children; i++)
        visit_places(t, node->children[i], places);
}

static void find_places(archai_param_tree *t)
{
    t->first_place = archai_calloc(t->n + 2, sizeof *t->first_place);
    visit_places(t, t->root, NULL);
    for (size_t p = 0; p < t->n; p++)
        t->first_place[p + 1] += t->first_place[p];
    t->places = archai_calloc(t->first_place[t->n], sizeof *t->places);
    visit_places(t, t->root, t->places);
    for (size_t p = t->n; p > 0; p--) /* filling moved each first to the next one's */
        t->first_place[p] = t->first_place[p - 1];
    t->first_place[0] = 0;
}

typedef struct sorter {
    archai_param_tree *t;
    const archai_lines *lines;
    unsigned char *state; /* 0 new, 1 in progress, 2 done; [n] */
    size_t done;
    archai_err *err;
} sorter;

/* Parameters on which this one's existence depends come first. */
static int sort_param(sorter *s, size_t p)
{
    const archai_param_tree *t = s->t;

    if (s->state[p] == 2)
        return ARCHAI_OK;
    if (s->state[p] == 1)
        return archai_param_located(s->lines, t->places[t->first_place[p]]->source, NULL,
                                    archai_fail(s->err, ARCHAI_EINVAL,
                                                "%s: whether it exists depends on itself",
                                                t->params[p].path),
                                    s->err);
    s->state[p] = 1;
    for (size_t i = t->first_place[p]; i < t->first_place[p + 1]; i++)
        for (const archai_param_node *at = t->places[i]; at != NULL; at = at->parent)
            for (size_t c = 0; c < at->n_conditions; c++)
                ARCHAI_TRY(sort_param(s, at->conditions[c].param));
    s->state[p] = 2;
    s->t->order[s->done++] = p;
    return ARCHAI_OK;
}

static bool always_exists(const archai_param_tree *t, size_t p)
{
    for (size_t i = t->first_place[p]; i < t->first_place[p + 1]; i++) {
        const archai_param_node *at = t->places[i];

        while (at != NULL && at->n_conditions == 0)
            at = at->parent;
        if (at == NULL)
            return true;
    }
    return false;
}

int archai_param_tree_resolve(archai_param_tree *t, const archai_lines *lines, archai_err *err)
{
    resolver r = {.t = t, .lines = lines, .err = err};
    sorter s = {.t = t, .lines = lines, .err = err};
    int rc = ARCHAI_OK;

    ARCHAI_TRY(resolve_node(&r, t->root));
    find_places(t);
    t->order = archai_calloc(t->n, sizeof *t->order);
    s.state = archai_calloc(t->n, 1);
    for (size_t p = 0; p < t->n && rc == ARCHAI_OK; p++) {
        rc = sort_param(&s, p);
        t->conditional |= !always_exists(t, p);
    }
    free(s.state);
    return rc;
}

/* -- truth ----------------------------------------------------------------------------- */

static bool holds(const archai_condition *c, json_t *const *values, const bool *exists)
{
    if (!exists[c->param])
        return false;
    if (c->values == NULL)
        return json_integer_value(values[c->param]) > c->above;
    for (size_t i = 0; i < json_array_size(c->values); i++)
        if (archai_value_equal(json_array_get(c->values, i), values[c->param]))
            return true;
    return false;
}

bool archai_param_node_holds(const archai_param_node *node, json_t *const *values,
                             const bool *exists)
{
    for (size_t c = 0; c < node->n_conditions; c++)
        if (!holds(&node->conditions[c], values, exists))
            return false;
    return true;
}

bool archai_param_exists(const archai_param_tree *t, size_t p, json_t *const *values,
                         const bool *exists)
{
    for (size_t i = t->first_place[p]; i < t->first_place[p + 1]; i++) {
        const archai_param_node *at = t->places[i];

        while (at != NULL && archai_param_node_holds(at, values, exists))
            at = at->parent;
        if (at == NULL)
            return true;
    }
    return false;
}

void archai_param_tree_exists(const archai_param_tree *t, json_t *const *values, bool *exists)
{
    for (size_t i = 0; i < t->n; i++)
        exists[t->order[i]] = archai_param_exists(t, t->order[i], values, exists);
}
