/* The space of transformers: arch files, bounds, bad input, enumeration. What Archai draws is
 * unit_transformer_flex_archai.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include <stdlib.h>
#include "transformer.h"

static const char *const types[] = {"codegen",         "gpt2", "gpt2-flex",
                                    "mem-transformer", "opt",  "transfo-xl"};
enum { TYPES = sizeof types / sizeof types[0], REPEATS = 10000 };

/* -- files ------------------------------------------------------------------------------- */

static void arch_files_are_those_of_archai(void **state)
{
    archai_space *s = open_space("gpt2", "vocab_size = 50257\natt_dropout_rate = 0.1\n");
    const char *text =
        "{\n  \"arch_type\": \"gpt2\",\n  \"d_inner\": 256,\n  \"d_model\": 1024,\n"
        "  \"dropatt\": 0.1,\n  \"max_sequence_length\": 1024,\n  \"n_head\": 4,\n"
        "  \"n_layer\": 2,\n  \"vocab_size\": 50257\n}";
    archai_model m;
    char *saved;

    (void)state;
    assert_int_equal(archai_space_load_arch(s, text, strlen(text), &m, NULL), 0);
    assert_string_equal(m.archid, "gpt2_df9751a4db6ffaa963687eeae3f04d8c764f5f9c");
    assert_int_equal(archai_space_save_arch(s, &m, &saved, NULL), 0);
    assert_string_equal(saved, text);
    free(saved);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void lists_are_saved_whole_and_hashed_as_used(void **state)
{
    archai_space *s = open_space("gpt2-flex", "share_d_inner = no\nmax_layers = 3\nseed = 2\n");
    const char *text =
        "{\n  \"arch_type\": \"gpt2-flex\",\n  \"d_inner\": [\n    192,\n    192,\n    448\n  "
        "],\n"
        "  \"d_model\": 960,\n  \"dropatt\": 0.0,\n  \"max_sequence_length\": 1024,\n"
        "  \"n_head\": 2,\n  \"n_layer\": 1,\n  \"vocab_size\": 10000\n}";
    archai_model m, loaded;
    char *saved;

    (void)state;
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    assert_int_equal(archai_space_save_arch(s, &m, &saved, NULL), 0);
    assert_string_equal(saved, text);
    assert_int_equal(archai_space_load_arch(s, saved, strlen(saved), &loaded, NULL), 0);
    assert_string_equal(loaded.archid, "gpt2-flex_e845e9fa047c930040464622bce558ea77869e13");
    assert_true(json_equal(m.arch, loaded.arch));
    free(saved);
    archai_model_fini(&loaded);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* Archai's save_arch adds arch_type to the living model, and so to the archids of its children.
 */
static void children_of_a_saved_model_have_their_own_archid(void **state)
{
    archai_space *s = open_space("gpt2", "mutation_prob = 0\n");
    archai_model m, child;
    char *saved;

    (void)state;
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    assert_int_equal(archai_space_save_arch(s, &m, &saved, NULL), 0);
    assert_int_equal(archai_space_mutate(s, &m, &child, NULL), 0);
    assert_string_equal(child.archid, m.archid);
    free(saved);
    archai_model_fini(&child);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

#define ARCH(type, layers, inner, width, heads)                                                \
    "{\"arch_type\": \"" type "\", \"n_layer\": " layers ", \"d_inner\": " inner               \
    ", \"d_model\": " width ", \"n_head\": " heads                                             \
    ", \"vocab_size\": 100, \"dropatt\": 0.5, \"max_sequence_length\": 8}"

/* gpt2-flex takes a list of heads, and goes on with the first number where a list is too short.
 */
static void files_may_hold_what_no_draw_gives(void **state)
{
    const char *flex = ARCH("gpt2-flex", "3", "[16, 8]", "12", "[2, 3, 4]");
    archai_space *shared = open_space("gpt2-flex", "mutation_prob = 0\n");
    archai_space *listed =
        open_space("gpt2-flex", "mutation_prob = 0\nmax_layers = 4\nshare_d_inner = no\n");
    archai_model m, child;
    float features[7];

    (void)state;
    assert_int_equal(archai_space_load_arch(shared, flex, strlen(flex), &m, NULL), 0);
    assert_int_equal(archai_space_encode(shared, &m, features, NULL), 0);
    assert_true(fabsf(features[1] - 40.0f / 3.0f) < 1e-5f && features[3] == 3.0f);
    assert_int_equal(archai_space_encode(listed, &m, features, NULL), 0);
    assert_true(features[1] == 16 && features[2] == 8 && features[3] == 16 && features[4] == 0);
    assert_int_equal(archai_space_mutate(shared, &m, &child, NULL), 0);
    assert_string_equal(child.archid, m.archid);
    archai_model_fini(&child);
    assert_int_equal(archai_space_mutate(listed, &m, &child, NULL), 0);
    assert_int_equal(json_array_size(json_object_get(child.arch, "d_inner")), 4);
    archai_model_fini(&child);
    archai_model_fini(&m);
    archai_space_destroy(shared);
    archai_space_destroy(listed);
}

/* -- every type -------------------------------------------------------------------------- */

static int64_t number(const archai_model *m, const char *key)
{
    return json_integer_value(json_object_get(m->arch, key));
}

/* Parameters, from the definitions of the networks. */
static int64_t parameters(const char *type, const archai_model *m)
{
    const int64_t n = number(m, "n_layer"), d = number(m, "d_model"), f = number(m, "d_inner");
    const int64_t v = number(m, "vocab_size");
    const int64_t feed = d * f + f + f * d + d, attention = 4 * (d * d + d);

    if (strcmp(type, "codegen") == 0)
        return 2 * v * d + v + 2 * d + n * (2 * d + 4 * d * d + feed);
    return (v + (strcmp(type, "opt") == 0 ? 2050 : 1024)) * d + 2 * d +
           n * (4 * d + attention + feed);
}

static void assert_described(archai_space *s, const char *type, const archai_model *m)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_counts counts;
    archai_network net;

    if (archai_space_describe(s, m, &net, &err) != 0 ||
        archai_network_count(&net, &counts, &err) != 0)
        fail_msg("%s: %s", m->archid, err.text);
    assert_int_equal(counts.params, parameters(type, m));
    assert_int_equal(counts.output.ndim, 2);
    assert_int_equal(counts.output.dim[0], 1024);
    assert_int_equal(counts.output.dim[1], 10000);
    archai_network_fini(&net);
}

static void samples_are_valid_and_within_their_bounds(void **state)
{
    (void)state;
    for (int t = 0; t < TYPES; t++) {
        archai_space *s = open_space(types[t], "min_layers = 2\nmax_layers = 7\nseed = 9\n");

        for (int i = 0; i < REPEATS; i++) {
            archai_model m, loaded;
            assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
            assert_in_range(number(&m, "n_layer"), 2, 7);
            assert_in_range(number(&m, "d_model"), 128, 960);
            assert_int_equal(number(&m, "d_model") % number(&m, "n_head"), 0);
            assert_int_equal(archai_space_load_json(s, m.arch, &loaded, NULL), 0);
            assert_string_equal(loaded.archid, m.archid);
            if (archai_space_can(s, "describe"))
                assert_described(s, types[t], &m);
            archai_model_fini(&loaded);
            archai_model_fini(&m);
        }
        assert_true(archai_space_can(s, "describe") ==
                    (strstr(types[t], "-transf") == NULL && strstr(types[t], "-xl") == NULL));
        archai_space_destroy(s);
    }
}

static void heads_that_do_not_divide_leave_no_child(void **state)
{
    archai_space *s = open_space(
        "opt", "d_model_options = 6 10\nn_head_options = 3 5\nmutation_prob = 1\nseed = 3\n");
    const char *six = ARCH("opt", "1", "8", "6", "3"), *ten = ARCH("opt", "1", "8", "10", "5");
    archai_err err = ARCHAI_ERR_INIT;
    archai_model a, b, child;
    int none = 0, born = 0;

    (void)state;
    assert_int_equal(archai_space_load_arch(s, six, strlen(six), &a, NULL), 0);
    assert_int_equal(archai_space_load_arch(s, ten, strlen(ten), &b, NULL), 0);
    for (int i = 0; i < 200; i++) {
        const archai_model *const parents[] = {&a, &b};
        int rc = i % 2 == 0 ? archai_space_mutate(s, &a, &child, &err)
                            : archai_space_crossover(s, parents, 2, &child, &err);

        if (rc == ARCHAI_ENONE) {
            assert_non_null(strstr(err.text, "do not divide d_model"));
            none++;
            continue;
        }
        assert_int_equal(rc, 0);
        archai_model_fini(&child);
        born++;
    }
    assert_true(none > 20 && born > 20);
    assert_int_equal(
        archai_space_crossover(s, (const archai_model *const[]){&a}, 1, &child, &err),
        ARCHAI_ENONE);
    archai_model_fini(&a);
    archai_model_fini(&b);
    archai_space_destroy(s);
}

/* -- bad input --------------------------------------------------------------------------- */

static void bad_arch_files_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {ARCH("gpt2", "0", "8", "8", "2"), "1: n_layer: 0 is outside 1..1024"},
        {ARCH("gpt2", "1", "8", "8", "3"), "1: n_head: 3 heads do not divide d_model = 8"},
        {ARCH("gpt2", "1", "8", "8", "[2]"), "1: n_head: a list, which only gpt2-flex takes"},
        {ARCH("gpt2", "1", "[8, 0]", "8", "2"), "1: d_inner[1]: 0 is outside 1.."},
        {ARCH("gpt2", "1", "[8, \"x\"]", "8", "2"), "1: d_inner[1]: expected a whole number"},
        {ARCH("gpt2", "1", "[]", "8", "2"), "1: d_inner: a list of 0"},
        {ARCH("gpt2", "1", "8.5", "8", "2"), "1: d_inner: expected a whole number"},
        {ARCH("opt", "1", "8", "8", "2"), "1: arch_type: 'opt', but the space's is 'gpt2'"},
        {"{\"n_layer\": 1}", "1: arch_type: missing, expected 'gpt2'"},
        {"{\"arch_type\": \"gpt2\",\n\"vocab_size\": 4,\n\"dropatt\": 2}",
         "3: dropatt: expected"},
        {"{\"arch_type\": \"gpt2\",\n\"vocab_size\": 4}",
         "1: dropatt: missing, expected a number"},
        {"{\"arch_type\": \"gpt2\", \"n_layer\": 1, \"d_inner\": 1, \"d_model\": 1, "
         "\"n_head\": 1,\n"
         "\"vocab_size\": 1, \"dropatt\": 0, \"max_sequence_length\": 1,\n \"n_heads\": 1}",
         "3: n_heads: unknown key; did you mean 'n_head'?"},
        {"[1]", "1: expected an object"},
    };
    archai_space *s = open_space("gpt2", "");
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            archai_space_load_arch(s, cases[i].text, strlen(cases[i].text), &m, &err),
            ARCHAI_EINVAL);
        if (strstr(err.text, cases[i].message) != err.text)
            fail_msg("'%s' does not begin '%s'", err.text, cases[i].message);
    }
    archai_space_destroy(s);
}

