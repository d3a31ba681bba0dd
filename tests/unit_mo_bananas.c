/* mo_bananas with predictors that are closed forms: proposals against an independent Python
 * program (data/make_mo_bananas.py), and what happens where there is nothing to predict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_data.h"
#include "world.h"

static const char settings[] = "[search]\nalgorithm = mo_bananas\nschedule = %s\nseed = %lld\n"
                               "num_iters = 5\ninit_num_models = 8\nnum_parents = 6\n"
                               "mutations_per_parent = 4\nnum_candidates = 7\n"
                               "[space]\nname = cnn\nseed = %lld\n"
                               "[objective.score]\ndirection = maximize\n"
                               "[objective.delay]\ndirection = minimize\n"
                               "[objective.params]\ndirection = minimize\n";

static void measure(const archai_trial *c, archai_trial *e, void *context)
{
    const int l = arch_int(c, "nb_layers"), k = arch_int(c, "kernel_size"),
              h = arch_int(c, "hidden_dim");
    const bool *fail = context;

    if (fail != NULL && *fail) {
        e->status = ARCHAI_STATUS_FAILED;
        return;
    }
    archai_trial_set_measure(e, "score", ((7 * l + 3 * k + h) % 101) / 100.0);
    archai_trial_set_measure(e, "delay", ((l + k + h) % 53) / 52.0);
}

static void closed_form(const archai_surrogate_job *job, archai_surrogate_answer *answer)
{
    const int rows = (int)(job->n_y / 2);

    assert_int_equal(job->n_features, 3);
    assert_int_equal(job->n_targets, 2);
    assert_int_equal(job->held, 0);
    for (size_t i = 0; i < job->n_queries / 3; i++) {
        const int l = (int)job->queries[3 * i], k = (int)job->queries[3 * i + 1],
                  h = (int)job->queries[3 * i + 2];

        answer->mean[2 * i] = (float)(((7 * l + 3 * k + h + rows) % 101) / 100.0);
        answer->mean[2 * i + 1] = (float)(((l + k + h + rows) % 53) / 52.0);
        answer->var[2 * i] = (float)(((l * k + h) % 7 + 1) / 50.0);
        answer->var[2 * i + 1] = (float)((l % 3) / 30.0);
    }
}

static void open_world(struct world *w, const char *schedule, long long seed, long long space_seed)
{
    char text[1024];

    (void)snprintf(text, sizeof text, settings, schedule, seed, space_seed);
    world_open(w, text);
    w->predict = closed_form;
}

static void assert_trace(const json_t *run, size_t workers, uint64_t order)
{
    struct log log = {.rows = NULL};
    size_t iteration, i, row = 0;
    json_t *batch, *pair;
    struct world w;

    open_world(&w, "generational", json_integer_value(json_object_get(run, "seed")),
               json_integer_value(json_object_get(run, "space_seed")));
    drive(&w, measure, NULL, workers, order, SIZE_MAX, &log);
    json_array_foreach(json_object_get(run, "iterations"), iteration, batch)
        json_array_foreach(batch, i, pair)
    {
        const char *parent = json_string_value(json_array_get(pair, 1));
        json_t *parents;

        assert_true(row < log.n);
        assert_string_equal(log.rows[row].archid, json_string_value(json_array_get(pair, 0)));
        assert_int_equal(log.rows[row].generation, iteration);
        parents = json_loads(log.rows[row].parents, 0, NULL);
        assert_int_equal(json_array_size(parents), parent != NULL);
        if (parent != NULL)
            assert_string_equal(json_string_value(json_array_get(parents, 0)), parent);
        json_decref(parents);
        row++;
    }
    assert_int_equal(log.n, row);
    log_free(&log);
    world_close(&w);
}

static void proposals_are_the_pythons(void **state)
{
    json_t *runs = load_json_data("mo_bananas.json"), *run;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(runs), 3);
    json_array_foreach(runs, i, run)
    {
        assert_trace(run, 1, 0);
        assert_trace(run, 2, 11);
        assert_trace(run, 4, 12);
        assert_trace(run, 64, 13);
    }
    json_decref(runs);
}

static void async_proposes_each_once_until_the_space_is_empty(void **state)
{
    struct log log = {.rows = NULL};
    size_t mutants = 0;
    struct world w;

    (void)state;
    open_world(&w, "async", 1, 1);
    drive(&w, measure, NULL, 5, 3, SIZE_MAX, &log);
    assert_int_equal(log.evaluated, 192); /* drive() fails where one comes twice */
    for (size_t i = 0; i < log.n; i++)
        mutants += strcmp(log.rows[i].operator_, "mutation") == 0;
    assert_true(mutants > 50);
    log_free(&log);
    world_close(&w);
}

