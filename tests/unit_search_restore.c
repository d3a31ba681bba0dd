/* A search that goes on from rows: it repeats nothing, and what is determined stays so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "small_search.h"

/* A row as it is read back from the results. */
static void row_of(const struct world *w, const struct log *log, size_t id,
                   archai_trial *e)
{
    const struct log_row *r = &log->rows[id];
    long long layers, kernel, width;
    char arch[256];

    assert_int_equal(sscanf(r->archid, "L=%lld, K=%lld, H=%lld", &layers, &kernel, &width), 3);
    (void)snprintf(arch, sizeof arch,
                   "{\"nb_layers\": %lld, \"kernel_size\": %lld, \"hidden_dim\": %lld}", layers,
                   kernel, width);
    *e = (archai_trial){.id = (int64_t)id,
                             .status = r->status,
                             .budget = r->budget,
                             .generation = r->generation,
                             .model.archid = strdup(r->archid),
                             .arch = strdup(arch),
                             .operator_ = strdup(r->operator_),
                             .parents = strdup(r->parents)};
    for (size_t i = 0; i < w->objectives.n; i++)
        archai_trial_set_measure(e, w->objectives.at[i].source, r->values[i]);
}

static void restore_row(struct world *w, const struct log *log, size_t id)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial e;

    row_of(w, log, id, &e);
    if (archai_search_restore(&w->search, &e, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    archai_trial_fini(&e);
}

static void resumed_async_repeats_nothing(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++) {
        struct log first = {.rows = NULL}, second[2] = {{.rows = NULL}, {.rows = NULL}};
        struct world w;

        if (!has_schedule(*ops, ARCHAI_ASYNC))
            continue;
        world_open(&w, config((*ops)->name, ARCHAI_ASYNC, ""));
        drive(&w, fail_often, NULL, 4, 21, 60, &first);
        world_close(&w);
        for (int i = 0; i < 2; i++) {
            size_t lost = 0;

            world_open(&w, config((*ops)->name, ARCHAI_ASYNC, ""));
            for (size_t id = 0; id < first.n; id++)
                if (id % 13 != 7) /* these were running when it was killed */
                    restore_row(&w, &first, id);
                else
                    lost++;
            drive(&w, fail_often, NULL, 4, 22, 40, &second[i]);
            assert_int_equal(w.search.n_finished, first.n - lost + 40);
            for (size_t id = 0; id < second[i].n; id++)
                for (size_t k = 0; k < first.n && second[i].rows[id].archid[0] != '\0'; k++) {
                    assert_true(id >= first.n || id % 13 == 7); /* a lost id is free again */
                    assert_true(k % 13 == 7 ||
                                strcmp(first.rows[k].archid, second[i].rows[id].archid) != 0 ||
                                first.rows[k].budget != second[i].rows[id].budget);
                }
            world_close(&w);
        }
        assert_int_equal(second[0].n, second[1].n);
        assert_memory_equal(second[0].rows, second[1].rows,
                            second[0].n * sizeof *second[0].rows);
        log_free(&first);
        log_free(&second[0]);
        log_free(&second[1]);
    }
}

static void one_under_way_is_handed_out_first(void **state)
{
    archai_trial e = {.id = 41, .status = ARCHAI_STATUS_RUNNING, .budget = 1};
    archai_trial c;
    struct world w;

    (void)state;
    world_open(&w, config("random_search", ARCHAI_ASYNC, ""));
    e.model.archid = strdup("L=2, K=3, H=16");
    e.arch = strdup("{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}");
    e.operator_ = strdup("mutation");
    e.parents = strdup("[\"L=1, K=3, H=16\"]");
    assert_int_equal(archai_search_restore(&w.search, &e, NULL), ARCHAI_OK);
    ask_one(&w, &c);
    assert_int_equal(c.id, 41);
    assert_string_equal(c.model.archid, "L=2, K=3, H=16");
    assert_string_equal(c.operator_, "mutation");
    assert_string_equal(c.parents, "[\"L=1, K=3, H=16\"]");
    archai_trial_fini(&c);
    ask_one(&w, &c);
    assert_int_equal(c.id, 42);
    archai_trial_fini(&c);
    archai_trial_fini(&e);
    world_close(&w);
}

