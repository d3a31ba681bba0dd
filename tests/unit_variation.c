/* Parents in turn: everyone as often as everyone else, whatever becomes of the children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/algorithm/variation.h"
#include "small_search.h"

enum { PARENTS = 5 };

/* A search in which the first ones were evaluated and are kept. */
static void open_with_parents(struct world *w, size_t *parents)
{
    struct log log = {.rows = NULL};

    world_open(w, config("nsga2", ARCHAI_ASYNC, "population_size = 200\n"));
    drive(w, accuracy, NULL, 1, 0, 3 * PARENTS, &log);
    for (size_t i = 0; i < PARENTS; i++) {
        parents[i] = 3 * i + 1;
        assert_non_null(w->search.records[parents[i]].arch);
    }
    log_free(&log);
}

/* Which of the parents has the next child. */
static size_t next_turn(struct world *w, archai_turns *t, archai_rng *rng,
                        const size_t *parents, size_t n, bool *is_new)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial p;
    const char *archid;
    json_t *archids;
    size_t i = 0;

    if (archai_vary_mutate_in_turn(&w->search, t, rng, parents, n, &p, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    archids = json_loads(p.parents, 0, NULL);
    assert_int_equal(json_array_size(archids), 1);
    archid = json_string_value(json_array_get(archids, 0));
    while (i < n && strcmp(w->search.records[parents[i]].archid, archid) != 0)
        i++;
    assert_true(i < n);
    *is_new = !archai_search_seen(&w->search, p.model.archid);
    json_decref(archids);
    archai_trial_fini(&p);
    return i;
}

static void every_parent_has_its_turn(void **state)
{
    size_t parents[PARENTS], turns[PARENTS] = {0};
    archai_turns t = {.taken = NULL};
    archai_rng rng;
    struct world w;
    bool is_new;

    (void)state;
    open_with_parents(&w, parents);
    archai_rng_seed(&rng, 7);
    for (size_t round = 1; round <= 40; round++) {
        for (size_t i = 0; i < PARENTS; i++)
            turns[next_turn(&w, &t, &rng, parents, PARENTS, &is_new)]++;
        for (size_t i = 0; i < PARENTS; i++)
            assert_int_equal(turns[i], round);
    }
    archai_turns_fini(&t);
    world_close(&w);
}

/* Who joins later has fewer turns behind it, and comes first until it has as many as the
 * others. */
static void a_newcomer_catches_up(void **state)
{
    struct log log = {.rows = NULL};
    archai_turns t = {.taken = NULL};
    size_t parents[PARENTS];
    archai_rng rng;
    struct world w;
    bool is_new;

    (void)state;
    open_with_parents(&w, parents);
    archai_rng_seed(&rng, 7);
    for (size_t i = 0; i < 3 * (PARENTS - 1); i++)
        assert_true(next_turn(&w, &t, &rng, parents, PARENTS - 1, &is_new) < PARENTS - 1);
    drive(&w, accuracy, NULL, 1, 0, 50, &log); /* how many there are by then plays no part */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(next_turn(&w, &t, &rng, parents, PARENTS, &is_new), PARENTS - 1);
    log_free(&log);
    archai_turns_fini(&t);
    world_close(&w);
}

/* Chance decides between equal ones, and prefers none of them: 1200 turns, 240 for each of
 * five, of which 4.5 standard deviations are 62, and 300 for each of four, 67. */
static void chance_decides_who_begins(void **state)
{
    size_t parents[PARENTS], second[2][PARENTS] = {{0}};
    archai_rng rng;
    struct world w;
    bool is_new;

    (void)state;
    open_with_parents(&w, parents);
    archai_rng_seed(&rng, 7);
    for (size_t had = 0; had < 2; had++)
        for (int i = 0; i < 1200; i++) {
            archai_turns t = {.taken = NULL};

            if (had > 0) /* the first one has had its turn */
                (void)next_turn(&w, &t, &rng, parents, 1, &is_new);
            second[had][next_turn(&w, &t, &rng, parents, PARENTS, &is_new)]++;
            archai_turns_fini(&t);
        }
    for (size_t i = 0; i < PARENTS; i++)
        assert_in_range(second[0][i], 178, 302);
    assert_int_equal(second[1][0], 0);
    for (size_t i = 1; i < PARENTS; i++)
        assert_in_range(second[1][i], 233, 367);
    world_close(&w);
}

/* A parent has mutants that nobody has tried: one of them comes, though most mutants may be
 * known. */
static void what_is_new_is_preferred(void **state)
{
    size_t parents[PARENTS], fresh = 0;
    struct log log = {.rows = NULL};
    archai_turns t = {.taken = NULL};
    archai_rng rng;
    struct world w;
    bool is_new;

    (void)state;
    open_with_parents(&w, parents);
    drive(&w, accuracy, NULL, 1, 0, 85, &log); /* more than half of the space is known */
    archai_rng_seed(&rng, 7);
    for (size_t i = 0; i < 200; i++) {
        size_t at = 0;

        while (w.search.records[at].arch == NULL)
            at++;
        (void)next_turn(&w, &t, &rng, &at, 1, &is_new);
        fresh += is_new;
    }
    assert_true(fresh > 190);
    log_free(&log);
    archai_turns_fini(&t);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parent_has_its_turn),
        cmocka_unit_test(a_newcomer_catches_up),
        cmocka_unit_test(chance_decides_who_begins),
        cmocka_unit_test(what_is_new_is_preferred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
