/* Whether a model fits into the memory of this process: said before it is built, with the numbers,
 * instead of a crash or a killed process. */
#include "runner/trainer/archai_evaluator.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/number.h"
#include "io/file/memory.h"

/* What this process may have at most, and who says so. RLIMIT_DATA is what evaluator.memory_limit sets. */
static double memory_of_process(const char **whose)
{
    archai_memory m;

    archai_memory_look(false, &m);
    *whose = strcmp(m.limit_by, "RLIMIT_DATA") == 0 ? "evaluator.memory_limit is"
             : strcmp(m.limit_by, "this machine") == 0 ? "this machine has"
             : strcmp(m.limit_by, "RLIMIT_AS") == 0    ? "RLIMIT_AS is"
                                                       : "its control group may have";
    return m.limit;
}

int archai_serve_fits(const archai_network *net, int64_t per_parameter, archai_err *err)
{
    const int64_t params = archai_module_params(net->root);
    const double needed = (double)params * (double)per_parameter;
    const char *whose;
    const double there = memory_of_process(&whose);
    char much[ARCHAI_BYTES_TEXT], little[ARCHAI_BYTES_TEXT];

    if (needed <= there)
        return ARCHAI_OK;
    archai_format_bytes(needed, much);
    archai_format_bytes(there, little);
    return archai_fail(err, ARCHAI_ENOMEM,
                       "this model has %" PRId64 " parameters, which take at least %s of memory%s; "
                       "%s %s",
                       params, much,
                       per_parameter > ARCHAI_WEIGHT_BYTES
                           ? " (weights, gradients and the optimizer's state)"
                           : "",
                       whose, little);
}
