/* archai-inspect: look at the results of a search, during the run and after it. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "runner/inspect/inspect.h"
#include "runner/process/limit.h"
#include "runner/process/program.h"
#include "runner/process/tool.h"

/* clang-format off */
static const struct command {
    archai_tool_command head;
    enum { NOTHING, RESULTS, MODEL } reads; /* nothing; t->r; t->r and in it t->row for args[0] */
    int (*run)(inspect *t, archai_err *err);
} commands[] = {
    {{"summary", "summary",             "what ran, how far it got, the best model by each objective, what failed", 0, 0}, RESULTS, inspect_summary},
    {{"state",   "state",               "one word: running, complete, interrupted or failed",                0, 0}, RESULTS, inspect_state},
    {{"pareto",  "pareto",              "the models that no other model dominates",                          0, 0}, RESULTS, inspect_pareto},
    {{"top",     "top NAME [-n N]",     "the N best models (default 10) by an objective or a metric",        1, 1}, RESULTS, inspect_top},
    {{"show",    "show ARCHID",         "everything known about one model",                                  1, 1}, MODEL,   inspect_show},
    {{"curves",  "curves ARCHID",       "its learning curves, one line per epoch",                           1, 1}, MODEL,   inspect_curves},
    {{"csv",     "csv",                 "all evaluations, in the columns of Archai's search state",          0, 0}, RESULTS, inspect_csv},
    {{"table",   "table [--csv|--json]", "all evaluations with everything known about them, for pandas",   0, 0}, RESULTS, inspect_table_all},
    {{"compare", "compare [--json|-o FILE.html]", "several RESULTS side by side: settings that differ, best, hypervolume, failures", 0, 0}, NOTHING, inspect_compare},
    {{"merge",   "merge -o DIRECTORY",  "one results directory out of several RESULTS of the same space and objectives", 0, 0}, NOTHING, inspect_merge},
    {{"pack",    "pack -o FILE",        "all of results.h5 in one file, with the weights, to send away",    0, 0}, NOTHING, inspect_pack},
    {{"export",  "export ARCHID|--front [--format safetensors|pt|arch|onnx|python] [--config CONFIG] -o FILE|DIRECTORY",
                                       "a model's weights, its architecture, or the network with its weights", 0, 1}, RESULTS, inspect_export},
    {{"choose",  "choose [pareto | top NAME N | ARCHID...] [--format arch] [-o DIR]",
                                       "chosen models as JSON, with the shapes of their weights; -o: their weights, too, as archai-run --from takes them", 0, 100000}, RESULTS, inspect_choose},
    {{"verify",  "verify [--repair]",   "check results.h5 against the segments (rows, checksums, weights), and the checkpoints; --repair: repair first", 0, 0}, RESULTS, inspect_verify},
    {{"repair",  "repair",              "write results.h5 again from the segments, if it does not show what they hold", 0, 0}, NOTHING, inspect_repair},
    {{"watch",   "watch",               "print the summary whenever it changes, and the candidates that run with their epochs, until the run ends",         0, 0}, NOTHING, inspect_watch},
    {{"report",  "report [-o FILE]",    "write report.html: one page with the front, plots and failures",    0, 0}, RESULTS, inspect_report},
};
/* clang-format on */
static const archai_tool tool = {"archai-inspect RESULTS", commands,
                                 sizeof commands / sizeof commands[0], sizeof commands[0]};

static void help(FILE *out)
{
    (void)fputs(
        "usage: archai-inspect RESULTS COMMAND [ARGUMENTS]\n\n"
        "Shows the results of a search. RESULTS is its directory or the results.h5 in it; the "
        "default command\nis summary. A search that is still running is not disturbed.\n\n",
        out);
    archai_tool_help(&tool, out);
    (void)fputs(
        "\nWith --json a command prints JSON instead; runner/inspect/README.md of the sources has the schema.\n"
        "\nFor example, the morning after:\n\n"
        "  archai-inspect runs/cnn-mnist summary\n"
        "  archai-inspect runs/cnn-mnist top accuracy -n 5\n"
        "  archai-inspect runs/cnn-mnist show 'L=3, K=1, H=64'\n"
        "  archai-inspect runs/cnn-mnist export 'L=3, K=1, H=64' -o best.safetensors\n\n"
        "or in Python, without this program:\n\n"
        "  import h5py\n"
        "  f = h5py.File('runs/cnn-mnist/results.h5')\n"
        "  f['objectives/accuracy'][f['pareto/index'][()]]\n"
        "  {name: d[()] for name, d in f['models/L=3, K=1, H=64'].items()}  # a state_dict\n",
        out);
}

static void version(FILE *out)
{
    (void)fputs("archai-inspect " ARCHAI_VERSION "\n", out);
}

enum { OPT_FORMAT = 256, OPT_REPAIR, OPT_JSON, OPT_CSV, OPT_FRONT, OPT_CONFIG };

static void nothing(FILE *out)
{
    (void)out;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < tool.n; i++)
        if (strcmp(commands[i].head.name, name) == 0)
            return &commands[i];
    return NULL;
}

/* "archai-inspect RESULTS top --help" */
static bool command_help(const char *name)
{
    const struct command *c = find_command(name);

    if (c != NULL)
        (void)printf("usage: %s %s\n\n%s.\n", tool.call, c->head.usage, c->head.help);
    return c != NULL;
}

static bool takes_several(const struct command *c)
{
    return c != NULL && (c->run == inspect_compare || c->run == inspect_merge);
}

static bool all_exist(char **paths, int n)
{
    struct stat st;
    int i = 0;

    while (i < n && stat(paths[i], &st) == 0)
        i++;
    return i == n;
}

/* RESULTS are the words before the command; one, unless a later word is a command that takes several. A directory
 * may be called like a command. */
