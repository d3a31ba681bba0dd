/* What configurations can choose from: this program's registries hold one more kind each, which is found in
 * the help, chosen, told its keys and noted where it was not chosen; and what the built-in kinds say about
 * their keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/registries.h"
#include "io/dataset/format.h"
#include "runner/evaluator/evaluator.h"
#include "runner/rank/plan.h"
#include "tmpdir.h"

/* -- the stand-ins ------------------------------------------------------------------------------- */

typedef struct stripes_keys {
    int64_t stripes;
} stripes_keys;

static int stripes_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                        archai_err *err)
{
    const stripes_keys *keys = source->settings;

    (void)err;
    out->channels = 1;
    out->height = out->width = (int)keys->stripes * 4;
    out->num_classes = 2;
    out->n[ARCHAI_SPLIT_TRAIN] = 20;
    return ARCHAI_OK;
}

static void stripes_check(const archai_dataset_source *source, archai_check *c)
{
    if (((const stripes_keys *)source->settings)->stripes == 13)
        archai_check_fail(c, "stripes", NULL, "13 is unlucky");
}

static const archai_option stripes_options[] = {
    {"stripes", ARCHAI_OPT_INT, offsetof(stripes_keys, stripes), 2, 100, "5", "", NULL, "how many"},
    ARCHAI_OPTION_END,
};
static const archai_dataset_format stripes = {
    .name = "stripes",
    .help = "a stand-in for a format",
    .options = stripes_options,
    .settings_size = sizeof(stripes_keys),
    .check = stripes_check,
    .plan = stripes_plan,
};

typedef struct oracle_keys {
    char *book;
} oracle_keys;

static void oracle_check(const void *settings, archai_check *c)
{
    archai_check_given(c, "book", ((const oracle_keys *)settings)->book, "kind", "missing");
}

static const archai_option oracle_options[] = {
    {"book", ARCHAI_OPT_STRING, offsetof(oracle_keys, book), 0, 0, "", "", NULL, "what it reads"},
    ARCHAI_OPTION_END,
};
static const char *const oracle_measuring_keys[] = {"book", NULL};
static const archai_evaluator_ops oracle = {
    .name = "oracle",
    .help = "a stand-in for an evaluator",
    .options = oracle_options,
    .settings_size = sizeof(oracle_keys),
    .measuring_keys = oracle_measuring_keys,
    .size = sizeof(archai_evaluator),
    .check = oracle_check,
};

/* A space, the built-in one under another name, and an algorithm. */
extern const archai_space_ops archai_space_cnn;
extern const archai_algorithm_ops archai_algorithm_evolution_pareto;
static archai_space_ops line;
static archai_algorithm_ops guess;

typedef struct guess_algorithm {
    archai_algorithm base;
    int64_t luck;
} guess_algorithm;

static const archai_option guess_options[] = {
    {"luck", ARCHAI_OPT_INT, offsetof(guess_algorithm, luck), 0, 9, "3", "", NULL, "how much"},
    ARCHAI_OPTION_END,
};

static int guess_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                         archai_err *err)
{
    (void)self;
    (void)out;
    (void)err;
    *what = ARCHAI_PROPOSE_DONE;
    return ARCHAI_OK;
}

static int make_stand_ins(void **state)
{
    (void)state;
    line = archai_space_cnn;
    line.name = "line";
    line.help = "a stand-in for a space";
    guess = (archai_algorithm_ops){
        .abi = ARCHAI_ALGORITHM_ABI,
        .name = "guess",
        .help = "a stand-in for an algorithm",
        .size = sizeof(guess_algorithm),
        .options = guess_options,
        .schedules = 1u << ARCHAI_ASYNC,
        .propose = guess_propose,
    };
    return 0;
}

/* -- the registries of this program ------------------------------------------------------------------ */

extern const archai_dataset_format archai_dataset_synthetic, archai_dataset_idx,
    archai_dataset_cifar10, archai_dataset_hdf5;
const archai_dataset_format *const archai_dataset_formats[] = {
    &archai_dataset_synthetic, &archai_dataset_idx, &archai_dataset_cifar10, &archai_dataset_hdf5,
    &stripes,                  NULL,
};

extern const archai_evaluator_ops archai_evaluator_torch, archai_evaluator_table,
    archai_evaluator_command, archai_evaluator_null, archai_evaluator_plugin;
const archai_evaluator_ops *const archai_evaluators[] = {
    &archai_evaluator_torch, &archai_evaluator_table,  &archai_evaluator_command,
    &archai_evaluator_null,  &archai_evaluator_plugin, &oracle,
    NULL,
};

const archai_space_ops *const archai_spaces[] = {&archai_space_cnn, &line, NULL};
const archai_algorithm_ops *const archai_algorithms[] = {
    &archai_algorithm_evolution_pareto, &guess, NULL};

/* -- plans --------------------------------------------------------------------------------------- */

static const char base[] = "[output]\ndirectory = nowhere\n[objective.params]\ndirection = minimize\n";

