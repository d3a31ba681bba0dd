/* The grammar of one parameter: choices, a range, an id. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/space/config/param_tree_private.h"

enum { TIMES_MAX = 1000, CHOICES_MAX = 65535 };

static const double whole_max = 0x1p53; /* every whole number up to here is a double */

static int fault(archai_grammar *g, const archai_param_node *node, const char *key,
                 const char *what)
{
    return archai_grammar_fault(g, node, key, what);
}

/* `p` moves into the tree. */
static int add_param(archai_grammar *g, const archai_param_node *node, const char *last,
                     const archai_param *p, size_t *out)
{
    archai_param_tree *t = g->tree;
    char path[256];

    archai_param_node_path(node, last, path, sizeof path);
    if (t->n == ARCHAI_PARAM_MAX)
        return fault(g, node, last, "too many parameters, with repeated groups expanded");
    g->n_choices += p->choices != NULL ? json_array_size(p->choices) : 1;
    if (g->n_choices > ARCHAI_PARAM_CHOICES_MAX)
        return fault(g, node, last, "too many choices, with repeated groups expanded");
    ARCHAI_RESERVE(t->params, t->capacity, t->n + 1);
    t->params[t->n] = *p;
    t->params[t->n].path = archai_strdup(path);
    t->params[t->n].choices = json_incref(p->choices);
    *out = t->n++;
    return ARCHAI_OK;
}

/* -- choices ------------------------------------------------------------------------------ */

static bool can_be_chosen(const json_t *v)
{
    return json_is_string(v) || json_is_null(v) || json_is_array(v) ||
           archai_value_is_number(v);
}

static int read_choices(archai_grammar *g, const archai_param_node *node, json_t *choices,
                        archai_param *p)
{
    const size_t n = json_array_size(choices);

    if (!json_is_array(choices) || n == 0 || n > CHOICES_MAX)
        return fault(
            g, node, "choice",
            "expected a list of what to choose from: numbers, strings, booleans, null or "
            "lists");
    for (size_t i = 0; i < n; i++) {
        if (!can_be_chosen(json_array_get(choices, i)))
            return fault(g, node, "choice",
                         "expected strings, booleans, null, lists or numbers up to 3e38");
        p->one_hot |= !archai_value_is_number(json_array_get(choices, i));
    }
    p->choices = choices;
    return ARCHAI_OK;
}

static int read_weights(archai_grammar *g, const archai_param_node *node, const json_t *weights,
                        archai_param *p)
{
    size_t n = json_array_size(p->choices);
    double sum = 0;

    if (weights == NULL)
        return ARCHAI_OK;
    if (!json_is_array(weights) || json_array_size(weights) != n)
        return fault(g, node, "weights",
                     "expected a list of as many numbers as there are choices");
    p->weights = archai_calloc(n, sizeof *p->weights);
    for (size_t i = 0; i < n; i++) {
        p->weights[i] = json_number_value(json_array_get(weights, i));
        if (!json_is_number(json_array_get(weights, i)) || p->weights[i] < 0)
            return fault(g, node, "weights", "expected numbers that are not negative");
        sum += p->weights[i];
    }
    if (!(sum > 0) || isinf(sum))
        return fault(g, node, "weights", "expected a positive sum");
    return ARCHAI_OK;
}

static int read_encode(archai_grammar *g, const archai_param_node *node, const json_t *encode,
                       archai_param *p)
{
    const char *text = json_string_value(encode);

    if (encode == NULL || (text != NULL && strcmp(text, "auto") == 0))
        return ARCHAI_OK;
    if (text != NULL && strcmp(text, "one_hot") == 0)
        p->one_hot = true;
    else if (text == NULL || strcmp(text, "numeric") != 0)
        return fault(g, node, "encode", "expected auto, numeric or one_hot");
    else if (p->one_hot)
        return fault(g, node, "encode", "the choices are not all numbers");
    return ARCHAI_OK;
}

/* -- ranges ------------------------------------------------------------------------------- */

static bool is_whole(const json_t *v)
{
    return json_is_integer(v) && fabs(json_number_value(v)) <= whole_max;
}

static int read_ends(archai_grammar *g, const archai_param_node *node, const json_t *ends,
                     archai_range *r)
{
    const json_t *low = json_array_get(ends, 0), *high = json_array_get(ends, 1);
    char what[160];
    char *list;

    if (json_array_size(ends) != 2 || !json_is_number(low) || !json_is_number(high) ||
        !archai_value_is_number(low) || !archai_value_is_number(high)) {
        list = archai_there(json_dumps(ends, JSON_ENCODE_ANY));
        (void)snprintf(what, sizeof what, "expected two numbers, [low, high]%s%.90s%s",
                       json_array_size(ends) > 2 ? "; single values are {choice: " : "",
                       json_array_size(ends) > 2 ? list : "",
                       json_array_size(ends) > 2 ? "}" : "");
        free(list);
        return fault(g, node, "range", what);
    }
    r->low = json_number_value(low);
    r->high = json_number_value(high);
    if (r->low >= r->high) {
        (void)snprintf(what, sizeof what, "expected [low, high] with low < high, not [%g, %g]",
                       r->low, r->high);
        return fault(g, node, "range", what);
    }
    r->integer = is_whole(low) && is_whole(high);
    return ARCHAI_OK;
}

