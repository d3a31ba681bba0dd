/* The registry of kinds, and what is asked about a layer by name. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/number.h"
#include "core/network/kind/kind.h"

const archai_module_kind *const archai_module_kinds[] = {
#define X(name) &archai_kind_##name,
    ARCHAI_KINDS(X)
#undef X
        NULL,
};

const archai_module_kind *archai_module_kind_find(const char *name)
{
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++)
        if (strcmp(archai_module_kinds[i]->name, name) == 0)
            return archai_module_kinds[i];
    return NULL;
}

const char *archai_module_class(const archai_module *m)
{
    if (m->kind == NULL)
        return m->class_name;
    return m->kind->printed_class != NULL ? m->kind->printed_class : m->kind->name;
}

/* -- arguments ---------------------------------------------------------------------------- */

const double *archai_module_arg(const archai_module *m, const char *name)
{
    const double *at = m->args;

    for (const archai_arg *a = m->kind != NULL ? m->kind->args : NULL;
         a != NULL && a->name != NULL; at += archai_arg_width(a), a++)
        if (strcmp(a->name, name) == 0)
            return at;
    return NULL;
}

void archai_module_defaults(const archai_module_kind *kind, double args[ARCHAI_MODULE_MAX_ARGS])
{
    double *at = args;

    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; a++)
        for (size_t k = archai_arg_width(a); k > 0; k--)
            *at++ = a->need == ARCHAI_ARG_DEFAULT || a->need == ARCHAI_ARG_NULLABLE
                        ? a->standard
                        : NAN;
}

void archai_module_deduce(archai_module *m, const archai_shape *in, size_t n)
{
    if (m->kind->deduce != NULL)
        m->kind->deduce(m, in, n);
}

const char *archai_module_missing(const archai_module *m)
{
    const double *at = m->args;

    for (const archai_arg *a = m->kind->args; a != NULL && a->name != NULL;
         at += archai_arg_width(a), a++)
        if (a->need != ARCHAI_ARG_NONE && a->need != ARCHAI_ARG_NULLABLE && isnan(*at))
            return a->name;
    return NULL;
}

static int word_count(const archai_arg *a)
{
    int n = 0;

    while (a->words != NULL && a->words[n] != NULL)
        n++;
    return n;
}

void archai_arg_bounds(const archai_arg *a, double *low, double *high)
{
    const bool any = a->low == 0 && a->high == 0;

    *low = a->low;
    *high = a->high;
    switch (a->type) {
    case ARCHAI_ARG_FLAG:
        *low = 0;
        *high = 1;
        break;
    case ARCHAI_ARG_WORD:
        *low = 0;
        *high = word_count(a) - 1;
        break;
    case ARCHAI_ARG_REAL:
        if (any) {
            *low = -DBL_MAX;
            *high = DBL_MAX;
        }
        break;
    default:
        if (any) {
            *low = a->type == ARCHAI_ARG_LIST ? -INT32_MAX : 1;
            *high = INT32_MAX;
        }
    }
}

/* The usual numbers pass quickly: every layer of every candidate comes by here. */
static inline bool fits(const archai_arg *a, double v)
{
    double low, high;

    if (a->type == ARCHAI_ARG_FLAG)
        return v == 0 || v == 1;
    if (a->low == 0 && a->high == 0 && a->type != ARCHAI_ARG_REAL && v >= 1 && v <= INT32_MAX &&
        a->type != ARCHAI_ARG_WORD)
        return v == (double)(int32_t)v;
    archai_arg_bounds(a, &low, &high);
    if (a->type == ARCHAI_ARG_REAL)
        return v >= low && v <= high;
    if (v < 0 && (a->type == ARCHAI_ARG_INT || a->type == ARCHAI_ARG_PAIR))
        low = fmin(low, -word_count(a));
    return v >= low && v <= high && v == (double)(int64_t)v;
}

static int check_number(const archai_module *m, const archai_arg *a, double v, archai_err *err)
{
    double low, high;
    char text[3][32];

    if (fits(a, v))
        return ARCHAI_OK;
    archai_arg_bounds(a, &low, &high);
    archai_format_double(v, text[0]);
    archai_format_double(low, text[1]);
    archai_format_double(high, text[2]);
    if (a->type == ARCHAI_ARG_REAL)
        return archai_fail(err, ARCHAI_EINVAL, "module '%s': %s is %s, expected %s to %s", m->name,
                           a->name, text[0], text[1], text[2]);
    return archai_fail(err, ARCHAI_EINVAL,
                       "module '%s': %s is %s, expected a whole number from %.0f to %.0f", m->name,
                       a->name, text[0], low, high);
}

int archai_module_check(const archai_module *m, archai_err *err)
{
    const double *at = m->args;

    for (const archai_arg *a = m->kind->args; a != NULL && a->name != NULL; a++) {
        const bool list = a->type == ARCHAI_ARG_LIST;
        const bool optional = a->need == ARCHAI_ARG_NONE || a->need == ARCHAI_ARG_NULLABLE;
        size_t n = archai_arg_width(a);

        if (list && at[0] >= 0 && at[0] <= ARCHAI_ARG_LIST_MAX && at[0] == floor(at[0]))
            n = (size_t)at[0] + 1;
        else if (list && !isnan(at[0]))
            return archai_fail(err, ARCHAI_EINVAL,
                               "module '%s': %s is no list of up to %d numbers", m->name,
                               a->name, ARCHAI_ARG_LIST_MAX);
        else if (isnan(at[0]) && !optional)
            return archai_fail(err, ARCHAI_EINVAL, "module '%s': %s is not given", m->name,
                               a->name);
        if (!list || !isnan(at[0]))
            for (size_t i = list; i < n; i++)
                if (!isnan(at[i]) || !optional)
                    ARCHAI_TRY(check_number(m, a, at[i], err));
        at += archai_arg_width(a);
    }
    return ARCHAI_OK;
}
