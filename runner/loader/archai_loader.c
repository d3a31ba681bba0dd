/* archai-loader: reads and decodes examples for an archai-evaluator that does not hold the data set
 * (io/dataset/feed/feed.h, which says what its descriptors are). It ends with its evaluator. No MPI, no libtorch.
 *
 * A process of its own: the formats need HDF5 and decode what others wrote, and a crash in them costs a candidate.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "io/dataset/feed/feed.h"
#include "io/file/h5.h"
#include "runner/process/program.h"

/* Its evaluator ends it by closing the pipe; one that is killed cannot. */
static void end_with_parent(void)
{
    const pid_t parent = getppid();

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

/* What asks an evaluator to stop after its epoch must not take its data away. */
static void ignore_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    static const int which[] = {SIGTERM, SIGINT, SIGPIPE, SIGUSR1};

    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++)
        (void)sigaction(which[i], &ignore, NULL);
}

int main(int argc, char **argv)
{
    const archai_dataset_header *data = NULL;
    archai_err err = ARCHAI_ERR_INIT;
    int rc;

    archai_program_begin("archai-loader", "");
    end_with_parent();
    ignore_signals();
    rc = argc > 1 ? archai_fail(&err, ARCHAI_EINVAL, "%s: it takes no arguments", argv[1])
         : fcntl(ARCHAI_FEED_REQUESTS, F_GETFD) < 0 || fcntl(ARCHAI_FEED_DATA, F_GETFD) < 0
             ? archai_fail(&err, ARCHAI_EINVAL,
                           "is started by archai-evaluator and not meant to be run by hand")
             : archai_h5_init(&err);
    if (rc == ARCHAI_OK)
        rc = archai_dataset_map(ARCHAI_FEED_DATA, &data, &err);
    if (rc == ARCHAI_OK)
        rc = archai_feed_serve(ARCHAI_FEED_REQUESTS, ARCHAI_FEED_ANSWERS, ARCHAI_FEED_RING, data, &err);
    archai_dataset_unmap(data);
    return archai_program_end(rc, &err);
}
