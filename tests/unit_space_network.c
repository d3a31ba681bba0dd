/* Files with `parameters` and `network`: what the network is given, what a run refuses before
 * it starts, and the group `train`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/python_text.h"
#include "core/config/train_own.h"
#include "core/space/config/param_tree.h"
#include "json_data.h"
#include "tree_space.h"

static const archai_data_shape pictures = {
    .channels = 3, .height = 8, .width = 8, .num_classes = 5};

#define PARAMETERS                                                                             \
    "parameters:\n"                                                                            \
    "  width: {range: [4, 16], step: 4}\n"                                                     \
    "  norm: {choice: [false, true]}\n"                                                        \
    "  stages: {repeat: {kernel: {choice: [1, 3]}, more: {choice: [0, 8], when: {kernel: "     \
    "3}}},\n"                                                                                  \
    "           times: [1, 2]}\n"
#define NETWORK                                                                                \
    "network:\n"                                                                               \
    "  - for: stages\n"                                                                        \
    "    as: s\n"                                                                              \
    "    do:\n"                                                                                \
    "      - Conv2d: {out_channels: \"width + (s.more if s.kernel == 3 else 0)\", "            \
    "kernel_size: s.kernel}\n"                                                                 \
    "      - if: norm\n"                                                                       \
    "        then: BatchNorm2d\n"                                                              \
    "  - AdaptiveAvgPool2d: 1\n"                                                               \
    "  - flatten\n"                                                                            \
    "  - Linear: classes\n"

static archai_space *open_network(const char *text, const char *keys)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;

    if (try_tree(&s, text, keys, &pictures, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static int64_t params_of(archai_space *s, const char *arch)
{
    archai_model m = load_arch(s, arch);
    archai_err err = ARCHAI_ERR_INIT;
    archai_counts counts;

    if (archai_space_count(s, &m, &counts, &err) != 0)
        fail_msg("%s", err.text);
    archai_model_fini(&m);
    return counts.params;
}

static void a_model_has_the_network_of_its_values(void **state)
{
    archai_space *s = open_network(PARAMETERS NETWORK, "hash_archid = no\n");
    archai_model m = load_arch(s, "{width: 8, norm: true, stages: {_repeat_times: 1, _configs: "
                                  "{'0': {kernel: 1}}}}");

    (void)state;
    assert_true(archai_space_can(s, "describe"));
    assert_string_equal(m.archid, "(8.0, 1.0, 1.0, 1.0, nan, nan, nan)");
    archai_model_fini(&m);
    /* 1x1 to 8 channels: 24 + 8, BatchNorm2d: 16, Linear(8, 5): 45 */
    assert_int_equal(params_of(s, "{width: 8, norm: true, stages: {_repeat_times: 1, _configs: "
                                  "{'0': {kernel: 1}}}}"),
                     93);
    /* 3x3 to 12: 324 + 12, 1x1 to 4: 48 + 4, Linear(4, 5): 25; what does not exist is not there
     */
    assert_int_equal(params_of(s,
                               "{width: 4, norm: false, stages: {_repeat_times: 2, _configs: "
                               "{'0': {kernel: 3, more: 8}, '1': {kernel: 1, more: 8}}}}"),
                     413);
    archai_space_destroy(s);
}

static void a_file_without_parameters_is_one_network(void **state)
{
    archai_space *s = open_network("network:\n  - flatten\n  - Linear: classes\n", "");
    archai_model m;

    (void)state;
    assert_true(archai_space_cardinality(s) == 1.0);
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    archai_model_fini(&m);
    assert_int_equal(params_of(s, "{}"), 192 * 5 + 5);
    archai_space_destroy(s);
}

