/* summary --json, and the pace of a search. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/config/ini.h"
#include "runner/inspect/json.h"
#include "runner/inspect/report/facts.h"

enum { LAST_MAX = 10 };

int64_t inspect_total(const archai_results *r)
{
    const archai_ini_entry *e;
    archai_ini ini = {0};
    int64_t total = -1;

    if (archai_ini_parse(&ini, "config", r->config, strlen(r->config), NULL) == ARCHAI_OK) {
        e = archai_ini_find(&ini, "search", "max_evaluations");
        if (e != NULL && e->value[0] >= '0' && e->value[0] <= '9')
            total = strtoll(e->value, NULL, 10);
    }
    archai_ini_free(&ini);
    return total;
}

/* Did a constraint end it before everything was measured? Such rows do not count in max_evaluations. */
static bool was_saved(const archai_results *r, size_t row)
{
    bool lacks = false;

    for (size_t k = 0; k < r->n_objectives; k++)
        lacks = lacks || isnan(r->values[row * r->n_objectives + k]);
    return lacks && r->rows[row].status == ARCHAI_STATUS_INFEASIBLE;
}

void inspect_pace(const archai_results *r, inspect_rate *out)
{
    inspect_facts f = {0};
    size_t taken = 0;

    *out = (inspect_rate){.total = inspect_total(r), .per_s = (double)NAN, .left_s = (double)NAN};
    inspect_time_slots(r, &f);
    out->busy = inspect_utilisation(&f);
    for (size_t i = 0; i < r->n; i++) {
        if (r->rows[i].status == ARCHAI_STATUS_CACHED || !(r->rows[i].started > 0))
            continue;
        taken++;
        out->done += !was_saved(r, i);
    }
    if (taken > 0 && f.offered_s > 0 && f.slots > 0)
        out->per_s = (double)out->done / (f.offered_s / f.slots);
    if (out->total >= out->done && out->per_s > 0 && strcmp(r->state, "running") == 0)
        out->left_s = (double)(out->total - out->done) / out->per_s;
}

static json_t *best_json(const inspect *t, size_t k)
{
    const archai_results *r = &t->r;
    const size_t row = inspect_best(r, k);
    json_t *params = json_object();

    if (row == r->n) {
        json_decref(params);
        return json_null();
    }
    for (size_t i = 0; i < t->n_params; i++) {
        const archai_results_param *p = &t->params[i];

        if (!inspect_param_absent(p, row))
            (void)json_object_set_new(params, p->name, inspect_json_param(p, row));
    }
    return json_pack("{s:o, s:I, s:o, s:o}", "value", inspect_json_number(r->values[row * r->n_objectives + k]),
                     "id", (json_int_t)r->rows[row].id, "archid", inspect_json_text(r->rows[row].model.archid),
                     "params", params);
}

static json_t *last_failures_json(const archai_results *r)
{
    json_t *list = json_array();
    size_t *rows, n = inspect_last_failures(r, LAST_MAX, &rows);

    for (size_t i = 0; i < n; i++) {
        const archai_trial *e = &r->rows[rows[i]];

        (void)json_array_append_new(list, json_pack("{s:I, s:i, s:o, s:o}", "id", (json_int_t)e->id, "rank", e->rank,
                                                    "ended", inspect_json_number(e->started + e->seconds), "error",
                                                    inspect_json_text(e->error)));
    }
    free(rows);
    return list;
}

int inspect_summary_json(inspect *t, archai_err *err)
{
    const archai_results *r = &t->r;
    json_t *statuses = json_object(), *best = json_object(), *failures = json_array(), *all;
    size_t count[ARCHAI_STATUS_COUNT] = {0}, n_front;
    archai_failures f = {0};
    inspect_rate rate;

    ARCHAI_TRY(inspect_names(t, err));
    inspect_pace(r, &rate);
    free(inspect_front(r, &n_front));
    for (size_t i = 0; i < r->n; i++)
        count[r->rows[i].status]++;
    for (int s = 0; s < ARCHAI_STATUS_COUNT; s++)
        (void)json_object_set_new(statuses, archai_status_name(s), json_integer((json_int_t)count[s]));
    for (size_t k = 0; k < r->n_objectives; k++)
        (void)json_object_set_new(best, r->objectives[k].name, archai_there(best_json(t, k)));
    inspect_failures(r, &f);
    for (size_t i = 0; i < f.n; i++)
        (void)json_array_append_new(failures, json_pack("{s:o, s:I, s:o}", "kind", inspect_json_text(f.at[i].kind),
                                                        "count", (json_int_t)f.at[i].n, "example",
                                                        inspect_json_text(f.at[i].example)));
    archai_failures_free(&f);
    all = json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "path", inspect_json_text(t->path),
                    "state", inspect_json_text(r->state), "space", inspect_json_text(r->space), "algorithm",
                    inspect_json_text(r->algorithm), "schedule", inspect_json_text(r->schedule), "seed", (json_int_t)r->seed,
                    "ranks", (json_int_t)r->ranks, "started", inspect_json_text(r->started), "updated",
                    inspect_json_text(r->updated), "software", inspect_json_text(r->software));
    archai_there(all);
    (void)json_object_set_new(all, "rows", json_integer((json_int_t)r->n));
    (void)json_object_set_new(all, "statuses", statuses);
    (void)json_object_set_new(all, "rejected", json_integer(r->rejected));
    (void)json_object_set_new(all, "evaluations", json_integer(rate.done));
    (void)json_object_set_new(all, "total", rate.total >= 0 ? json_integer(rate.total) : json_null());
    (void)json_object_set_new(all, "evaluations_per_second", inspect_json_number(rate.per_s));
    (void)json_object_set_new(all, "seconds_left", inspect_json_number(rate.left_s));
    (void)json_object_set_new(all, "utilisation", inspect_json_number(rate.busy));
    (void)json_object_set_new(all, "front", json_integer((json_int_t)n_front));
    (void)json_object_set_new(all, "best", best);
    (void)json_object_set_new(all, "failures", failures);
    (void)json_object_set_new(all, "last_failures", last_failures_json(r));
    (void)json_object_set_new(all, "running", strcmp(r->state, "running") == 0 ? inspect_running_json(t->directory) : json_array());
    inspect_json_print(all);
    return ARCHAI_OK;
}
