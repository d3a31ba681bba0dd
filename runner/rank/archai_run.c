/* archai-run: a search for neural architectures, on one core or on a cluster. */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runner/process/program.h"
#include "runner/rank/arguments.h"
#include "runner/rank/run.h"
#include "runner/rank/signals.h"

/* A rank that leaves before MPI_Init can leave mpirun hanging: under a launcher even --help
 * goes through MPI. */
static bool is_launched(void)
{
    static const char *const signs[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (getenv(signs[i]) != NULL)
            return true;
    return false;
}

/* Each of them sets the first variable, if the second is there, too (NULL: always). */
static const struct {
    const char *size, *within, *name;
} launchers[] = {
    {"PMI_SIZE", NULL, "a launcher that speaks PMI"},
    {"OMPI_COMM_WORLD_SIZE", NULL, "Open MPI's mpirun"},
    {"SLURM_STEP_NUM_TASKS", "SLURM_STEP_ID", "srun"},
};

/* What a launcher of this MPI sets for each of its ranks. MPICH and its kin know PMI_SIZE: where they see one rank, it
 * says 1, or they were not started by it. */
static bool is_started_by_own(void)
{
#if defined(OPEN_MPI)
    return getenv("OMPI_COMM_WORLD_SIZE") != NULL || getenv("PMIX_RANK") != NULL;
#else
    const char *size = getenv("PMI_SIZE");

    return size != NULL && strtol(size, NULL, 10) == 1;
#endif
}

/* Was it started by a launcher of its own MPI? srun without PMIx, or another MPI's mpiexec, starts N programs each of
 * which is the only rank of a world of its own: N searches where one was meant. `started_by_own` was asked before
 * MPI_Init, which sets some of a launcher's variables itself. SLURM_NTASKS alone says nothing: every batch script has
 * it. */
static int check_launcher(bool started_by_own, archai_err *err)
{
    int size = 0;

    if (MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS || size != 1 || started_by_own)
        return ARCHAI_OK;
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++) {
        const char *text = getenv(launchers[i].size);
        const long n = text != NULL ? strtol(text, NULL, 10) : 0;

        if (n > 1 && (launchers[i].within == NULL || getenv(launchers[i].within) != NULL))
            return archai_fail(
                err, ARCHAI_EINVAL,
                "%s started %ld processes (%s), but MPI sees this one alone: each would run a search of its "
                "own. Start archai-run with the mpirun of its own MPI, or with srun --mpi=pmix where that MPI "
                "has PMIx; if one search each is meant, unset %s",
                launchers[i].name, n, launchers[i].size, launchers[i].size);
    }
    return ARCHAI_OK;
}

enum { FINALIZE_S = 60 };
static volatile sig_atomic_t code_at_end;

static void leave(int signal_number)
{
    (void)signal_number;
    _exit(code_at_end);
}

/* All is written. A lone rank may have to do with its MPI's daemon, which may be stopped: it is waited for only so long, and a
 * signal ends the wait. Several ranks wait for each other, and mpirun for them. */
static void finalize(int exit_code)
{
    static const int ends[] = {SIGALRM, SIGTERM, SIGINT, SIGHUP};
    int ranks = 0;

    code_at_end = exit_code;
    if (MPI_Comm_size(MPI_COMM_WORLD, &ranks) == MPI_SUCCESS && ranks == 1) {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            (void)signal(ends[i], leave);
        (void)fflush(NULL);
        (void)alarm(FINALIZE_S);
    }
    (void)MPI_Finalize();
    (void)alarm(0);
}

int main(int argc, char **argv)
{
    const bool started_by_own = is_started_by_own();
    archai_arguments args;
    archai_err err = ARCHAI_ERR_INIT;
    int rc, exit_code = 0, thread_level;
    bool alone = false;

    archai_program_begin("archai-run", "; --resume continues from what was committed");
    rc = archai_arguments_parse(&args, argc, argv, &err);
    /* Before MPI_Init, which takes a while: a stop request during it counts afterwards. */
    if (rc == ARCHAI_OK)
        rc = archai_signals_install(&err);
    if (rc == ARCHAI_OK && args.words != NULL && !is_launched()) {
        args.words(stdout);
    } else if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &thread_level) != MPI_SUCCESS) {
        (void)fprintf(stderr, "archai-run: MPI could not be started\n");
        exit_code = 1;
    } else {
        if (rc == ARCHAI_OK && args.words == NULL && !args.dry_run)
            rc = check_launcher(started_by_own, &err);
        exit_code = archai_run(&args, rc, &err, &alone);
        if (!alone)
            finalize(exit_code);
    }
    archai_arguments_free(&args);
    if (fflush(stdout) != 0)
        exit_code = 74;
    if (alone) /* without MPI's exit handlers, which wait for lost ranks */
        _exit(exit_code);
    return exit_code;
}