/* The last step may end before the end that is written; 1e-9 of a step is rounding. */
static int read_step(archai_grammar *g, const archai_param_node *node, const json_t *step,
                     archai_range *r)
{
    const double width = r->high - r->low;
    double steps;

    if (step == NULL) {
        r->step = r->integer ? 1 : 0;
        return ARCHAI_OK;
    }
    r->step = json_number_value(step);
    if (!json_is_number(step) || r->step <= 0 || r->step > width)
        return fault(g, node, "step", "expected a number above 0, at most the range's width");
    if (width / r->step > whole_max)
        return fault(g, node, "step", "too small for so wide a range");
    r->integer = r->integer && is_whole(step);
    steps = floor(width / r->step + 1e-9);
    if (r->low + steps * r->step < r->high)
        r->high = archai_range_at(r, (uint64_t)steps);
    return ARCHAI_OK;
}

static int read_range(archai_grammar *g, const archai_param_node *node, const json_t *v,
                      archai_range *r)
{
    const json_t *use_log = json_object_get(v, "log");

    ARCHAI_TRY(read_ends(g, node, json_object_get(v, "range"), r));
    ARCHAI_TRY(read_step(g, node, json_object_get(v, "step"), r));
    if (use_log != NULL && !json_is_boolean(use_log))
        return fault(g, node, "log", "expected true or false");
    r->log = json_is_true(use_log);
    if (r->log && r->low <= 0)
        return fault(g, node, "log", "a logarithmic scale needs a range above 0");
    if (r->log && log(r->low) >= log(r->high))
        return fault(g, node, "range", "too narrow for a logarithmic scale");
    return ARCHAI_OK;
}

/* -- ids ---------------------------------------------------------------------------------- */

/* The latest parameter with this id; one in this scope, if there is one. */
static const archai_shared_id *find_id(const archai_grammar *g, const char *id, size_t scope)
{
    const archai_shared_id *found = NULL;

    for (size_t i = 0; i < g->n_ids; i++)
        if (strcmp(g->ids[i].id, id) == 0 && (found == NULL || found->scope != scope))
            found = &g->ids[i];
    return found;
}

static void keep_id(archai_grammar *g, const char *id, size_t scope, size_t param)
{
    ARCHAI_RESERVE(g->ids, g->capacity, g->n_ids + 1);
    g->ids[g->n_ids++] = (archai_shared_id){id, scope, param};
}

static bool same_range(const archai_range *a, const archai_range *b)
{
    return a->low == b->low && a->high == b->high && a->step == b->step && a->log == b->log &&
           a->integer == b->integer;
}

/* What is written again must be what was written before. */
static int check_same(archai_grammar *g, archai_param_node *node, const json_t *v,
                      const archai_param *p)
{
    const json_t *choices = json_object_get(v, "choice");
    archai_range range;

    if (choices != NULL && (p->choices == NULL || !json_equal(choices, p->choices)))
        return fault(g, node, "choice", "differs from the choices given before with this id");
    if (json_object_get(v, "range") == NULL)
        return ARCHAI_OK;
    ARCHAI_TRY(read_range(g, node, v, &range));
    if (p->choices != NULL || !same_range(&range, &p->range))
        return fault(g, node, "range", "differs from what was given before with this id");
    return ARCHAI_OK;
}

/* A parameter with an id that is known: the same one in the same scope, else one like it. */
static int reuse_param(archai_grammar *g, archai_param_node *node, const json_t *v,
                       const archai_shared_id *known, size_t scope)
{
    archai_param copy = g->tree->params[known->param];
    const char *id = known->id;

    ARCHAI_TRY(check_same(g, node, v, &copy));
    if (known->scope == scope) {
        node->param = known->param;
        return ARCHAI_OK;
    }
    ARCHAI_TRY(add_param(g, node, "", &copy, &node->param));
    if (copy.weights != NULL)
        g->tree->params[node->param].weights =
            archai_memdup(copy.weights, json_array_size(copy.choices) * sizeof *copy.weights);
    keep_id(g, id, scope, node->param);
    return ARCHAI_OK;
}

/* -- parameters --------------------------------------------------------------------------- */

static bool is_range(const json_t *v)
{
    return json_is_array(json_object_get(v, "range"));
}

bool archai_param_is_one(const json_t *v)
{
    size_t mention = json_object_get(v, "when") != NULL ? 2 : 1;

    return json_object_get(v, "choice") != NULL || is_range(v) ||
           (json_is_string(json_object_get(v, "id")) && json_object_size(v) == mention);
}