/* All that it had when it was handed out the first time. */
static void one_under_way_is_what_it_was(void **state)
{
    archai_trial e = {
        .id = 3, .status = ARCHAI_STATUS_RUNNING, .budget = 4, .generation = 2, .begin_at = 77};
    archai_trial c;
    struct world w;

    (void)state;
    world_open(&w, config("asha", ARCHAI_ASYNC, ""));
    e.model.archid = strdup("L=2, K=3, H=16");
    e.arch = strdup("{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}");
    e.metadata = strdup("{\"parent\": \"L=1, K=3, H=16\"}");
    assert_int_equal(archai_search_restore(&w.search, &e, NULL), ARCHAI_OK);
    assert_int_equal(w.search.n_running, 1);
    assert_int_equal(w.search.n_finished, 0);
    assert_int_equal(archai_search_requeue(&w.search, 3, NULL), ARCHAI_OK); /* it waits already */
    for (int i = 0; i < 2; i++) {
        ask_one(&w, &c);
        assert_int_equal(c.id, 3);
        assert_true(c.budget == 4);
        assert_int_equal(c.generation, 2);
        assert_true(c.begin_at == 77);
        assert_string_equal(c.parents, "[]");
        assert_string_equal(c.metadata, "{\"parent\": \"L=1, K=3, H=16\"}");
        archai_trial_fini(&c);
        assert_int_equal(archai_search_requeue(&w.search, 3, NULL), ARCHAI_OK);
    }
    ask_one(&w, &c);
    assert_int_equal(c.id, 3);
    archai_trial_fini(&c);
    ask_one(&w, &c);
    assert_int_equal(c.id, 4);
    archai_trial_fini(&c);
    archai_trial_fini(&e);
    world_close(&w);
}

/* `e` is not taken over, but a copy. */
static int restore_copy(struct world *w, archai_trial e, archai_err *err)
{
    int rc;

    e.model.archid = e.model.archid != NULL ? strdup(e.model.archid) : NULL;
    e.arch = e.arch != NULL ? strdup(e.arch) : NULL;
    rc = archai_search_restore(&w->search, &e, err);
    e.encoding = NULL;
    archai_trial_fini(&e);
    return rc;
}

