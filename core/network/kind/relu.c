#include "core/network/kind/kind.h"

archai_module *archai_module_relu(archai_module *parent, const char *name)
{
    return archai_module_layer(parent, name, &archai_kind_relu, NULL);
}

static const archai_arg args[] = {
    {"inplace", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    {.name = NULL},
};

static void print(const archai_module *m, FILE *out)
{
    if (m->args[0] != 0)
        (void)fputs("inplace=True", out);
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    const int64_t n = archai_tally_volume(t, in);

    (void)m;
    *out = *in;
    archai_tally_charge(t, 0, n, n);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_relu = {
    .name = "ReLU", .args = args, .print = print, .infer = infer};