static void bad_sections_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *keys, *message;
    } cases[] = {
        {"", "t.ini:1: space.arch_type: missing"},
        {"arch_type = gpt3\n", "t.ini:3: space.arch_type: unknown 'gpt3', expected one"},
        {"arch_type = gpt2\nmin_layers = 11\n", "t.ini:1: space.max_layers: 10 is less than"},
        {"arch_type = gpt2\nn_head_options = 7 11\nd_model_options = 64\n",
         "t.ini:4: space.n_head_options: no number in it divides one of d_model_options"},
        {"arch_type = gpt2\nn_head_options =\n", "t.ini:4: space.n_head_options: "},
        {"arch_type = gpt2\nd_model_options =\n", "t.ini:4: space.d_model_options: is empty"},
        {"arch_type = gpt2\nd_inner_options =\n", "t.ini:4: space.d_inner_options: is empty"},
        {"arch_type = opt\nvocab_size = 1\n", "t.ini:4: space.vocab_size: 1, but opt pads"},
        {"arch_type = gpt2\nd_inner_options = 0\n", "t.ini:4: space.d_inner_options: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_space *s = NULL;
        int rc = try_space(&s, cases[i].keys, NULL, &err);

        assert_int_equal(archai_rc_exit_status(rc), 2);
        if (strstr(err.text, cases[i].message) != err.text)
            fail_msg("'%s' does not begin '%s'", err.text, cases[i].message);
    }
}