static void assert_no_row(struct world *w, archai_trial e, int rc, const char *why)
{
    archai_err err = ARCHAI_ERR_INIT;

    assert_int_equal(restore_copy(w, e, &err), rc);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void rows_that_cannot_be_are_refused(void **state)
{
    (void)state;
    for (int schedule = 0; schedule < 2; schedule++) {
        archai_trial e = {.id = 5, .status = ARCHAI_STATUS_FAILED, .budget = 1}, other;
        struct world w;

        world_open(&w, config("random_search", schedule, ""));
        e.model.archid = (char *)(uintptr_t)"L=2, K=3, H=16";
        e.arch = (char *)(uintptr_t)"{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}";
        other = e;
        other.id = -1;
        assert_no_row(&w, other, ARCHAI_EFORMAT, "row -1 of the results is out of order");
        assert_int_equal(restore_copy(&w, e, NULL), ARCHAI_OK);
        assert_no_row(&w, e, ARCHAI_EFORMAT, "row 5 of the results is out of order");
        other.id = 4;
        assert_no_row(&w, other, ARCHAI_EFORMAT, "row 4 of the results is out of order");
        other.id = 6;
        other.arch = NULL;
        assert_no_row(&w, other, ARCHAI_EFORMAT, "row 6 of the results is out of order or incomplete");
        other = e;
        other.id = 6;
        other.model.archid = NULL;
        assert_no_row(&w, other, ARCHAI_EFORMAT, "row 6 of the results is out of order or incomplete");
        other = e;
        other.id = 6;
        other.status = ARCHAI_STATUS_COUNT;
        assert_no_row(&w, other, ARCHAI_EFORMAT, "row 6 of the results has status");
        other.status = ARCHAI_STATUS_RUNNING - 1;
        assert_no_row(&w, other, ARCHAI_EFORMAT, "row 6 of the results has status");
        if (schedule == ARCHAI_ASYNC) {
            assert_int_equal(archai_search_restore_end(&w.search, NULL), ARCHAI_OK);
            other.status = ARCHAI_STATUS_FAILED;
            assert_no_row(&w, other, ARCHAI_EINTERNAL, "row 6 comes after the search began");
        }
        world_close(&w);
    }
}

/* A start does not draw again what the one before it drew, but the same every time. */
static void every_start_draws_its_own(void **state)
{
    uint32_t drawn[4][2];
    struct log log = {.rows = NULL};
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
    drive(&w, accuracy, NULL, 1, 0, 30, &log);
    world_close(&w);
    for (int i = 0; i < 4; i++) {
        const size_t rows = (const size_t[]){0, 20, 20, 30}[i];

        world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
        for (size_t id = 0; id < rows; id++)
            restore_row(&w, &log, id);
        assert_int_equal(archai_search_restore_end(&w.search, NULL), ARCHAI_OK);
        drawn[i][0] = (uint32_t)archai_rng_below(&w.search.algorithm->rng, 1u << 31);
        drawn[i][1] = (uint32_t)archai_rng_below(&w.space->rng, 1u << 31);
        world_close(&w);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_not_equal(drawn[0][i], drawn[1][i]);
        assert_int_not_equal(drawn[1][i], drawn[3][i]);
        assert_int_equal(drawn[1][i], drawn[2][i]);
    }
    log_free(&log);
}

static void fail_often_with_more(const archai_trial *c, archai_trial *e, void *context)
{
    fail_often(c, e, context);
    archai_trial_set_measure(e, "extra", (double)c->id + 0.5);
    e->stored = 1000 + c->id;
}

/* Record by record: values and further measures, places of weights, members of the front. */
static void restored_records_are_what_they_were(void **state)
{
    (void)state;
    for (int schedule = 0; schedule < 2; schedule++) {
        const char *text = config("evolution_pareto", schedule, "num_iters = 12\n");
        struct log log = {.rows = NULL};
        struct world w, v;
        size_t repeated = 0;

        world_open(&w, text);
        drive(&w, fail_often_with_more, NULL, 4, 3, 80, &log);
        world_open(&v, text);
        for (size_t id = 0; id < log.n; id++) {
            const archai_record *r = &w.search.records[id];
            archai_trial e;

            if (log.rows[id].archid[0] == '\0')
                continue;
            row_of(&v, &log, id, &e);
            e.stored = r->stored;
            for (size_t k = 0; k < r->n_metrics; k++)
                archai_trial_set_measure(&e, w.search.metrics[k],
                                                  r->values[v.objectives.n + k]);
            assert_int_equal(archai_search_restore(&v.search, &e, NULL), ARCHAI_OK);
            archai_trial_fini(&e);
        }
        assert_int_equal(archai_search_restore_end(&v.search, NULL), ARCHAI_OK);
        assert_int_equal(v.search.front.n, w.search.front.n);
        for (size_t i = 0; i < w.search.n_records; i++) {
            const archai_record *a = &w.search.records[i], *b = &v.search.records[i];

            if (a->status == ARCHAI_STATUS_RUNNING)
                continue;
            assert_true(i < v.search.n_records);
            assert_int_equal(b->id, a->id);
            assert_string_equal(b->archid, a->archid);
            assert_int_equal(b->status, a->status);
            repeated += archai_search_find(&v.search, b->archid, b->budget) != b;
            assert_int_equal(b->stored, a->stored);
            assert_int_equal(b->n_metrics, a->n_metrics);
            assert_int_equal(b->on_front, a->on_front);
            assert_int_equal(b->generation, a->generation);
            assert_null(b->trial);
            assert_int_equal(b->arch != NULL, b->on_front || b->keep);
            for (size_t k = 0; k < v.objectives.n + a->n_metrics; k++)
                assert_true(a->values[k] == b->values[k] ||
                            (isnan(a->values[k]) && isnan(b->values[k])));
        }
        assert_true(schedule == ARCHAI_ASYNC || repeated > 0);
        assert_int_equal(v.search.n_finished, w.search.n_finished);
        log_free(&log);
        world_close(&v);
        world_close(&w);
    }
}

/* As they stand in the row; where they do not, from the architecture. */
static void encodings_are_taken_over_or_made(void **state)
{
    archai_trial e = {.status = ARCHAI_STATUS_FAILED, .budget = 1};
    float *encoding, *made;
    archai_model model;
    struct world w;
    size_t n;

    (void)state;
    world_open(&w, config("bayes_opt", ARCHAI_ASYNC, ""));
    n = w.space->encoding_size;
    encoding = calloc(n, sizeof *encoding);
    made = calloc(n, sizeof *made);
    assert_true(encoding != NULL && made != NULL);
    for (size_t i = 0; i < n; i++)
        encoding[i] = 0.5F + (float)i;
    e.model.archid = strdup("L=2, K=3, H=16");
    e.arch = strdup("{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}");
    for (int i = 0; i < 3; i++) { /* right, none, of another length */
        e.id = i;
        e.status = i == 2 ? ARCHAI_STATUS_CACHED : ARCHAI_STATUS_FAILED;
        e.encoding = i == 1 ? NULL : encoding;
        e.n_encoding = (const size_t[]){n, 0, n - 1}[i];
        assert_int_equal(restore_copy(&w, e, NULL), ARCHAI_OK);
    }
    assert_int_equal(archai_search_restore_end(&w.search, NULL), ARCHAI_OK);
    assert_int_equal(archai_space_load_arch(w.space, e.arch, strlen(e.arch), &model, NULL), ARCHAI_OK);
    assert_int_equal(archai_space_encode(w.space, &model, made, NULL), ARCHAI_OK);
    assert_int_equal(w.search.n_finished, 2); /* what repeats another one is no evaluation */
    assert_memory_equal(w.search.records[0].encoding, encoding, n * sizeof *encoding);
    assert_memory_equal(w.search.records[1].encoding, made, n * sizeof *made);
    assert_memory_equal(w.search.records[2].encoding, made, n * sizeof *made);
    archai_model_fini(&model);
    e.encoding = NULL;
    archai_trial_fini(&e);
    free(encoding);
    free(made);
    world_close(&w);
}

/* Killed after any number of results, with holes: the whole is what it would have been. */
static void resumed_generational_is_the_same_search(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++) {
        struct log whole = {.rows = NULL};
        size_t finished;
        struct world w;

        if (!has_schedule(*ops, ARCHAI_GENERATIONAL))
            continue;
        world_open(&w, config((*ops)->name, ARCHAI_GENERATIONAL, ""));
        drive(&w, fail_often, NULL, 1, 0, SIZE_MAX, &whole);
        finished = w.search.n_finished;
        assert_int_equal(finished, count_different(&whole));
        world_close(&w);
        for (size_t stop = 0; stop <= whole.n; stop += 7) {
            struct log rest = {.rows = NULL};
            size_t restored = 0;

            world_open(&w, config((*ops)->name, ARCHAI_GENERATIONAL, ""));
            for (size_t id = 0; id < stop; id++)
                if (id % 5 != 3 || id + 10 < stop) {
                    restore_row(&w, &whole, id);
                    restored++;
                }
            drive(&w, fail_often, NULL, 3, 8, SIZE_MAX, &rest);
            assert_int_equal(w.search.n_records, whole.n);
            assert_int_equal(w.search.n_finished, finished); /* repeated failures not counted */
            for (size_t id = 0; id < rest.n; id++)
                if (rest.rows[id].archid[0] != '\0') {
                    assert_memory_equal(&rest.rows[id], &whole.rows[id], sizeof *whole.rows);
                    restored++;
                }
            assert_int_equal(restored, whole.n);
            log_free(&rest);
            world_close(&w);
        }
        log_free(&whole);
    }
}