/* A tree may have parameters of these names, as it always could. */
static void trees_may_use_the_words_of_a_file(void **state)
{
    archai_space *s = open_tree("network: {choice: [a, b]}\nparameters: {range: [1, 3]}\n",
                                "hash_archid = no\n");
    archai_model m = load_arch(s, "{network: b, parameters: 2}");

    (void)state;
    assert_string_equal(m.archid, "(0.0, 1.0, 2.0)");
    archai_model_fini(&m);
    archai_space_destroy(s);
    s = open_tree("parameters:\n  x: {choice: [1, 2]}\n", "hash_archid = no\n");
    m = load_arch(s, "{x: 2}");
    assert_string_equal(m.archid, "(2.0,)");
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void plain_values_leave_out_what_does_not_exist(void **state)
{
    static const char text[] =
        "{\"op\": {\"choice\": [\"a\", \"b\"]}, \"c\": 3, \"k\": {\"choice\": [1], \"when\": "
        "{\"op\": \"a\"}}, \"g\": {\"when\": {\"op\": \"a\"}, \"x\": {\"choice\": [5]}}, "
        "\"l\": "
        "{\"repeat\": {\"y\": {\"choice\": [7, 8]}, \"z\": 1}, \"times\": [3, 1]}}";
    archai_param_tree *t = NULL;
    json_t *source = json_loads(text, 0, NULL), *values[8] = {NULL}, *plain;
    char *got;

    (void)state;
    assert_int_equal(archai_param_tree_create(&t, source, NULL, 0, NULL), 0);
    assert_int_equal(t->n, 7);
    for (size_t i = 0; i < t->n; i++)
        values[i] = archai_param_first(&t->params[i]);
    json_decref(values[0]);
    values[0] = json_string("b");
    json_decref(values[3]);
    values[3] = json_integer(1);
    plain = archai_param_tree_values(t, values);
    got = archai_python_json(plain, false);
    assert_string_equal(got, "{\"op\": \"b\", \"c\": 3, \"l\": [{\"y\": 7, \"z\": 1}]}");
    free(got);
    json_decref(plain);
    for (size_t i = 0; i < t->n; i++)
        json_decref(values[i]);
    archai_param_tree_destroy(t);
    json_decref(source);
}

/* -- what a file refuses
 * ----------------------------------------------------------------------- */

static void assert_file_refused(const char *text, const char *message)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;
    const int rc = try_tree(&s, text, "", &pictures, &err);

    if (archai_rc_exit_status(rc) != 2 || strstr(err.text, message) == NULL)
        fail_msg("'%s': %d '%s' lacks '%s'", text, rc, err.text, message);
    assert_memory_equal(err.text, "t.ini:3: space.tree: /", 22);
}

static void mistakes_are_found_before_anything_starts(void **state)
{
    (void)state;
    assert_file_refused("parameters:\n  x: {choices: [1]}\nnetwork:\n  - Linear: classes\n",
                        "tree.yaml:2: x: 'choices' does not make a parameter");
    assert_file_refused("parameters:\n  x: {choice: [1, 2]}\nextra: 1\n",
                        "tree.yaml:3: extra: unknown key");
    assert_file_refused("parameters:\n  x: {choice: [1, 2]}\ninput: {features: 4}\nnetwrok:\n  - "
                        "Linear: classes\n",
                        "tree.yaml:4: netwrok: unknown key; did you mean 'network'?");
    assert_file_refused("parameters:\n  x: {choice: [1, 2]}\nmodel:\n  - Linear: classes\n",
                        "tree.yaml:3: model: unknown key; did you mean 'network'?");
    assert_file_refused("parameters:\n  x: {choice: [1, 2]}\nblocks:\n  b: ReLU\n",
                        "tree.yaml:1: there is no 'network'");
    assert_file_refused("network:\n  - flatten\n  - Lineer: 5\n", "tree.yaml:3: ");
    /* only a sample shows it */
    assert_file_refused("network:\n  - flatten\n  - Linear: 5\n  - Conv2d: {out_channels: 3, "
                        "kernel_size: 1}\n",
                        "tree.yaml:4: ");
}

static int check_use(const char *text, bool budgets, archai_err *err)
{
    const archai_space_use use = {.budgets = budgets};
    archai_space *s = open_network(text, "");
    const int rc = archai_space_check_use(s, &use, err);

    archai_space_destroy(s);
    return rc;
}

