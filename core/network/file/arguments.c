#include "core/network/file/arguments.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/number.h"

/* -- what a kind takes --------------------------------------------------------------------- */

const archai_arg *archai_kind_argument(const archai_module_kind *kind, const char *name)
{
    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

/* Does a value without a name go to what must be given alone? */
static bool has_own_sizes(const archai_module_kind *kind)
{
    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; a++)
        if (a->need == ARCHAI_ARG_GIVEN || a->need == ARCHAI_ARG_DEDUCED)
            return true;
    return false;
}

/* `a`, or the first one after it that takes a value without a name; NULL: none does. */
static const archai_arg *next_by_position(const archai_module_kind *kind, const archai_arg *a)
{
    const bool given_alone = has_own_sizes(kind);

    while (a != NULL && a->name != NULL && given_alone && a->need != ARCHAI_ARG_GIVEN)
        a++;
    return a != NULL && a->name != NULL ? a : NULL;
}

const archai_arg *archai_kind_first_argument(const archai_module_kind *kind)
{
    return next_by_position(kind, kind->args);
}

bool archai_is_operand(const archai_module_kind *kind, const char *name)
{
    if (kind->max_inputs < 2 || archai_kind_argument(kind, name) != NULL)
        return false;
    return strcmp(name, "of") == 0 ||
           (kind->max_inputs == 3 && (strcmp(name, "query") == 0 || strcmp(name, "key") == 0 ||
                                      strcmp(name, "value") == 0));
}

int archai_argument_word(const archai_arg *a, const char *word)
{
    for (int i = 0; a->words != NULL && a->words[i] != NULL; i++)
        if (strcmp(a->words[i], word) == 0)
            return i;
    return -1;
}

static size_t place_of(const archai_module_kind *kind, const archai_arg *wanted)
{
    size_t place = 0;

    for (const archai_arg *a = kind->args; a != wanted; a++)
        place += archai_arg_width(a);
    return place;
}

static int unknown(const archai_module_kind *kind, const char *name, archai_err *err)
{
    const char *names[ARCHAI_MODULE_MAX_ARGS];
    size_t n = 0;

    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; a++)
        names[n++] = a->name;
    if (n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "%s: takes no arguments, got '%.60s'",
                           kind->name, name);
    return archai_fail(err, ARCHAI_EINVAL, "%s: there is no argument '%.60s'%s", kind->name,
                       name, archai_suggest(name, names, n).text);
}

/* A value without a name for a kind whose arguments all have names to be written. */
static int none_by_position(const archai_module_kind *kind, archai_err *err)
{
    const archai_arg *a = kind->args;

    if (a == NULL || a->name == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%s: takes no arguments", kind->name);
    while (a->name != NULL && a->need == ARCHAI_ARG_DEDUCED)
        a++;
    return archai_fail(err, ARCHAI_EINVAL, "%s: %s follows from what arrives; write %s%s%s%s",
                       kind->name, kind->args->name, kind->name,
                       a->name != NULL ? ", or {" : "", a->name != NULL ? a->name : "",
                       a->name != NULL ? ": ...}" : "");
}

static int too_many(const archai_module_kind *kind, size_t n, archai_err *err)
{
    char names[200] = "";
    size_t length = 0, taken = 0, all = 0;

    for (const archai_arg *a = kind->args; a->name != NULL; a++)
        all++;
    for (const archai_arg *a = next_by_position(kind, kind->args);
         a != NULL && length + 40 < sizeof names; a = next_by_position(kind, a + 1)) {
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%.30s",
                                   taken > 0 ? ", " : "", a->name);
        taken++;
    }
    if (taken < all)
        return archai_fail(err, ARCHAI_EINVAL, "%s: takes %s by position; the others by name",
                           kind->name, names);
    return archai_fail(err, ARCHAI_EINVAL, "%s: takes %s, got %zu values", kind->name, names,
                       n);
}

/* -- values -------------------------------------------------------------------------------- */

static bool takes_null(const archai_arg *a)
{
    return a->need == ARCHAI_ARG_NONE || a->need == ARCHAI_ARG_NULLABLE;
}

