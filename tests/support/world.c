#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

static const char *setting(const archai_ini *ini, const char *key, const char *otherwise)
{
    archai_ini_entry *e = archai_ini_find(ini, "search", key);

    if (e != NULL)
        e->used = true;
    return e != NULL ? e->value : otherwise;
}

/* A surrogate that has learned nothing. */
static void guess(const archai_surrogate_job *job, archai_surrogate_answer *answer)
{
    (void)job;
    for (size_t i = 0; i < answer->n_var; i++)
        answer->var[i] = 1;
}

int world_try(struct world *w, const char *text, archai_err *err)
{
    archai_search_settings settings;
    int rc;

    memset(w, 0, sizeof *w);
    ARCHAI_TRY(archai_ini_parse(&w->ini, "t.ini", text, strlen(text), err));
    settings = (archai_search_settings){
        .algorithm = setting(&w->ini, "algorithm", "random_search"),
        .schedule = strcmp(setting(&w->ini, "schedule", "async"), "async") == 0
                        ? ARCHAI_ASYNC
                        : ARCHAI_GENERATIONAL,
        .seed = strtoull(setting(&w->ini, "seed", "1"), NULL, 10),
        .retries = atoi(setting(&w->ini, "retries", "0")),
        .default_budget = strtod(setting(&w->ini, "default_budget", "1"), NULL),
        .prune = {.rule = strcmp(setting(&w->ini, "prune", "none"), "median") == 0 ? 1 : 0,
                  .n_startup_trials = 2,
                  .interval_steps = 1},
        .prune_source = setting(&w->ini, "prune_source", "auto"),
        .inherit = archai_ini_find(&w->ini, "train", "inherit_weights") != NULL,
    };
    rc = archai_space_create(&w->space, &w->ini, NULL, err);
    if (rc == ARCHAI_OK)
        rc = archai_objectives_create(&w->objectives, &w->ini, err);
    if (rc == ARCHAI_OK)
        rc = archai_search_init(&w->search, w->space, &w->objectives, &settings, &w->ini, err);
    if (rc != ARCHAI_OK)
        world_close(w);
    else if (archai_search_has_jobs(&w->search))
        w->predict = guess;
    return rc;
}