static int check_keys(archai_grammar *g, const archai_param_node *node, const json_t *v)
{
    static const char *const choice[] = {"choice", "weights", "id", "encode", "when"};
    static const char *const range[] = {"range", "log", "step", "id", "when"};

    return archai_grammar_check_keys(
        g, node, json_object_get(v, "choice") == NULL && is_range(v) ? range : choice, 5);
}

/* A parameter of its own; its weights are its owner's to free, too, where that fails. */
static int new_param(archai_grammar *g, archai_param_node *node, const json_t *v)
{
    archai_param p = {.n_features = 1};
    int rc;

    if (json_object_get(v, "choice") == NULL && !is_range(v))
        return fault(g, node, "id",
                     "no earlier parameter has this id, expected a choice or range");
    if (json_object_get(v, "choice") == NULL) {
        ARCHAI_TRY(read_range(g, node, v, &p.range));
        return add_param(g, node, "", &p, &node->param);
    }
    ARCHAI_TRY(read_choices(g, node, json_object_get(v, "choice"), &p));
    rc = read_weights(g, node, json_object_get(v, "weights"), &p);
    if (rc == ARCHAI_OK)
        rc = read_encode(g, node, json_object_get(v, "encode"), &p);
    if (rc == ARCHAI_OK)
        rc = add_param(g, node, "", &p, &node->param);
    if (rc != ARCHAI_OK)
        free(p.weights);
    return rc;
}

int archai_param_read(archai_grammar *g, archai_param_node *parent, const char *name,
                      const json_t *v, size_t scope)
{
    const json_t *id = json_object_get(v, "id");
    const archai_shared_id *known = NULL;
    archai_param_node *node = NULL;

    ARCHAI_TRY(archai_grammar_node(g, parent, name, ARCHAI_NODE_PARAM, v, &node));
    ARCHAI_TRY(check_keys(g, node, v));
    ARCHAI_TRY(archai_grammar_when(g, node));
    if (id != NULL && !json_is_string(id))
        return fault(g, node, "id", "expected a text");
    if (id != NULL)
        known = find_id(g, json_string_value(id), scope);
    if (known != NULL)
        return reuse_param(g, node, v, known, scope);
    ARCHAI_TRY(new_param(g, node, v));
    if (id != NULL)
        keep_id(g, json_string_value(id), scope, node->param);
    return ARCHAI_OK;
}

/* -- numbers of groups
 * ------------------------------------------------------------------------- */

static int check_times(archai_grammar *g, const archai_param_node *node, const json_t *times)
{
    static const char *const keys[] = {"range", "step"};
    const int rc = archai_param_check_keys(node, times, keys, 2, g->err);

    return archai_param_located(g->lines, times, node->source, rc, g->err);
}

/* A number, a list of them, or either as a parameter is written. */
static int list_times(archai_grammar *g, archai_param_node *node, const json_t *times,
                      json_t **out)
{
    archai_range r;

    if (json_is_object(times) && json_object_size(times) == 1 &&
        json_object_get(times, "choice") != NULL)
        times = json_object_get(times, "choice");
    if (json_is_array(times)) {
        *out = json_incref((json_t *)times);
        return ARCHAI_OK;
    }
    if (!is_range(times)) {
        *out = json_pack("[O]", times); /* or NULL */
        return ARCHAI_OK;
    }
    ARCHAI_TRY(check_times(g, node, times));
    ARCHAI_TRY(read_range(g, node, times, &r));
    if (!r.integer || r.low < 0 || r.high > TIMES_MAX)
        return fault(g, node, "times", "expected a range of whole numbers from 0 to 1000");
    *out = archai_there(json_array());
    for (uint64_t k = 0; (double)k < archai_range_count(&r); k++)
        archai_must_have(
            json_array_append_new(*out, archai_range_value(&r, archai_range_at(&r, k))) == 0);
    return ARCHAI_OK;
}

int archai_param_read_times(archai_grammar *g, archai_param_node *node, const json_t *times,
                            json_int_t *most)
{
    archai_param p = {.n_features = 1, .times = true};
    json_t *list = NULL;
    size_t n;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(list_times(g, node, times, &list));
    n = json_array_size(list);
    if (n == 0 || n > CHOICES_MAX)
        rc = fault(g, node, "times", "expected a number of groups or a list of them");
    *most = 0;
    for (size_t i = 0; i < n && rc == ARCHAI_OK; i++) {
        const json_t *v = json_array_get(list, i);

        if (!json_is_integer(v) || json_integer_value(v) < 0 ||
            json_integer_value(v) > TIMES_MAX)
            rc = fault(g, node, "times", "expected whole numbers from 0 to 1000");
        else if (json_integer_value(v) > *most)
            *most = json_integer_value(v);
    }
    p.choices = list;
    if (rc == ARCHAI_OK)
        rc = add_param(g, node, "_repeat_times", &p, &node->param);
    json_decref(list);
    return rc;
}
