/* compare --json, and what the page of `compare -o` draws. */
#include <math.h>

#include "core/base/alloc.h"
#include "runner/inspect/report/compare.h"

enum { STEPS_MAX = 500 }; /* of one objective's best so far */

static void put_setting(void *payload, const char *name, const char *const *values, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, values[i] != NULL ? inspect_json_text(values[i]) : json_null());
    (void)json_object_set_new(payload, name, list);
}

/* The hypervolume after each part of the rows. */
static json_t *curve_json(const compare_run *one)
{
    json_t *evaluations = json_array(), *seconds = json_array(), *value = json_array();

    for (int s = 0; s < COMPARE_POINTS; s++) {
        (void)json_array_append_new(evaluations, json_integer(one->evaluations[s]));
        (void)json_array_append_new(seconds, inspect_json_number(one->seconds[s]));
        (void)json_array_append_new(value, inspect_json_number(one->volume[s]));
    }
    return json_pack("{s:o, s:o, s:o}", "evaluations", evaluations, "seconds", seconds, "value", value);
}

/* [evaluation, seconds, value] wherever the best changed; of very many steps some, the last one among them. */
static json_t *steps_json(const compare_run *one, size_t k)
{
    const archai_results *r = &one->t.r;
    const size_t n = one->f.n_best[k], stride = n / STEPS_MAX + 1;
    json_t *steps = archai_there(json_array());

    for (size_t i = n > 0 ? (n - 1) % stride : 0; i < n; i += stride) {
        const inspect_step *s = &one->f.best[k][i];

        (void)json_array_append_new(steps,
                                    json_pack("[I, o, o]", (json_int_t)s->evaluation, inspect_json_number(s->seconds),
                                              inspect_json_number(r->values[s->row * r->n_objectives + k])));
    }
    return steps;
}

static json_t *failures_json(const compare_run *one)
{
    json_t *list = archai_there(json_array());

    for (size_t i = 0; i < one->f.failures.n; i++)
        (void)json_array_append_new(list, json_pack("{s:o, s:I}", "kind", inspect_json_text(one->f.failures.at[i].kind),
                                                    "count", (json_int_t)one->f.failures.at[i].n));
    return list;
}

static double last_finished(const compare_run *one)
{
    double last = 0;

    for (size_t i = 0; i < one->t.r.n; i++)
        if (one->t.r.rows[i].started > 0)
            last = fmax(last, one->t.r.rows[i].started + one->t.r.rows[i].seconds - one->f.began);
    return last;
}

static json_t *run_json(const compare_run *one)
{
    const archai_results *r = &one->t.r;
    json_t *best = json_object(), *steps = json_object(), *volumes = json_array(), *run;

    for (size_t k = 0; k < r->n_objectives; k++) {
        (void)json_object_set_new(best, r->objectives[k].name, inspect_json_number(compare_best(one, k)));
        (void)json_object_set_new(steps, r->objectives[k].name, steps_json(one, k));
    }
    for (int s = 0; s < COMPARE_SHARES; s++)
        (void)json_array_append_new(volumes,
                                    inspect_json_number(one->volume[COMPARE_POINTS / COMPARE_SHARES * (s + 1) - 1]));
    run = archai_there(json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:I, s:o, s:o}", "path",
                                 inspect_json_text(one->t.path), "state", inspect_json_text(r->state), "rows",
                                 (json_int_t)r->n, "failed", (json_int_t)compare_failed(one), "seconds",
                                 inspect_json_number(one->f.busy_s), "elapsed", inspect_json_number(last_finished(one)),
                                 "utilisation", inspect_json_number(inspect_utilisation(&one->f)), "front",
                                 (json_int_t)one->f.n_front, "best", best, "hypervolume", volumes));
    (void)json_object_set_new(run, "hypervolume_curve", curve_json(one));
    (void)json_object_set_new(run, "best_steps", steps);
    (void)json_object_set_new(run, "failures", failures_json(one));
    return run;
}

json_t *compare_json(const comparison *c)
{
    json_t *runs = json_array(), *settings = json_object(), *objectives = json_array();

    for (size_t k = 0; k < c->first->n_objectives; k++)
        (void)json_array_append_new(
            objectives, json_pack("{s:o, s:s}", "name", inspect_json_text(c->first->objectives[k].name), "direction",
                                  inspect_sign(&c->first->objectives[k]) < 0 ? "maximize" : "minimize"));
    for (size_t i = 0; i < c->n; i++)
        (void)json_array_append_new(runs, run_json(&c->at[i]));
    compare_each_difference(c, put_setting, settings);
    return archai_there(json_pack("{s:o, s:o, s:o}", "runs", runs, "settings", settings, "objectives", objectives));
}