/* A hole now and then. */
static bool has_row(size_t id)
{
    return id % 5 != 3;
}

/* Evaluations among the first `stop` rows, each of them once. */
static size_t count_evaluated(const struct log *l, size_t stop)
{
    size_t n = 0;

    for (size_t i = 0; i < stop; i++) {
        size_t k = 0;

        if (!has_row(i))
            continue;
        while (k < i && !(has_row(k) && l->rows[k].budget == l->rows[i].budget &&
                          strcmp(l->rows[k].archid, l->rows[i].archid) == 0))
            k++;
        n += k == i && l->rows[i].status != ARCHAI_STATUS_CACHED;
    }
    return n;
}

/* Whatever the search has come to again by then. */
static void evaluations_of_earlier_starts_are_counted_at_once(void **state)
{
    struct log whole = {.rows = NULL};
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, "num_iters = 12\n"));
    drive(&w, fail_often, NULL, 1, 0, SIZE_MAX, &whole);
    world_close(&w);
    for (size_t stop = 5; stop <= whole.n; stop += 5) {
        archai_trial c;

        world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, "num_iters = 12\n"));
        for (size_t id = 0; id < stop; id++)
            if (has_row(id))
                restore_row(&w, &whole, id);
        assert_int_equal(archai_search_restore_end(&w.search, NULL), ARCHAI_OK);
        assert_int_equal(w.search.n_finished, count_evaluated(&whole, stop));
        ask_one(&w, &c);
        assert_int_equal(c.id, 3); /* the first hole */
        archai_trial_fini(&c);
        world_close(&w);
    }
    log_free(&whole);
}

