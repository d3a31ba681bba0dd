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
#include "core/registries.h"

/* Registries as io/ and runner/ have them: [data] format = drawn or files, [evaluator] kind = idle or
 * program. */
typedef struct data_keys {
    char *format;
    int64_t seed;
} data_keys;
typedef struct files_keys {
    char *images;
    int64_t count;
} files_keys;
typedef struct idle_keys {
    char *delay, *unused;
} idle_keys;
typedef struct program_keys {
    char *command;
} program_keys;

/* clang-format off */
static const archai_option data_options[] = {
    {"format", ARCHAI_OPT_STRING, offsetof(data_keys, format), 0, 0, "drawn", "", NULL, "which"},
    {"seed", ARCHAI_OPT_INT, offsetof(data_keys, seed), 0, 100, "1", "", NULL, "of all"},
    ARCHAI_OPTION_END,
};
static const archai_option files_options[] = {
    {"images", ARCHAI_OPT_STRING, offsetof(files_keys, images), 0, 0, "", "", NULL, "a path"},
    {"count", ARCHAI_OPT_INT, offsetof(files_keys, count), 1, 1e6, "all", "", "all=0", "how many"},
    ARCHAI_OPTION_END,
};
static const archai_option idle_options[] = {
    {"delay", ARCHAI_OPT_STRING, offsetof(idle_keys, delay), 0, 0, "", "", NULL, "a time"},
    {"unused", ARCHAI_OPT_STRING, offsetof(idle_keys, unused), 0, 0, "", "", NULL, "nothing"},
    ARCHAI_OPTION_END,
};
static const archai_option program_options[] = {
    {"command", ARCHAI_OPT_STRING, offsetof(program_keys, command), 0, 0, "", "", NULL, "a program"},
    ARCHAI_OPTION_END,
};
static const archai_kind formats[] = {
    {"drawn", "made up", archai_no_options}, {"files", "from files", files_options}};
static const archai_kind evaluators[] = {
    {"idle", "does nothing", idle_options}, {"program", "runs", program_options}};
/* clang-format on */

static bool format_at(size_t i, archai_kind *out)
{
    if (i < 2)
        *out = formats[i];
    return i < 2;
}

static bool evaluator_at(size_t i, archai_kind *out)
{
    if (i < 2)
        *out = evaluators[i];
    return i < 2;
}

static const archai_registry data_registry = {"data", "format", data_options, format_at, "", NULL};
static const archai_registry evaluator_registry = {"evaluator", "kind", NULL, evaluator_at,
                                                   "delay", NULL};
static const archai_registry *const registries[] = {
    &archai_algorithm_registry, &archai_space_registry, &evaluator_registry, &data_registry, NULL};

/* Choices by name alone. */
typedef struct choice_list {
    archai_choice at[5];
} choice_list;

static choice_list choose(const char *algorithm, const char *space, const char *evaluator,
                          const char *format)
{
    return (choice_list){{archai_registry_choice(&archai_algorithm_registry, algorithm),
                          archai_registry_choice(&archai_space_registry, space),
                          archai_registry_choice(&evaluator_registry, evaluator),
                          archai_registry_choice(&data_registry, format),
                          {.registry = NULL}}};
}

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
                               "format = files\n"
                               "images = \"my data/images ; 1.gz\"\n"
                               "seed = 7\n"
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
                               "kind = program\n"
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
    archai_space_common common;
    data_keys data;
    files_keys *files;
    program_keys *program;
    choice_list choices;
} loaded;

static void load(loaded *l, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;

    memset(l, 0, sizeof *l);
    parse(&l->ini, text);
    if (archai_config_load(&l->config, &l->ini, &err) != 0 ||
        archai_config_apply(&l->ini, "data", data_options, &l->data, &err) != 0 ||
        archai_settings_load((void **)&l->files, sizeof *l->files, files_options, "data", &l->ini,
                             &err) != 0 ||
        archai_settings_load((void **)&l->program, sizeof *l->program, program_options,
                             "evaluator", &l->ini, &err) != 0 ||
        archai_space_create(&l->space, &l->ini, NULL, &err) != 0 ||
        archai_objectives_create(&l->objectives, &l->ini, &err) != 0)
        fail_msg("%s", err.text);
    l->choices = choose(l->config.search.algorithm, "cnn", "program", l->data.format);
    l->choices.at[1] = archai_space_choice(l->space, &l->common);
    l->choices.at[2].own = l->program;
    l->choices.at[3].common = &l->data;
    l->choices.at[3].own = l->files;
    if (archai_config_check_unused(&l->ini, l->choices.at, NULL, &err) != 0)
        fail_msg("%s", err.text);
}

