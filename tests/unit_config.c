/* The configuration: every section, its faults with their places, and the resolved text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "core/search/objective.h"
#include "core/search/space.h"

static const char complete[] = "[search]\n"
                               "algorithm = random_search\n"
                               "schedule = generational\n"
                               "max_evaluations = 200   ; comment\n"
                               "max_time = 2h\n"
                               "seed = 3\n"
                               "[run]\n"
                               "coordinator_evaluates = no\n"
                               "grace = 250ms\n"
                               "[space]\n"
                               "name = cnn\n"
                               "seed = 9\n"
                               "max_layers = 4\n"
                               "kernel_list = 3 5\n"
                               "hidden_list = 8, 16, 32\n"
                               "[data]\n"
                               "format = idx\n"
                               "train_images = \"my data/images ; 1.gz\"\n"
                               "train_labels = labels.gz\n"
                               "validation = 0.2\n"
                               "max_samples = 10000\n"
                               "[train]\n"
                               "epochs = 5\n"
                               "learning_rate = 1e-2\n"
                               "optimizer = sgd\n"
                               "[objective.accuracy]\n"
                               "source = val_accuracy\n"
                               "direction = maximize\n"
                               "[objective.params]\n"
                               "direction = minimize\n"
                               "constraint = 0 200000\n"
                               "[evaluator]\n"
                               "kind = command\n"
                               "command = python3 \"my script.py\" --x\n"
                               "threads = 2\n"
                               "timeout = 30m\n"
                               "memory_limit = 2G\n"
                               "[output]\n"
                               "directory = runs/x\n"
                               "weights = all\n";

static void parse(archai_ini *ini, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_ini_parse(ini, "t.ini", text, strlen(text), &err) != 0)
        fail_msg("%s", err.text);
}

typedef struct loaded {
    archai_ini ini;
    archai_config config;
    archai_objectives objectives;
    archai_space *space;
} loaded;

static void load(loaded *l, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;

    memset(l, 0, sizeof *l);
    parse(&l->ini, text);
    if (archai_config_load(&l->config, &l->ini, &err) != 0 ||
        archai_space_create(&l->space, &l->ini, NULL, &err) != 0 ||
        archai_objectives_create(&l->objectives, &l->ini, &err) != 0 ||
        archai_config_check_unused(&l->ini, l->config.search.algorithm, "cnn", &err) != 0)
        fail_msg("%s", err.text);
}

static void unload(loaded *l)
{
    archai_objectives_free(&l->objectives);
    archai_space_destroy(l->space);
    archai_config_free(&l->config);
    archai_ini_free(&l->ini);
}

static char *resolved(const loaded *l)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(archai_config_write(&l->config, l->space, &l->objectives, NULL, out, NULL),
                     0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void every_section_is_read(void **state)
{
    loaded l;

    (void)state;
    load(&l, complete);
    assert_string_equal(l.config.search.algorithm, "random_search");
    assert_int_equal(l.config.search.schedule, 1);
    assert_int_equal(l.config.search.max_evaluations, 200);
    assert_true(l.config.search.max_time_s == 7200.0);
    assert_int_equal(l.config.search.seed, 3);
    assert_false(l.config.run.coordinator_evaluates);
    assert_true(l.config.run.grace_s == 0.25);
    assert_int_equal(l.config.data.format, ARCHAI_DATA_IDX);
    assert_string_equal(l.config.data.train_images, "my data/images ; 1.gz");
    assert_int_equal(l.config.data.max_samples, 10000);
    assert_int_equal(l.config.train.optimizer, ARCHAI_OPTIMIZER_SGD);
    assert_int_equal(l.config.train.learning_rate_schedule, ARCHAI_LR_COSINE);
    assert_int_equal(l.config.evaluator.kind, ARCHAI_EVALUATOR_COMMAND);
    assert_int_equal(l.config.evaluator.threads, 2);
    assert_int_equal(l.config.evaluator.memory_limit, INT64_C(2) << 30);
    assert_int_equal(l.config.output.weights, ARCHAI_WEIGHTS_ALL);
    unload(&l);
}

static void nothing_is_required_without_files(void **state)
{
    archai_ini ini;
    archai_config c;

    (void)state;
    parse(&ini, "[space]\nname = cnn\n");
    assert_int_equal(archai_config_load(&c, &ini, NULL), 0);
    assert_true(c.search.max_evaluations == INT64_MAX);
    assert_true(isinf(c.search.max_time_s) && isinf(c.evaluator.timeout_s));
    assert_int_equal(c.evaluator.threads, 0);
    assert_int_equal(c.data.format, ARCHAI_DATA_SYNTHETIC);
    archai_config_free(&c);
    archai_ini_free(&ini);
}

static void the_resolved_text_loads_to_itself(void **state)
{
    loaded first, second;
    char *text, *again;

    (void)state;
    load(&first, complete);
    text = resolved(&first);
    assert_non_null(strstr(text, "\nbatch_size = 64\n")); /* a default */
    load(&second, text);
    again = resolved(&second);
    assert_string_equal(text, again);
    assert_string_equal(second.config.evaluator.command, first.config.evaluator.command);
    assert_string_equal(second.config.data.train_images, first.config.data.train_images);
    assert_int_equal(second.space->seed, 9);
    assert_int_equal(second.objectives.n, 2);
    free(text);
    free(again);
    unload(&first);
    unload(&second);
}

