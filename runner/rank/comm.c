#include "runner/rank/comm.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "runner/rank/pulse.h"
#include "runner/rank/ulfm.h"

enum { TAG = 1, KEEP_CAPACITY = 1 << 20 /* bytes of an idle outbox worth keeping */ };

/* archai_mpi, except that the death of a rank (runner/rank/ulfm.h) is not an error: it sets *lost and tells the
 * pulse. */
#define MPI_LOSSY(err, lost, call)                                                                 \
    (archai_mpi_enter(), check_lossy((err), (lost), (call), #call, __LINE__))

static int check_lossy(archai_err *err, bool *lost, int mpirc, const char *what, int line)
{
    *lost = archai_ulfm_is_loss(mpirc);
    if (*lost)
        archai_pulse_ask_mpi();
    return archai_mpi_check_(err, *lost ? MPI_SUCCESS : mpirc, what, __FILE__, line);
}

/* -- waiting together ---------------------------------------------------------------------- */

/* MPI's blocking collectives burn a core while they wait; with more ranks than cores, they take it from the
 * rank that they wait for. */
static int wait_quietly(MPI_Request *request, archai_err *err)
{
    enum { SPINS = 100 };
    const struct timespec pause = {.tv_nsec = 1000000};
    int done = 0, lost;
    char why[64];

    for (int i = 0; !done; i++) {
        ARCHAI_TRY(archai_mpi(err, MPI_Test(request, &done, MPI_STATUS_IGNORE)));
        if (done || i < SPINS)
            continue;
        lost = archai_pulse_first_lost();
        if (lost >= 0) {
            archai_pulse_why(lost, why, sizeof why);
            return archai_fail(err, ARCHAI_EMPI, "rank %d was lost: %s", lost, why);
        }
        (void)nanosleep(&pause, NULL);
    }
    return ARCHAI_OK;
}

int archai_comm_share(MPI_Comm comm, int root, void *data, size_t size, archai_err *err)
{
    MPI_Request request = MPI_REQUEST_NULL;

    ARCHAI_TRY(archai_mpi(err, MPI_Ibcast(data, (int)size, MPI_BYTE, root, comm, &request)));
    return wait_quietly(&request, err);
}

int archai_comm_barrier(MPI_Comm comm, archai_err *err)
{
    MPI_Request request = MPI_REQUEST_NULL;

    ARCHAI_TRY(archai_mpi(err, MPI_Ibarrier(comm, &request)));
    return wait_quietly(&request, err);
}

int archai_comm_agree(MPI_Comm comm, int rc, archai_err *err)
{
    MPI_Request request = MPI_REQUEST_NULL;
    archai_err local = ARCHAI_ERR_INIT;
    int rank, first, mine;

    if (err == NULL)
        err = &local;
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_rank(comm, &rank)));
    mine = rc == ARCHAI_OK ? INT_MAX : rank;
    ARCHAI_TRY(
        archai_mpi(err, MPI_Iallreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm, &request)));
    ARCHAI_TRY(wait_quietly(&request, err));
    if (first == INT_MAX)
        return ARCHAI_OK;
    if (rank == first) {
        err->code = rc;
        err->rank = rank;
    }
    ARCHAI_TRY(archai_comm_share(comm, first, err, sizeof *err, err));
    return err->code;
}

int archai_comm_share_text(MPI_Comm comm, char **text, archai_err *err)
{
    size_t n = 0;
    int rank;

    ARCHAI_TRY(archai_mpi(err, MPI_Comm_rank(comm, &rank)));
    if (rank == 0)
        n = strlen(*text) + 1; /* configurations have at most 16 MiB */
    ARCHAI_TRY(archai_comm_share(comm, 0, &n, sizeof n, err));
    if (rank != 0)
        *text = archai_malloc(n);
    return archai_comm_share(comm, 0, *text, n, err);
}

/* -- life ---------------------------------------------------------------------------------- */

int archai_comm_init(archai_comm *c, MPI_Comm parent, archai_err *err)
{
    *c = (archai_comm){.comm = MPI_COMM_NULL};
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_dup(parent, &c->comm)));
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_set_errhandler(c->comm, MPI_ERRORS_RETURN)));
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_rank(c->comm, &c->rank)));
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_size(c->comm, &c->size)));
    c->to = archai_calloc((size_t)c->size, sizeof *c->to);
    c->busy = archai_calloc((size_t)c->size, sizeof *c->busy);
    for (int i = 0; i < c->size; i++)
        c->to[i].request = MPI_REQUEST_NULL;
    return ARCHAI_OK;
}

void archai_comm_fini(archai_comm *c)
{
    bool all = true;

    for (int i = 0; c->to != NULL && i < c->size; i++) {
        archai_buffer_free(&c->to[i].waiting);
        all = all && !c->to[i].gone;
        /* A buffer that MPI still reads stays: the peer is gone, and the job ends. */
        if (c->to[i].request == MPI_REQUEST_NULL)
            archai_buffer_free(&c->to[i].sending);
    }
    free(c->to);
    free(c->busy);
    archai_buffer_free(&c->in);
    if (c->comm != MPI_COMM_NULL && all)
        (void)archai_mpi(NULL, MPI_Comm_free(&c->comm));
    *c = (archai_comm){.comm = MPI_COMM_NULL};
}

/* -- sending ------------------------------------------------------------------------------- */

static bool is_busy(const archai_outbox *o)
{
    return !o->gone && (o->waiting.size > 0 || o->request != MPI_REQUEST_NULL);
}