static void the_data_must_fit(void **state)
{
    const archai_data_shape data = {.tokens = 64, .vocab = 500};
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;
    archai_network net;
    archai_model m;

    (void)state;
    assert_int_equal(try_space(&s, "arch_type = opt\nvocab_size = 499\n", &data, &err),
                     ARCHAI_EINVAL);
    assert_string_equal(err.text,
                        "t.ini:4: space.vocab_size: 499, but the data set has 500 tokens");
    assert_int_equal(try_space(&s, "arch_type = gpt2\nmax_sequence_length = 63\n", &data, &err),
                     ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "the data set's sequences have 64 tokens"));
    assert_int_equal(try_space(&s, "arch_type = gpt2\n", &data, &err), 0);
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(net.input[0], 64);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* -- enumeration --------------------------------------------------------------------------- */

static void assert_enumerated(const char *keys, size_t n)
{
    archai_space *s = open_space("gpt2-flex", keys);
    char *seen[64];

    assert_true(n <= 64 && archai_space_cardinality(s) == (double)n);
    for (size_t i = 0; i < n; i++) {
        archai_model m;

        assert_int_equal(s->ops->at(s, i, &m, NULL), 0);
        seen[i] = strdup(m.archid);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
        archai_model_fini(&m);
    }
    assert_int_equal(s->ops->at(s, n, &(archai_model){.arch = NULL}, NULL), ARCHAI_EINVAL);
    for (int i = 0; i < 500; i++) { /* and nothing else is ever drawn */
        size_t j = 0;
        archai_model m;

        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        while (j < n && strcmp(seen[j], m.archid) != 0)
            j++;
        assert_true(j < n);
        archai_model_fini(&m);
    }
    for (size_t i = 0; i < n; i++)
        free(seen[i]);
    archai_space_destroy(s);
}

