/* archai-space: look into a search space without a search - sample, mutate, show, run a model.
 *
 * Needs only the section [space] of a configuration. With a section [data] as well, the space takes its
 * input channels and classes from the data, as in a search.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/config/config.h"
#include "core/registries.h"
#include "io/dataset/dataset.h"
#include "runner/process/out_of_memory.h"
#include "runner/space_tool/space_tool.h"

/* clang-format off */
static const struct command {
    const char *name, *usage, *help;
    size_t low, high; /* number of arguments */
    bool loads;       /* the first one into t->model */
    int (*run)(space_tool *t, archai_err *err);
} commands[] = {
    {"sample",    "sample [-n N]",                 "N random architectures, one JSON object per line",        0, 0,    false, space_sample},
    {"mutate",    "mutate ARCH [-n N]",            "N mutants of an architecture",                            1, 1,    true,  space_mutate},
    {"crossover", "crossover ARCH ARCH... [-n N]", "N children of two or more architectures",                 2, 1000, false, space_crossover},
    {"encode",    "encode ARCH",                   "the features that a surrogate sees, as a JSON list",      1, 1,    true,  space_encode},
    {"show",      "show ARCH",                     "the model as PyTorch prints it",                          1, 1,    true,  space_show},
    {"info",      "info ARCH",                     "JSON: archid, params, macs, flops, state_dict shapes",    1, 1,    true,  space_info},
    {"dot",       "dot ARCH",                      "a Graphviz drawing: ... dot ARCH | dot -Tsvg > arch.svg", 1, 1,    true,  space_dot},
    {"predict",   "predict ARCH --weights FILE[:/GROUP] --input FILE:/DATASET --output FILE",
                                                   "run the model in evaluation mode",                        1, 1,    true,  space_predict},
    {"replay",    "replay SCRIPT",                 "operations on one generator, one per line: sample, mutate I, crossover I J ...",
                                                                                                              1, 1,    false, space_replay},
};
/* clang-format on */
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *out)
{
    (void)fputs(
        "usage: archai-space CONFIG COMMAND [ARGUMENTS] [--set SECTION.KEY=VALUE]...\n\n"
        "Shows what a search space contains, without a search. CONFIG needs only the section [space].\n\n",
        out);
    for (int i = 0; i < N_COMMANDS; i++)
        (void)fprintf(out, "  %s\n      %s\n", commands[i].usage, commands[i].help);
    (void)fputs("\nARCH is a file with an architecture, or with a line that sample has printed; - is standard "
                "input. N is 1\nby default; I and J are results of earlier lines, counted from 0. "
                "Examples:\n\n"
                "  archai-space configs/cnn-mnist.ini sample -n 3\n"
                "  archai-space configs/cnn-mnist.ini sample | archai-space configs/cnn-mnist.ini dot -\n"
                "  echo '{\"nb_layers\": 3, \"kernel_size\": 3, \"hidden_dim\": 16}' |\n"
                "      archai-space configs/cnn-mnist.ini show -\n\n"
                "The spaces and their keys in [space]:\n",
                out);
    for (size_t i = 0; archai_spaces[i] != NULL; i++) {
        (void)fprintf(out, "\n%s: %s\n", archai_spaces[i]->name, archai_spaces[i]->help);
        archai_option_help(archai_spaces[i]->options, out);
    }
}

/* Channels, size and classes, if the configuration has data and it can be read. */
static void data_shape(archai_ini *ini, archai_data_shape *shape)
{
    archai_dataset_source source;
    archai_err err = ARCHAI_ERR_INIT;

    if (!archai_ini_has_section(ini, "data"))
        return;
    if (archai_dataset_source_open(&source, ini, &err) != ARCHAI_OK) {
        (void)fprintf(stderr, "archai-space: the section [data] is ignored: %s\n", err.text);
        return;
    }
    if (archai_dataset_probe(&source, shape, NULL, &err) != ARCHAI_OK) {
        memset(shape, 0, sizeof *shape);
        (void)fprintf(stderr, "archai-space: the data cannot be read, so the space keeps its "
                              "defaults: %s\n",
                      err.text);
    }
    archai_dataset_source_close(&source);
}

enum { OPT_SET = 256, OPT_WEIGHTS, OPT_INPUT, OPT_OUTPUT };

