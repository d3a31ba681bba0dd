/* archai-space: shows what a search space contains, without a search: sample, mutate, show, run a model.
 *
 * Needs only the section [space] of a configuration. With a section [data] as well, the space takes its
 * input channels and classes from the data, as in a search.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/paths.h"
#include "core/config/config.h"
#include "core/registries.h"
#include "io/dataset/dataset.h"
#include "runner/process/program.h"
#include "runner/process/tool.h"
#include "runner/space_tool/space_tool.h"

/* clang-format off */
static const struct command {
    archai_tool_command head;
    bool loads; /* the first argument into t->model */
    int (*run)(space_tool *t, archai_err *err);
} commands[] = {
    {{"sample",    "sample [-n N]",                 "N random architectures, one JSON object per line",        0, 0},    false, space_sample},
    {{"mutate",    "mutate ARCH [-n N]",            "N mutants of an architecture",                            1, 1},    true,  space_mutate},
    {{"crossover", "crossover ARCH ARCH... [-n N]", "N children of two or more architectures",                 2, 1000}, false, space_crossover},
    {{"encode",    "encode ARCH",                   "the features that a surrogate sees, as a JSON list",      1, 1},    true,  space_encode},
    {{"show",      "show ARCH",                     "the model as PyTorch prints it",                          1, 1},    true,  space_show},
    {{"info",      "info ARCH",                     "JSON: archid, params, macs, flops, state_dict shapes",    1, 1},    true,  space_info},
    {{"dot",       "dot ARCH",                      "a Graphviz drawing: ... dot ARCH | dot -Tsvg > arch.svg", 1, 1},    true,  space_dot},
    {{"predict",   "predict ARCH --weights FILE[:/GROUP] --input FILE:/DATASET --output FILE",
                                                   "run the model in evaluation mode",                        1, 1},    true,  space_predict},
    {{"replay",    "replay SCRIPT",                 "operations on one generator, one per line: sample, mutate I, crossover I J ...",
                                                                                                              1, 1},    false, space_replay},
    {{"serve",     "serve [--history FILE]",        "a search for a loop of your own: ask, tell and front as lines of JSON on standard input and output",
                                                                                                              0, 0},    false, space_serve},
};
/* clang-format on */
static const archai_tool tool = {"archai-space CONFIG", commands,
                                 sizeof commands / sizeof commands[0], sizeof commands[0]};

static void help(FILE *out)
{
    (void)fputs(
        "usage: archai-space CONFIG COMMAND [ARGUMENTS] [--set SECTION.KEY=VALUE]...\n"
        "       archai-space --kinds       the layers and steps of a network in a file\n\n"
        "With --json, what is not JSON anyway is an object in it.\n"
        "Shows what a search space contains, without a search. CONFIG needs only the section [space]; serve takes "
        "[search] and\n[objective.NAME], too.\n\n",
        out);
    archai_tool_help(&tool, out);
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

static void version(FILE *out)
{
    (void)fputs("archai-space " ARCHAI_VERSION "\n", out);
}

/* Channels, size and classes, if the configuration has data and it can be read. */
static void data_shape(archai_ini *ini, archai_data_shape *shape)
{
    archai_dataset_source source;
    archai_dataset_facts facts = {.shape = {0}};
    archai_err err = ARCHAI_ERR_INIT;

    if (!archai_ini_has_section(ini, "data"))
        return;
    if (archai_dataset_source_open(&source, ini, &err) != ARCHAI_OK) {
        (void)fprintf(stderr, "archai-space: the section [data] is ignored: %s\n", err.text);
        return;
    }
    if (archai_dataset_probe(&source, &facts, &err) != ARCHAI_OK)
        (void)fprintf(stderr, "archai-space: the data cannot be read, so the space keeps its "
                              "defaults: %s\n",
                      err.text);
    *shape = facts.shape;
    archai_dataset_source_close(&source);
}

enum { OPT_SET = 256, OPT_WEIGHTS, OPT_INPUT, OPT_OUTPUT, OPT_HISTORY, OPT_KINDS, OPT_JSON };

/* Options may come anywhere; what --set says is applied after the file has been read. */
static int parse(int argc, char **argv, space_tool *t, archai_err *err)
{
    static const struct option options[] = {
        {"set", required_argument, NULL, OPT_SET},
        {"weights", required_argument, NULL, OPT_WEIGHTS},
        {"input", required_argument, NULL, OPT_INPUT},
        {"output", required_argument, NULL, OPT_OUTPUT},
        {"history", required_argument, NULL, OPT_HISTORY},
        {"kinds", no_argument, NULL, OPT_KINDS},
        {"json", no_argument, NULL, OPT_JSON},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":n:h", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            ARCHAI_TRY(archai_tool_count(optarg, 0, &t->count, err));
            break;
        case OPT_SET:
            t->sets[t->n_sets++] = optarg;
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
        case OPT_HISTORY:
            t->history = optarg;
            break;
        case OPT_KINDS:
            t->words = space_kinds;
            break;
        case OPT_JSON:
            t->json = true;
            break;
        case 'h':
            t->words = help;
            return ARCHAI_OK;
        case 'V':
            t->words = version;
            return ARCHAI_OK;
        default:
            return archai_tool_bad_option(c, argv, err);
        }
    }
    if (t->words != NULL) {
        t->words = t->json ? space_kinds_json : space_kinds;
        return ARCHAI_OK;
    }
    if (argc - optind < 2)
        return archai_fail(err, ARCHAI_EINVAL,
                           "usage: archai-space CONFIG COMMAND ...; --help shows the commands");
    t->config = argv[optind];
    t->command = argv[optind + 1];
    t->args = argv + optind + 2;
    t->n_args = (size_t)(argc - optind - 2);
    return ARCHAI_OK;
}

static int run(space_tool *t, archai_err *err)
{
    const struct command *command = archai_tool_find(&tool, t->command, t->n_args, err);
    archai_data_shape shape = {0};
    archai_space_common common;
    archai_choice choice;

    if (command == NULL)
        return err->code;
    ARCHAI_TRY(archai_ini_read(&t->ini, t->config, err));
    for (size_t i = 0; i < t->n_sets; i++)
        ARCHAI_TRY(archai_ini_set(&t->ini, t->sets[i], err));
    archai_paths_resolve(&t->ini, getenv("HOME"), stderr);
    data_shape(&t->ini, &shape);
    ARCHAI_TRY(archai_space_create(&t->space, &t->ini, &shape, err));
    choice = archai_space_choice(t->space, &common);
    ARCHAI_TRY(archai_config_check_section(&t->ini, &choice, err));
    if (command->loads)
        ARCHAI_TRY(space_tool_load(t, t->args[0], &t->model, err));
    return command->run(t, err);
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;
    space_tool t = {.count = 1};
    int rc;

    archai_program_begin("archai-space", "");
    t.sets = archai_calloc((size_t)argc, sizeof *t.sets);
    rc = parse(argc, argv, &t, &err);
    if (rc == ARCHAI_OK && t.words != NULL)
        t.words(stdout);
    else if (rc == ARCHAI_OK)
        rc = run(&t, &err);
    archai_model_fini(&t.model);
    archai_space_destroy(t.space);
    archai_ini_free(&t.ini);
    free(t.sets);
    return archai_program_end(rc, &err);
}