static void assert_lines(const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0)
        fail_msg("\n%s\ninstead of\n%s", text, expected);
}

static void every_problem_is_reported(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_config c;
    archai_ini ini;

    (void)state;
    parse(&ini, "[search]\nseed = -1\nschedule = asynch\n[train]\nepochs = many\n"
                "[data]\nformat = idx\ntrain_images = x\nval_labels = y\n"
                "[evaluator]\nkind = table\ndelay = 3 weeks\n[output]\ndirectory =\n");
    assert_int_equal(archai_rc_exit_status(archai_config_load(&c, &ini, &err)), 2);
    assert_lines(
        err.text,
        "t.ini:3: search.schedule: unknown 'asynch', expected one of: async generational\n"
        "t.ini:2: search.seed: -1 is below the least value 0\n"
        "t.ini:5: train.epochs: 'many' is not a number, expected a whole number\n"
        "t.ini:7: data.train_labels: missing, format = idx needs the path of an IDX file\n"
        "t.ini:9: data.val_images: missing, the labels have no images\n"
        "t.ini:11: evaluator.table: missing, kind = table needs the path of a CSV file\n"
        "t.ini:12: evaluator.delay: '3 weeks' has an unknown unit, expected ms, s, "
        "m, h or d\n"
        "t.ini:14: output.directory: is empty, expected a path");
    archai_ini_free(&ini);
}