void world_open(struct world *w, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (world_try(w, text, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

void world_close(struct world *w)
{
    archai_search_fini(&w->search);
    archai_objectives_free(&w->objectives);
    archai_space_destroy(w->space);
    archai_ini_free(&w->ini);
    memset(w, 0, sizeof *w);
}

void log_free(struct log *l)
{
    free(l->rows);
    *l = (struct log){.rows = NULL};
}

void evaluation_of(const archai_trial *c, archai_trial *e)
{
    *e = (archai_trial){.id = c->id,
                             .model.archid = strdup(c->model.archid),
                             .arch = strdup(c->arch),
                             .operator_ = strdup(c->operator_),
                             .parents = strdup(c->parents != NULL ? c->parents : "[]"),
                             .generation = c->generation,
                             .budget = c->budget};
    for (size_t i = 0; i < c->n_measures; i++)
        archai_trial_set_measure(e, c->measures[i].name, c->measures[i].value);
}

static char *copy(const char *text)
{
    return text != NULL ? archai_strdup(text) : NULL;
}

int ask(archai_search *s, archai_ask *what, archai_trial *c, archai_trial *cached, archai_err *err)
{
    archai_trial *t;

    ARCHAI_TRY(archai_search_ask(s, what, &t, cached, err));
    if (*what != ARCHAI_ASK_CANDIDATE)
        return ARCHAI_OK;
    *c = *t;
    archai_model_copy(&c->model, &t->model);
    c->operator_ = copy(t->operator_);
    c->parents = copy(t->parents);
    c->arch = copy(t->arch);
    c->metadata = copy(t->metadata);
    c->error = copy(t->error);
    c->device = copy(t->device);
    c->log = copy(t->log);
    c->encoding = archai_memdup(t->encoding, t->n_encoding * sizeof *t->encoding);
    c->measures = NULL;
    c->n_measures = 0;
    for (size_t i = 0; i < t->n_measures; i++)
        archai_trial_set_measure(c, t->measures[i].name, t->measures[i].value);
    return ARCHAI_OK;
}

int arch_int(const archai_trial *c, const char *key)
{
    return (int)json_integer_value(json_object_get(c->model.arch, key));
}

static void log_row(struct log *l, const archai_objectives *o, const archai_trial *e)
{
    struct log_row *r;

    while ((size_t)e->id >= l->capacity) {
        const size_t capacity = l->capacity == 0 ? 64 : 2 * l->capacity;

        l->rows = realloc(l->rows, capacity * sizeof *l->rows);
        assert_non_null(l->rows);
        memset(&l->rows[l->capacity], 0, (capacity - l->capacity) * sizeof *l->rows);
        l->capacity = capacity;
    }
    r = &l->rows[e->id];
    assert_string_equal(r->archid, ""); /* no id twice */
    (void)snprintf(r->archid, sizeof r->archid, "%s", e->model.archid);
    (void)snprintf(r->operator_, sizeof r->operator_, "%s", e->operator_);
    (void)snprintf(r->parents, sizeof r->parents, "%s", e->parents);
    r->generation = e->generation;
    r->status = e->status;
    r->budget = e->budget;
    archai_objectives_values(o, e->measures, e->n_measures, r->values);
    if ((size_t)e->id >= l->n)
        l->n = (size_t)e->id + 1;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Every job is asked for anew as by a process that knows no rows, so that it holds all of them. */
void serve_jobs(struct world *w)
{
    archai_surrogate_answer answer = {.id = 0};
    archai_err err = ARCHAI_ERR_INIT;
    archai_surrogate_job job;
    bool got, busy;

    do {
        if (archai_search_job(&w->search, 0, &job, &got, &busy, &err) != ARCHAI_OK)
            fail_msg("%s", err.text);
    } while (busy && !got);
    if (!got)
        return;
    assert_int_equal(archai_surrogate_job_check(&job, &err), ARCHAI_OK);
    answer.id = job.id;
    answer.n_mean = answer.n_var = job.n_queries / (size_t)job.n_features * (size_t)job.n_targets;
    answer.mean = calloc(answer.n_mean + 1, sizeof *answer.mean);
    answer.var = calloc(answer.n_var + 1, sizeof *answer.var);
    assert_true(answer.mean != NULL && answer.var != NULL);
    w->predict(&job, &answer);
    archai_surrogate_job_fini(&job);
    if (archai_search_answer(&w->search, &answer, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

void drive(struct world *w, evaluate_fn *evaluate, void *context, size_t workers,
           uint64_t order, size_t max, struct log *log)
{
    archai_trial *under_way = calloc(workers, sizeof *under_way);
    archai_err err = ARCHAI_ERR_INIT;
    archai_ask what = ARCHAI_ASK_WAIT;
    size_t n = 0, begun = 0;

    assert_non_null(under_way);
    for (;;) {
        archai_trial e = {.id = 0};
        size_t at;
        bool on_front;

        if (w->predict != NULL)
            serve_jobs(w);
        while (n < workers && begun < max) {
            if (ask(&w->search, &what, &under_way[n], &e, &err) != ARCHAI_OK)
                fail_msg("%s", err.text);
            if (what == ARCHAI_ASK_CACHED) {
                if (w->search.schedule == ARCHAI_ASYNC) /* it looks for something new instead */
                    assert_true(strcmp(e.operator_, ARCHAI_OPERATOR_INITIAL) == 0 ||
                                strcmp(e.operator_, ARCHAI_OPERATOR_RETRAIN) == 0);
                log_row(log, &w->objectives, &e);
                archai_trial_fini(&e);
                continue;
            }
            if (what != ARCHAI_ASK_CANDIDATE)
                break;
            n++;
            begun++;
        }
        if (n == 0 && w->search.job != 0 && w->predict != NULL)
            continue;
        if (n == 0)
            break;
        at = order == 0 ? 0 : next_random(&order) % n;
        evaluation_of(&under_way[at], &e);
        evaluate(&under_way[at], &e, context);
        if (archai_search_tell(&w->search, &e, &on_front, &err) != ARCHAI_OK)
            fail_msg("%s", err.text);
        log_row(log, &w->objectives, &e);
        log->evaluated++;
        archai_trial_fini(&e);
        archai_trial_fini(&under_way[at]);
        memmove(&under_way[at], &under_way[at + 1], (n - at - 1) * sizeof *under_way);
        n--;
    }
    free(under_way);
}
