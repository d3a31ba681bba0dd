/* Ranges, lists and null as choices, and constants of the space `config`; what is none of them.
 * The draws of ranges.json are CPython's (make_ranges.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/python_text.h"
#include "json_data.h"
#include "tree_space.h"

static double number(const archai_model *m, const char *name)
{
    return json_number_value(json_object_get(m->arch, name));
}

/* -- drawing ------------------------------------------------------------------------------ */

static void assert_drawn(const archai_model *m, const json_t *expected)
{
    char *got = archai_python_json(m->arch, false), *want = archai_python_json(expected, false);

    assert_string_equal(got, want);
    free(got);
    free(want);
}

static void draws_are_those_of_python(void **state)
{
    json_t *golden = load_json_data("ranges.json");
    const json_t *samples = json_object_get(golden, "samples");
    const json_t *mutants = json_object_get(golden, "mutants");
    char *tree = archai_python_json(json_object_get(golden, "tree"), false);
    archai_space *s = open_tree(tree, "seed = 7\nmutation_prob = 0.5\n");
    const size_t n = json_array_size(samples);
    archai_model m[12], child;

    (void)state;
    assert_int_equal(n, 12);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(archai_space_random_sample(s, &m[i], NULL), 0);
        assert_drawn(&m[i], json_array_get(samples, i));
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(archai_space_mutate(s, &m[i], &child, NULL), 0);
        assert_drawn(&child, json_array_get(mutants, i));
        archai_model_fini(&child);
        archai_model_fini(&m[i]);
    }
    archai_space_destroy(s);
    json_decref(golden);
    free(tree);
}

/* Of 4,000 samples of 1e-4 to 1 half are below 1e-2; 0.02 is 2.5 standard deviations. Every
 * value of a short range occurs, none but those. */
static void samples_fill_their_range(void **state)
{
    archai_space *s = open_tree("r: {range: [1.0e-4, 1], log: true}\n"
                                "k: {range: [2, 11], step: 3}\n"
                                "t: {range: [0, 1], step: 0.25}\n",
                                "");
    int below = 0, k[12] = {0}, t[5] = {0};
    archai_model m;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        assert_true(number(&m, "r") >= 1e-4 && number(&m, "r") <= 1);
        below += number(&m, "r") < 1e-2;
        assert_true(json_is_integer(json_object_get(m.arch, "k")));
        assert_in_range(number(&m, "k"), 2, 11);
        k[(int)number(&m, "k")]++;
        assert_true(number(&m, "t") * 4 == floor(number(&m, "t") * 4));
        t[(int)(number(&m, "t") * 4)]++;
        archai_model_fini(&m);
    }
    assert_true(abs(below - 2000) < 80);
    assert_true(k[2] > 900 && k[5] > 900 && k[8] > 900 && k[11] > 900);
    assert_int_equal(k[2] + k[5] + k[8] + k[11], 4000);
    for (int i = 0; i < 5; i++)
        assert_true(t[i] > 700);
    archai_space_destroy(s);
}

/* How far 2,000 mutants are from the middle of the scale on average; whether any is equal to
 * it. */
static double mean_move(const char *keys, bool *equal)
{
    archai_space *s = open_tree("k: {range: [0, 1000]}\n", keys);
    archai_model m = load_arch(s, "{k: 500}"), child;
    double sum = 0;

    *equal = false;
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(archai_space_mutate(s, &m, &child, NULL), 0);
        sum += fabs(number(&child, "k") - 500) / 1000;
        *equal |= number(&child, "k") == 500;
        archai_model_fini(&child);
    }
    archai_model_fini(&m);
    archai_space_destroy(s);
    return sum / 2000;
}

/* A normal deviate of 0.2 is 0.16 from 0 on average, 0.155 where those beyond 0.5 are left out;
 * a uniform one on the scale is 0.25 from its middle. */
