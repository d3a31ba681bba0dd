/* Measures that other evaluators take, one after the other: before the candidate's own evaluation, where a
 * constraint that is violated ends the candidate, and after it (core/measure/measure.h). */
#include "runner/worker/worker_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/measure/measures.h"

/* -- set-up -------------------------------------------------------------------------------- */

static int add_part(archai_worker *w, const archai_evaluator_ops *ops, const char *name, int stage,
                    archai_err *err)
{
    archai_worker_part *p = &w->parts[w->n_parts];

    *p = (archai_worker_part){.name = name, .stage = stage, .setup = w->setup};
    p->setup.config = &w->parts_config;
    p->setup.settings = NULL;
    if (name != NULL) {
        const archai_measure_spec *m = archai_measure_specs_find(&w->objectives->measures, name);

        ARCHAI_TRY(archai_evaluator_command_settings(m->command, &p->settings, err));
        p->setup.settings = p->settings;
    }
    w->n_parts++;
    ARCHAI_TRY(archai_evaluator_create(&p->evaluator, ops, &p->setup, err));
    p->evaluator->log = w->evaluator->log;
    return ARCHAI_OK;
}

/* archai-evaluator takes the measures of the model by itself where it trains the candidates, too. */
int archai_worker_parts_init(archai_worker *w, archai_err *err)
{
    const archai_measure_specs *all = &w->objectives->measures;
    int of_model = -1; /* the earliest stage in which one is wanted */

    w->parts_config = *w->config; /* the checkpoint is the candidate's own evaluator's */
    w->parts_config.train.checkpoint = ARCHAI_CHECKPOINT_NONE;
    w->parts = archai_calloc(all->n + 1, sizeof *w->parts);
    for (size_t i = 0; i < all->n; i++) {
        const archai_measure_spec *m = &all->at[i];

        if (archai_measure_is_command(m))
            ARCHAI_TRY(add_part(w, &archai_evaluator_command, m->name, m->stage, err));
        else if (archai_measure_is_of_model(m) && (of_model < 0 || m->stage < of_model))
            of_model = m->stage;
    }
    if (of_model < 0 || w->evaluator->ops == &archai_evaluator_torch)
        return ARCHAI_OK;
    return add_part(w, &archai_evaluator_torch, NULL, of_model, err);
}

void archai_worker_parts_fini(archai_worker *w)
{
    for (size_t i = 0; i < w->n_parts; i++) {
        archai_evaluator_destroy(w->parts[i].evaluator);
        archai_settings_free(w->parts[i].settings, archai_evaluator_command.options);
    }
    free(w->parts);
    w->parts = NULL;
    w->n_parts = 0;
}

void archai_worker_parts_close(archai_worker *w)
{
    for (size_t i = 0; i < w->n_parts; i++) {
        archai_worker_part *p = &w->parts[i];

        if (p->evaluator != NULL)
            p->evaluator->ops->close(p->evaluator);
        p->state = ARCHAI_PART_CLOSED;
    }
}

bool archai_worker_is_taken(const archai_worker *w, const char *measure)
{
    const archai_measure_spec *m =
        w->n_parts > 0 ? archai_measure_specs_find(&w->objectives->measures, measure) : NULL;

    return m != NULL && (archai_measure_is_command(m) ||
                         (archai_measure_is_of_model(m) &&
                          w->evaluator->ops != &archai_evaluator_torch));
}

/* -- a candidate's measures ---------------------------------------------------------------- */

/* The next part of the stage from number `from` on; n_parts: there is none. */
static size_t next_part(const archai_worker *w, size_t from)
{
    while (from < w->n_parts && w->parts[from].stage != w->stage)
        from++;
    return from;
}

bool archai_worker_is_infeasible(const archai_worker *w)
{
    const archai_trial *t = &w->queue[0];
    double values[ARCHAI_MAX_OBJECTIVES];

    archai_objectives_values(w->objectives, t->measures, t->n_measures, values);
    for (int expensive = 0; expensive < 2; expensive++) {
        const int at = archai_objectives_violated(w->objectives, values, expensive);

        if (at >= 0 && !isnan(values[at]))
            return true;
    }
    return false;
}

static void end_stage(archai_worker *w)
{
    if (w->stage == ARCHAI_BEFORE && !archai_worker_is_infeasible(w)) {
        w->before_is_done = true;
        w->state = ARCHAI_WORKER_IDLE; /* and from there to its own evaluation */
        return;
    }
    w->queue[0].status = ARCHAI_STATUS_OK; /* the check says what it is */
    archai_worker_finish(w);
}

bool archai_worker_begin_stage(archai_worker *w, int stage)
{
    w->stage = stage;
    w->part = next_part(w, 0);
    if (w->part == w->n_parts || w->queue[0].is_test) /* a stored model on the test data */
        return false;
    if (stage == ARCHAI_AFTER && archai_worker_is_infeasible(w))
        return false;
    w->state = ARCHAI_WORKER_MEASURING;
    return true;
}

static bool is_objective(const archai_worker *w, const char *name)
{
    for (size_t i = 0; i < w->objectives->n; i++)
        if (name == NULL || strcmp(w->objectives->at[i].source, name) == 0)
            return true;
    return false;
}