static void reset(archai_buffer *b)
{
    if (b->capacity > KEEP_CAPACITY)
        archai_buffer_free(b);
    b->size = 0;
}

/* Its rank is dead. */
static void drop(archai_outbox *o)
{
    o->gone = true;
    o->request = MPI_REQUEST_NULL;
    archai_buffer_free(&o->waiting);
}

/* Complete the send under way; start the next with what has gathered. */
static int advance(archai_comm *c, int dest, archai_err *err)
{
    archai_outbox *o = &c->to[dest];
    archai_buffer spare;
    bool lost = false;
    int done = 0, rc;

    if (o->request != MPI_REQUEST_NULL) {
        ARCHAI_TRY(MPI_LOSSY(err, &lost, MPI_Test(&o->request, &done, MPI_STATUS_IGNORE)));
        if (lost)
            drop(o);
        if (lost || !done)
            return ARCHAI_OK;
        reset(&o->sending);
    }
    if (o->waiting.size == 0)
        return ARCHAI_OK;
    if (o->waiting.size > INT_MAX)
        return archai_fail(err, ARCHAI_EMPI, "%zu bytes for rank %d exceed one MPI message",
                           o->waiting.size, dest);
    spare = o->sending;
    o->sending = o->waiting;
    o->waiting = spare;
    rc = MPI_LOSSY(err, &lost,
                   MPI_Isend(o->sending.data, (int)o->sending.size, MPI_BYTE, dest, TAG, c->comm,
                             &o->request));
    if (lost)
        drop(o);
    return rc;
}

int archai_comm_post(archai_comm *c, int dest, const archai_message *m, archai_err *err)
{
    archai_outbox *o = &c->to[dest];
    const bool was_busy = is_busy(o);

    if (o->gone)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_frame_append(m, &o->waiting, err));
    if (!was_busy && dest != c->rank)
        c->busy[c->n_busy++] = dest;
    return ARCHAI_OK;
}

int archai_comm_progress(archai_comm *c, archai_err *err)
{
    size_t n = 0;
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < c->n_busy; i++) {
        const int dest = c->busy[i];

        if (rc == ARCHAI_OK)
            rc = advance(c, dest, err);
        if (is_busy(&c->to[dest]))
            c->busy[n++] = dest;
    }
    c->n_busy = n;
    return rc;
}

bool archai_comm_is_idle(const archai_comm *c)
{
    return c->n_busy == 0 && c->to[c->rank].waiting.size == 0;
}

void archai_comm_forget(archai_comm *c, int rank)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_busy; i++)
        if (c->busy[i] != rank)
            c->busy[n++] = c->busy[i];
    c->n_busy = n;
    c->to[rank].gone = true;
    archai_buffer_free(&c->to[rank].waiting);
}

void archai_comm_remember(archai_comm *c, int rank)
{
    if (!c->to[rank].gone)
        return;
    c->to[rank].gone = false;
    if (is_busy(&c->to[rank])) /* the send that was under way when it was lost */
        c->busy[c->n_busy++] = rank;
}

/* -- receiving ----------------------------------------------------------------------------- */

/* Bring the next MPI message, or what this rank posted to itself, into c->in. */
static int fetch(archai_comm *c, archai_err *err)
{
    archai_outbox *self = &c->to[c->rank];
    MPI_Message handle;
    MPI_Status status;
    int flag = 0, n = 0;
    bool lost;

    reset(&c->in);
    c->in_used = 0;
    if (self->waiting.size > 0) {
        const archai_buffer spare = c->in;

        c->in = self->waiting;
        self->waiting = spare;
        c->in_source = c->rank;
        return ARCHAI_OK;
    }
    if (c->size == 1)
        return ARCHAI_OK;
    ARCHAI_TRY(MPI_LOSSY(
        err, &lost, MPI_Improbe(MPI_ANY_SOURCE, TAG, c->comm, &flag, &handle, &status)));
    if (lost || !flag)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_mpi(err, MPI_Get_count(&status, MPI_BYTE, &n)));
    if (n < 0)
        return archai_fail(err, ARCHAI_EMPI, "a message of unknown size from rank %d",
                           status.MPI_SOURCE);
    archai_buffer_reserve(&c->in, (size_t)n);
    ARCHAI_TRY(MPI_LOSSY(err, &lost,
                         MPI_Mrecv(c->in.data, n, MPI_BYTE, &handle, MPI_STATUS_IGNORE)));
    if (lost) /* the sender has just died */
        return ARCHAI_OK;
    c->in.size = (size_t)n;
    c->in_source = status.MPI_SOURCE;
    archai_pulse_heard(status.MPI_SOURCE);
    return ARCHAI_OK;
}

int archai_comm_take(archai_comm *c, int *source, archai_message *out, bool *got,
                     archai_err *err)
{
    int rc;

    *got = false;
    if (c->in_used == c->in.size)
        ARCHAI_TRY(fetch(c, err));
    if (c->in_used == c->in.size)
        return ARCHAI_OK;
    rc = archai_frame_take(&c->in, &c->in_used, out, got, err);
    if (rc == ARCHAI_OK && !*got)
        rc = archai_fail(err, ARCHAI_EFORMAT, "a message is cut off");
    if (rc != ARCHAI_OK)
        return archai_err_wrap(err, rc, "from rank %d: ", c->in_source);
    *source = c->in_source;
    return ARCHAI_OK;
}
