/* successive_halving and asha: who goes on with a larger budget, and who does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { SEED = 1 }; /* the default */

static const char one_objective[] = "[space]\nname = cnn\nseed = 8\n"
                                    "[objective.score]\ndirection = maximize\n";

/* Different for every architecture; the order does not depend on the budget. */
static void score(const archai_trial *c, archai_trial *e, void *context)
{
    const double s =
        fmod(arch_int(c, "nb_layers") * 12.9898 + arch_int(c, "kernel_size") * 78.233 +
                 arch_int(c, "hidden_dim") * 37.719,
             1.0);

    (void)context;
    archai_trial_set_measure(e, "score", s + 0.01 * log(c->budget));
}

static const char *config(const char *search)
{
    static char text[4096];

    (void)snprintf(text, sizeof text, "[search]\n%s%s", search, one_objective);
    return text;
}

static double without_budget(const struct log_row *r)
{
    return r->values[0] - 0.01 * log(r->budget);
}

/* With one objective every model is a front of its own: 12, 6, 3, 1. (The seed draws 12 different
 * ones.) */
static void halving_halves(void **state)
{
    static const struct {
        size_t models;
        double budget;
    } rounds[] = {{12, 2}, {6, 4}, {3, 8}, {1, 16}};
    struct log log = {.rows = NULL};
    struct world w;
    size_t at = 0;

    (void)state;
    world_open(&w, config("algorithm = successive_halving\nschedule = generational\n"
                          "init_num_models = 12\ninit_budget = 2\n"));
    drive(&w, score, NULL, 3, 5, SIZE_MAX, &log);
    for (size_t r = 0; r < sizeof rounds / sizeof *rounds; r++) {
        const size_t end = at + rounds[r].models;

        for (; at < end; at++) {
            size_t better = 0;

            assert_true(log.rows[at].budget == rounds[r].budget);
            assert_int_equal(log.rows[at].generation, r);
            assert_string_equal(log.rows[at].operator_, r == 0 ? "random" : "promotion");
            for (size_t i = 0; i < 12; i++)
                better += without_budget(&log.rows[i]) > without_budget(&log.rows[at]) + 1e-9;
            assert_true(better < rounds[r].models);
        }
    }
    assert_int_equal(log.n, at);
    assert_non_null(strstr(w.search.done, "one model is left after 4 rounds: "));
    assert_non_null(strstr(w.search.done, log.rows[at - 1].archid));
    log_free(&log);
    world_close(&w);
}

static void nothing(const archai_trial *c, archai_trial *e, void *context)
{
    (void)c;
    (void)context;
    e->status = ARCHAI_STATUS_FAILED;
}

static void alike(const archai_trial *c, archai_trial *e, void *context)
{
    (void)c;
    (void)context;
    archai_trial_set_measure(e, "score", 1);
}

static void halving_ends_in_words(void **state)
{
    struct log log = {.rows = NULL};
    struct world w;

    (void)state;
    world_open(&w, config("algorithm = successive_halving\nschedule = generational\n"));
    drive(&w, nothing, NULL, 3, 5, SIZE_MAX, &log);
    assert_string_equal(w.search.done, "no model of round 1 succeeded");
    log_free(&log);
    world_close(&w);
    world_open(&w, config("algorithm = successive_halving\nschedule = generational\n"));
    drive(&w, alike, NULL, 3, 5, SIZE_MAX, &log);
    assert_non_null(strstr(w.search.done, "models are left, none better than another"));
    log_free(&log);
    world_close(&w);
}

static void schedules_are_checked(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    assert_int_equal(world_try(&w, config("algorithm = successive_halving\n"), &err),
                     ARCHAI_EINVAL);
    assert_non_null(
        strstr(err.text, "search.schedule: successive_halving has no schedule 'async'"));
    assert_int_equal(world_try(&w, config("algorithm = asha\nschedule = generational\n"), &err),
                     ARCHAI_EINVAL);
    assert_int_equal(world_try(&w, config("algorithm = asha\nmax_budget = 0.5\n"), &err),
                     ARCHAI_EINVAL);
    assert_non_null(
        strstr(err.text, "t.ini:3: search.max_budget: 0.5 is less than init_budget 1"));
}

/* What the test knows of the rungs, by the paper's definition. */
struct rungs {
    double budget[4];
    struct {
        double score;
        char archid[64];
        int64_t id;
        bool promoted;
    } at[4][512];
    size_t n[4], promotions[4];
};

/* Where the weights of an evaluation would lie. */
static int64_t place_of(int64_t id)
{
    return 1000 + id;
}

static void assert_promotion(struct rungs *r, const archai_trial *c, size_t k)
{
    size_t better = 0, i = 0;

    while (i < r->n[k - 1] && strcmp(r->at[k - 1][i].archid, c->model.archid) != 0)
        i++;
    assert_true(i < r->n[k - 1]);
    assert_false(r->at[k - 1][i].promoted);
    for (size_t j = 0; j < r->n[k - 1]; j++)
        better += r->at[k - 1][j].score > r->at[k - 1][i].score;
    /* among the best third, of the rung as it is or was before it grew by 1 % */
    assert_true(better < r->n[k - 1] / 3);
    r->at[k - 1][i].promoted = true;
    /* it goes on from the weights of the rung below, with the seed that it began with */
    assert_true(c->begin_at == place_of(r->at[k - 1][i].id));
    while (k-- > 0)
        for (i = 0; i < r->n[k]; i++)
            if (strcmp(r->at[k][i].archid, c->model.archid) == 0)
                assert_true(k > 0 || c->seed == archai_rng_derive(SEED, (uint64_t)r->at[k][i].id));
}