static int count_argument(const char *text, int64_t *out, archai_err *err)
{
    char *end;
    long long v;

    errno = 0;
    v = strtoll(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0' || v < 0)
        return archai_fail(err, ARCHAI_EINVAL, "-n: '%s' is not a whole number", text);
    *out = v;
    return ARCHAI_OK;
}

/* Options may come anywhere; what --set says is applied after the file has been read. */
static int parse(int argc, char **argv, space_tool *t, char **sets, size_t *n_sets,
                 archai_err *err)
{
    static const struct option options[] = {
        {"set", required_argument, NULL, OPT_SET},
        {"weights", required_argument, NULL, OPT_WEIGHTS},
        {"input", required_argument, NULL, OPT_INPUT},
        {"output", required_argument, NULL, OPT_OUTPUT},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":n:h", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            ARCHAI_TRY(count_argument(optarg, &t->count, err));
            break;
        case OPT_SET:
            sets[(*n_sets)++] = optarg;
            break;
        case OPT_WEIGHTS:
            t->weights = optarg;
            break;
        case OPT_INPUT:
            t->input = optarg;
            break;
        case OPT_OUTPUT:
            t->output = optarg;
            break;
        case ':':
            return archai_fail(err, ARCHAI_EINVAL, "%s needs a value", argv[optind - 1]);
        default:
            return archai_fail(err, ARCHAI_EINVAL, "unknown option %s; --help shows them all",
                               argv[optind - 1]);
        }
    }
    t->args = argv + optind;
    t->n_args = (size_t)(argc - optind);
    if (t->n_args < 2)
        return archai_fail(err, ARCHAI_EINVAL,
                           "usage: archai-space CONFIG COMMAND ...; --help shows the commands");
    return ARCHAI_OK;
}

static const struct command *find_command(const char *name, archai_err *err)
{
    const char *names[N_COMMANDS], *near;

    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
        names[i] = commands[i].name;
    }
    near = archai_nearest(name, names, N_COMMANDS);
    if (near != NULL)
        (void)archai_fail(err, ARCHAI_EINVAL, "unknown command '%s'; did you mean '%s'?", name, near);
    else
        (void)archai_fail(err, ARCHAI_EINVAL, "unknown command '%s'; --help lists them all", name);
    return NULL;
}

static int run(int argc, char **argv, char **sets, archai_err *err)
{
    space_tool t = {.count = 1};
    archai_ini ini = {0};
    archai_data_shape shape = {0};
    archai_space_common common;
    archai_choice choice;
    const struct command *command;
    const char *config;
    size_t n_sets = 0;
    int rc;

    ARCHAI_TRY(parse(argc, argv, &t, sets, &n_sets, err));
    config = t.args[0];
    command = find_command(t.args[1], err);
    if (command == NULL)
        return err->code;
    t.args += 2;
    t.n_args -= 2;
    if (t.n_args < command->low || t.n_args > command->high)
        return archai_fail(err, ARCHAI_EINVAL, "usage: archai-space CONFIG %s", command->usage);
    ARCHAI_TRY_GOTO(rc, archai_ini_read(&ini, config, err), out);
    for (size_t i = 0; i < n_sets; i++)
        ARCHAI_TRY_GOTO(rc, archai_ini_set(&ini, sets[i], err), out);
    data_shape(&ini, &shape);
    ARCHAI_TRY_GOTO(rc, archai_space_create(&t.space, &ini, &shape, err), out);
    choice = archai_space_choice(t.space, &common);
    ARCHAI_TRY_GOTO(rc, archai_config_check_section(&ini, &choice, err), out);
    t.ini = &ini;
    if (command->loads)
        ARCHAI_TRY_GOTO(rc, space_tool_load(&t, t.args[0], &t.model, err), out);
    rc = command->run(&t, err);
    if (rc == ARCHAI_OK && fflush(stdout) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "standard output: %s", strerror(errno));
out:
    archai_model_fini(&t.model);
    archai_space_destroy(t.space);
    archai_ini_free(&ini);
    return rc;
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;
    char **sets;
    int rc;

    archai_out_of_memory_ends("archai-space", "");
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help(stdout);
            return fflush(stdout) == 0 ? 0 : archai_rc_exit_status(ARCHAI_EIO);
        }
        if (strcmp(argv[i], "--version") == 0) {
            (void)puts("archai-space " ARCHAI_VERSION);
            return fflush(stdout) == 0 ? 0 : archai_rc_exit_status(ARCHAI_EIO);
        }
    }
    sets = archai_calloc((size_t)argc, sizeof *sets);
    rc = run(argc, argv, sets, &err);
    free(sets);
    if (rc != ARCHAI_OK)
        (void)fprintf(stderr, "archai-space: %s\n", err.text);
    return archai_rc_exit_status(rc);
}