/* Pairs that divide: 4 and 2, 6 and 2, 6 and 3. */
static void every_architecture_can_be_named(void **state)
{
    (void)state;
    assert_enumerated("min_layers = 2\nmax_layers = 3\nd_inner_options = 8 8 16\n"
                      "d_model_options = 4 6\nn_head_options = 2 3\n",
                      2 * 2 * 3);
    assert_enumerated("min_layers = 1\nmax_layers = 3\nd_inner_options = 8 8 16\n"
                      "d_model_options = 4 6\nn_head_options = 2 3\nshare_d_inner = no\n",
                      (2 + 4 + 8) * 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arch_files_are_those_of_archai),
        cmocka_unit_test(lists_are_saved_whole_and_hashed_as_used),
        cmocka_unit_test(children_of_a_saved_model_have_their_own_archid),
        cmocka_unit_test(files_may_hold_what_no_draw_gives),
        cmocka_unit_test(samples_are_valid_and_within_their_bounds),
        cmocka_unit_test(heads_that_do_not_divide_leave_no_child),
        cmocka_unit_test(bad_arch_files_are_refused_with_line_and_key),
        cmocka_unit_test(bad_sections_are_refused_with_line_and_key),
        cmocka_unit_test(the_data_must_fit),
        cmocka_unit_test(every_architecture_can_be_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
