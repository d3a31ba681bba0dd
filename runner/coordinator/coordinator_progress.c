/* What candidates report while they train: for whoever watches, and for the pruner, which may end them. */
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/coordinator/coordinator.h"
#include "runner/process/clock.h"

static const double write_pause_s = 1;

static void note_running(archai_coordinator *c, int source, archai_message *m)
{
    archai_running *r = &c->running[source];

    if (r->archid == NULL || r->id != m->id) {
        archai_running_fini(r);
        r->id = m->id;
        r->rank = source;
        r->archid = archai_strdup(archai_search_archid(&c->plan->search, m->id));
        r->since = archai_clock_unix();
    }
    r->at = m->at;
    r->by_epoch = m->by_epoch;
    r->epochs = m->epochs;
    archai_measures_free(r->measures, r->n_measures);
    r->measures = m->evaluation->measures;
    r->n_measures = m->evaluation->n_measures;
    m->evaluation->measures = NULL;
    m->evaluation->n_measures = 0;
    c->running_changed = true;
}

static int prune(archai_coordinator *c, int source, const archai_message *m, double value, double cutoff, archai_err *err)
{
    const archai_message stop = {.type = ARCHAI_MSG_PRUNE, .id = m->id};

    char others[64] = "";

    if (!isnan(cutoff))
        (void)snprintf(others, sizeof others, ", the others had %.5g", cutoff);
    archai_runlog_candidate(c->log, source, "candidate %lld (%s) is pruned after %s %.10g: %s %.5g%s", (long long)m->id,
                            archai_search_archid(&c->plan->search, m->id), m->by_epoch ? "epoch" : "step", m->at,
                            c->plan->objectives.at[c->plan->search.pruned_by].source, isnan(value) ? NAN : value, others);
    return archai_comm_post(c->comm, source, &stop, err);
}

/* Once: a setting that has no effect is not passed over in silence. */
static void complain(archai_coordinator *c, const archai_trial *e)
{
    const char *name = c->complained_of_prune ? NULL : archai_search_unknown(&c->plan->search, e);

    if (name == NULL)
        return;
    c->complained_of_prune = true;
    archai_progress_clear(&c->progress);
    archai_runlog_say(c->log, 0,
                      "search.prune: objective.%s is not known while candidate %lld is evaluated: report it with the "
                      "progress, or measure it before; what is not known is not compared, and not pruned",
                      name, (long long)e->id);
}

int archai_coordinator_on_progress(archai_coordinator *c, int source, archai_message *m, archai_err *err)
{
    double value = NAN, cutoff = NAN;
    bool ends;

    if (m->evaluation == NULL || c->tests.begun || !archai_slots_has(&c->slots, source, m->id))
        return ARCHAI_OK;
    m->evaluation->id = m->id;
    ARCHAI_TRY(archai_search_progress(&c->plan->search, m->evaluation, m->at, &ends, &value, &cutoff, err));
    complain(c, m->evaluation);
    note_running(c, source, m);
    return ends ? prune(c, source, m, value, cutoff, err) : ARCHAI_OK;
}

/* What cannot be written is nobody's failure: rows are what counts, and they say so if the disk is full. */
void archai_coordinator_show_running(archai_coordinator *c)
{
    const double now = archai_clock_s();

    if (now < c->show_running_at)
        return;
    c->show_running_at = now + write_pause_s;
    for (int i = 0; i < c->slots.n; i++)
        if (c->running[i].archid != NULL && !archai_slots_has(&c->slots, i, c->running[i].id)) {
            archai_running_fini(&c->running[i]);
            c->running_changed = true;
        }
    if (!c->running_changed)
        return;
    c->running_changed = false;
    (void)archai_running_write(c->dir->path, archai_clock_unix(), c->running, (size_t)c->slots.n, NULL);
}

void archai_coordinator_hide_running(archai_coordinator *c)
{
    for (int i = 0; c->running != NULL && i < c->slots.n; i++)
        archai_running_fini(&c->running[i]);
    archai_running_remove(c->dir->path);
    c->show_running_at = INFINITY;
}
