/* Rules that end candidates early: what Optuna and Ray Tune answered, event by event (data/make_prune.py); several objectives;
 * curves that grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/progress/growing.h"
#include "core/progress/prune.h"
#include "json_data.h"

static double number_or(const json_t *object, const char *key, double otherwise)
{
    const json_t *v = json_object_get(object, key);

    return json_is_number(v) ? json_number_value(v) : otherwise;
}

static archai_pruner *pruner_of(const json_t *c)
{
    const json_t *s = json_object_get(c, "settings");
    const archai_prune_settings settings = {
        .rule = strcmp(json_string_value(json_object_get(c, "rule")), "median") == 0 ? 1 : 2,
        .n_startup_trials = (int64_t)number_or(s, "n_startup_trials", 5),
        .n_warmup_steps = (int64_t)number_or(s, "n_warmup_steps", 0),
        .interval_steps = (int64_t)number_or(s, "interval_steps", 1),
        .grace_period = (int64_t)number_or(s, "grace_period", 1),
        .reduction_factor = number_or(s, "reduction_factor", 4),
    };

    return archai_pruner_create(&settings, 1, 0, strcmp(json_string_value(json_object_get(c, "direction")), "maximize") == 0);
}

/* How many were told to end. */
static int replay(const json_t *c, size_t number)
{
    const double sign = strcmp(json_string_value(json_object_get(c, "direction")), "maximize") == 0 ? -1 : 1;
    const json_t *events = json_object_get(c, "events");
    archai_pruner *p = pruner_of(c);
    int ended = 0;

    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *e = json_array_get(events, i);
        const int64_t id = json_integer_value(json_array_get(e, 1));
        double cost, cutoff;
        bool ends;

        if (strcmp(json_string_value(json_array_get(e, 0)), "end") == 0) {
            cost = 0;
            archai_pruner_end(p, id, json_integer_value(json_array_get(e, 2)) != 0, &cost);
            continue;
        }
        cost = json_is_null(json_array_get(e, 3)) ? (double)NAN : sign * json_number_value(json_array_get(e, 3));
        ends = archai_pruner_report(p, id, json_number_value(json_array_get(e, 2)), &cost, &cutoff);
        if (ends != (json_integer_value(json_array_get(e, 4)) != 0))
            fail_msg("case %zu, event %zu, candidate %d: %d", number, i, (int)id, (int)ends);
        ended += ends;
    }
    archai_pruner_destroy(p);
    return ended;
}

static void others_answer_the_same(void **state)
{
    json_t *cases = load_json_data("prune.json");
    int ended = 0;

    (void)state;
    assert_true(json_array_size(cases) >= 36);
    for (size_t i = 0; i < json_array_size(cases); i++)
        ended += replay(json_array_get(cases, i), i);
    assert_true(ended > 300);
    json_decref(cases);
}

static const archai_prune_settings at_once = {.rule = 1, .n_startup_trials = 1, .interval_steps = 1};

static bool report(archai_pruner *p, int64_t id, double step, double a, double b)
{
    const double cost[] = {a, b};
    double cutoff;

    return archai_pruner_report(p, id, step, cost, &cutoff);
}

static void complete(archai_pruner *p, int64_t id, double a, double b)
{
    const double cost[] = {a, b};

    archai_pruner_end(p, id, true, cost);
}

/* What is worse by the measure may be better by another. */
static void only_what_is_no_worse_otherwise_is_compared(void **state)
{
    archai_pruner *p = archai_pruner_create(&at_once, 2, 0, false);

    (void)state;
    assert_false(report(p, 0, 1, 0.1, 100));
    complete(p, 0, 0.1, 100);
    assert_false(report(p, 1, 1, 0.5, 99)); /* worse, but smaller than the only other */
    assert_true(report(p, 2, 1, 0.5, 100));
    assert_false(report(p, 3, 1, 0.5, NAN)); /* not known */
    assert_true(report(p, 4, 1, 0.5, 1000));
    archai_pruner_destroy(p);
}

