/* The registry of kinds, and what is asked about a layer by name. */
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
    return m->kind != NULL ? m->kind->name : m->class_name;
}

const int *archai_module_arg(const archai_module *m, const char *name)
{
    for (size_t i = 0; m->kind != NULL && m->kind->args[i] != NULL; i++)
        if (strcmp(m->kind->args[i], name) == 0)
            return &m->args[i];
    return NULL;
}