static void unload(loaded *l)
{
    archai_objectives_free(&l->objectives);
    archai_space_destroy(l->space);
    archai_settings_free(l->files, files_options);
    archai_settings_free(l->program, program_options);
    archai_option_free(data_options, &l->data);
    archai_config_free(&l->config);
    archai_ini_free(&l->ini);
}

static char *resolved(const loaded *l)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(
        archai_config_write(&l->config, l->choices.at, &l->objectives, out, NULL), 0);
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
    assert_string_equal(l.data.format, "files");
    assert_int_equal(l.data.seed, 7);
    assert_string_equal(l.files->images, "my data/images ; 1.gz");
    assert_int_equal(l.config.train.optimizer, ARCHAI_OPTIMIZER_SGD);
    assert_int_equal(l.config.train.learning_rate_schedule, ARCHAI_LR_COSINE);
    assert_string_equal(l.config.evaluator.kind, "program");
    assert_string_equal(l.program->command, "python3 \"my script.py\" --x");
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
    assert_string_equal(c.evaluator.kind, "torch");
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
    assert_string_equal(second.program->command, first.program->command);
    assert_string_equal(second.files->images, first.files->images);
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
                "[evaluator]\ntimeout = 3 weeks\n[output]\ndirectory =\n");
    assert_int_equal(archai_rc_exit_status(archai_config_load(&c, &ini, &err)), 2);
    assert_lines(
        err.text,
        "t.ini:3: search.schedule: unknown 'asynch', expected one of: async generational\n"
        "t.ini:2: search.seed: -1 is below the least value 0\n"
        "t.ini:5: train.epochs: 'many' is not a number\n"
        "t.ini:7: evaluator.timeout: '3 weeks' has an unknown unit, expected ms, s, "
        "m, h or d\n"
        "t.ini:9: output.directory: is empty, expected a path");
    archai_ini_free(&ini);
}

/* A check names the key's own line, else that of the cause, else that of the section. */
static void keys_that_need_each_other_are_named(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;
    archai_check c = {.ini = &ini, .section = "data", .err = &err};

    (void)state;
    parse(&ini, "[data]\nformat = files\nimages =\n");
    archai_check_given(&c, "images", "", "format", "missing");
    archai_check_given(&c, "labels", "", "images", "missing");
    archai_check_fail(&c, "masks", "classes", "%d", 3);
    archai_check_given(&c, "format", "files", NULL, "missing");
    assert_int_equal(c.rc, ARCHAI_EINVAL);
    assert_lines(err.text, "t.ini:3: data.images: missing\nt.ini:3: data.labels: missing\n"
                           "t.ini:1: data.masks: 3");
    archai_ini_free(&ini);
}