/* "expected ..., got ..." of one argument */
static int misfit(const archai_arg *a, const archai_datum *v, archai_err *err)
{
    static const char *const of_type[] = {
        [ARCHAI_ARG_INT] = "a whole number",
        [ARCHAI_ARG_REAL] = "a number",
        [ARCHAI_ARG_FLAG] = "true or false",
        [ARCHAI_ARG_WORD] = "one of",
        [ARCHAI_ARG_PAIR] = "a whole number or two",
        [ARCHAI_ARG_LIST] = "a list of whole numbers",
    };
    char expected[160], from[32], to[32];
    const bool counts = a->type == ARCHAI_ARG_INT || a->type == ARCHAI_ARG_PAIR;
    size_t n = (size_t)snprintf(expected, sizeof expected, "%s", of_type[a->type]);
    double low, high;

    archai_arg_bounds(a, &low, &high);
    archai_format_double(low, from);
    archai_format_double(high, to);
    if (counts && (high < INT32_MAX || (archai_datum_is_number(v) && archai_datum_real(v) > high)))
        n += (size_t)snprintf(expected + n, sizeof expected - n, " from %.0f to %.0f", low, high);
    else if (counts) /* the upper end is far */
        n += (size_t)snprintf(expected + n, sizeof expected - n, " from %.0f", low);
    else if (a->type == ARCHAI_ARG_REAL && high < DBL_MAX)
        n += (size_t)snprintf(expected + n, sizeof expected - n, " from %s to %s", from, to);
    for (int i = 0; a->words != NULL && a->words[i] != NULL && n + 40 < sizeof expected; i++)
        n += (size_t)snprintf(expected + n, sizeof expected - n, "%s %.30s",
                              i == 0 && a->type == ARCHAI_ARG_WORD ? ""
                              : i == 0                             ? " or"
                                                                   : ",",
                              a->words[i]);
    if (takes_null(a))
        (void)snprintf(expected + n, sizeof expected - n, " or null");
    return archai_fail(err, ARCHAI_EINVAL, "expected %s, got %s", expected,
                       archai_datum_describe(v).text);
}

static bool is_inside(const archai_arg *a, double v)
{
    double low, high;

    archai_arg_bounds(a, &low, &high);
    return v >= low && v <= high;
}

/* One number of the argument. */
static bool take_number(const archai_arg *a, const archai_datum *v, double *out)
{
    const bool flag = a->type == ARCHAI_ARG_FLAG;
    int word;

    if (v->type == ARCHAI_DATUM_TEXT) {
        word = archai_argument_word(a, v->text);
        *out = a->type == ARCHAI_ARG_WORD ? word : -1 - word;
        return word >= 0;
    }
    if (a->type == ARCHAI_ARG_WORD || !archai_datum_is_number(v))
        return false;
    *out = archai_datum_real(v);
    if (flag)
        return (v->type == ARCHAI_DATUM_FLAG || v->type == ARCHAI_DATUM_WHOLE) &&
               (v->type == ARCHAI_DATUM_FLAG || v->whole == 0 || v->whole == 1);
    if (v->type == ARCHAI_DATUM_FLAG)
        return false;
    return is_inside(a, *out) && (a->type == ARCHAI_ARG_REAL || !(floor(*out) < *out));
}

static bool take_list(const archai_arg *a, const archai_datum *items, size_t n, double *out)
{
    if (n > ARCHAI_ARG_LIST_MAX)
        return false;
    out[0] = (double)n;
    for (size_t i = 0; i < n; i++) {
        out[1 + i] = NAN;
        if (!(takes_null(a) && items[i].type == ARCHAI_DATUM_NULL) &&
            !take_number(a, &items[i], &out[1 + i]))
            return false;
    }
    return true;
}

static int take(const archai_arg *a, const archai_datum *v, double *out, archai_err *err)
{
    const bool list = v->type == ARCHAI_DATUM_LIST;
    bool fits;

    if (v->type == ARCHAI_DATUM_NULL && (takes_null(a) || a->need == ARCHAI_ARG_DEDUCED)) {
        *out = NAN;
        return ARCHAI_OK;
    }
    if (a->type == ARCHAI_ARG_LIST)
        fits = list ? take_list(a, v->list.items, v->list.n, out) : take_list(a, v, 1, out);
    else if (a->type == ARCHAI_ARG_PAIR && list)
        fits = v->list.n == 2 && take_number(a, &v->list.items[0], &out[0]) &&
               take_number(a, &v->list.items[1], &out[1]);
    else
        fits = take_number(a, v, &out[0]);
    if (!fits)
        return misfit(a, v, err);
    if (a->type == ARCHAI_ARG_PAIR && !list)
        out[1] = out[0];
    return ARCHAI_OK;
}