/* As archai-run reads a file c.ini with `text` behind `base` (so that its first line is line 5). */
static int make(void **state, const char *text, archai_plan *plan, archai_err *err)
{
    char path[TMPDIR_PATH_MAX + 16], *name;
    archai_arguments args = {.config = path};
    FILE *f;
    int rc;

    (void)snprintf(path, sizeof path, "%s/c.ini", (const char *)*state);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(base, f) >= 0 && fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    rc = archai_plan_make(plan, &args, err);
    while ((name = strstr(err->text, path)) != NULL) /* the file alone, for messages */
        memmove(name, name + strlen(path) - 5, strlen(name) - (strlen(path) - 5) + 1);
    return rc;
}

static void stand_ins_are_in_the_help(void **state)
{
    static const char *const rows[] = {
        "`[data]` with `format = stripes`: a stand-in for a format\n",
        "| `data.stripes` | integer | `5` | 2..100 | how many |\n",
        "`[evaluator]` with `kind = oracle`: a stand-in for an evaluator\n",
        "| `evaluator.book` | text |  |  | what it reads |\n",
        "`[space]` with `name = line`: a stand-in for a space\n",
        "`[search]` with `algorithm = guess`: a stand-in for an algorithm\n",
        "| `search.luck` | integer | `3` | 0..9 | how much |\n",
        "  stripes                a stand-in for a format\n",
        "  oracle                 a stand-in for an evaluator\n",
        "  line                   a stand-in for a space\n",
        "  guess                  a stand-in for an algorithm\n",
    };
    static char *const options[] = {(char *)"--help-config", (char *)"--help"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *argv[] = {(char *)"archai-run", options[i], NULL};
        archai_arguments args;

        assert_int_equal(archai_arguments_parse(&args, 2, argv, NULL), ARCHAI_OK);
        args.words(out);
        archai_arguments_free(&args);
    }
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strstr(text, rows[i]) == NULL)
            fail_msg("no line %s", rows[i]);
    free(text);
}