static size_t count_paths(char **words, int n)
{
    if (n > 2 && takes_several(find_command(words[n - 1])) && all_exist(words, n - 1))
        return (size_t)n - 1;
    for (int i = 1; i < n; i++) {
        const struct command *c = find_command(words[i]);

        if (c != NULL)
            return i == 1 || takes_several(c) ? (size_t)i : 1;
    }
    return n > 0;
}

/* Options may come anywhere. */
static int parse(int argc, char **argv, inspect *t, archai_err *err)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, OPT_FORMAT},
        {"json", no_argument, NULL, OPT_JSON},
        {"csv", no_argument, NULL, OPT_CSV},
        {"front", no_argument, NULL, OPT_FRONT},
        {"config", required_argument, NULL, OPT_CONFIG},
        {"output", required_argument, NULL, 'o'},
        {"repair", no_argument, NULL, OPT_REPAIR},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":n:o:h", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            ARCHAI_TRY(archai_tool_count(optarg, 1, &t->count, err));
            break;
        case 'o':
            t->output = optarg;
            break;
        case OPT_JSON:
            t->json = true;
            break;
        case OPT_CSV:
            t->csv = true;
            break;
        case OPT_FRONT:
            t->front = true;
            break;
        case OPT_CONFIG:
            t->config = optarg;
            break;
        case OPT_FORMAT:
            t->format = optarg;
            break;
        case OPT_REPAIR:
            t->repair = true;
            break;
        case 'h':
            t->words = help;
            break;
        case 'V':
            t->words = version;
            return ARCHAI_OK;
        default:
            return archai_tool_bad_option(c, argv, err);
        }
    }
    if (t->words == help && optind < argc && command_help(argv[argc - 1])) {
        t->words = nothing;
        return ARCHAI_OK;
    }
    t->paths = argv + optind;
    t->n_paths = count_paths(argv + optind, argc - optind);
    t->path = t->n_paths > 0 ? t->paths[0] : NULL;
    optind += (int)t->n_paths;
    t->command = optind < argc ? argv[optind++] : "summary";
    t->args = argv + optind;
    t->n_args = optind < argc ? (size_t)(argc - optind) : 0;
    return ARCHAI_OK;
}

static int run(const struct command *command, inspect *t, archai_err *err)
{
    struct stat st;
    const char *slash = strrchr(t->path, '/');
    int rc = ARCHAI_OK;

    if (stat(t->path, &st) == 0 && S_ISDIR(st.st_mode))
        t->directory = archai_strdup(t->path);
    else
        t->directory = slash == NULL ? archai_strdup(".")
                                     : archai_strndup(t->path, (size_t)(slash - t->path) + 1);
    if (t->repair && command->run != inspect_verify)
        rc = archai_fail(err, ARCHAI_EINVAL, "--repair goes with verify");
    else if (t->repair)
        rc = inspect_repair(t, err);
    if (rc == ARCHAI_OK && command->reads != NOTHING)
        rc = archai_results_read(&t->r, t->path, err);
    if (rc == ARCHAI_OK && command->reads == MODEL)
        rc = inspect_resolve(t, t->args[0], &t->row, err);
    if (rc == ARCHAI_OK)
        rc = command->run(t, err);
    inspect_names_free(t);
    archai_results_free(&t->r);
    free(t->directory);
    return rc;
}

/* What writes results takes as long as it takes. */
static bool takes_long(const struct command *c)
{
    return c->run == inspect_repair || c->run == inspect_merge || c->run == inspect_pack;
}

/* HDF5 1.10 can crash or loop for ever on a damaged global heap, which has no checksum. A damaged file must
 * give a sentence, not a core dump: the command runs in a child, with limits on processor time and memory
 * that no intact file comes near. Returns the exit status. */
static int run_guarded(const struct command *command, inspect *t)
{
    pid_t child;
    int status;

    (void)fflush(NULL);
    child = fork();
    if (child == 0) {
        archai_err err = ARCHAI_ERR_INIT;

        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (!t->repair && !takes_long(command))
            archai_limit_reading((const char *const *)t->paths, t->n_paths);
        _exit(archai_program_end(run(command, t, &err), &err));
    }
    if (child < 0) {
        (void)fprintf(stderr, "archai-inspect: cannot start a process: %s\n", strerror(errno));
        return 1;
    }
    (void)signal(SIGINT, SIG_IGN); /* it is for the child, which shares the terminal */
    (void)TEMP_FAILURE_RETRY(waitpid(child, &status, 0));
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM ||
        WTERMSIG(status) == SIGPIPE)
        return 128 + WTERMSIG(status);
    if (archai_limit_crash(status) == NULL) {
        (void)fprintf(stderr, "archai-inspect: %s: killed by signal %d (%s)\n", t->path,
                      WTERMSIG(status), strsignal(WTERMSIG(status)));
        return 1;
    }
    (void)fprintf(stderr, "archai-inspect: %s%s: damaged: HDF5 %s while it read the file\n", t->path,
                  t->n_paths > 1 ? " or another of the results" : "", archai_limit_crash(status));
    return archai_rc_exit_status(ARCHAI_EFORMAT);
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;
    inspect t = {.count = -1};
    const struct command *command;
    int rc;

    archai_program_begin("archai-inspect", "");
    rc = parse(argc, argv, &t, &err);
    if (rc == ARCHAI_OK && t.words != NULL) {
        t.words(stdout);
    } else if (rc == ARCHAI_OK && t.path == NULL) {
        help(stderr);
        return 2;
    } else if (rc == ARCHAI_OK) {
        command = archai_tool_find(&tool, t.command, t.n_args, &err);
        if (command != NULL)
            return run_guarded(command, &t);
        rc = err.code;
    }
    return archai_program_end(rc, &err);
}
