#include "root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/rank/pulse.h"

enum { PATIENCE_MS = 60000 /* only so that a broken build ends */ };

/* -- the pulse ----------------------------------------------------------------------------- */

static bool silent[RANKS];

bool archai_pulse_is_lost(int rank)
{
    return silent[rank];
}

int archai_pulse_first_lost(void)
{
    for (int i = 0; i < RANKS; i++)
        if (silent[i])
            return i;
    return -1;
}

void archai_pulse_why(int rank, char *text, size_t size)
{
    (void)snprintf(text, size, "rank %d is silent", rank);
}

void archai_pulse_heard(int rank)
{
    (void)rank;
}

void archai_pulse_ask_mpi(void) {}

/* -- rank 0 -------------------------------------------------------------------------------- */

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static void begin(struct root *r, const char *directory, const char *const *more, bool resume)
{
    static const bool workers[RANKS] = {true, true, true, true};
    const char *sets[16];
    archai_arguments args = {
        .config = ARCHAI_SOURCE_DIR "/tests/support/null.ini",
        .output = r->output,
        .sets = sets,
        .resume = resume,
    };
    archai_err err = ARCHAI_ERR_INIT;

    memset(r, 0, sizeof *r);
    memset(silent, 0, sizeof silent);
    (void)snprintf(r->output, sizeof r->output, "%s/out", directory);
    for (; more[args.n_sets] != NULL; args.n_sets++)
        sets[args.n_sets] = more[args.n_sets];
    r->comm = (archai_comm){.comm = MPI_COMM_NULL, .size = RANKS};
    r->comm.to = calloc(RANKS, sizeof *r->comm.to);
    r->comm.busy = calloc(RANKS, sizeof *r->comm.busy);
    assert_true(r->comm.to != NULL && r->comm.busy != NULL);
    for (int i = 0; i < RANKS; i++)
        r->comm.to[i].request = MPI_REQUEST_NULL;
    OK(archai_plan_make(&r->plan, &args, &err));
    OK(archai_rundir_open(&r->dir, r->output, resume, resume ? r->plan.starts : -1, RANKS,
                          &err));
    OK(archai_runlog_open(&r->log, r->output, &err));
    archai_coordinator_init(&r->c, &r->comm, &r->plan, &r->dir, &r->log, workers,
                            ARCHAI_PROGRESS_NONE);
}

void root_open(struct root *r, const char *directory, const char *const *more)
{
    begin(r, directory, more, false);
}

void root_resume(struct root *r, const char *directory, const char *const *more)
{
    begin(r, directory, more, true);
}

void root_close(struct root *r)
{
    for (int i = 0; i < RANKS; i++) {
        archai_message_fini(&r->verdict[i]);
        archai_message_fini(&r->grant[i]);
    }
    archai_coordinator_fini(&r->c);
    archai_comm_fini(&r->comm);
    archai_runlog_close(&r->log);
    archai_rundir_close(&r->dir);
    archai_plan_fini(&r->plan);
}

/* Read the outbox of a rank. */
static void collect(struct root *r, int rank)
{
    archai_err err = ARCHAI_ERR_INIT;
    bool got = true;

    while (got) {
        archai_message m = {0};

        OK(archai_frame_take(&r->comm.to[rank].waiting, &r->used[rank], &m, &got, &err));
        if (!got)
            break;
        if (m.type == ARCHAI_MSG_WORK) {
            for (size_t i = 0; i < m.n_candidates; i++) {
                assert_true(r->n_ids[rank] < HELD_MAX);
                r->ids[rank][r->n_ids[rank]++] = m.candidates[i].id;
            }
        } else if (m.type == ARCHAI_MSG_VERDICT || m.type == ARCHAI_MSG_GRANT) {
            archai_message *last =
                m.type == ARCHAI_MSG_VERDICT ? &r->verdict[rank] : &r->grant[rank];

            archai_message_fini(last);
            *last = m;
            continue;
        }
        r->drains[rank] += m.type == ARCHAI_MSG_DRAIN;
        r->stops[rank] += m.type == ARCHAI_MSG_STOP;
        r->stop_code[rank] = m.type == ARCHAI_MSG_STOP ? m.code : r->stop_code[rank];
        archai_message_fini(&m);
    }
}

bool root_dispatch_once(struct root *r)
{
    archai_err err = ARCHAI_ERR_INIT;
    bool busy = false;

    OK(archai_coordinator_dispatch(&r->c, &busy, &err));
    for (int i = 0; i < RANKS; i++)
        if (!r->comm.to[i].gone)
            collect(r, i);
    return busy;
}

void root_dispatch(struct root *r)
{
    while (root_dispatch_once(r))
        continue;
}

void root_step(struct root *r)
{
    archai_err err = ARCHAI_ERR_INIT;
    bool busy = false;

    OK(archai_coordinator_step(&r->c, &busy, &err));
    for (int i = 0; i < RANKS; i++)
        if (!r->comm.to[i].gone)
            collect(r, i);
}

