/* A plug-in of a version that this archai-run does not take. */
#include "core/plugin.h"

static int measure(archai_space *space, const archai_candidate *c, archai_evaluation *e,
                   archai_err *err)
{
    (void)space;
    (void)c;
    return archai_evaluation_set_measure(e, "score", 1, err);
}

const archai_plugin archai_plugin_entry = {
    .abi = ARCHAI_PLUGIN_ABI + 41, .name = "from another time", .measure = measure};
