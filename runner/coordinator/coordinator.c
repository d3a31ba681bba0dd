#include "runner/coordinator/coordinator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/h5.h"
#include "runner/process/clock.h"

enum { INDEX_FAILURES_MAX = 3 }; /* in a row, before the run gives up */

/* -- life ---------------------------------------------------------------------------------- */

static void set_index_run(archai_coordinator *c)
{
    char hdf5[32], mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int n;

    archai_h5_version(hdf5, sizeof hdf5);
    (void)MPI_Get_library_version(mpi, &n);
    /* the first phrase of a long text: "Open MPI v4.1.4, package: ..." */
    (void)snprintf(c->software, sizeof c->software, "archai-run %s, %s, %.*s", ARCHAI_VERSION, hdf5,
                   (int)strcspn(mpi, ",\n"), mpi);
    archai_runlog_time(archai_clock_unix(), c->started, sizeof c->started);
    c->index_run = (archai_message){
        .type = ARCHAI_MSG_INDEX,
        .directory = c->dir->path,
        .text = c->plan->text,
        .space = (char *)(uintptr_t)c->plan->space->ops->name, /* packing does not write */
        .software = c->software,
        .started = c->started,
        .data_set = c->plan->data_set,
        .ranks = c->comm->size,
        .is_resume = c->dir->resumed,
    };
}

static int64_t count_failed(const archai_search *s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s->n_records; i++)
        n += s->records[i].status == ARCHAI_STATUS_FAILED;
    return n;
}

void archai_coordinator_init(archai_coordinator *c, archai_comm *comm, archai_plan *plan,
                             archai_rundir *dir, archai_runlog *log, const bool *workers,
                             archai_progress_mode progress)
{
    const archai_config *config = &plan->config;
    const double limit = config->search.max_time_s;

    *c = (archai_coordinator){
        .comm = comm,
        .plan = plan,
        .dir = dir,
        .log = log,
        .began = archai_clock_s(),
        .drain_at = INFINITY,
        .kill_at = INFINITY,
        .n_before = (int64_t)plan->search.n_finished,
        .n_failed = count_failed(&plan->search),
    };
    archai_slots_init(&c->slots, comm->size);
    for (int i = 0; i < comm->size; i++) {
        c->slots.at[i].exists = workers[i];
        if (workers[i])
            archai_slots_enqueue(&c->slots, i);
    }
    c->running = archai_calloc((size_t)comm->size, sizeof *c->running);
    for (int i = 0; i < comm->size; i++)
        c->running[i].id = -1;
    archai_running_remove(dir->path); /* of a start that was killed */
    archai_grants_init(&c->grants, dir->path, dir->start, comm->size + 1,
                       plan->evaluator->trains &&
                           (config->output.weights != ARCHAI_WEIGHTS_NONE ||
                            plan->search.inherit || plan->search.max_budget > 0));
    archai_writer_init(&c->writer, dir->path);
    set_index_run(c);
    archai_index_client_init(&c->index, &c->index_run);
    archai_surrogate_client_init(&c->surrogate, &plan->search, config->evaluator.memory_limit);
    archai_progress_init(&c->progress, progress);
    if (isfinite(limit)) {
        /* The drain begins before the time is over: the scheduler does not wait. */
        c->kill_at = c->began + limit;
        c->drain_at = c->kill_at - fmin(config->run.grace_s, limit / 10);
    }
    c->changed = true; /* the first results.h5 is there from the beginning */
}

void archai_coordinator_fini(archai_coordinator *c)
{
    if (c->comm == NULL)
        return;
    archai_progress_clear(&c->progress);
    archai_index_client_close(&c->index);
    archai_surrogate_client_close(&c->surrogate);
    (void)archai_writer_fini(&c->writer, NULL);
    archai_grants_fini(&c->grants);
    for (int i = 0; i < c->slots.n; i++)
        archai_running_fini(&c->running[i]);
    free(c->running);
    free(c->tests.at);
    archai_slots_fini(&c->slots);
    *c = (archai_coordinator){0};
}

/* -- the step ------------------------------------------------------------------------------ */

