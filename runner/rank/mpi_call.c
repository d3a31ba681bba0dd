#include "runner/rank/mpi_call.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static pthread_mutex_t in_mpi = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool wanted;           /* by the thread in archai_mpi_try_enter */
static atomic_uint_fast64_t entries; /* into MPI, so far */

/* A loop that is never idle leaves MPI only to enter it again at once; on an overloaded machine it would
 * be inside whenever the other thread wakes. So it steps aside for a moment when that thread waits. */
void archai_mpi_enter(void)
{
    static const struct timespec aside = {.tv_nsec = 50000};

    if (wanted)
        (void)nanosleep(&aside, NULL);
    (void)pthread_mutex_lock(&in_mpi);
    entries++;
}

bool archai_mpi_try_enter(double seconds)
{
    struct timespec until;
    int e = pthread_mutex_trylock(&in_mpi);

    if (e != 0) {
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)(seconds * 1e9);
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        wanted = true;
        e = pthread_mutex_timedlock(&in_mpi, &until);
        wanted = false;
    }
    return e == 0;
}

void archai_mpi_leave(void)
{
    (void)pthread_mutex_unlock(&in_mpi);
}

uint64_t archai_mpi_entries(void)
{
    return entries;
}

int archai_mpi_check_(archai_err *err, int mpirc, const char *what, const char *file, int line)
{
    char text[MPI_MAX_ERROR_STRING];
    int len = 0;

    if (mpirc != MPI_SUCCESS && MPI_Error_string(mpirc, text, &len) != MPI_SUCCESS)
        len = 0;
    archai_mpi_leave();
    if (mpirc == MPI_SUCCESS)
        return ARCHAI_OK;
    return archai_err_set_(err, ARCHAI_EMPI, file, line, "%s: %.*s", what, len, text);
}