/* Of a command's answer the measure itself counts, and what else it says about it: NAME_... */
static void take(archai_worker *w, const archai_worker_part *p, const archai_trial *r)
{
    const size_t n = p->name != NULL ? strlen(p->name) : 0;

    for (size_t i = 0; i < r->n_measures; i++) {
        const archai_measure *m = &r->measures[i];

        if (p->name == NULL || strcmp(m->name, p->name) == 0 ||
            (strncmp(m->name, p->name, n) == 0 && m->name[n] == '_'))
            archai_trial_set_measure(&w->queue[0], m->name, m->value);
    }
}

/* It has answered, well or not: the next candidate finds it open. */
static void be_free(archai_worker_part *p)
{
    if (p->state == ARCHAI_PART_BUSY)
        p->state = ARCHAI_PART_OPEN;
}

static void next(archai_worker *w)
{
    be_free(&w->parts[w->part]);
    w->part = next_part(w, w->part + 1);
    if (w->part == w->n_parts || (w->stage == ARCHAI_BEFORE && archai_worker_is_infeasible(w)))
        end_stage(w);
}

/* What is no objective may fail without harm to the candidate. */
static int failed(archai_worker *w, const char *text, archai_err *err)
{
    archai_worker_part *p = &w->parts[w->part];
    char why[ARCHAI_ERR_TEXT_MAX];

    be_free(p);
    (void)snprintf(why, sizeof why, "measure%s%s: %.900s", p->name != NULL ? "." : "",
                   p->name != NULL ? p->name : "", text);
    if (is_objective(w, p->name)) {
        archai_worker_fail(w, why);
        return ARCHAI_OK;
    }
    ARCHAI_TRY(archai_worker_note(w, why, err));
    next(w);
    return ARCHAI_OK;
}

static void close_part(archai_worker_part *p)
{
    p->evaluator->ops->close(p->evaluator);
    p->state = ARCHAI_PART_CLOSED;
}

/* After the training nothing is begun anew for it: the training would be repeated. */
static int not_started(archai_worker *w, archai_worker_part *p, const char *why, archai_err *err)
{
    char text[ARCHAI_ERR_TEXT_MAX];

    if (w->stage == ARCHAI_AFTER) {
        close_part(p);
        return failed(w, why, err);
    }
    archai_worker_parts_close(w);
    (void)snprintf(text, sizeof text, "measure%s%s: %.800s", p->name != NULL ? "." : "",
                   p->name != NULL ? p->name : "", why);
    return archai_worker_not_started(w, text, err);
}

static int on_event(archai_worker *w, archai_worker_part *p, archai_evaluator_event *event,
                    archai_err *err)
{
    char text[ARCHAI_ERR_TEXT_MAX];

    switch (event->kind) {
    case ARCHAI_EVALUATOR_READY:
        p->state = ARCHAI_PART_OPEN;
        return ARCHAI_OK;
    case ARCHAI_EVALUATOR_NOT_STARTED:
        return not_started(w, p, event->text, err);
    case ARCHAI_EVALUATOR_MEASURED:
        take(w, p, event->result);
        if (p->name != NULL &&
            isnan(archai_measure_get(event->result->measures, event->result->n_measures, p->name))) {
            (void)snprintf(text, sizeof text, "the answer has no number under '%.100s'", p->name);
            return failed(w, text, err);
        }
        next(w);
        return ARCHAI_OK;
    case ARCHAI_EVALUATOR_FAILED:
        if (archai_worker_is_device_error(w, event->code)) /* the next candidate finds a new process */
            close_part(p);
        return failed(w, event->text, err);
    case ARCHAI_EVALUATOR_GONE:
        close_part(p);
        if (event->signal != 0 && w->draining)
            return archai_worker_give_back(w, err);
        (void)snprintf(text, sizeof text, "evaluator %.800s", event->text);
        return failed(w, text, err);
    case ARCHAI_EVALUATOR_NOTE:
        return archai_worker_note(w, event->text, err);
    case ARCHAI_EVALUATOR_PROGRESS:
    case ARCHAI_EVALUATOR_NOTHING:
        break;
    }
    return ARCHAI_OK;
}

/* Open it, or hand it the candidate. */
static int push(archai_worker *w, archai_worker_part *p, archai_err *err)
{
    const archai_evaluator_ops *ops = p->evaluator->ops;
    const bool opens = p->state == ARCHAI_PART_CLOSED;
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    p->state = opens ? ARCHAI_PART_OPENING : ARCHAI_PART_BUSY;
    rc = opens ? ops->open(p->evaluator, &why) : ops->begin(p->evaluator, &w->queue[0], &why);
    if (rc == ARCHAI_ECHILD || rc == ARCHAI_ENOTFOUND) /* the guard is missing, or there is no process to be had */
        return not_started(w, p, why.text, err);
    if (rc != ARCHAI_OK && err != NULL)
        *err = why;
    return rc;
}

int archai_worker_measure(archai_worker *w, bool *busy, archai_err *err)
{
    archai_evaluator_event event = {.kind = ARCHAI_EVALUATOR_NOTHING};
    archai_worker_part *p = &w->parts[w->part];
    const archai_evaluator_ops *ops = p->evaluator->ops;
    int rc;

    if (p->state == ARCHAI_PART_CLOSED || p->state == ARCHAI_PART_OPEN) {
        *busy = true;
        return push(w, p, err);
    }
    ARCHAI_TRY_GOTO(rc, ops->poll(p->evaluator, &event, err), out);
    *busy = *busy || event.kind != ARCHAI_EVALUATOR_NOTHING;
    rc = on_event(w, p, &event, err);
out:
    archai_evaluator_event_fini(&event);
    return rc;
}
