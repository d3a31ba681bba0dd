#include "runner/rank/arguments.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/config.h"
#include "runner/process/tool.h"
#include "runner/rank/plan.h"

static void help(FILE *out)
{
    (void)fputs(
        "usage: mpirun -n RANKS archai-run CONFIG [OPTIONS]\n"
        "\n"
        "Searches for neural architectures: every rank evaluates candidates, rank 0 decides "
        "which\n"
        "come next. Without mpirun the same search runs on one rank.\n"
        "\n"
        "  --resume                     continue the run whose results are in the directory\n"
        "  --output DIR                 where the results go (output.directory)\n"
        "  --set SECTION.KEY=VALUE      override a key of the configuration; may be repeated\n"
        "  --from RESULTS [pareto | top NAME N | ARCHID...] [--fresh]\n"
        "                               no search: train these models of RESULTS (pareto) as CONFIG says,\n"
        "                               from their weights or, with --fresh, from new ones\n"
        "  --dry-run                    check everything, print the resolved configuration, "
        "run nothing\n"
        "  --progress MODE              auto, live (one line, updated in place), plain (a line every "
        "30 s), none\n"
        "  --help-config                all sections and keys, as Markdown tables\n"
        "  --version, --help\n"
        "\n"
        "A configuration must at least say what to search and what to optimize:\n"
        "\n"
        "  [space]\n"
        "  name = cnn\n"
        "  [objective.val_accuracy]\n"
        "  direction = maximize\n"
        "\n"
        "This trains on synthetic pictures. The directory configs/ has complete examples. "
        "Try:\n"
        "\n"
        "  archai-run configs/cnn-mnist.ini --dry-run\n"
        "  mpirun -n 4 archai-run configs/cnn-mnist.ini --set search.max_evaluations=20\n"
        "  archai-inspect runs/cnn-mnist summary\n"
        "\n"
        "Exit codes: 0 complete, 2 bad input, 74 cannot write, 75 interrupted (--resume "
        "continues),\n"
        "1 anything else; under mpirun see also the file exit_code in the results. SIGINT, "
        "SIGTERM,\n"
        "SIGHUP, SIGUSR1 and SIGUSR2 stop a search without losing anything; a second signal stops it "
        "at once.\n"
        "\n",
        out);
    for (const archai_registry *const *r = archai_run_registries; *r != NULL; r++) {
        archai_kind kind;

        (void)fprintf(out, "%s.%s, one of:\n", (*r)->section, (*r)->key);
        for (size_t i = 0; (*r)->at(i, &kind); i++)
            (void)fprintf(out, "  %-22s %s\n", kind.name, kind.help);
    }
}

static void help_config(FILE *out)
{
    archai_config_markdown(archai_run_registries, out);
}

static void version(FILE *out)
{
    (void)fprintf(out, "archai-run %s\n", ARCHAI_VERSION);
}

enum { OPT_RESUME = 256, OPT_OUTPUT, OPT_SET, OPT_DRY_RUN, OPT_PROGRESS, OPT_HELP_CONFIG, OPT_FROM, OPT_FRESH };

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
    case OPT_FROM:
        a->from = optarg;
        return ARCHAI_OK;
    case OPT_FRESH:
        a->fresh = true;
        return ARCHAI_OK;
    case OPT_DRY_RUN:
        a->dry_run = true;
        return ARCHAI_OK;
    case OPT_PROGRESS:
        mode = archai_progress_mode_from_name(optarg);
        if (mode < 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "--progress: '%s' is not one of auto, live, plain, none", optarg);
        a->progress = (archai_progress_mode)mode;
        return ARCHAI_OK;
    case OPT_HELP_CONFIG:
        a->words = help_config;
        return ARCHAI_OK;
    case 'h':
        a->words = help;
        return ARCHAI_OK;
    case 'V':
        a->words = version;
        return ARCHAI_OK;
    default:
        return archai_tool_bad_option(option, argv, err);
    }
}

int archai_arguments_parse(archai_arguments *out, int argc, char **argv, archai_err *err)
{
    static const struct option options[] = {
        {"resume", no_argument, NULL, OPT_RESUME},
        {"output", required_argument, NULL, OPT_OUTPUT},
        {"set", required_argument, NULL, OPT_SET},
        {"from", required_argument, NULL, OPT_FROM},
        {"fresh", no_argument, NULL, OPT_FRESH},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"progress", required_argument, NULL, OPT_PROGRESS},
        {"help-config", no_argument, NULL, OPT_HELP_CONFIG},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *out = (archai_arguments){.progress = ARCHAI_PROGRESS_AUTO};
    out->sets = archai_calloc((size_t)argc + 1, sizeof *out->sets);
    opterr = 0;
    optind = 1;
    while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1)
        ARCHAI_TRY(parse_one(out, c, argv, err));
    if (out->words != NULL)
        return ARCHAI_OK;
    if (out->fresh && out->from == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "--fresh goes with --from RESULTS");
    if (argc - optind < 1 || (argc - optind > 1 && out->from == NULL))
        return archai_fail(
            err, ARCHAI_EINVAL, "usage: archai-run CONFIG [OPTIONS]: %s; --help says more",
            argc == optind ? "the configuration is missing" : "more than one configuration");
    out->config = argv[optind];
    out->models = argv + optind + 1;
    out->n_models = (size_t)(argc - optind - 1);
    return ARCHAI_OK;
}

void archai_arguments_free(archai_arguments *a)
{
    free(a->sets);
    *a = (archai_arguments){0};
}
