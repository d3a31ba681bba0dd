/* archai-space: look into a search space without a search - sample, mutate, show, run a model.
 *
 * Needs only the section [space] of a configuration; where there is a [data] section as well, the
 * space takes its input channels and classes from that data, as a search does.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "core/search/registries.h"
#include "io/dataset/dataset.h"
#include "runner/space_tool/space_tool.h"
#include "runner/process/out_of_memory.h"

/* clang-format off */
static const struct command {
    const char *name, *usage, *help;
    int (*run)(space_tool *t, archai_err *err);
} commands[] = {
    {"sample",    "sample [-n N]",                  "N random architectures, one JSON object a line",          space_sample},
    {"mutate",    "mutate ARCH [-n N]",             "N mutants of an architecture",                            space_mutate},
    {"crossover", "crossover ARCH ARCH... [-n N]",  "N children of two or more architectures",                 space_crossover},
    {"encode",    "encode ARCH",                    "the features that a surrogate sees, as a JSON list",      space_encode},
    {"show",      "show ARCH",                      "the model as PyTorch prints it",                          space_show},
    {"info",      "info ARCH",                      "JSON: archid, params, macs, flops, state_dict shapes",    space_info},
    {"dot",       "dot ARCH",                       "a Graphviz drawing: ... dot ARCH | dot -Tsvg > arch.svg", space_dot},
    {"predict",   "predict ARCH --weights FILE[:/GROUP] --input FILE:/DATASET --output FILE",
                                                    "run the model in evaluation mode",                        space_predict},
    {"replay",    "replay SCRIPT",                  "operations on one generator, one a line: sample, mutate I, crossover I J ...", space_replay},
};
/* clang-format on */
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *out)
{
    (void)fputs(
        "usage: archai-space CONFIG COMMAND [ARGUMENTS] [--set SECTION.KEY=VALUE]...\n\n"
        "Looks into the search space of a configuration; only its section [space] is needed.\n\n",
        out);
    for (int i = 0; i < N_COMMANDS; i++)
        (void)fprintf(out, "  %s\n      %s\n", commands[i].usage, commands[i].help);
    (void)fputs("\nARCH is a file as save_arch writes it, or a line as sample prints it; - is standard input. "
                "Try:\n\n"
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

/* Channels, size and classes of the data, where the configuration has data that can be read. */
static void data_shape(archai_ini *ini, archai_data_shape *shape)
{
    archai_dataset_source source;
    archai_err err = ARCHAI_ERR_INIT;

    if (!archai_ini_has_section(ini, "data"))
        return;
    if (archai_dataset_source_open(&source, ini, &err) != ARCHAI_OK) {
        (void)fprintf(stderr, "archai-space: the data does not count: %s\n", err.text);
        return;
    }
    if (archai_dataset_probe(&source, shape, NULL, &err) != ARCHAI_OK) {
        memset(shape, 0, sizeof *shape);
        (void)fprintf(stderr, "archai-space: the space's own defaults hold, since the data cannot "
                              "be read: %s\n",
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
        return archai_fail(err, ARCHAI_EINVAL, "-n: '%s' is not a number of architectures", text);
    *out = v;
    return ARCHAI_OK;
}

/* Options may stand anywhere; --set is collected and applied after the file has been read. */
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
    (void)archai_fail(err, ARCHAI_EINVAL, "unknown command '%s'%s%s%s", name,
                      near != NULL ? "; did you mean '" : "; --help shows the commands",
                      near != NULL ? near : "", near != NULL ? "'?" : "");
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
    ARCHAI_TRY_GOTO(rc, archai_ini_read(&ini, config, err), out);
    for (size_t i = 0; i < n_sets; i++)
        ARCHAI_TRY_GOTO(rc, archai_ini_set(&ini, sets[i], err), out);
    data_shape(&ini, &shape);
    ARCHAI_TRY_GOTO(rc, archai_space_create(&t.space, &ini, &shape, err), out);
    choice = archai_space_choice(t.space, &common);
    ARCHAI_TRY_GOTO(rc, archai_config_check_section(&ini, &choice, err), out);
    t.ini = &ini;
    rc = command->run(&t, err);
    if (rc == ARCHAI_OK && fflush(stdout) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "standard output: %s", strerror(errno));
out:
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
    sets = calloc((size_t)argc + 1, sizeof *sets);
    if (sets == NULL) {
        (void)fputs("archai-space: out of memory\n", stderr);
        return 1;
    }
    rc = run(argc, argv, sets, &err);
    free(sets);
    if (rc != ARCHAI_OK)
        (void)fprintf(stderr, "archai-space: %s\n", err.text);
    return archai_rc_exit_status(rc);
}