/* A candidate that ought to be promoted by now, on any rung? */
static bool promotion_is_due(const struct rungs *r)
{
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < r->n[k]; i++) {
            size_t better = 0;

            for (size_t j = 0; j < r->n[k]; j++)
                better += r->at[k][j].score > r->at[k][i].score;
            if (!r->at[k][i].promoted && better < r->n[k] / 3)
                return true;
        }
    return false;
}

/* One worker, fewer than 100 on a rung: every decision is the paper's. */
static void asha_promotes_as_the_paper_says(void **state)
{
    struct rungs *r = calloc(1, sizeof *r);
    struct world w;

    (void)state;
    for (int k = 0; k < 4; k++)
        r->budget[k] = pow(3, k);
    world_open(&w, config("algorithm = asha\n"));
    for (int i = 0; i < 120; i++) {
        archai_trial c;
        archai_trial e;
        archai_ask what;
        bool on_front;
        size_t k = 0;

        assert_int_equal(ask(&w.search, &what, &c, &e, NULL), ARCHAI_OK);
        assert_int_equal(what, ARCHAI_ASK_CANDIDATE);
        while (r->budget[k] != c.budget)
            assert_true(++k < 4);
        assert_int_equal(k > 0, promotion_is_due(r));
        assert_string_equal(c.operator_, k > 0 ? "promotion" : "random");
        if (k > 0)
            assert_promotion(r, &c, k);
        else
            assert_true(c.begin_at == 0 && c.seed == archai_rng_derive(SEED, (uint64_t)c.id));
        assert_true(c.max_budget == 27 && c.keep == (k < 3));
        evaluation_of(&c, &e);
        score(&c, &e, NULL);
        assert_true(archai_search_keeps(&w.search, &e) == c.keep);
        e.stored = place_of(c.id);
        r->at[k][r->n[k]].id = c.id;
        assert_int_equal(archai_search_tell(&w.search, &e, &on_front, NULL), ARCHAI_OK);
        r->at[k][r->n[k]].score = archai_measure_get(e.measures, e.n_measures, "score");
        (void)snprintf(r->at[k][r->n[k]++].archid, sizeof r->at[0][0].archid, "%s", e.model.archid);
        archai_trial_fini(&e);
        archai_trial_fini(&c);
    }
    assert_true(r->n[1] > 20 && r->n[2] > 5 && r->n[3] > 1);
    free(r);
    world_close(&w);
}

/* All workers are always busy, and no (architecture, budget) comes twice. */
static void asha_never_waits(void **state)
{
    struct log log = {.rows = NULL};
    size_t rung[4] = {0};
    struct world w;

    (void)state;
    world_open(&w, config("algorithm = asha\n"));
    drive(&w, score, NULL, 40, 3, 150, &log);
    assert_int_equal(log.evaluated, 150);
    for (size_t i = 0; i < log.n; i++) {
        for (size_t j = 0; j < i; j++)
            assert_true(strcmp(log.rows[i].archid, log.rows[j].archid) != 0 ||
                        log.rows[i].budget != log.rows[j].budget);
        for (int k = 0; k < 4; k++)
            rung[k] += log.rows[i].budget == pow(3, k);
    }
    assert_true(rung[0] > 60 && rung[1] > 15 && rung[2] > 2);
    assert_true(rung[1] <= rung[0] / 2 && rung[2] <= rung[1] / 2);
    log_free(&log);
    world_close(&w);
}

/* Chance and enumeration take over with the lowest budget, whatever the default is: each architecture
 * has its first evaluation, and then the search is at its end. Five of the 16 satisfy the constraint. */
static void asha_comes_to_an_end(void **state)
{
    static const char *const texts[] = {
        "algorithm = asha\ndefault_budget = 3\n[space]\nname = cnn\nmax_layers = 4\n"
        "kernel_list = 3 5\nhidden_list = 4 8\n[objective.score]\ndirection = maximize\n",
        "algorithm = asha\ndefault_budget = 3\n[space]\nname = cnn\nmax_layers = 4\n"
        "kernel_list = 3 5\nhidden_list = 4 8\n[objective.score]\ndirection = maximize\n"
        "[objective.params]\ndirection = minimize\nconstraint = 0 400\n"};

    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        struct log log = {.rows = NULL};
        size_t first = 0;
        struct world w;
        char text[1024];

        (void)snprintf(text, sizeof text, "[search]\n%s", texts[t]);
        world_open(&w, text);
        drive(&w, score, NULL, 4, 3, 1000, &log);
        assert_true(log.n == log.evaluated && log.n < 1000);
        for (size_t i = 0; i < log.n; i++)
            first += log.rows[i].budget == 1;
        print_message("%zu of 16 tried: %s\n", first, w.search.done);
        assert_int_equal(first, t == 0 ? 16 : 5);
        assert_non_null(strstr(w.search.done, "were tried"));
        log_free(&log);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halving_halves),
        cmocka_unit_test(halving_ends_in_words),
        cmocka_unit_test(schedules_are_checked),
        cmocka_unit_test(asha_promotes_as_the_paper_says),
        cmocka_unit_test(asha_never_waits),
        cmocka_unit_test(asha_comes_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