/* What another kind owns may be spelled out: a resolved configuration of an earlier version has all keys. */
static void keys_of_other_kinds_are_noted_or_refused(void **state)
{
    static const struct {
        const char *text, *error, *note;
    } cases[] = {
        {"[data]\nimages =\ncount = all\n[evaluator]\ndelay =\nunused =\n", "", ""},
        {"[data]\nimages = x\n", "", "t.ini:2: data.images: not used with format = drawn, only with files\n"},
        {"[data]\ncount = 0\n", "t.ini:2: data.count: 0 is outside 1..1000000", ""},
        {"[evaluator]\nunused = x\n", "",
         "t.ini:2: evaluator.unused: not used with kind = program, only with idle\n"},
        {"[evaluator]\ndelay = 1s\n", "t.ini:2: evaluator.delay: not a key of program, only of idle", ""},
        {"[evaluator]\nunsued = 1s\n", "t.ini:2: evaluator.unsued: unknown key", ""},
        {"[evaluator]\ncomand = x\n", "t.ini:2: evaluator.comand: unknown key; did you mean 'command'?", ""},
        {"[dta]\nimages = x\n", "t.ini:1: [dta]: unknown section; did you mean [data]?", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        choice_list choices = choose("random_search", "cnn", "program", "drawn");
        archai_err err = ARCHAI_ERR_INIT;
        archai_ini ini;
        char *notes = NULL;
        size_t size;
        FILE *out = open_memstream(&notes, &size);

        parse(&ini, cases[i].text);
        assert_int_equal(archai_config_check_unused(&ini, choices.at, out, &err),
                         cases[i].error[0] != '\0' ? ARCHAI_EINVAL : ARCHAI_OK);
        assert_int_equal(fclose(out), 0);
        assert_lines(err.text, cases[i].error);
        assert_lines(notes, cases[i].note);
        free(notes);
        archai_ini_free(&ini);
    }
}

static void unknown_keys_and_sections_are_named(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *space = NULL;
    choice_list choices = choose("random_search", "cnn", "program", "drawn");
    archai_config c;
    archai_ini ini;

    (void)state;
    parse(&ini, "[search]\nsede = 1\n[trian]\nepochs = 1\n[space]\nname = cnn\nmax_layer = 3\n"
                "[objective]\n[nonsense]\n[train]\nzzzzzzzz = 1\n");
    assert_int_equal(archai_config_load(&c, &ini, &err), 0);
    assert_int_equal(archai_space_create(&space, &ini, NULL, &err), 0);
    assert_int_equal(archai_config_check_unused(&ini, choices.at, NULL, &err), ARCHAI_EINVAL);
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
    choice_list choices = choose("successive_halving", "cnn", NULL, NULL);
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;

    (void)state;
    parse(&ini, "[search]\nlr = 1\nnum_iters = 3\n[space]\nop_subset = a\nmax_layers = 3\n");
    assert_int_equal(archai_config_check_unused(&ini, choices.at, NULL, &err), ARCHAI_EINVAL);
    assert_lines(err.text,
                 "t.ini:2: search.lr: not a key of successive_halving, only of mo_bananas\n"
                 "t.ini:5: space.op_subset: not a key of cnn, only of segmentation_dag");
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

/* Objectives are names of datasets: what --dry-run accepts, the run does, too. */
static void dots_are_no_objective(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_objectives o;
    archai_ini ini;

    (void)state;
    for (int dots = 1; dots <= 3; dots++) {
        char text[64];

        (void)snprintf(text, sizeof text, "[objective.%.*s]\ndirection = minimize\n", dots, "...");
        parse(&ini, text);
        assert_int_equal(archai_objectives_create(&o, &ini, &err), dots < 3 ? ARCHAI_EINVAL : ARCHAI_OK);
        if (dots < 3)
            assert_true(strstr(err.text, "neither . nor ..") != NULL && strchr(err.text, '\n') == NULL); /* said once */
        else
            archai_objectives_free(&o);
        archai_ini_free(&ini);
    }
}

static void a_recipe_must_be_complete(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_config c;
    archai_ini ini;

    (void)state;
    parse(&ini, "[train]\noptimizer = sgd\nmomentum = 0\nnesterov = yes\nmilestones = 9 3\n"
                "learning_rate_schedule = step\n");
    assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_EINVAL);
    assert_lines(err.text,
                 "t.ini:4: train.nesterov: needs momentum above 0\n"
                 "t.ini:6: train.step_size: missing, learning_rate_schedule = step needs epochs, or a "
                 "share of the training below 1\n"
                 "t.ini:5: train.milestones: expected ascending numbers");
    archai_ini_free(&ini);
    err = (archai_err)ARCHAI_ERR_INIT;
    parse(&ini, "[train]\nlearning_rate_schedule = multistep\n");
    assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "t.ini:2: train.milestones: missing, learning_rate_schedule = "
                                  "multistep needs a list of epochs, or of shares of the training "
                                  "below 1");
    archai_ini_free(&ini);
}

