/* A measure written in C++, against the public header alone. */
#include "core/plugin.h"

#include <memory>

static int measure(archai_space *space, const archai_candidate *c, archai_evaluation *e,
                   archai_err *err)
{
    const auto score = std::make_unique<double>(2.0 * static_cast<double>(c->id));

    (void)space;
    return archai_evaluation_set_measure(e, "score", *score, err);
}

static archai_plugin make()
{
    archai_plugin p{};

    p.abi = ARCHAI_PLUGIN_ABI;
    p.name = "cpp";
    p.measure = measure;
    return p;
}

const archai_plugin archai_plugin_entry = make();