static void without_a_surrogate_async_goes_on_and_generational_says_why(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct log log = {.rows = NULL};
    struct world w;

    (void)state;
    open_world(&w, "async", 1, 1);
    w.predict = NULL;
    assert_int_equal(archai_search_abandon_jobs(&w.search, "no libtorch", &err), ARCHAI_OK);
    drive(&w, measure, NULL, 3, 3, 60, &log);
    assert_int_equal(log.evaluated, 60);
    log_free(&log);
    world_close(&w);

    open_world(&w, "generational", 1, 1);
    assert_int_equal(archai_search_abandon_jobs(&w.search, "no libtorch", &err), ARCHAI_ECHILD);
    assert_non_null(strstr(err.text, "mo_bananas cannot go on"));
    assert_non_null(strstr(err.text, "no libtorch"));
    world_close(&w);
}

static void where_everything_fails_the_search_ends(void **state)
{
    static const char *const schedules[] = {"async", "generational"};
    bool fail = true;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct log log = {.rows = NULL};
        struct world w;

        open_world(&w, schedules[i], 1, 1);
        drive(&w, measure, &fail, 4, 3, SIZE_MAX, &log);
        assert_int_equal(w.search.front.n, 0);
        assert_string_not_equal(w.search.done, "");
        log_free(&log);
        world_close(&w);
    }
}

/* Nothing to be bred from, though it was learned: as long as no model is ok, random ones. */
static void where_all_violate_a_constraint_it_begins_again(void **state)
{
    struct log log = {.rows = NULL};
    char text[1024];
    struct world w;

    (void)state;
    (void)snprintf(text, sizeof text, settings, "generational", 1LL, 1LL);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                   "[objective.limit]\nsource = delay\ndirection = none\nconstraint = 2 3\n");
    world_open(&w, text);
    drive(&w, measure, NULL, 4, 3, SIZE_MAX, &log);
    assert_int_equal(log.evaluated, 5 * 8);
    assert_string_equal(w.search.done, "all 5 iterations are done");
    log_free(&log);
    world_close(&w);
}

static void needs_something_to_predict(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    assert_int_equal(world_try(&w,
                               "[search]\nalgorithm = mo_bananas\n[space]\nname = cnn\n"
                               "[objective.params]\ndirection = minimize\n",
                               &err),
                     ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "t.ini:2: search.algorithm: mo_bananas needs an expensive objective"));
}

/* -- how many come from one fit ----------------------------------------------------------------- */

static archai_ask ask_one_of(struct world *w, archai_trial *c)
{
    archai_trial cached = {0};
    archai_ask what;

    assert_int_equal(ask(&w->search, &what, c, &cached, NULL), ARCHAI_OK);
    assert_int_not_equal(what, ARCHAI_ASK_CACHED);
    return what;
}

static void tell(struct world *w, archai_trial *c, bool failed)
{
    archai_trial e;
    bool on_front;

    evaluation_of(c, &e);
    measure(c, &e, &failed);
    assert_int_equal(archai_search_tell(&w->search, &e, &on_front, NULL), ARCHAI_OK);
    archai_trial_fini(&e);
    archai_trial_fini(c);
}

/* The first eight, told; now a fit is due. */
static void begin(struct world *w, const char *more)
{
    char text[1024], all[1024];
    archai_trial c;

    (void)snprintf(text, sizeof text, settings, "async", 1LL, 1LL);
    (void)snprintf(all, sizeof all, "[search]\n%s\n%.900s", more, text + strlen("[search]\n"));
    world_open(w, all);
    w->predict = closed_form;
    w->search.slots = 3;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(ask_one_of(w, &c), ARCHAI_ASK_CANDIDATE);
        assert_string_equal(c.operator_, "random");
        tell(w, &c, false);
    }
    assert_int_equal(ask_one_of(w, &c), ARCHAI_ASK_WAIT);
}

