#include "runner/rank/run.h"

#include <math.h>
#include <mpi.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/file/checkpoint.h"
#include "io/dataset/dataset.h"
#include "runner/coordinator/breath.h"
#include "runner/process/clock.h"
#include "runner/rank/comm.h"
#include "runner/coordinator/coordinator.h"
#include "runner/coordinator/finish.h"
#include "runner/rank/node.h"
#include "runner/rank/plan.h"
#include "runner/rank/pulse.h"
#include "runner/rank/signals.h"
#include "runner/worker/worker.h"

/* Where nothing happens a rank sleeps: a quarter of the time for which nothing has happened, so that it
 * oversleeps the answer that it waits for by an eighth of what that took. (Pauses that double oversleep by half,
 * and so does the other side, which waits for this one: two ranks waited 12 ms for each other with every
 * evaluation that takes no time.) Blocking receives of MPI would burn a core each. */
enum { SPINS = 40, MESSAGES_PER_TURN = 256, WAKE_MAX = 8 };
static const double sleep_min_s = 0.00005, sleep_max_s = 0.005;

typedef struct run {
    const archai_arguments *args;
    archai_comm comm;
    archai_plan plan;
    archai_node node;
    archai_worker worker;
    bool has_worker;
    /* rank 0 */
    archai_coordinator coordinator;
    archai_breath breath;
    archai_rundir dir;
    archai_runlog log;
    bool *workers; /* [size]; which ranks evaluate; owned */

    int signals_seen;
    bool looping; /* the others count on this rank */
    bool stopped; /* STOP has come */
    bool alone;   /* a rank was lost: no call that others take part in, not even MPI_Finalize */
    int exit_code;
} run;

/* -- the verdict on the input -------------------------------------------------------------- */

/* Rank 0 reads and checks everything; nobody else touches a file before all agree. */
typedef struct opening {
    int rc;
    bool is_over; /* nothing to run: words, a dry run, a complete one; the exit code is 0 */
    double heartbeat_s, lost_after_s;
    archai_data_shape data;
} opening;

/* All that a start does before it touches the directory: the pictures are read, too, since only that tells
 * whether a file is whole. */
static int dry_run(const archai_plan *plan, int workers, archai_err *err)
{
    char sentence[1024];
    int fd = -1;

    if (plan->evaluator->needs_data)
        ARCHAI_TRY(archai_dataset_load(&plan->config, &fd, err));
    if (fd >= 0)
        (void)close(fd);
    archai_plan_sentence(plan, workers, sentence, sizeof sentence);
    (void)fputs(plan->text, stdout);
    (void)fflush(stdout);
    (void)fprintf(stderr, "archai-run: all is well; it would run %s\n", sentence);
    return ARCHAI_OK;
}

/* Its last start may have been killed between the last results.h5 and `exit_code`, and who
 * requeues jobs looks there. Results that may only be read are complete all the same. */
static void note_complete(run *r)
{
    if (archai_rundir_open(&r->dir, r->plan.config.output.directory, true, -1, r->comm.size,
                           NULL) == ARCHAI_OK)
        (void)archai_rundir_finish(&r->dir, 0, NULL);
    else
        archai_rundir_close(&r->dir);
}

static void open_root(run *r, int args_rc, const archai_err *args_err, int workers_max,
                      opening *o, archai_err *err)
{
    o->rc = args_rc;
    if (args_rc != ARCHAI_OK) {
        *err = *args_err;
        return;
    }
    if (r->args->words != NULL) {
        r->args->words(stdout);
        o->is_over = true;
        return;
    }
    o->rc = archai_plan_make(&r->plan, r->args, err);
    if (o->rc != ARCHAI_OK)
        return;
    o->data = r->plan.data;
    o->heartbeat_s = r->plan.config.run.heartbeat_s;
    o->lost_after_s = r->plan.config.run.lost_after_s;
    if (!r->plan.config.run.coordinator_evaluates && workers_max > 1)
        workers_max--;
    if (r->args->dry_run) {
        o->rc = dry_run(&r->plan, workers_max, err);
        o->is_over = true;
    } else if (r->plan.complete != NULL) {
        (void)printf("%s\n", r->plan.complete);
        note_complete(r);
        o->is_over = true;
    }
}

