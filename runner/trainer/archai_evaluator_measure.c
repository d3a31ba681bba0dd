/* Measures of the model beside its training: [measure.NAME]. Each is taken of a model of its own, so that the
 * training begins as if nothing had been measured. */
#include "runner/trainer/archai_evaluator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

static int choose_device(archai_server *e, const archai_measure_spec *m, shim_device **out,
                         archai_err *err)
{
    const bool is_cpu = strncmp(e->device_text, "cpu", 3) == 0;
    const bool other = m->device != ARCHAI_DEVICE_AUTO && is_cpu != (m->device == ARCHAI_DEVICE_CPU);

    if (other && e->other == NULL)
        ARCHAI_TRY(shim_device_open(&e->other, is_cpu ? "cuda" : "cpu", 1, err));
    if (other)
        shim_device_feed(e->other, e->feed);
    *out = other ? e->other : e->device;
    return ARCHAI_OK;
}

static int measure(archai_server *e, const archai_trial *c, const archai_measure_spec *m,
                   archai_trial *r, archai_err *err)
{
    shim_device *own = e->device, *device = NULL;
    archai_network net = {0};
    shim_model *model = NULL;
    double value = NAN, spread = NAN;
    int rc;

    ARCHAI_TRY(choose_device(e, m, &device, err));
    e->device = device; /* for the time of building */
    rc = archai_serve_build(e, c->arch, c->seed, 2 * ARCHAI_WEIGHT_BYTES, &net, &model, err);
    e->device = own;
    if (rc == ARCHAI_OK)
        rc = shim_measure_take(model, &net, m, e->data, &e->config.train, &value, &spread, err);
    if (rc == ARCHAI_OK)
        archai_trial_set_measure(r, m->name, value);
    if (rc == ARCHAI_OK && !isnan(spread)) {
        char *name = archai_printf("%s_iqr", m->name);

        archai_trial_set_measure(r, name, spread);
        free(name);
    }
    shim_model_destroy(model);
    archai_network_fini(&net);
    return rc;
}

static bool is_objective(const archai_server *e, const char *name)
{
    for (size_t i = 0; i < e->objectives.n; i++)
        if (strcmp(e->objectives.at[i].source, name) == 0)
            return true;
    return false;
}

/* Nobody trains here: the worker starts another process in place of one whose device may be spoilt. */
static bool is_device_error(const archai_server *e, int rc)
{
    return rc == ARCHAI_EDEVMEM || (rc == ARCHAI_ETORCH && strncmp(e->device_text, "cpu", 3) != 0);
}

int archai_serve_measures(archai_server *e, const archai_trial *c, int stage, archai_trial *r,
                          archai_err *err)
{
    for (size_t i = 0; i < e->objectives.measures.n; i++) {
        const archai_measure_spec *m = &e->objectives.measures.at[i];
        archai_err why = ARCHAI_ERR_INIT;
        int rc;

        if (!archai_measure_is_of_model(m) || (stage >= 0 && m->stage != stage))
            continue;
        if (stage == ARCHAI_BEFORE && archai_serve_is_infeasible(e, c, r))
            return ARCHAI_OK;
        rc = archai_err_wrap(&why, measure(e, c, m, r, &why), "measure.%s: ", m->name);
        if (rc == ARCHAI_OK)
            continue;
        if (!is_objective(e, m->name) && !(stage < 0 && is_device_error(e, rc))) {
            ARCHAI_TRY(archai_serve_note(e, c->id, err, "%.900s", why.text));
            continue;
        }
        if (err != NULL)
            *err = why;
        return rc;
    }
    return ARCHAI_OK;
}

bool archai_serve_is_infeasible(const archai_server *e, const archai_trial *c, const archai_trial *r)
{
    double values[ARCHAI_MAX_OBJECTIVES], before[ARCHAI_MAX_OBJECTIVES];

    archai_objectives_values(&e->objectives, r->measures, r->n_measures, values);
    archai_objectives_values(&e->objectives, c->measures, c->n_measures, before);
    for (size_t i = 0; i < e->objectives.n; i++)
        values[i] = isnan(values[i]) ? before[i] : values[i];
    for (int expensive = 0; expensive < 2; expensive++) {
        const int at = archai_objectives_violated(&e->objectives, values, expensive);

        if (at >= 0 && !isnan(values[at]))
            return true;
    }
    return false;
}
