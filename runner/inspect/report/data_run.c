/* What was searched, with what, and what was found. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/inspect/report/report.h"

static const char *direction_of(const archai_results_objective *o)
{
    return o->direction == ARCHAI_MAXIMIZE ? "maximize" : o->direction == ARCHAI_MINIMIZE ? "minimize" : "constrain";
}

static void put_run(report *p)
{
    const archai_results *r = &p->t->r;
    size_t count[ARCHAI_STATUS_COUNT] = {0};
    json_t *run = archai_there(json_object()), *statuses = json_object();

    for (size_t i = 0; i < r->n; i++)
        count[r->rows[i].status]++;
    for (int s = 0; s < ARCHAI_STATUS_COUNT; s++)
        (void)json_object_set_new(statuses, archai_status_name(s), json_integer((json_int_t)count[s]));
    (void)json_object_set_new(run, "path", inspect_json_text(p->t->path));
    (void)json_object_set_new(run, "state", inspect_json_text(r->state));
    (void)json_object_set_new(run, "space", inspect_json_text(r->space));
    (void)json_object_set_new(run, "algorithm", inspect_json_text(r->algorithm));
    (void)json_object_set_new(run, "schedule", inspect_json_text(r->schedule));
    (void)json_object_set_new(run, "seed", json_integer(r->seed));
    (void)json_object_set_new(run, "ranks", json_integer(r->ranks));
    (void)json_object_set_new(run, "started", inspect_json_text(r->started));
    (void)json_object_set_new(run, "updated", inspect_json_text(r->updated));
    (void)json_object_set_new(run, "software", inspect_json_text(r->software));
    (void)json_object_set_new(run, "rows", json_integer((json_int_t)r->n));
    (void)json_object_set_new(run, "architectures", json_integer((json_int_t)p->f->n_standing));
    (void)json_object_set_new(run, "statuses", statuses);
    (void)json_object_set_new(run, "rejected", json_integer(r->rejected));
    (void)json_object_set_new(p->out, "run", run);
}

static void put_objectives(report *p)
{
    const archai_results *r = &p->t->r;
    json_t *list = json_array();

    for (size_t k = 0; k < r->n_objectives; k++)
        (void)json_array_append_new(
            list, json_pack("{s:o, s:s, s:o, s:b}", "name", inspect_json_text(r->objectives[k].name), "direction",
                            direction_of(&r->objectives[k]), "unit", inspect_json_text(r->objectives[k].unit),
                            "expensive", r->objectives[k].expensive != 0));
    (void)json_object_set_new(p->out, "objectives", list);
}

/* Names of the parameters that differ, and the value of those that do not. */
static void put_params(report *p)
{
    const inspect *t = p->t;
    json_t *differ = json_array(), *common = json_object();

    for (size_t k = 0; k < t->n_params; k++)
        if (t->differs[k])
            (void)json_array_append_new(differ, inspect_json_text(t->params[k].name));
        else if (t->r.n > 0 && !inspect_param_absent(&t->params[k], 0))
            (void)json_object_set_new(common, t->params[k].name, inspect_json_param(&t->params[k], 0));
    (void)json_object_set_new(p->out, "params", differ);
    (void)json_object_set_new(p->out, "common", common);
}

static void put_best(report *p)
{
    const archai_results *r = &p->t->r;
    json_t *best = json_object(), *times = json_object();

    for (size_t k = 0; k < r->n_objectives; k++) {
        json_t *steps = json_array(), *seconds = json_array();

        for (size_t i = 0; i < p->f->n_best[k]; i++) {
            const inspect_step *s = &p->f->best[k][i];

            p->is_named[s->row] = true;
            (void)json_array_append_new(steps, json_pack("[I, o, o]", (json_int_t)s->evaluation,
                                                         inspect_json_number(r->values[s->row * r->n_objectives + k]),
                                                         inspect_json_text(r->rows[s->row].model.archid)));
            (void)json_array_append_new(seconds, inspect_json_number(s->seconds));
        }
        (void)json_object_set_new(best, r->objectives[k].name, steps);
        (void)json_object_set_new(times, r->objectives[k].name, seconds);
    }
    (void)json_object_set_new(p->out, "best", best);
    (void)json_object_set_new(p->out, "best_seconds", times);
}

int report_run(report *p, archai_err *err)
{
    json_t *front = json_array();

    (void)err;
    put_run(p);
    put_objectives(p);
    put_params(p);
    for (size_t i = 0; i < p->f->n_front; i++) {
        p->is_named[p->f->front[i]] = true;
        (void)json_array_append_new(front, inspect_json_text(p->t->r.rows[p->f->front[i]].model.archid));
    }
    (void)json_object_set_new(p->out, "front", front);
    put_best(p);
    return ARCHAI_OK;
}