static void show_progress(archai_coordinator *c)
{
    const archai_plan *p = c->plan;
    const double now = archai_clock_s();
    archai_progress_facts f = {
        .done = (int64_t)p->search.n_finished,
        .done_before = c->n_before,
        .running = c->slots.under_way,
        .failed = c->n_failed,
        .front = p->search.front.n,
        .elapsed_s = now - c->began,
        .limit_s = p->config.search.max_time_s,
    };
    char *parameters;

    if (c->progress.mode == ARCHAI_PROGRESS_NONE || now - c->began < c->progress.next_s)
        return; /* before the costly part */
    if (p->config.search.max_evaluations < INT64_MAX)
        f.total = p->config.search.max_evaluations;
    f.busy = archai_slots_busy(&c->slots, c->began, now);
    f.best = archai_search_best(&p->search);
    f.objective = "";
    for (size_t i = 0; i < p->objectives.n; i++) {
        const archai_objective *o = &p->objectives.at[i];

        if (o->direction == ARCHAI_CONSTRAIN)
            continue;
        f.objective = o->name;
        f.best = o->direction == ARCHAI_MAXIMIZE ? -f.best : f.best;
        break;
    }
    f.parameters = parameters = archai_progress_parameters(&p->search);
    archai_progress_show(&c->progress, &f);
    free(parameters);
}

/* results.h5 cannot be written. */
static int on_index_failure(archai_coordinator *c, archai_err *err)
{
    const int status = archai_rc_exit_status(c->index.error.code);
    /* The input was good: if the directory is gone or damaged now, that is a disk error. */
    const int exit_code = status == 2 ? 74 : status;

    archai_progress_clear(&c->progress);
    archai_runlog_say(c->log, 0, "results.h5: %s", c->index.error.text);
    c->index.failures = 0; /* the last refresh may fail as often */
    if (c->phase != ARCHAI_PHASE_INDEXING)
        return archai_coordinator_drain(c, "failed", exit_code, 0, err, "results.h5: %s",
                                        c->index.error.text);
    if (c->outcome.exit_code != 74) {
        c->outcome.state = "failed";
        c->outcome.exit_code = exit_code;
        (void)snprintf(c->outcome.why, sizeof c->outcome.why, "results.h5: %.900s",
                       c->index.error.text);
    }
    c->phase = ARCHAI_PHASE_OVER;
    return ARCHAI_OK;
}

/* The last results.h5 stays; what it lacks is in the segments. */
static void leave_index(archai_coordinator *c, const char *why)
{
    archai_runlog_say(c->log, 0, "%s: results.h5 lacks the last rows until the next --resume", why);
    archai_index_client_close(&c->index);
    if (c->outcome.exit_code == 0) {
        c->outcome = (archai_outcome){.state = "interrupted", .exit_code = 75};
        (void)snprintf(c->outcome.why, sizeof c->outcome.why, "%s while results.h5 was written", why);
    }
    c->phase = ARCHAI_PHASE_OVER;
}

/* After the second signal the indexer has as long as it gets on, ten seconds at most. */
static bool is_hurry_over(archai_coordinator *c)
{
    static const double pause_s = 1, limit_s = 10;

    return c->phase == ARCHAI_PHASE_INDEXING && c->stops == 2 &&
           (archai_index_client_idle(&c->index) > pause_s ||
            archai_clock_s() - c->hurried_at > limit_s);
}

/* While the search runs, another indexer may have better luck; at the end nobody waits for a second one. */
static void on_hung_index(archai_coordinator *c)
{
    c->index.hung = false;
    if (c->phase == ARCHAI_PHASE_INDEXING) {
        c->index.failures = INDEX_FAILURES_MAX;
        return;
    }
    archai_progress_clear(&c->progress);
    archai_runlog_say(c->log, 0, "results.h5: %s; another one is started", c->index.error.text);
}

/* Publish what is new, and at the end the final state. */
static int step_index(archai_coordinator *c, bool *busy, archai_err *err)
{
    /* A drain begins with a refresh: mpirun may leave the ranks one second only. */
    const bool hurry = c->phase != ARCHAI_PHASE_RUNNING && c->index.failures == 0;
    const char *state = c->phase == ARCHAI_PHASE_RUNNING ? "running" : c->outcome.state;

    archai_index_client_step(&c->index, busy);
    if (c->index.notes != NULL) {
        archai_runlog_note(c->log, 0, "results.h5: %s", c->index.notes);
        free(c->index.notes);
        c->index.notes = NULL;
    }
    if (c->index.hung)
        on_hung_index(c);
    if (is_hurry_over(c)) {
        leave_index(c, "stopped by a second signal");
        return ARCHAI_OK;
    }
    if (c->index.failures >= INDEX_FAILURES_MAX)
        return on_index_failure(c, err);
    if (!archai_index_client_is_free(&c->index, archai_clock_s(), hurry))
        return ARCHAI_OK;
    if (c->phase == ARCHAI_PHASE_DRAINING && strcmp(state, "complete") == 0)
        state = "running"; /* not before the last row is in it */
    if (c->phase == ARCHAI_PHASE_INDEXING && !c->changed &&
        strcmp(c->index.published, state) == 0) {
        c->phase = ARCHAI_PHASE_OVER;
        return ARCHAI_OK;
    }
    if (!c->changed && (c->phase != ARCHAI_PHASE_INDEXING))
        return ARCHAI_OK;
    c->changed = false;
    return archai_index_client_refresh(&c->index, state, c->plan->search.rejected, err);
}

