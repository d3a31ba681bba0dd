/* Measures that this machine cannot take, whatever the candidate: said before anything starts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "runner/evaluator/gpus.h"
#include "runner/measure/measures.h"

/* As shim/measure/energy_joules.cpp reads it. */
static const char meter[] = "/sys/class/powercap/intel-rapl:0/energy_uj";

static bool is_objective(const archai_objectives *o, const char *name)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->at[i].source, name) == 0)
            return true;
    return false;
}

static bool has_gpu(const char *root)
{
    archai_gpus gpus;
    size_t n;

    archai_gpus_find(&gpus, root);
    n = gpus.n;
    archai_gpus_free(&gpus);
    return n > 0;
}

/* What shim/measure/ takes on CPUs alone. */
static bool is_of_cpus(const char *kind)
{
    return strcmp(kind, "energy_joules") == 0 || strcmp(kind, "peak_memory_bytes") == 0;
}

static int check_gpu(const archai_measure_spec *m, const char *device, const char *root, archai_err *err)
{
    if (m->device != ARCHAI_DEVICE_CUDA)
        return ARCHAI_OK;
    if (is_of_cpus(archai_measure_kind_name(m)))
        return archai_fail(err, ARCHAI_EINVAL, "measure.%s.device: cuda, but %s is measured on CPUs only; expected auto or cpu",
                           m->name, archai_measure_kind_name(m));
    return strcmp(device, "cuda") == 0 || has_gpu(root)
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EINVAL,
                             "measure.%s.device: cuda, but this machine has no GPU, or CUDA_VISIBLE_DEVICES hides it; "
                             "expected auto or cpu",
                             m->name);
}

static int check_meter(const archai_objectives *o, const archai_measure_spec *m, const char *device, const char *root,
                       FILE *notes, archai_err *err)
{
    const bool on_cpu = m->device == ARCHAI_DEVICE_CPU || (m->device == ARCHAI_DEVICE_AUTO && strcmp(device, "cpu") == 0);
    char *path;
    bool there;

    if (!on_cpu || strcmp(archai_measure_kind_name(m), "energy_joules") != 0)
        return ARCHAI_OK;
    path = archai_printf("%s%s", root, meter);
    there = access(path, R_OK) == 0;
    free(path);
    if (there)
        return ARCHAI_OK;
    if (is_objective(o, m->name))
        return archai_fail(err, ARCHAI_EINVAL,
                           "measure.%s.kind: energy_joules cannot be measured here, since no energy meter can be read (%s)",
                           m->name, meter);
    if (notes != NULL)
        (void)fprintf(notes, "ATTENTION: measure.%s: no energy meter can be read (%s): no candidate will have it\n", m->name,
                      meter);
    return ARCHAI_OK;
}

int archai_measures_check_here(const archai_objectives *o, const char *device, const char *root, FILE *notes,
                               archai_err *err)
{
    for (size_t i = 0; i < o->measures.n; i++) {
        const archai_measure_spec *m = &o->measures.at[i];

        if (!archai_measure_is_of_model(m))
            continue;
        ARCHAI_TRY(check_gpu(m, device, root, err));
        ARCHAI_TRY(check_meter(o, m, device, root, notes, err));
    }
    return ARCHAI_OK;
}
