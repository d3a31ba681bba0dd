/* The registry of kinds, and what is asked about a layer by name. */
#include <math.h>
#include <string.h>

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

/* -- arguments ------------------------------------------------------------------------------ */

const double *archai_module_arg(const archai_module *m, const char *name)
{
    const double *at = m->args;

    for (const archai_arg *a = m->kind != NULL ? m->kind->args : NULL; a != NULL && a->name != NULL;
         at += archai_arg_width(a), a++)
        if (strcmp(a->name, name) == 0)
            return at;
    return NULL;
}

void archai_module_defaults(const archai_module_kind *kind, double args[ARCHAI_MODULE_MAX_ARGS])
{
    double *at = args;

    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; a++)
        for (size_t k = archai_arg_width(a); k > 0; k--)
            *at++ = a->need == ARCHAI_ARG_DEFAULT ? a->standard : NAN;
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
        if (a->need != ARCHAI_ARG_NONE && isnan(*at))
            return a->name;
    return NULL;
}
