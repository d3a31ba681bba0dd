/* Whether a model fits into the memory of this process: said before it is built, with the numbers,
 * instead of a crash or a killed process. */
#include "runner/trainer/archai_evaluator.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/number.h"

/* The control group's limit where there is one (cgroup v2 in a container); 0: none. */
static double group_limit(void)
{
    double bytes = 0;
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "r");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%lf", &bytes) != 1) /* "max" */
        bytes = 0;
    (void)fclose(f);
    return bytes;
}

/* What this process may have at most, and who says so. */
static double memory_of_process(const char **whose)
{
    const double pages = (double)sysconf(_SC_PHYS_PAGES), group = group_limit();
    double bytes = pages * (double)sysconf(_SC_PAGESIZE);
    struct rlimit own;

    *whose = "this machine has";
    if (!(bytes > 0))
        bytes = INFINITY;
    if (group > 0 && group < bytes) {
        bytes = group;
        *whose = "its control group may have";
    }
    if (getrlimit(RLIMIT_DATA, &own) == 0 && own.rlim_cur != RLIM_INFINITY &&
        (double)own.rlim_cur < bytes) {
        bytes = (double)own.rlim_cur;
        *whose = "evaluator.memory_limit is";
    }
    return bytes;
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