static void precision_must_suit_the_device(void **state)
{
    static const char *const suits[] = {
        "[train]\nprecision = fp16\n", "[train]\nprecision = fp16\n[evaluator]\ndevice = cuda\n",
        "[train]\nprecision = bf16\n[evaluator]\ndevice = cpu\n",
        "[train]\nprecision = auto\n[evaluator]\ndevice = cpu\n"};
    archai_err err = ARCHAI_ERR_INIT;
    archai_config c;
    archai_ini ini;

    (void)state;
    for (size_t i = 0; i < sizeof suits / sizeof suits[0]; i++) {
        parse(&ini, suits[i]);
        assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_OK);
        archai_config_free(&c);
        archai_ini_free(&ini);
    }
    parse(&ini, "[train]\nprecision = fp16\n[evaluator]\ndevice = cpu\n");
    assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "t.ini:2: train.precision: fp16 needs a GPU, and evaluator.device "
                                  "is cpu; bf16 works there");
    archai_ini_free(&ini);
    err = (archai_err)ARCHAI_ERR_INIT;
    parse(&ini, "[train]\nprecision = fp8\n");
    assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_EINVAL);
    archai_ini_free(&ini);
}

static void what_pytorch_does_by_itself_is_the_default(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_config c;
    archai_ini ini;

    (void)state;
    parse(&ini, "");
    assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_OK);
    assert_int_equal(c.train.precision, ARCHAI_PRECISION_FP32);
    assert_int_equal(c.train.tf32, ARCHAI_TF32_CONV);
    assert_false(c.train.cudnn_benchmark);
    assert_false(c.train.deterministic);
    archai_config_free(&c);
    archai_ini_free(&ini);
}

/* For one candidate: a copy, of which keys are set. */
static void a_recipe_can_be_copied_and_changed(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_config c, own = {.train.epochs = 0};
    archai_ini ini;
    const archai_option *table = NULL;

    (void)state;
    parse(&ini, "[train]\nlearning_rate_schedule = multistep\nmilestones = 0.5 0.75\nepochs = 2.5\n");
    assert_int_equal(archai_config_load(&c, &ini, &err), ARCHAI_OK);
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        if (strcmp(s->name, "train") == 0)
            table = s->options;
    assert_non_null(table);
    assert_int_equal(archai_option_copy(table, &own, &c, &err), ARCHAI_OK);
    assert_true(own.train.epochs == 2.5 && own.train.learning_rate == c.train.learning_rate);
    assert_int_equal(own.train.learning_rate_schedule, ARCHAI_LR_MULTISTEP);
    assert_int_equal(archai_option_set(archai_option_find(table, "milestones"), &own, "0.25", &err),
                     ARCHAI_OK);
    assert_int_equal(own.train.milestones.n, 1);
    assert_int_equal(c.train.milestones.n, 2);
    archai_option_free(table, &own);
    archai_config_free(&c);
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
    assert_string_equal(err.text, "--set: train.epochs: 0 is outside 0.001..100000");
    archai_ini_free(&ini);
}

static void the_table_of_keys_is_complete(void **state)
{
    char *text = NULL;
    size_t size, rows = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    archai_config_markdown(registries, out);
    assert_int_equal(fclose(out), 0);
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        for (const archai_option *o = s->options; o->key != NULL; o++) {
            char cell[128];

            (void)snprintf(cell, sizeof cell, "| `%s.%s` |", s->name, o->key);
            assert_non_null(strstr(text, cell));
            rows++;
        }
    assert_true(rows > 25);
    assert_non_null(strstr(text, "`[data]` with `format = files`: from files"));
    assert_non_null(strstr(text, "| `evaluator.command` | text |"));
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
        cmocka_unit_test(keys_that_need_each_other_are_named),
        cmocka_unit_test(keys_of_other_kinds_are_noted_or_refused),
        cmocka_unit_test(unknown_keys_and_sections_are_named),
        cmocka_unit_test(keys_of_others_are_named_as_such),
        cmocka_unit_test(too_many_objectives_are_one_problem),
        cmocka_unit_test(dots_are_no_objective),
        cmocka_unit_test(a_recipe_must_be_complete),
        cmocka_unit_test(precision_must_suit_the_device),
        cmocka_unit_test(what_pytorch_does_by_itself_is_the_default),
        cmocka_unit_test(a_recipe_can_be_copied_and_changed),
        cmocka_unit_test(overrides_are_named_as_such),
        cmocka_unit_test(the_table_of_keys_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
