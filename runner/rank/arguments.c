#include "runner/rank/arguments.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/algorithm.h"
#include "core/config/config.h"
#include "core/search/space.h"
#include "runner/evaluator/evaluator.h"

static void help(FILE *out)
{
    (void)fputs(
        "usage: mpirun -n RANKS archai-run CONFIG [OPTIONS]\n"
        "\n"
        "Searches for neural architectures: every rank evaluates candidates, rank 0 decides "
        "which\n"
        "come next. Without mpirun it is the same search on one rank.\n"
        "\n"
        "  --resume                     go on where a run in the same directory stopped\n"
        "  --output DIR                 where the results go (output.directory)\n"
        "  --set SECTION.KEY=VALUE      override a key of the configuration; may be repeated\n"
        "  --dry-run                    check everything, print the resolved configuration, "
        "run nothing\n"
        "  --progress MODE              auto, live (one line that moves), plain (a line every "
        "30 s), none\n"
        "  --help-config                every section and key, as a Markdown table\n"
        "  --version, --help\n"
        "\n"
        "The least that a configuration says is what to search and what is good:\n"
        "\n"
        "  [space]\n"
        "  name = cnn\n"
        "  [objective.val_accuracy]\n"
        "  direction = maximize\n"
        "\n"
        "It then trains on synthetic pictures. The directory configs/ has complete examples. "
        "Try:\n"
        "\n"
        "  archai-run configs/cnn-mnist.ini --dry-run\n"
        "  mpirun -n 4 archai-run configs/cnn-mnist.ini --set search.max_evaluations=20\n"
        "  archai-inspect runs/cnn-mnist summary\n"
        "\n"
        "Exit codes: 0 complete, 2 bad input, 74 cannot write, 75 interrupted (--resume goes "
        "on), 1\n"
        "anything else; under mpirun see also the file exit_code in the results. SIGINT, "
        "SIGTERM and\n"
        "SIGUSR1 stop a search so that nothing is lost; a second one stops it at once.\n"
        "\n",
        out);
    (void)fputs("search.algorithm, one of:\n", out);
    for (size_t i = 0; archai_algorithms[i] != NULL; i++)
        (void)fprintf(out, "  %-22s %s\n", archai_algorithms[i]->name,
                      archai_algorithms[i]->help);
    (void)fputs("space.name, one of:\n", out);
    for (size_t i = 0; archai_spaces[i] != NULL; i++)
        (void)fprintf(out, "  %-22s %s\n", archai_spaces[i]->name, archai_spaces[i]->help);
    (void)fputs("evaluator.kind, one of:\n", out);
    for (size_t i = 0; archai_evaluators[i] != NULL; i++)
        (void)fprintf(out, "  %-22s %s\n", archai_evaluators[i]->name,
                      archai_evaluators[i]->help);
}

static void version(FILE *out)
{
    (void)fprintf(out, "archai-run %s\n", ARCHAI_VERSION);
}

enum { OPT_RESUME = 256, OPT_OUTPUT, OPT_SET, OPT_DRY_RUN, OPT_PROGRESS, OPT_HELP_CONFIG };

static int parse_one(archai_arguments *a, int option, char **argv, archai_err *err)
{
    int mode;

    switch (option) {
    case OPT_RESUME:
        a->resume = true;
        return ARCHAI_OK;
    case OPT_OUTPUT:
        a->output = optarg;
        return ARCHAI_OK;
    case OPT_SET:
        a->sets[a->n_sets++] = optarg;
        return ARCHAI_OK;
    case OPT_DRY_RUN:
        a->dry_run = true;
        return ARCHAI_OK;
    case OPT_PROGRESS:
        mode = archai_progress_mode_from_name(optarg);
        if (mode < 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "--progress: '%s' is none of auto, live, plain, none", optarg);
        a->progress = (archai_progress_mode)mode;
        return ARCHAI_OK;
    case OPT_HELP_CONFIG:
        a->words = archai_config_markdown;
        return ARCHAI_OK;
    case 'h':
        a->words = help;
        return ARCHAI_OK;
    case 'V':
        a->words = version;
        return ARCHAI_OK;
    case ':':
        return archai_fail(err, ARCHAI_EINVAL, "%s needs a value; --help shows all options",
                           argv[optind - 1]);
    default:
        return archai_fail(err, ARCHAI_EINVAL, "unknown option %s; --help shows all of them",
                           argv[optind - 1]);
    }
}

int archai_arguments_parse(archai_arguments *out, int argc, char **argv, archai_err *err)
{
    static const struct option options[] = {
        {"resume", no_argument, NULL, OPT_RESUME},
        {"output", required_argument, NULL, OPT_OUTPUT},
        {"set", required_argument, NULL, OPT_SET},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"progress", required_argument, NULL, OPT_PROGRESS},
        {"help-config", no_argument, NULL, OPT_HELP_CONFIG},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *out = (archai_arguments){.progress = ARCHAI_PROGRESS_AUTO};
    out->sets = calloc((size_t)argc + 1, sizeof *out->sets);
    if (out->sets == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for the command line");
    opterr = 0;
    optind = 1;
    while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1)
        ARCHAI_TRY(parse_one(out, c, argv, err));
    if (out->words != NULL)
        return ARCHAI_OK;
    if (argc - optind != 1)
        return archai_fail(
            err, ARCHAI_EINVAL, "usage: archai-run CONFIG [OPTIONS]: %s; --help teaches more",
            argc == optind ? "the configuration is missing" : "more than one configuration");
    out->config = argv[optind];
    return ARCHAI_OK;
}

void archai_arguments_free(archai_arguments *a)
{
    free(a->sets);
    *a = (archai_arguments){0};
}