static void assert_use_refused(const char *text, bool budgets, const char *message)
{
    archai_err err = ARCHAI_ERR_INIT;

    assert_int_equal(check_use(text, budgets, &err), ARCHAI_EINVAL);
    assert_memory_equal(err.text, "space.tree: /", 13);
    if (strstr(err.text, message) == NULL)
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void what_nothing_uses_is_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(check_use(PARAMETERS NETWORK, false, NULL), 0);
    assert_use_refused(PARAMETERS "  depth: {range: [1, 2]}\n" NETWORK, false,
                       "tree.yaml:6: depth: nothing uses this parameter; neither `network`");
    assert_use_refused(
        PARAMETERS "  learning_rate: {choice: [0.1, 0.2]}\n" NETWORK, false,
        "tree.yaml:6: learning_rate: nothing uses this parameter; a key of [train] "
        "belongs in the group 'train'");
    assert_use_refused(PARAMETERS "  g: {repeat: {q: {choice: [1]}}, times: [1, 2]}\n" NETWORK,
                       false, "tree.yaml:6: g._repeat_times: nothing uses");
    /* it decides whether another one exists */
    assert_int_equal(
        check_use(PARAMETERS
                  "  how: {choice: [a, b]}\n"
                  "  train: {momentum: {choice: [0.1, 0.9], when: {how: a}}}\n" NETWORK,
                  false, NULL),
        0);
    /* the space cnn's names */
    assert_int_equal(check_use("nb_layers: {choice: [1, 2]}\nkernel_size: 3\nhidden_dim: 4\n"
                               "train: {batch_size: {choice: [32, 64]}}\n",
                               false, NULL),
                     0);
    assert_use_refused("nb_layers: {choice: [1, 2]}\nkernel_size: 3\nhidden_dim: 4\n"
                       "batch_size: {choice: [32, 64]}\n",
                       false, "tree.yaml:4: batch_size: nothing uses");
}

static void every_sample_must_be_a_network(void **state)
{
    (void)state;
    assert_use_refused("parameters:\n  k: {choice: [1, 2, 9]}\nnetwork:\n"
                       "  - Conv2d: {out_channels: 2, kernel_size: k}\n  - flatten\n",
                       false, " of 16 random samples fail)");
}

#define WITH_TRAIN(keys) PARAMETERS "  train: {" keys "}\n" NETWORK