static void mutations_stay_near_or_are_drawn_anew(void **state)
{
    bool equal;

    (void)state;
    assert_true(fabs(mean_move("mutation_prob = 1\n", &equal) - 0.155) < 0.01);
    assert_false(equal);
    assert_true(
        fabs(mean_move("mutation_prob = 1\nrange_mutation = uniform\n", &equal) - 0.25) < 0.01);
    assert_true(equal); /* one in a thousand */
}

static void two_values_become_each_other(void **state)
{
    archai_space *s = open_tree("k: {range: [4, 8], step: 4}\n", "mutation_prob = 1\n");
    archai_model m = load_arch(s, "{k: 4}"), child;

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(archai_space_mutate(s, &m, &child, NULL), 0);
        assert_true(number(&child, "k") == (i % 2 == 0 ? 8 : 4));
        archai_model_fini(&m);
        m = child;
    }
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void children_have_their_parents_numbers(void **state)
{
    archai_space *s = open_tree("a: {range: [0.0, 1.0]}\nb: {range: [0.0, 1.0]}\n", "");
    archai_model m[2] = {load_arch(s, "{a: 0.125, b: 0.25}"),
                         load_arch(s, "{a: 0.5, b: 0.75}")};
    const archai_model *parents[2] = {&m[0], &m[1]};
    int seen[4] = {0};

    (void)state;
    for (int i = 0; i < 60; i++) {
        archai_model child;

        assert_int_equal(archai_space_crossover(s, parents, 2, &child, NULL), 0);
        assert_true(number(&child, "a") == 0.125 || number(&child, "a") == 0.5);
        assert_true(number(&child, "b") == 0.25 || number(&child, "b") == 0.75);
        seen[2 * (number(&child, "a") == 0.5) + (number(&child, "b") == 0.75)]++;
        archai_model_fini(&child);
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
    archai_model_fini(&m[0]);
    archai_model_fini(&m[1]);
    archai_space_destroy(s);
}

/* -- identity and encoding ---------------------------------------------------------------- */

static void archids_hold_the_number_encodings_its_place(void **state)
{
    archai_space *s = open_tree("lr: {range: [1.0e-4, 1.0], log: true}\n"
                                "w: {range: [10, 50], step: 10}\n"
                                "x: {range: [0.5, 2.5], when: {w: 20}}\n",
                                "hash_archid = no\n");
    archai_model m = load_arch(s, "{lr: 0.01, w: 20, x: 1.0}");
    float out[3];

    (void)state;
    assert_string_equal(m.archid, "(0.01, 20.0, 1.0)");
    assert_string_equal(s->ops->encoding_kinds(s), "sss");
    assert_int_equal(archai_space_encode(s, &m, out, NULL), 0);
    assert_true(fabsf(out[0] - 0.5f) < 1e-6f && out[1] == 0.25f && out[2] == 0.25f);
    archai_model_fini(&m);
    m = load_arch(s, "{lr: 1, w: 50}");
    assert_string_equal(m.archid, "(1.0, 50.0, nan)");
    assert_int_equal(archai_space_encode(s, &m, out, NULL), 0);
    assert_true(out[0] == 1.0f && out[1] == 1.0f && out[2] == -1.0f);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void arch_files_keep_to_the_range(void **state)
{
    archai_space *s =
        open_tree("lr: {range: [1.0e-4, 1.0]}\nw: {range: [16, 64], step: 16}\n", "");
    archai_model m = load_arch(s, "{lr: 1, w: 20.0}"); /* between two steps */

    (void)state;
    assert_true(json_is_real(json_object_get(m.arch, "lr")));
    assert_true(json_is_integer(json_object_get(m.arch, "w")));
    archai_model_fini(&m);
    assert_arch_refused(s, "{lr: 1.5, w: 16}", "1: lr: is not a number from 0.0001 to 1.0");
    assert_arch_refused(s, "lr: 0.5\nw: 15\n", "2: w: is not a whole number from 16.0 to 64.0");
    assert_arch_refused(s, "{lr: 0.5, w: 16.5}", "w: is not a whole number");
    assert_arch_refused(s, "{lr: x, w: 16}", "lr: is not a number");
    assert_arch_refused(s, "{lr: 0.5}", "w: missing");
    archai_space_destroy(s);
}

static void numbers_in_steps_are_counted(void **state)
{
    archai_space *s = open_tree("k: {range: [1, 3]}\nt: {range: [0, 1], step: 0.5}\n"
                                "c: {choice: [a, b], when: {k: [1, 3]}}\n",
                                "hash_archid = no\n");
    archai_space *endless = open_tree("k: {range: [1, 3]}\nx: {range: [0.0, 1.0]}\n", "");
    archai_space *huge = open_tree("k: {range: [-9007199254740992, 9007199254740992]}\n", "");
    char *seen[15];
    archai_model m;

    (void)state;
    assert_true(archai_space_cardinality(s) == 2 * 3 * 2 + 3);
    for (size_t n = 0; n < 15; n++) {
        assert_int_equal(s->ops->at(s, n, &m, NULL), 0);
        seen[n] = strdup(m.archid);
        for (size_t i = 0; i < n; i++)
            assert_string_not_equal(seen[i], seen[n]);
        archai_model_fini(&m);
    }
    for (size_t n = 0; n < 15; n++)
        free(seen[n]);
    assert_true(isinf(archai_space_cardinality(endless)));
    assert_int_equal(endless->ops->at(endless, 0, &m, NULL), ARCHAI_ENOTSUP);
    assert_true(archai_space_cardinality(huge) == 0x1p54 + 1);
    archai_space_destroy(s);
    archai_space_destroy(endless);
    archai_space_destroy(huge);
}

static void ranges_share_ids_and_count_groups(void **state)
{
    archai_space *s = open_tree("a: {range: [1, 9], id: S}\nb: {id: S}\n"
                                "l: {repeat: {x: {id: S}}, times: {range: [1, 3]}}\n",
                                "hash_archid = no\n");
    archai_model m = load_arch(s, "{a: 4, b: 4, l: {_repeat_times: 2, _configs: {'0': {x: 5}, "
                                  "'1': {x: 6}}}}");

    (void)state;
    assert_string_equal(m.archid, "(4.0, 2.0, 5.0, 6.0, nan)");
    archai_model_fini(&m);
    assert_true(archai_space_cardinality(s) == 9 * (9 + 81 + 729));
    archai_space_destroy(s);
}

/* -- other choices and constants ---------------------------------------------------------- */

static void lists_and_null_can_be_chosen(void **state)
{
    archai_space *s = open_tree("d: {choice: [null, [1, 2], [3, 4], [1, 2]]}\n"
                                "n: {choice: [null, 2]}\n"
                                "k: {choice: [3, 5], when: {d: null}}\n",
                                "hash_archid = no\n");
    archai_model m = load_arch(s, "{d: [3, 4], n: 2}");
    bool list = false, nothing = false;

    (void)state;
    assert_string_equal(s->ops->encoding_kinds(s), "ccccccn");
    assert_string_equal(m.archid, "(0.0, 0.0, 1.0, 0.0, 0.0, 1.0, nan)");
    archai_model_fini(&m);
    m = load_arch(s, "{d: null, n: null, k: 5}");
    assert_string_equal(m.archid, "(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 5.0)");
    archai_model_fini(&m);
    assert_true(archai_space_cardinality(s) == 2 * (2 + 2));
    assert_arch_refused(s, "{d: [4, 3], n: 2}", "d: is not one of the choices [null, [1, 2]");
    for (int i = 0; i < 40; i++) {
        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        list |= json_is_array(json_object_get(m.arch, "d"));
        nothing |= json_is_null(json_object_get(m.arch, "d"));
        archai_model_fini(&m);
    }
    assert_true(list && nothing);
    archai_space_destroy(s);
}

static void constants_can_be_lists_and_mappings(void **state)
{
    archai_space *s = open_tree("x: {choice: [1, 2]}\nsizes: {constant: [3, 4]}\n"
                                "how: {constant: {choices: [1], low: 2}}\nn: {constant: 7}\n",
                                "hash_archid = no\n");
    archai_model m = load_arch(s, "{x: 2}");
    char *text = archai_python_json(m.arch, false);

    (void)state;
    assert_string_equal(text, "{\"sizes\": [3, 4], \"how\": {\"choices\": [1], \"low\": 2}, "
                              "\"n\": 7, \"x\": 2}");
    assert_string_equal(m.archid, "(2.0,)");
    assert_arch_refused(s, "{x: 2, sizes: [4, 3]}", "sizes: differs from the tree's constant");
    free(text);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* -- mistakes ----------------------------------------------------------------------------- */

/* Each stands in line 2 of the file. */
static void what_other_tools_write_is_refused_with_our_form(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"lr: [0.1, 0.01]",
         "lr: a bare list: write {choice: [0.1, 0.01]} to choose from it, or "
         "{constant: [0.1, 0.01]}"},
        {"lr: \"suggest_float('lr', 0.01, 0.1)\"",
         "lr: calls are not run: write {range: [low, high]} or {choice: [...]}, or {constant: ...} "
         "for the text itself"},
        {"lr: {n: tune.choice(1), m: {choice: [1]}}", "lr.n: calls are not run"},
        {"lr: {choices: [0.1, 0.01]}", "write {choice: [0.1, 0.01]}"},
        {"lr: {values: [1, 2]}", "write {choice: [1, 2]}"},
        {"lr: {type: categorical, options: [a]}", "write {choice: [\"a\"]}"},
        {"lr: {uniform: [0, 1.5]}", "write {range: [0, 1.5]}"},
        {"lr: {loguniform: [1.0e-5, 1.0e-1]}", "write {range: [1e-05, 0.1], log: true}"},
        {"lr: {low: 0.001, high: 0.1, log: true}", "write {range: [0.001, 0.1], log: true}"},
        {"lr: {min: 1, max: 9}", "write {range: [1, 9]}"},
        {"lr: {min: 1, max: 9, step: 2}", "write {range: [1, 9], step: 2}"},
        {"lr: {distribution: log_normal, lower: 1, upper: 9}", "{range: [1, 9], log: true}"},
        {"lr: {float: {low: 1, high: 2}}", "write {range: [1, 2]}"},
        {"lr: {randint: 5}", "write {range: [low, high]}"},
        {"lr: {range: 10}", "write {range: [low, high]}"},
        {"lr: {choise: [1, 2]}", "did you mean 'choice'?"},
        {"lr: {a: 1, b: {c: 2}}", "lr.b: a group without a parameter"},
        {"lr: {a: 1, b: {c: [2]}}", "lr.b.c: a bare list"},
        {"lr: {}", "lr: a group without a parameter"},
        {"lr: {constant: 1, also: 2}", "lr: a group without a parameter"},
        {"lr: {range: [1]}", "lr.range: expected two numbers, [low, high]"},
        {"lr: {range: [1, 2, 3]}", "single values are {choice: [1, 2, 3]}"},
        {"lr: {range: [a, 2]}", "lr.range: expected two numbers"},
        {"lr: {range: [1, 1.0e+300]}", "lr.range: expected two numbers"},
        {"lr: {range: [2, 1]}", "lr.range: expected [low, high] with low < high, not [2, 1]"},
        {"lr: {range: [2, 2]}", "with low < high"},
        {"lr: {range: [0, 1], log: true}", "lr.log: a logarithmic scale needs a range above 0"},
        {"lr: {range: [1, 2], log: 10}", "lr.log: expected true or false"},
        {"lr: {range: [1, 2], step: 0}", "lr.step: expected a number above 0"},
        {"lr: {range: [1, 2], step: 3}", "lr.step: expected a number above 0, at most"},
        {"lr: {range: [1.0, 2.0], step: 1.0e-300}", "lr.step: too small"},
        {"lr: {range: [1, 2], setp: 1}", "lr.setp: unknown key; did you mean 'step'?"},
        {"lr: {range: [1, 2], weights: [1, 2]}", "lr.weights: unknown key"},
        {"lr: {range: [1.0, 2.0]}\ny: {choice: [1], when: {lr: 1.5}}",
         "y.when.lr: is any number of a range"},
        {"lr: {range: [1, 5]}\ny: {choice: [1], when: {lr: 6}}",
         "y.when.lr: the parameter has no"},
        {"lr: {range: [1, 5], id: S}\ny: {range: [1, 6], id: S}", "y.range: differs"},
        {"lr: {range: [1, 5], id: S}\ny: {choice: [1, 6], id: S}", "y.choice: differs"},
        {"lr: {repeat: {z: {choice: [1]}}, times: {range: [1, 2000]}}",
         "lr.times: expected a range"},
        {"lr: {repeat: {z: {choice: [1]}}, times: {range: [1.0, 2.0]}}",
         "lr.times: expected a range"},
        {"lr: {repeat: {z: [1, 2]}, times: 1}", "z: a bare list"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256], line[32];

        (void)snprintf(text, sizeof text, "x: {choice: [1, 2]}\n%s\n", cases[i].text);
        (void)snprintf(line, sizeof line,
                       "tree.yaml:%d: ", strchr(cases[i].text, '\n') != NULL ? 3 : 2);
        assert_tree_refused(text, "", cases[i].message);
        assert_tree_refused(text, "", line);
    }
}

/* JSON has lines, too. */
static void mistakes_in_json_have_a_line(void **state)
{
    (void)state;
    assert_tree_refused("{\"x\": {\"choice\": [1, 2]},\n\n \"g\": {\n\"lr\": [1]}}", "",
                        "tree.yaml:4: g.lr: a bare list");
}

/* Earlier versions took lists and mappings for constants; their resolved configurations have
 * the sha1 of the tree. */
static void runs_of_earlier_versions_resume(void **state)
{
    static const char tree[] = "x: {choice: [1, 2]}\nsizes: [3, 4]\nfixed: {a: 1, b: [2]}\n";
    static const char sha1[] =
        "tree_sha1 = 8c91ce5c6dcb1e3280e99165774a02e2273b36a9\n"; /* hashlib's, of json.dumps */
    archai_space *s = open_tree(tree, sha1);
    archai_model m = load_arch(s, "{sizes: [3, 4], fixed: {a: 1, b: [2]}, x: 2}");

    (void)state;
    archai_model_fini(&m);
    archai_space_destroy(s);
    assert_tree_refused(tree, "", "tree.yaml:2: sizes: a bare list");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_those_of_python),
        cmocka_unit_test(samples_fill_their_range),
        cmocka_unit_test(mutations_stay_near_or_are_drawn_anew),
        cmocka_unit_test(two_values_become_each_other),
        cmocka_unit_test(children_have_their_parents_numbers),
        cmocka_unit_test(archids_hold_the_number_encodings_its_place),
        cmocka_unit_test(arch_files_keep_to_the_range),
        cmocka_unit_test(numbers_in_steps_are_counted),
        cmocka_unit_test(ranges_share_ids_and_count_groups),
        cmocka_unit_test(lists_and_null_can_be_chosen),
        cmocka_unit_test(constants_can_be_lists_and_mappings),
        cmocka_unit_test(what_other_tools_write_is_refused_with_our_form),
        cmocka_unit_test(mistakes_in_json_have_a_line),
        cmocka_unit_test(runs_of_earlier_versions_resume),
    };

    return cmocka_run_group_tests(tests, make_tree_directory, remove_tree_directory);
}