/* Every worker has left: all rows are written. */
static int begin_indexing(archai_coordinator *c, archai_err *err)
{
    const archai_search *s = &c->plan->search;
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    if (strcmp(c->outcome.state, "interrupted") == 0 &&
        (int64_t)s->n_finished >= c->plan->config.search.max_evaluations &&
        archai_coordinator_tests_left(c) == 0) {
        c->outcome = (archai_outcome){.state = "complete",
                                      .exit_code = archai_search_all_failed(s) ? 1 : 0};
        (void)snprintf(c->outcome.why, sizeof c->outcome.why, "complete: %zu evaluations",
                       s->n_finished);
    }
    /* The other ranks wait for the exit code, which reports what fails from here on. */
    rc = archai_writer_sync(&c->writer, &why);
    if (rc != ARCHAI_OK)
        ARCHAI_TRY(archai_coordinator_drain(c, "failed", archai_rc_exit_status(rc), 0, err,
                                            "%s", why.text));
    archai_coordinator_hide_running(c);
    c->phase = ARCHAI_PHASE_INDEXING;
    c->changed = true;
    return ARCHAI_OK;
}

static int send_stop(archai_coordinator *c, bool at_once, int first, int last, archai_err *err)
{
    const archai_message stop = {
        .type = ARCHAI_MSG_STOP,
        .code = c->outcome.exit_code,
        .text = c->outcome.why,
        .at_once = at_once,
    };

    for (int i = first; i <= last; i++)
        ARCHAI_TRY(archai_comm_post(c->comm, i, &stop, err));
    return ARCHAI_OK;
}

/* Predictions are computed elsewhere; a run that is ending needs none. */
static int step_surrogate(archai_coordinator *c, bool *busy, archai_err *err)
{
    char why[512] = "";
    bool gave_up;

    if (c->phase != ARCHAI_PHASE_RUNNING) {
        archai_surrogate_client_close(&c->surrogate);
        return ARCHAI_OK;
    }
    ARCHAI_TRY(
        archai_surrogate_client_step(&c->surrogate, busy, &gave_up, why, sizeof why, err));
    if (gave_up) {
        archai_progress_clear(&c->progress);
        archai_runlog_say(c->log, 0, "the surrogate cannot be fitted, the search goes on without it: %s",
                          why);
    }
    return ARCHAI_OK;
}

int archai_coordinator_dismiss(archai_coordinator *c, archai_err *err)
{
    return send_stop(c, true, 1, c->comm->size - 1, err);
}

/* A heartbeat that cannot be written does not end a search; a second writer in the directory does. */
static int beat(archai_coordinator *c, archai_err *err)
{
    const int rc = archai_rundir_beat(c->dir, archai_clock_unix(), err);

    return rc == ARCHAI_EEXIST ? rc : ARCHAI_OK;
}

int archai_coordinator_look_at_clock(archai_coordinator *c, archai_err *err)
{
    ARCHAI_TRY(beat(c, err)); /* first: a directory that another run took over is left alone */
    return archai_coordinator_check_time(c, err);
}

/* The search may be interrupted here; then it is not asked again. */
static int propose(archai_coordinator *c, bool *busy, archai_err *err)
{
    int rc = step_surrogate(c, busy, err);

    if (rc == ARCHAI_OK && c->phase == ARCHAI_PHASE_RUNNING)
        rc = archai_coordinator_dispatch(c, busy, err);
    return rc == ARCHAI_EINTR && c->phase != ARCHAI_PHASE_RUNNING ? ARCHAI_OK : rc;
}

int archai_coordinator_step(archai_coordinator *c, bool *busy, archai_err *err)
{
    if (c->phase == ARCHAI_PHASE_OVER)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_coordinator_look_at_clock(c, err));
    ARCHAI_TRY(archai_coordinator_watch(c, err));
    ARCHAI_TRY(propose(c, busy, err));
    ARCHAI_TRY(archai_coordinator_check_complete(c, err));
    if (c->phase == ARCHAI_PHASE_DRAINING && archai_slots_alive(&c->slots) == 0)
        ARCHAI_TRY(begin_indexing(c, err));
    archai_coordinator_show_running(c);
    ARCHAI_TRY(step_index(c, busy, err));
    if (c->phase == ARCHAI_PHASE_OVER)
        return send_stop(c, false, 0, c->n_lost == 0 ? c->comm->size - 1 : 0, err);
    show_progress(c);
    return ARCHAI_OK;
}