static void what_begins_again_is_compared_again(void **state)
{
    archai_pruner *p = archai_pruner_create(&at_once, 2, 0, false);

    (void)state;
    assert_false(report(p, 0, 1, 0.1, 1));
    complete(p, 0, 0.1, 1);
    assert_true(report(p, 1, 1, 0.5, 1));
    assert_false(report(p, 1, 2, 0.5, 1)); /* said once */
    archai_pruner_forget(p, 1);
    assert_true(report(p, 1, 1, 0.5, 1));
    assert_false(report(p, 2, 1, 0.05, 1));
    assert_false(report(p, 2, 1, 0.5, 1)); /* the same step again */
    archai_pruner_destroy(p);
}

static void none_prunes_nothing(void **state)
{
    const archai_prune_settings none = {.rule = 0};

    (void)state;
    assert_null(archai_pruner_create(&none, 1, 0, false));
    archai_pruner_destroy(NULL);
}

/* -- curves ------------------------------------------------------------------------------ */

static const archai_growing_curve *curve(const archai_growing *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->at[i].name, name) == 0)
            return &g->at[i];
    return NULL;
}

static void grow(archai_growing *g, double at, bool by_epoch, double value)
{
    size_t place;

    if (archai_growing_begin(g, at, by_epoch, &place))
        archai_growing_add(g, place, "a", value);
}

static void epochs_have_their_places(void **state)
{
    archai_growing g = {.n = 0};

    (void)state;
    grow(&g, 1, true, 10);
    grow(&g, 3, true, 30);
    grow(&g, 0, true, 99);     /* they were counted from 1 */
    grow(&g, 1e12, true, 99);  /* no place for it */
    grow(&g, -1, true, 99);
    assert_int_equal(curve(&g, "a")->n, 3);
    assert_true(curve(&g, "a")->values[0] == 10 && isnan(curve(&g, "a")->values[1]) && curve(&g, "a")->values[2] == 30);
    archai_growing_clear(&g);
    grow(&g, 0, true, 5); /* range(n) */
    grow(&g, 1, true, 6);
    assert_int_equal(curve(&g, "a")->n, 2);
    assert_true(curve(&g, "a")->values[1] == 6);
    assert_null(curve(&g, "step"));
    archai_growing_clear(&g);
}

static void steps_stand_in_order_and_are_thinned(void **state)
{
    archai_growing g = {.n = 0};
    const archai_growing_curve *a, *step;

    (void)state;
    for (int i = 0; i < 50000; i++)
        grow(&g, 100.0 * i, false, i);
    a = curve(&g, "a");
    step = curve(&g, "step");
    assert_true(a->n == step->n && a->n > ARCHAI_GROWING_STEPS / 2 && a->n <= ARCHAI_GROWING_STEPS);
    assert_true(a->values[0] == 0 && a->values[1] > 1);
    for (size_t i = 0; i < a->n; i++) {
        assert_true(a->values[i] == (float)i * a->values[1]);
        assert_true(step->values[i] == 100 * a->values[i]);
    }
    archai_growing_clear(&g);
    grow(&g, NAN, false, 1);
    grow(&g, 7, true, 2); /* after a report without an epoch all are in order */
    assert_int_equal(curve(&g, "a")->n, 2);
    archai_growing_clear(&g);
}

static void curves_are_bounded(void **state)
{
    archai_growing g = {.n = 0};
    char name[32];
    size_t place;

    (void)state;
    assert_true(archai_growing_begin(&g, ARCHAI_GROWING_EPOCHS, true, &place));
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        archai_growing_add(&g, place, name, 1);
    }
    assert_true(g.n <= ARCHAI_GROWING_CURVES && g.n_values <= ARCHAI_GROWING_VALUES);
    assert_int_equal(curve(&g, "m0")->n, ARCHAI_GROWING_EPOCHS);
    archai_growing_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_answer_the_same),
        cmocka_unit_test(only_what_is_no_worse_otherwise_is_compared),
        cmocka_unit_test(what_begins_again_is_compared_again),
        cmocka_unit_test(none_prunes_nothing),
        cmocka_unit_test(epochs_have_their_places),
        cmocka_unit_test(steps_stand_in_order_and_are_thinned),
        cmocka_unit_test(curves_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