static void stand_ins_are_chosen_and_told_their_keys(void **state)
{
    static const char *const lines[] = {
        "\nalgorithm = guess\n", "\nluck = 9\n", "\nname = line\n", "\nkind = oracle\n",
        "\nbook = sibylline\n",  "\nformat = stripes\n", "\nstripes = 7\n",
    };
    archai_err err = ARCHAI_ERR_INIT;
    archai_plan plan;

    if (make(state,
             "[search]\nalgorithm = guess\nluck = 9\n[space]\nname = line\n[evaluator]\nkind = oracle\n"
             "book = sibylline\n[data]\nformat = stripes\nstripes = 7\n",
             &plan, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_string_equal(((const oracle_keys *)plan.evaluator_settings)->book, "sibylline");
    assert_ptr_equal(plan.evaluator, &oracle);
    assert_ptr_equal(plan.source.format, &stripes);
    assert_int_equal(plan.data.height, 28);
    assert_ptr_equal(plan.space->ops, &line);
    assert_int_equal(((const guess_algorithm *)plan.search.algorithm)->luck, 9);
    assert_string_equal(plan.unused, "");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(plan.text, lines[i]) == NULL)
            fail_msg("%s lacks %s", plan.text, lines[i]);
    assert_null(strstr(plan.text, "train_images")); /* of a format that was not chosen */
    assert_true(archai_evaluator_measures_by(plan.evaluator, "kind"));
    assert_true(archai_evaluator_measures_by(plan.evaluator, "book"));
    assert_false(archai_evaluator_measures_by(plan.evaluator, "timeout"));
    archai_plan_fini(&plan);
}

/* --output is a name, not a value of the file: its blanks, quotes and semicolons are its own. */
static void an_output_is_taken_as_it_is(void **state)
{
    static const char *const names[] = {" lead", "a \"b\"", "\"quoted\"", "a ; b", "trail "};
    char *path = archai_printf("%s/o.ini", (char *)*state);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    (void)fputs("[search]\nmax_evaluations = 1\n[space]\nname = cnn\n[evaluator]\nkind = null\n"
                "[objective.params]\ndirection = minimize\n", f);
    assert_int_equal(fclose(f), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const archai_arguments args = {.config = path, .output = names[i]};
        archai_err err = ARCHAI_ERR_INIT;
        archai_plan plan;

        if (archai_plan_make(&plan, &args, &err) != ARCHAI_OK)
            fail_msg("%s", err.text);
        assert_string_equal(plan.config.output.directory, names[i]);
        archai_plan_fini(&plan);
    }
    free(path);
}

/* A resolved configuration of another version may spell out every kind's keys. */
static void keys_of_kinds_that_were_not_chosen_are_noted(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_plan plan;

    if (make(state,
             "[space]\nname = cnn\n[evaluator]\nkind = null\nbook = sibylline\ntable =\ncommand =\n"
             "delay = 1ms\nplugin =\n[data]\nformat = synthetic\nstripes = 7\ntrain_images =\n"
             "file = x\nsamples = 100\n",
             &plan, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_non_null(strstr(plan.unused, "c.ini:9: evaluator.book: not used with kind = null, only "
                                        "with oracle\n"));
    assert_non_null(strstr(plan.unused, "c.ini:16: data.stripes: not used with format = synthetic, "
                                        "only with stripes\n"));
    assert_non_null(strstr(plan.unused, "c.ini:18: data.file: not used with format = synthetic, "
                                        "only with cifar10, hdf5\n"));
    assert_null(strstr(plan.unused, "delay"));
    assert_null(strstr(plan.unused, "table"));
    assert_null(strstr(plan.text, "book"));
    archai_plan_fini(&plan);
}

/* Written before kinds had keys of their own: it spells out those of every evaluator and format. */
static void a_resolved_configuration_of_an_earlier_version_loads(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char output[TMPDIR_PATH_MAX + 16];
    archai_arguments args = {.config = ARCHAI_TEST_DATA "/resolved_with_all_keys.ini",
                             .output = output};
    archai_plan plan;

    (void)snprintf(output, sizeof output, "%s/out", (const char *)*state);
    if (archai_plan_make(&plan, &args, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_string_equal(plan.unused, "");
    archai_plan_fini(&plan);
}

static void problems_are_named_with_their_place(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"[data]\nformat = stripes\nstripes = 13\n", "c.ini:7: data.stripes: 13 is unlucky"},
        {"[data]\nstripes = many\n[evaluator]\nkind = null\n",
         "c.ini:6: data.stripes: 'many' is not a number, expected a whole number"},
        {"[evaluator]\nkind = oracle\n", "c.ini:6: evaluator.book: missing"},
        {"[evaluator]\nkind = oracel\n", "c.ini:6: evaluator.kind: unknown 'oracel', expected one of: "
                                         "torch table command null plugin oracle; did you mean 'oracle'?"},
        {"[data]\nformat = strip\n", "c.ini:6: data.format: unknown 'strip', expected one of: "
                                     "synthetic idx cifar10 hdf5 stripes; did you mean 'stripes'?"},
        {"[data]\nformat = hdf5\n",
         "c.ini:6: data.file: missing, format = hdf5 needs the path of an HDF5 file"},
        {"[data]\nformat = cifar10\n",
         "c.ini:6: data.file: missing, format = cifar10 needs the directory of its binary files"},
        {"[evaluator]\nkind = command\n",
         "c.ini:6: evaluator.command: missing, kind = command needs a program and its arguments"},
        {"[evaluator]\nkind = plugin\n",
         "c.ini:6: evaluator.plugin: missing, kind = plugin needs the path of a shared library"},
        {"[evaluator]\ndelay = 1s\n", "c.ini:6: evaluator.delay: not a key of torch, only of table, null"},
        {"[evaluator]\nkind = null\ndelay = lognormal 1s\n",
         "c.ini:7: evaluator.delay: 'lognormal 1s', expected lognormal MEAN SIGMA, for example "
         "lognormal 1.5s 0.8"},
        {"[evaluator]\nkind = null\ndelay = lognormal 1s 0.8 x\n",
         "c.ini:7: evaluator.delay: 'lognormal 1s 0.8 x', expected lognormal MEAN SIGMA, for example "
         "lognormal 1.5s 0.8"},
        {"[train]\ncheckpoint = epoch\n[evaluator]\nkind = null\n",
         "c.ini:6: train.checkpoint: evaluator.kind = null does not write checkpoints; these do: "
         "torch, command"},
        {"[train]\ninherit_weights = yes\n[evaluator]\nkind = null\n",
         "c.ini:6: train.inherit_weights: evaluator.kind = null does not inherit weights; these do: "
         "torch, command"},
        {"[data]\nformat = idx\ntrain_images = x\nval_labels = y\n[evaluator]\nkind = table\n"
         "delay = 3 weeks\n[train]\nepochs = many\n",
         "c.ini:13: train.epochs: 'many' is not a number\n"
         "c.ini:6: data.train_labels: missing, format = idx needs the path of an IDX file\n"
         "c.ini:8: data.val_images: missing, the labels have no images\n"
         "c.ini:10: evaluator.table: missing, kind = table needs the path of a CSV file\n"
         "c.ini:11: evaluator.delay: '3 weeks' has an unknown unit, expected ms, s, m, h or d"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        char text[1024];
        archai_plan plan;

        (void)snprintf(text, sizeof text, "%s[space]\nname = cnn\n", cases[i].text);
        assert_int_equal(make(state, text, &plan, &err), ARCHAI_EINVAL);
        if (strcmp(err.text, cases[i].error) != 0)
            fail_msg("\n%s\ninstead of\n%s", err.text, cases[i].error);
        archai_plan_fini(&plan);
    }
}

#define IN_TMPDIR(test) cmocka_unit_test_setup_teardown(test, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TMPDIR(stand_ins_are_in_the_help),
        IN_TMPDIR(stand_ins_are_chosen_and_told_their_keys),
        IN_TMPDIR(an_output_is_taken_as_it_is),
        IN_TMPDIR(keys_of_kinds_that_were_not_chosen_are_noted),
        IN_TMPDIR(a_resolved_configuration_of_an_earlier_version_loads),
        IN_TMPDIR(problems_are_named_with_their_place),
    };

    return cmocka_run_group_tests_name("kinds", tests, make_stand_ins, NULL);
}