/* So many candidates, and then it waits, though nothing was told since the answer. */
static void expect(struct world *w, archai_trial *c, size_t n)
{
    archai_trial more;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ask_one_of(w, &c[i]), ARCHAI_ASK_CANDIDATE);
        assert_non_null(json_object_get(c[i].model.metadata, "predicted_score_mean"));
    }
    assert_int_equal(ask_one_of(w, &more), ARCHAI_ASK_WAIT);
}

static void from_one_fit_come_as_many_as_are_allowed(void **state)
{
    archai_trial first[2], third, next[2];
    struct world w;

    (void)state;
    begin(&w, "max_per_fit = 2");
    serve_jobs(&w);
    expect(&w, first, 2);
    tell(&w, &first[0], true); /* it teaches nothing: another takes its place */
    expect(&w, &third, 1);
    tell(&w, &third, false);
    expect(&w, NULL, 0); /* a fit is due */
    serve_jobs(&w);
    expect(&w, next, 2); /* whatever is under way from before */
    archai_trial_fini(&first[1]);
    archai_trial_fini(&next[0]);
    archai_trial_fini(&next[1]);
    world_close(&w);
}

/* auto: num_candidates, or the slots where these are more. */
static void by_default_as_many_as_a_generation_or_the_slots(void **state)
{
    archai_trial c[9];
    struct world w;

    (void)state;
    for (size_t slots = 3; slots <= 9; slots += 6) {
        const size_t n = slots > 7 ? slots : 7;

        begin(&w, "");
        w.search.slots = slots;
        serve_jobs(&w);
        expect(&w, c, n);
        for (size_t i = 0; i < n; i++)
            archai_trial_fini(&c[i]);
        world_close(&w);
    }
}

/* When nobody can fit any more nothing waits. */
static void without_a_surrogate_nothing_waits(void **state)
{
    archai_trial c;
    struct world w;

    (void)state;
    begin(&w, "max_per_fit = 1");
    assert_int_equal(archai_search_abandon_jobs(&w.search, "it is gone", NULL), ARCHAI_OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask_one_of(&w, &c), ARCHAI_ASK_CANDIDATE);
        archai_trial_fini(&c);
    }
    world_close(&w);
}

static void foreign_answers_are_refused(void **state)
{
    archai_surrogate_answer answer = {.id = 5};
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    open_world(&w, "async", 1, 1);
    assert_int_equal(archai_search_answer(&w.search, &answer, &err), ARCHAI_EFORMAT);
    world_close(&w);
}

/* numpy's generator takes 32 bits of seed, and numpy refuses more. */
static void long_seeds_are_refused(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    assert_int_equal(world_try(&w,
                               "[search]\nalgorithm = mo_bananas\nseed = 4294967296\n[space]\n"
                               "name = cnn\n[objective.a]\ndirection = maximize\n",
                               &err),
                     ARCHAI_EINVAL);
    assert_string_equal(err.text,
                        "t.ini:3: search.seed: 4294967296, mo_bananas takes seeds up to 4294967295");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proposals_are_the_pythons),
        cmocka_unit_test(async_proposes_each_once_until_the_space_is_empty),
        cmocka_unit_test(without_a_surrogate_async_goes_on_and_generational_says_why),
        cmocka_unit_test(where_everything_fails_the_search_ends),
        cmocka_unit_test(where_all_violate_a_constraint_it_begins_again),
        cmocka_unit_test(needs_something_to_predict),
        cmocka_unit_test(from_one_fit_come_as_many_as_are_allowed),
        cmocka_unit_test(by_default_as_many_as_a_generation_or_the_slots),
        cmocka_unit_test(without_a_surrogate_nothing_waits),
        cmocka_unit_test(foreign_answers_are_refused),
        cmocka_unit_test(long_seeds_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
