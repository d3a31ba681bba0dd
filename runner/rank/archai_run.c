/* archai-run: a search for neural architectures, on one core or on a cluster. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runner/process/program.h"
#include "runner/rank/arguments.h"
#include "runner/rank/launcher.h"
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

int main(int argc, char **argv)
{
    archai_arguments args;
    archai_err err = ARCHAI_ERR_INIT;
    int rc, exit_code = 0, thread_level;
    bool alone = false;

    archai_launcher_note();
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
        exit_code = archai_run(&args, rc, &err, &alone);
        if (!alone)
            (void)MPI_Finalize();
    }
    archai_arguments_free(&args);
    if (fflush(stdout) != 0)
        exit_code = 74;
    if (alone) /* without MPI's exit handlers, which wait for lost ranks */
        _exit(exit_code);
    return exit_code;
}