static void complain(const archai_err *err)
{
    const char *line = err->text;

    /* One line a problem. */
    while (*line != '\0') {
        const size_t n = strcspn(line, "\n");

        (void)fprintf(stderr, "archai-run: %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* Collective. Afterwards every rank knows whether there is a run, and what it is. */
static int share_plan(run *r, const opening *o, archai_err *err)
{
    char *text = r->plan.text;
    int rc;

    ARCHAI_TRY(archai_comm_share_text(r->comm.comm, &text, err));
    rc = r->comm.rank == 0 ? ARCHAI_OK : archai_plan_from_text(&r->plan, text, &o->data, err);
    return archai_comm_agree(r->comm.comm, rc, err);
}

/* -- setting up ---------------------------------------------------------------------------- */

static bool evaluates(const run *r, int rank)
{
    return rank != 0 || r->comm.size == 1 || r->plan.config.run.coordinator_evaluates;
}

static void say_changes(run *r)
{
    const char *line = r->plan.changes != NULL ? r->plan.changes : "";

    for (size_t n; *line != '\0'; line += n + (line[n] == '\n')) {
        n = strcspn(line, "\n");
        archai_runlog_say(&r->log, 0, "%.*s", (int)n, line);
    }
    if (r->dir.resumed && r->plan.earlier_ranks > 0 && r->plan.earlier_ranks != r->comm.size)
        archai_runlog_say(&r->log, 0, "ranks: were %d, are %d from now on",
                          r->plan.earlier_ranks, r->comm.size);
}

/* What a start that was killed had no time for. */
static void sweep_checkpoints(run *r)
{
    for (size_t i = 0; i < r->plan.n_left_over; i++)
        archai_checkpoint_remove(r->dir.path, r->plan.left_over[i]);
    archai_checkpoints_sweep(r->dir.path, true);
    if (r->plan.n_left_over > 0)
        archai_runlog_note(&r->log, 0, "swept %zu checkpoint%s whose rows are committed",
                           r->plan.n_left_over, r->plan.n_left_over == 1 ? "" : "s");
}

static int open_directory(run *r, archai_err *err)
{
    char sentence[1024];
    int workers = 0;

    r->workers = calloc((size_t)r->comm.size, sizeof *r->workers);
    if (r->workers == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %d ranks", r->comm.size);
    for (int i = 0; i < r->comm.size; i++) {
        r->workers[i] = evaluates(r, i);
        workers += r->workers[i];
    }
    ARCHAI_TRY(archai_rundir_open(&r->dir, r->plan.config.output.directory, r->args->resume,
                                  r->plan.starts, r->comm.size, err));
    ARCHAI_TRY(archai_runlog_open(&r->log, r->dir.path, err));
    ARCHAI_TRY(
        archai_rundir_write(&r->dir, "config.ini", r->plan.text, strlen(r->plan.text), err));
    archai_plan_sentence(&r->plan, workers, sentence, sizeof sentence);
    archai_runlog_say(&r->log, 0, "%s%s", sentence,
                      r->dir.resumed ? " (going on from an earlier start)" : "");
    say_changes(r);
    sweep_checkpoints(r);
    archai_coordinator_init(&r->coordinator, &r->comm, &r->plan, &r->dir, &r->log, r->workers,
                            r->args->progress);
    return ARCHAI_OK;
}

static int open_worker(run *r, archai_err *err)
{
    const archai_evaluator_setup setup = {
        .config = &r->plan.config,
        .config_text = r->plan.text,
        .data = r->plan.data,
        .data_fd = r->node.data_fd,
        .device = r->node.device,
        .device_is_chosen = r->plan.config.evaluator.device != ARCHAI_DEVICE_AUTO,
        .gpu = r->node.gpu,
        .threads = r->node.threads,
    };

    if (!evaluates(r, r->comm.rank))
        return ARCHAI_OK;
    r->has_worker = true;
    return archai_worker_init(&r->worker, &r->comm, r->plan.evaluator, &setup,
                              &r->plan.objectives, r->plan.config.output.directory, err);
}

/* Collective: data first, since it is what may still be wrong; the directory last. */
static int set_up(run *r, archai_err *err)
{
    int rc;

    ARCHAI_TRY(archai_node_init(&r->node, r->comm.comm, &r->plan.config,
                                evaluates(r, r->comm.rank), r->plan.evaluator->needs_data,
                                err));
    rc = r->comm.rank == 0 ? open_directory(r, err) : ARCHAI_OK;
    ARCHAI_TRY(archai_comm_agree(r->comm.comm, rc, err));
    return archai_comm_agree(r->comm.comm, open_worker(r, err), err);
}

/* -- the loop ------------------------------------------------------------------------------ */

static int handle(run *r, int source, archai_message *m, archai_err *err)
{
    if (m->type == ARCHAI_MSG_STOP) {
        r->stopped = true;
        r->alone = m->at_once;
        r->exit_code = m->code;
        return ARCHAI_OK;
    }
    if (archai_message_is_for_worker(m->type, source))
        return r->has_worker ? archai_worker_handle(&r->worker, m, err) : ARCHAI_OK;
    if (r->comm.rank == 0)
        return archai_coordinator_handle(&r->coordinator, source, m, err);
    return archai_fail(err, ARCHAI_EFORMAT, "rank %d was sent a '%s'", r->comm.rank,
                       archai_message_name(m->type));
}

/* What rank 0 cannot go on with ends the run, but in order: rows are safe, workers leave. */
static int survive(run *r, int rc, archai_err *err)
{
    archai_err cause;

    if (rc == ARCHAI_OK || rc == ARCHAI_EMPI || r->comm.rank != 0 || err == NULL ||
        r->coordinator.phase >= ARCHAI_PHASE_INDEXING)
        return rc;
    cause = *err;
    archai_runlog_say(&r->log, 0, "%s", cause.text);
    return archai_coordinator_drain(&r->coordinator, "failed", archai_rc_exit_status(rc), 0,
                                    err, "%s", cause.text);
}

static int take_messages(run *r, bool *busy, archai_err *err)
{
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        archai_message m = {0};
        int source, rc;
        bool got;

        got = archai_breath_take(&r->breath, &source, &m);
        if (!got)
            ARCHAI_TRY(archai_comm_take(&r->comm, &source, &m, &got, err));
        if (!got)
            return ARCHAI_OK;
        *busy = true;
        rc = handle(r, source, &m, err);
        archai_message_fini(&m);
        ARCHAI_TRY(survive(r, rc, err));
    }
    return ARCHAI_OK;
}

static int heed_signals(run *r, archai_err *err)
{
    const archai_message request = {.type = ARCHAI_MSG_DRAIN};
    const int n = archai_signals_count();

    if (r->comm.rank == 0)
        return archai_breath_check_signals(&r->coordinator, &r->signals_seen, err);
    if (n == r->signals_seen)
        return ARCHAI_OK;
    r->signals_seen = n;
    return archai_comm_post(&r->comm, 0, &request, err);
}

/* Without rank 0 there is no search: what is committed is safe, and --resume goes on with it. */
static bool has_lost_root(run *r)
{
    char why[64];

    if (r->stopped || !archai_pulse_is_lost(0))
        return false;
    archai_pulse_why(0, why, sizeof why);
    (void)fprintf(stderr, "archai-run: rank %d leaves, since rank 0 was lost: %s\n", r->comm.rank,
                  why);
    archai_comm_forget(&r->comm, 0);
    r->stopped = r->alone = true;
    r->exit_code = 75;
    return true;
}

static int turn(run *r, bool *busy, archai_err *err)
{
    archai_pulse_turn();
    if (has_lost_root(r))
        return ARCHAI_OK;
    ARCHAI_TRY(heed_signals(r, err));
    ARCHAI_TRY(archai_comm_progress(&r->comm, err));
    ARCHAI_TRY(take_messages(r, busy, err));
    if (r->comm.rank == 0)
        ARCHAI_TRY(survive(r, archai_coordinator_step(&r->coordinator, busy, err), err));
    if (r->has_worker)
        ARCHAI_TRY(archai_worker_step(&r->worker, busy, err));
    return archai_comm_progress(&r->comm, err);
}

/* Until a descriptor speaks, or a while. */
static void rest(run *r, double seconds)
{
    struct pollfd fds[WAKE_MAX];
    const double now = archai_clock_s();
    double due = now + seconds;
    struct timespec t;
    size_t n = 0;

    if (r->has_worker)
        n = archai_worker_wake(&r->worker, fds, WAKE_MAX, &due);
    if (r->comm.rank == 0)
        n += archai_index_client_wake(&r->coordinator.index, fds + n, WAKE_MAX - n);
    if (r->comm.rank == 0)
        n += archai_surrogate_client_wake(&r->coordinator.surrogate, fds + n, WAKE_MAX - n);
    seconds = due > now ? due - now : 0;
    t = (struct timespec){.tv_nsec = (long)(seconds * 1e9)};
    (void)ppoll(fds, (nfds_t)n, &t, NULL);
}

static int loop(run *r, archai_err *err)
{
    double idle_since = archai_clock_s();
    int spins = 0;

    while (!r->stopped || !archai_comm_is_idle(&r->comm)) {
        bool busy = false;

        ARCHAI_TRY(turn(r, &busy, err));
        if (busy) {
            idle_since = archai_clock_s();
            spins = 0;
        } else if (spins < SPINS) {
            spins++;
        } else {
            rest(r, fmin(fmax(sleep_min_s, (archai_clock_s() - idle_since) / 4), sleep_max_s));
        }
    }
    return ARCHAI_OK;
}

/* -- from the first call to the last ------------------------------------------------------- */

/* Between agreements: everything that may fail on one rank alone has been agreed about. */
static int go(run *r, int args_rc, const archai_err *args_err, archai_err *err)
{
    opening o = {0};
    int rc;

    if (r->comm.rank == 0)
        open_root(r, args_rc, args_err, r->comm.size, &o, err);
    ARCHAI_TRY(archai_comm_share(r->comm.comm, 0, &o, sizeof o, err));
    if (o.rc != ARCHAI_OK || o.is_over)
        return o.rc;
    archai_pulse_pace(o.heartbeat_s, o.lost_after_s);
    rc = share_plan(r, &o, err);
    if (rc == ARCHAI_OK)
        rc = set_up(r, err);
    if (rc == ARCHAI_EMPI)
        rc = archai_err_wrap(err, rc, "while the run was being set up: ");
    ARCHAI_TRY(rc);
    r->looping = true;
    if (r->comm.rank == 0)
        archai_breath_init(&r->breath, &r->coordinator, r->has_worker ? &r->worker : NULL,
                           &r->signals_seen);
    ARCHAI_TRY(loop(r, err));
    archai_pulse_rest();
    r->looping = false;
    return ARCHAI_OK;
}

static void close_run(run *r)
{
    archai_breath_fini(&r->breath);
    if (r->has_worker)
        archai_worker_fini(&r->worker);
    archai_coordinator_fini(&r->coordinator);
    archai_node_fini(&r->node);
    archai_runlog_close(&r->log);
    archai_rundir_close(&r->dir);
    archai_plan_fini(&r->plan);
    if (r->alone)
        for (int i = 0; i < r->comm.size; i++)
            archai_comm_forget(&r->comm, i);
    archai_pulse_stop();
    archai_comm_fini(&r->comm);
    free(r->workers);
}

/* Rank 0 has said its last words; the others need to hear that, but none of them is waited for. */
static void dismiss(run *r)
{
    static const double patience_s = 2, settle_s = 0.2;
    const double began = archai_clock_s();
    const struct timespec pause = {.tv_nsec = 1000000};

    (void)archai_coordinator_dismiss(&r->coordinator, NULL);
    for (double t = 0; t < settle_s || (t < patience_s && !archai_comm_is_idle(&r->comm));
         t = archai_clock_s() - began) {
        (void)archai_comm_progress(&r->comm, NULL);
        (void)nanosleep(&pause, NULL);
    }
}

int archai_run(const archai_arguments *args, int args_rc, const archai_err *args_err,
               bool *alone)
{
    run *r = calloc(1, sizeof *r);
    archai_err err = ARCHAI_ERR_INIT;
    int rc, exit_code;

    *alone = false;
    if (r == NULL) { /* the others would wait for this rank */
        (void)fprintf(stderr, "archai-run: out of memory\n");
        (void)MPI_Abort(MPI_COMM_WORLD, 1);
        return 1;
    }
    r->args = args;
    r->node = (archai_node)ARCHAI_NODE_INIT;
    rc = archai_comm_init(&r->comm, MPI_COMM_WORLD, &err);
    if (rc == ARCHAI_OK)
        rc = archai_pulse_start(r->comm.comm, &err);
    if (rc == ARCHAI_OK)
        rc = go(r, args_rc, args_err, &err);
    exit_code = rc == ARCHAI_OK ? r->exit_code : archai_rc_exit_status(rc);
    if (rc == ARCHAI_EMPI || r->looping) { /* nobody can be told, nobody may wait for this rank */
        complain(&err);
        if (rc != ARCHAI_EMPI && r->dir.path != NULL) /* else it counts as killed */
            (void)archai_rundir_finish(&r->dir, exit_code, NULL);
        archai_pulse_stop();
        (void)MPI_Abort(MPI_COMM_WORLD, exit_code);
    }
    if (r->comm.rank == 0) {
        if (rc != ARCHAI_OK)
            complain(&err);
        if (r->coordinator.comm != NULL)
            archai_finish(&r->coordinator, exit_code);
        else if (r->dir.path != NULL)
            (void)archai_rundir_finish(&r->dir, exit_code, NULL);
    }
    if (r->comm.rank == 0 && r->coordinator.n_lost > 0) {
        r->alone = true;
        dismiss(r);
    }
    /* the last words are said before anyone leaves */
    if (!r->alone && archai_comm_barrier(r->comm.comm, NULL) != ARCHAI_OK)
        r->alone = true;
    *alone = r->alone;
    close_run(r);
    free(r);
    return exit_code;
}