/* A row that says so is none. */
static void one_under_way_in_a_generation_is_proposed_again(void **state)
{
    struct log whole = {.rows = NULL};
    archai_trial c;
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, ""));
    drive(&w, accuracy, NULL, 1, 0, 12, &whole);
    world_close(&w);
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, ""));
    whole.rows[4].status = ARCHAI_STATUS_RUNNING;
    for (size_t id = 0; id < 10; id++)
        restore_row(&w, &whole, id);
    ask_one(&w, &c);
    assert_int_equal(c.id, 4);
    assert_string_equal(c.model.archid, whole.rows[4].archid);
    assert_int_equal(w.search.n_running, 1);
    assert_int_equal(w.search.n_finished, 9);
    archai_trial_fini(&c);
    log_free(&whole);
    world_close(&w);
}

static void a_changed_search_is_refused(void **state)
{
    struct log whole = {.rows = NULL};
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, ""));
    drive(&w, accuracy, NULL, 1, 0, 40, &whole);
    world_close(&w);
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, "num_random_mix = 2\n"));
    for (size_t id = 0; id < whole.n; id++)
        restore_row(&w, &whole, id);
    assert_int_equal(archai_search_restore_end(&w.search, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "the configuration or the program has changed since"));
    world_close(&w);
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, ""));
    for (size_t id = 0; id < whole.n; id++) {
        whole.rows[id].budget = 2; /* the same architectures, for longer */
        restore_row(&w, &whole, id);
    }
    assert_int_equal(archai_search_restore_end(&w.search, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "(budget 2), but the search comes to "));
    log_free(&whole);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumed_async_repeats_nothing),
        cmocka_unit_test(one_under_way_is_handed_out_first),
        cmocka_unit_test(one_under_way_is_what_it_was),
        cmocka_unit_test(rows_that_cannot_be_are_refused),
        cmocka_unit_test(every_start_draws_its_own),
        cmocka_unit_test(restored_records_are_what_they_were),
        cmocka_unit_test(encodings_are_taken_over_or_made),
        cmocka_unit_test(resumed_generational_is_the_same_search),
        cmocka_unit_test(evaluations_of_earlier_starts_are_counted_at_once),
        cmocka_unit_test(one_under_way_in_a_generation_is_proposed_again),
        cmocka_unit_test(a_changed_search_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