static void the_group_train_is_checked(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {WITH_TRAIN("lerning_rate: {choice: [1]}"),
         "tree.yaml:6: train.lerning_rate: not a key of [train]; did you mean "
         "'learning_rate'?"},
        {WITH_TRAIN("batch_size: {choice: [32, 0]}"), "train.batch_size: 0 is outside"},
        {WITH_TRAIN("learning_rate: {range: [1.0, 2000.0]}"), "train.learning_rate: 2000"},
        {WITH_TRAIN("batch_size: {range: [16.0, 64.0]}"), "is not a whole number"},
        {WITH_TRAIN("batch_size: {range: [16, 64], step: 0.5}"), "16.5 is not a whole number"},
        {WITH_TRAIN("optimizer: {choice: [sgd, lamb]}"), "train.optimizer: unknown 'lamb'"},
        {WITH_TRAIN("optimizer: {choice: [sgd, null]}"), "train.optimizer: "},
        {WITH_TRAIN("momentum: {choice: [0.1]}, weight_decay: -1"), "train.weight_decay: -1"},
        {WITH_TRAIN("inherit_weights: {choice: [false, true]}"), "same for all candidates"},
        {WITH_TRAIN("loss: {choice: [mse, l1]}"), "same for all candidates"},
        {WITH_TRAIN("milestones: {choice: [[1, 2], [-1]]}"), "train.milestones: -1"},
        {WITH_TRAIN("g: {momentum: {choice: [0.1]}}"), "train.g: expected a choice"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_use_refused(cases[i].text, false, cases[i].message);
    assert_use_refused(WITH_TRAIN("epochs: {range: [1, 3]}"), true,
                       "train.epochs: the algorithm");
    assert_int_equal(check_use(WITH_TRAIN("epochs: {range: [1, 3]}"), false, NULL), 0);
}

static void a_candidate_is_trained_as_its_values_say(void **state)
{
    archai_space *s = open_network(
        WITH_TRAIN(
            "learning_rate: {range: [1.0e-4, 1.0e-1], log: true}, optimizer: {choice: [sgd, "
            "adam]}, momentum: {choice: [0.5], when: {optimizer: sgd}}, batch_size: 48"),
        "");
    archai_model m =
        load_arch(s, "{width: 8, norm: true, stages: {_repeat_times: 1, _configs: "
                     "{'0': {kernel: 1}}}, train: {learning_rate: 0.003, optimizer: "
                     "adam}}");
    archai_config base = {.train = {.epochs = 7, .batch_size = 64, .momentum = 0.9}}, own;
    json_t *said = NULL;
    char *text;

    (void)state;
    assert_int_equal(archai_space_train(s, &m, &said, NULL), 0);
    text = archai_python_json(said, false);
    assert_string_equal(
        text, "{\"learning_rate\": 0.003, \"optimizer\": \"adam\", \"batch_size\": 48}");
    free(text);
    base.train.learning_rate = 1;
    assert_int_equal(archai_train_override(&own, &base, said, NULL), 0);
    assert_true(own.train.learning_rate == 0.003 && own.train.momentum == 0.9);
    assert_int_equal(own.train.batch_size, 48);
    assert_int_equal(own.train.epochs, 7);
    assert_int_equal(own.train.optimizer, ARCHAI_OPTIMIZER_ADAM);
    archai_config_free(&own);
    json_decref(said);
    archai_model_fini(&m);
    archai_space_destroy(s);
    s = open_network(PARAMETERS NETWORK, "");
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    assert_int_equal(archai_space_train(s, &m, &said, NULL), 0);
    assert_null(said);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* What is included decides about the networks, too. */
static void a_changed_block_is_noticed(void **state)
{
    static const char tree[] = "include: [blocks.yaml]\nparameters:\n  w: {choice: [1, 2]}\n"
                               "network:\n  - b: w\n  - flatten\n";
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s;
    char *sha1, keys[128];

    (void)state;
    write_tree_file("blocks.yaml",
                    "blocks:\n  b(n):\n    - Conv2d: {out_channels: n, kernel_size: 1}\n");
    s = open_network(tree, "");
    sha1 = archai_option_format(archai_option_find(s->ops->options, "tree_sha1"), s);
    (void)snprintf(keys, sizeof keys, "tree_sha1 = %s\n", sha1);
    free(sha1);
    archai_space_destroy(s);
    archai_space_destroy(open_network(tree, keys));
    write_tree_file("blocks.yaml",
                    "blocks:\n  b(n):\n    - Conv2d: {out_channels: n, kernel_size: 2}\n");
    assert_int_equal(try_tree(&s, tree, keys, &pictures, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "tree.yaml: has changed: its sha1 is "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_has_the_network_of_its_values),
        cmocka_unit_test(a_file_without_parameters_is_one_network),
        cmocka_unit_test(trees_may_use_the_words_of_a_file),
        cmocka_unit_test(plain_values_leave_out_what_does_not_exist),
        cmocka_unit_test(mistakes_are_found_before_anything_starts),
        cmocka_unit_test(what_nothing_uses_is_refused_by_name),
        cmocka_unit_test(every_sample_must_be_a_network),
        cmocka_unit_test(the_group_train_is_checked),
        cmocka_unit_test(a_candidate_is_trained_as_its_values_say),
        cmocka_unit_test(a_changed_block_is_noticed),
    };

    return cmocka_run_group_tests(tests, make_tree_directory, remove_tree_directory);
}