static void kinds_and_formats_need_their_keys(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[data]\nformat = hdf5\n", "t.ini:2: data.file: missing, format = hdf5"},
        {"[data]\nformat = cifar10\n", "t.ini:2: data.file: missing, format = cifar10"},
        {"[evaluator]\nkind = command\n", "t.ini:2: evaluator.command: missing"},
        {"[evaluator]\nkind = plugin\n", "t.ini:2: evaluator.plugin: missing"},
        {"[evaluator]\ndelay = 1s\n", "t.ini:2: evaluator.delay: only kind = table"},
        {"[evaluator]\nkind = null\ndelay = lognormal 1s\n",
         "t.ini:3: evaluator.delay: 'lognormal 1s', expected"},
        {"[evaluator]\nkind = null\ndelay = lognormal 1s 0.8 x\n", "t.ini:3: evaluator.delay:"},
        {"[train]\ncheckpoint = epoch\n[evaluator]\nkind = null\n",
         "t.ini:2: train.checkpoint: only evaluator.kind = torch and"},
        {"[train]\ninherit_weights = yes\n[evaluator]\nkind = null\n",
         "t.ini:2: train.inherit_weights: only evaluator.kind = torch and"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_config c;
        archai_ini ini;

        parse(&ini, cases[i].text);
        assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_EINVAL);
        if (strncmp(err.text, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("'%s' does not begin '%s'", err.text, cases[i].message);
        archai_ini_free(&ini);
    }
}

static void unknown_keys_and_sections_are_named(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *space = NULL;
    archai_config c;
    archai_ini ini;

    (void)state;
    parse(&ini, "[search]\nsede = 1\n[trian]\nepochs = 1\n[space]\nname = cnn\nmax_layer = 3\n"
                "[objective]\n[nonsense]\n[train]\nzzzzzzzz = 1\n");
    assert_int_equal(archai_config_load(&c, &ini, &err), 0);
    assert_int_equal(archai_space_create(&space, &ini, NULL, &err), 0);
    assert_int_equal(archai_config_check_unused(&ini, "random_search", "cnn", &err),
                     ARCHAI_EINVAL);
    assert_lines(err.text,
                 "t.ini:2: search.sede: unknown key; did you mean 'seed'?\n"
                 "t.ini:3: [trian]: unknown section; did you mean [train]?\n"
                 "t.ini:7: space.max_layer: unknown key; did you mean 'max_layers'?\n"
                 "t.ini:8: [objective]: unknown section; did you mean [objective.NAME]?\n"
                 "t.ini:9: [nonsense]: unknown section\n"
                 "t.ini:11: train.zzzzzzzz: unknown key");
    archai_space_destroy(space);
    archai_config_free(&c);
    archai_ini_free(&ini);
}

/* Keys of the chosen algorithm are no fault, though something else kept them from being asked
 * for. */
static void keys_of_others_are_named_as_such(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;

    (void)state;
    parse(&ini, "[search]\nlr = 1\nnum_iters = 3\n[space]\nop_subset = a\nmax_layers = 3\n");
    assert_int_equal(archai_config_check_unused(&ini, "successive_halving", "cnn", &err),
                     ARCHAI_EINVAL);
    assert_lines(err.text,
                 "t.ini:2: search.lr: no key of successive_halving, only of mo_bananas\n"
                 "t.ini:5: space.op_subset: no key of cnn, only of segmentation_dag");
    archai_ini_free(&ini);
}

static void too_many_objectives_are_one_problem(void **state)
{
    char text[2048] = "";
    archai_err err = ARCHAI_ERR_INIT;
    archai_objectives o;
    archai_ini ini;

    (void)state;
    for (int i = 0; i < 20; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "[objective.o%d]\ndirection = minimize\n", i);
    parse(&ini, text);
    assert_int_equal(archai_objectives_create(&o, &ini, &err), ARCHAI_EINVAL);
    assert_lines(err.text, "t.ini:33: objective.o16: at most 16 objectives are possible");
    archai_ini_free(&ini);
}

static void overrides_are_named_as_such(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_config c;
    archai_ini ini;

    (void)state;
    parse(&ini, complete);
    assert_int_equal(archai_ini_set(&ini, "train.epochs=0", &err), 0);
    assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "--set: train.epochs: 0 is outside 1..100000");
    archai_ini_free(&ini);
}

static void the_table_of_keys_is_complete(void **state)
{
    char *text = NULL;
    size_t size, rows = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    archai_config_markdown(out);
    assert_int_equal(fclose(out), 0);
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        for (const archai_option *o = s->options; o->key != NULL; o++) {
            char cell[128];

            (void)snprintf(cell, sizeof cell, "| `%s.%s` |", s->name, o->key);
            assert_non_null(strstr(text, cell));
            rows++;
        }
    assert_true(rows > 40);
    assert_non_null(strstr(text, "| `space.kernel_list` | integers | `1 3 5 7` |"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_section_is_read),
        cmocka_unit_test(nothing_is_required_without_files),
        cmocka_unit_test(the_resolved_text_loads_to_itself),
        cmocka_unit_test(every_problem_is_reported),
        cmocka_unit_test(kinds_and_formats_need_their_keys),
        cmocka_unit_test(unknown_keys_and_sections_are_named),
        cmocka_unit_test(keys_of_others_are_named_as_such),
        cmocka_unit_test(too_many_objectives_are_one_problem),
        cmocka_unit_test(overrides_are_named_as_such),
        cmocka_unit_test(the_table_of_keys_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