/* -- arguments ----------------------------------------------------------------------------- */

static int evaluate(const archai_given *g, archai_expression_scope *scope, archai_datum *out,
                    bool *known, archai_err *err)
{
    const archai_datum *constant;

    *known = true;
    if (g->body != NULL)
        return archai_fail(err, ARCHAI_EINVAL, "expected a value, got items of a network");
    if (g->value == NULL) {
        *out = archai_datum_text(g->word);
        return ARCHAI_OK;
    }
    if (scope != NULL)
        return archai_expression_evaluate(g->value, scope, out, err);
    constant = archai_expression_constant(g->value);
    *known = constant != NULL;
    if (*known)
        *out = *constant;
    return ARCHAI_OK;
}

typedef struct setting {
    const archai_module_kind *kind;
    double *args;
    bool is_given[ARCHAI_MODULE_MAX_ARGS];
    archai_err *err;
} setting;

/* NULL: the value is not known yet; something that is not missing stands for it. */
static int set_one(setting *s, const archai_arg *a, const archai_datum *v)
{
    double *out = &s->args[place_of(s->kind, a)];

    s->is_given[a - s->kind->args] = true;
    if (v == NULL)
        *out = 1;
    return v == NULL ? ARCHAI_OK
                     : archai_err_wrap(s->err, take(a, v, out, s->err),
                                       "%s: %s: ", s->kind->name, a->name);
}

/* [1, 2] for arguments that are one number each: the first, the second. */
static int set_in_turn(setting *s, const archai_arg *a, const archai_datum *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a == NULL)
            return too_many(s->kind, n, s->err);
        ARCHAI_TRY(set_one(s, a, v != NULL ? &v[i] : NULL));
        a = next_by_position(s->kind, a + 1);
    }
    return ARCHAI_OK;
}

static int set(setting *s, const archai_given *g, archai_expression_scope *scope)
{
    const archai_arg *a = g->name != NULL ? archai_kind_argument(s->kind, g->name)
                                          : archai_kind_first_argument(s->kind);
    archai_datum v;
    bool known, in_turn;

    if (a == NULL && g->name == NULL)
        return none_by_position(s->kind, s->err);
    if (a == NULL)
        return unknown(s->kind, g->name, s->err);
    ARCHAI_TRY(archai_err_wrap(s->err, evaluate(g, scope, &v, &known, s->err),
                               "%s: %s: ", s->kind->name, a->name));
    in_turn = g->name == NULL && a->type != ARCHAI_ARG_LIST && a->type != ARCHAI_ARG_PAIR;
    if (in_turn && known && v.type == ARCHAI_DATUM_LIST)
        return set_in_turn(s, a, v.list.items, v.list.n);
    if (in_turn && !known && json_is_array(g->at))
        return set_in_turn(s, a, NULL, json_array_size(g->at));
    return set_one(s, a, known ? &v : NULL);
}

int archai_arguments_of_kind(const archai_module_kind *kind, const archai_arguments *given,
                             archai_expression_scope *scope,
                             double args[ARCHAI_MODULE_MAX_ARGS], const json_t **at,
                             archai_err *err)
{
    setting s = {.kind = kind, .args = args, .err = err};
    size_t i = 0;

    archai_module_defaults(kind, args);
    *at = NULL;
    if (given->list != NULL) {
        *at = given->list->at;
        ARCHAI_TRY(set(&s, given->list, scope));
    }
    for (size_t k = 0; k < given->n && given->list == NULL; k++) {
        *at = given->given[k].at;
        ARCHAI_TRY(set(&s, &given->given[k], scope));
    }
    *at = NULL;
    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; a++, i++)
        if (a->need == ARCHAI_ARG_GIVEN && !s.is_given[i])
            return archai_fail(err, ARCHAI_EINVAL, "%s: needs '%s'", kind->name, a->name);
    return ARCHAI_OK;
}