void root_refresh(struct root *r)
{
    bool done = false;

    r->c.changed = true;
    for (int i = 0; i < PATIENCE_MS && !done; i++) {
        root_step(r);
        done = !r->c.changed && r->c.index.unanswered == 0 && r->c.index.asked[0] == '\0';
        (void)usleep(1000);
    }
    assert_true(done);
}

void root_run_out(struct root *r)
{
    for (int i = 0; i < PATIENCE_MS && r->c.phase != ARCHAI_PHASE_OVER; i++) {
        root_step(r);
        (void)usleep(1000);
    }
    assert_int_equal(r->c.phase, ARCHAI_PHASE_OVER);
}

void root_hear(struct root *r, int rank, archai_message *m)
{
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_coordinator_handle(&r->c, rank, m, &err));
    if (!r->comm.to[rank].gone)
        collect(r, rank);
}

void root_hear_text(struct root *r, int rank, archai_message_type type, int code,
                    const char *text)
{
    archai_message m = {
        .type = type, .id = -1, .code = code, .text = strdup(text), .device = strdup("cpu")};

    root_hear(r, rank, &m);
    archai_message_fini(&m);
}

void root_hear_returned(struct root *r, int rank, int64_t id)
{
    archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = id};

    root_hear(r, rank, &m);
}

archai_record *root_record(struct root *r, int64_t id)
{
    size_t at = 0;

    while (at < r->plan.search.n_records && r->plan.search.records[at].id != id)
        at++;
    assert_true(at < r->plan.search.n_records);
    return &r->plan.search.records[at];
}

archai_trial root_evaluation(struct root *r, int64_t id, int status)
{
    archai_trial e = {.id = id, .status = status, .budget = 1, .seconds = 0.6};
    const archai_record *of = root_record(r, id);
    archai_model model = {.arch = NULL};

    if (status == ARCHAI_STATUS_OK &&
        of->arch != NULL) { /* a worker knows the cheap measures */
        assert_int_equal(archai_search_model(&r->plan.search,
                                             (size_t)(of - r->plan.search.records), &model,
                                             NULL),
                         ARCHAI_OK);
        assert_int_equal(
            archai_measures_cheap(r->plan.space, &model, &e.measures, &e.n_measures, NULL),
            ARCHAI_OK);
        archai_model_fini(&model);
    }
    e.model.archid = strdup(of->archid);
    e.arch = strdup(of->arch != NULL ? of->arch : "{}");
    e.error = strdup(status == ARCHAI_STATUS_FAILED ? "it broke" : "");
    e.operator_ = strdup("random");
    e.parents = strdup("[]");
    e.metadata = strdup("{}");
    e.device = strdup("cpu");
    return e;
}

void root_hear_of(struct root *r, int rank, archai_message_type type, int64_t id, int status)
{
    archai_trial e = root_evaluation(r, id, status);
    archai_message m = {.type = type, .text_bytes = 4096};

    if (type == ARCHAI_MSG_DONE) {
        m.reports = &e;
        m.n_reports = 1;
    } else {
        m.evaluation = &e;
    }
    root_hear(r, rank, &m);
    archai_trial_fini(&e);
}

void root_hear_done(struct root *r, int rank, int64_t id)
{
    root_hear_of(r, rank, ARCHAI_MSG_DONE, id, ARCHAI_STATUS_OK);
}

void root_watch(struct root *r)
{
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_coordinator_watch(&r->c, &err));
}

void root_lose(struct root *r, int rank)
{
    silent[rank] = true;
    root_watch(r);
    assert_true(r->c.slots.at[rank].lost);
    r->used[rank] = 0; /* its outbox is emptied */
}

void root_find_again(struct root *r, int rank)
{
    silent[rank] = false;
    root_watch(r);
    collect(r, rank);
}

int64_t root_last_of(const struct root *r, int rank)
{
    assert_true(r->n_ids[rank] > 0);
    return r->ids[rank][r->n_ids[rank] - 1];
}

int root_logged(const struct root *r, const char *words)
{
    char path[TMPDIR_PATH_MAX + 32], line[4096];
    int n = 0;
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/run.log", r->output);
    assert_int_equal(fflush(r->log.file), 0);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        n += strstr(line, words) != NULL;
    (void)fclose(f);
    return n;
}

static int see_row(void *payload, archai_trial *e, archai_err *err)
{
    struct root_rows *rows = payload;

    (void)err;
    rows->n++;
    rows->last_id = e->id;
    rows->last_status = e->status;
    rows->last_rank = e->rank;
    rows->last_started = e->started;
    archai_trial_fini(e);
    return ARCHAI_OK;
}

struct root_rows root_own_rows(const struct root *r)
{
    struct root_rows rows = {.n = 0};
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_grants_committed(&r->c.grants, RANKS, see_row, &rows, &err));
    return rows;
}
