/* The workers' messages and their answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/yaml.h"
#include "core/search/parameters.h"
#include "runner/process/clock.h"
#include "runner/coordinator/coordinator.h"

enum { FAILURES_SAID = 5 }; /* on standard error; run.log has the others */

static int on_hello(archai_coordinator *c, int source, archai_message *m)
{
    archai_slot *s = &c->slots.at[source];

    free(s->host);
    free(s->device);
    s->host = m->text;
    s->device = m->device;
    m->text = m->device = NULL;
    archai_runlog_note(c->log, source, "evaluates on %s, %s", s->host, s->device);
    return ARCHAI_OK;
}

static int on_need(archai_coordinator *c, int source, const archai_message *m, archai_err *err)
{
    archai_message grant = {0};
    int rc;

    ARCHAI_TRY(archai_grants_rows(&c->grants, source, m->n_rows, m->text_bytes, &grant, err));
    rc = archai_comm_post(c->comm, source, &grant, err);
    archai_message_fini(&grant);
    return rc;
}

static void tell_failure(archai_coordinator *c, int source, const archai_trial *e)
{
    const char *archid = archai_search_archid(&c->plan->search, e->id);

    c->n_failed++;
    archai_failures_add(&c->plan->failures, e->error, e->id);
    if (c->n_said < FAILURES_SAID) {
        c->n_said++;
        archai_progress_clear(&c->progress);
        archai_runlog_say(c->log, source, "candidate %lld (%s) failed: %s", (long long)e->id,
                          archid, e->error);
        if (c->n_said == FAILURES_SAID)
            (void)fprintf(stderr, "archai-run: further failures are in %s/run.log and results.h5\n",
                          c->dir->path);
    } else {
        archai_runlog_candidate(c->log, source, "candidate %lld (%s) failed: %s", (long long)e->id,
                                archid, e->error);
    }
}

static void put_parameter(void *payload, const char *name, const json_t *value)
{
    char *text = archai_parameter_text(value);

    (void)fprintf(payload, ", %s=%s", name, text);
    free(text);
}

/* A member of the front in words, or "" where its text is gone. Caller frees. */
static char *describe_member(const archai_search *s, int64_t id)
{
    const char *arch_text = NULL;
    json_t *arch = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&text, &size));

    for (size_t i = s->front.n; arch_text == NULL && i-- > 0;) /* one of the last */
        if (s->records[s->front.tags[i]].id == id)
            arch_text = s->records[s->front.tags[i]].arch;
    if (arch_text != NULL &&
        archai_document_parse(arch_text, strlen(arch_text), &arch, NULL) == ARCHAI_OK)
        archai_parameters_walk(arch, put_parameter, out);
    json_decref(arch);
    (void)fclose(out);
    return archai_there(text);
}

static void tell_member(archai_coordinator *c, int source, const archai_trial *e)
{
    char *parameters = describe_member(&c->plan->search, e->id);

    archai_runlog_candidate(c->log, source, "candidate %lld (%s) joined the front after %.2f s%s",
                            (long long)e->id, archai_search_archid(&c->plan->search, e->id),
                            e->seconds, parameters);
    free(parameters);
}

static int take_report(archai_coordinator *c, int source, archai_trial *e, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    bool on_front = false, failed;
    int rc;

    c->changed = true;
    if (!archai_slots_remove(&c->slots, source, e->id, archai_clock_s()))
        archai_runlog_note(c->log, source, "candidate %lld was not expected from here",
                           (long long)e->id);
    if (e->is_test)
        return archai_coordinator_on_test(c, source, e);
    rc = archai_search_tell(&c->plan->search, e, &on_front, &why);
    if (rc == ARCHAI_ENOTFOUND) {
        archai_runlog_note(c->log, source, "%s", why.text);
        return ARCHAI_OK;
    }
    if (rc != ARCHAI_OK) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    failed = e->status == ARCHAI_STATUS_FAILED;
    if (failed)
        tell_failure(c, source, e);
    else if (on_front)
        tell_member(c, source, e);
    return archai_coordinator_trust(c, source, e->id, failed, e->seconds, err);
}

static int on_done(archai_coordinator *c, int source, archai_message *m, archai_err *err)
{
    for (size_t i = 0; i < m->n_reports; i++)
        ARCHAI_TRY(take_report(c, source, &m->reports[i], err));
    return ARCHAI_OK;
}

int archai_coordinator_take_back(archai_coordinator *c, int source, int64_t id,
                                 archai_err *err)
{
    int rc;

    if (!archai_slots_remove(&c->slots, source, id, archai_clock_s()))
        return ARCHAI_OK;
    if (c->tests.begun) {
        (void)archai_coordinator_requeue_test(c, id, false);
        return ARCHAI_OK;
    }
    rc = archai_search_requeue(&c->plan->search, id, err);
    if (rc == ARCHAI_ENOTFOUND) /* a rank that was thought to be lost has finished it after all */
        return ARCHAI_OK;
    c->search_is_done = false; /* it has something to hand out again */
    return rc;
}

static int on_retired(archai_coordinator *c, int source, const char *why, archai_err *err)
{
    archai_slot *s = &c->slots.at[source];

    s->retired = s->leaving = true;
    while (s->n > 0) /* what it did not give back itself */
        ARCHAI_TRY(archai_coordinator_take_back(c, source, s->ids[0], err));
    if (why[0] == '\0')
        return ARCHAI_OK;
    archai_progress_clear(&c->progress);
    archai_runlog_say(c->log, source, "rank %d takes no more work: %s", source, why);
    return ARCHAI_OK;
}

static int on_failed(archai_coordinator *c, int source, const archai_message *m,
                     archai_err *err)
{
    archai_progress_clear(&c->progress);
    if (m->code != ARCHAI_EIO) /* concerns this worker alone; it retires */
        return ARCHAI_OK;
    archai_runlog_say(c->log, source, "%s", m->text);
    return archai_coordinator_drain(c, "failed", 74, 0, err, "%s", m->text);
}

int archai_coordinator_handle(archai_coordinator *c, int source, archai_message *m,
                              archai_err *err)
{
    char whose[48];

    switch (m->type) {
    case ARCHAI_MSG_HELLO:
        return on_hello(c, source, m);
    case ARCHAI_MSG_NEED:
        return on_need(c, source, m, err);
    case ARCHAI_MSG_OFFER:
        return archai_coordinator_on_offer(c, source, m, err);
    case ARCHAI_MSG_DONE:
        return on_done(c, source, m, err);
    case ARCHAI_MSG_RETURNED:
        return archai_coordinator_take_back(c, source, m->id, err);
    case ARCHAI_MSG_RETIRED:
        return on_retired(c, source, m->text, err);
    case ARCHAI_MSG_FAILED:
        return on_failed(c, source, m, err);
    case ARCHAI_MSG_DRAIN:
        (void)snprintf(whose, sizeof whose, "a signal to rank %d", source);
        return archai_coordinator_stop(c, source, whose, err);
    case ARCHAI_MSG_NOTE:
        archai_runlog_note(c->log, source, "candidate %lld: %s", (long long)m->id, m->text);
        return ARCHAI_OK;
    case ARCHAI_MSG_PROGRESS:
        return archai_coordinator_on_progress(c, source, m, err);
    default:
        return archai_fail(err, ARCHAI_EFORMAT, "rank %d sent a '%s' to rank 0", source,
                           archai_message_name(m->type));
    }
}
