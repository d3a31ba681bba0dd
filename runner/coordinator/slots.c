#include "runner/coordinator/slots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* A round trip to a busy rank 0 takes a few milliseconds; candidates that take much longer gain
 * nothing from a queue, and would be proposed from older results. */
static const double queue_below_s = 0.5, queue_ahead_s = 0.02;
static const double quick_s = 1;
static const double accident = 1e-6; /* a streak that is less likely in a run is not an accident */
enum { SUSPECT_AFTER = 5, RECENT_MIN = 1024, RECENT_OF_EACH = 8 };

void archai_slots_init(archai_slots *s, int n)
{
    const int n_recent = n < RECENT_MIN / RECENT_OF_EACH ? RECENT_MIN : n * RECENT_OF_EACH;

    *s = (archai_slots){
        .at = archai_calloc((size_t)n, sizeof *s->at),
        .n = n,
        .recent = archai_calloc((size_t)n_recent, sizeof *s->recent),
        .n_recent = n_recent,
        .line = archai_calloc((size_t)n, sizeof *s->line),
    };
}

void archai_slots_fini(archai_slots *s)
{
    for (int i = 0; s->at != NULL && i < s->n; i++) {
        free(s->at[i].host);
        free(s->at[i].device);
        free(s->at[i].store);
    }
    free(s->at);
    free(s->line);
    free(s->recent);
    *s = (archai_slots){0};
}

int archai_slots_alive(const archai_slots *s)
{
    int n = 0;

    for (int i = 0; i < s->n; i++)
        n += s->at[i].exists && !s->at[i].retired;
    return n;
}

int archai_slots_count(const archai_slots *s)
{
    int n = 0;

    for (int i = 0; i < s->n; i++)
        n += s->at[i].exists;
    return n;
}

int archai_slot_depth(const archai_slot *s)
{
    double depth;

    if (s->mean_s <= 0 || s->mean_s > queue_below_s)
        return 1;
    depth = 1 + ceil(queue_ahead_s / s->mean_s);
    return depth < ARCHAI_SLOT_DEPTH ? (int)depth : ARCHAI_SLOT_DEPTH;
}

/* -- the line ------------------------------------------------------------------------------ */

int archai_slots_next(archai_slots *s)
{
    while (s->n_line > 0) {
        const int rank = s->line[s->first];
        const archai_slot *slot = &s->at[rank];

        if (slot->exists && !slot->retired && !slot->leaving)
            return rank;
        archai_slots_served(s);
    }
    return -1;
}

void archai_slots_served(archai_slots *s)
{
    s->at[s->line[s->first]].in_line = false;
    s->first = (s->first + 1) % s->n;
    s->n_line--;
}

void archai_slots_enqueue(archai_slots *s, int rank)
{
    if (s->at[rank].in_line)
        return;
    s->at[rank].in_line = true;
    s->line[(s->first + s->n_line++) % s->n] = rank;
}

/* -- what is under way --------------------------------------------------------------------- */

void archai_slots_add(archai_slots *s, int rank, int64_t id, double now)
{
    archai_slot *slot = &s->at[rank];
    size_t before = (size_t)(slot->ids - slot->store);

    if (before + (size_t)slot->n == slot->capacity && before > 0 && before >= (size_t)slot->n) {
        memcpy(slot->store, slot->ids, (size_t)slot->n * sizeof *slot->ids);
        before = 0;
    }
    ARCHAI_RESERVE(slot->store, slot->capacity, before + (size_t)slot->n + 1);
    slot->ids = slot->store + before;
    if (slot->n == 0)
        slot->since = now;
    slot->ids[slot->n++] = id;
    s->under_way++;
}

bool archai_slots_has(const archai_slots *s, int rank, int64_t id)
{
    for (int i = 0; i < s->at[rank].n; i++)
        if (s->at[rank].ids[i] == id)
            return true;
    return false;
}

bool archai_slots_remove(archai_slots *s, int rank, int64_t id, double now)
{
    archai_slot *slot = &s->at[rank];

    for (int i = 0; i < slot->n; i++) {
        if (slot->ids[i] != id)
            continue;
        slot->n--;
        if (i == 0)
            slot->ids++;
        else
            memmove(slot->ids + i, slot->ids + i + 1, (size_t)(slot->n - i) * sizeof *slot->ids);
        if (slot->n == 0)
            slot->ids = slot->store;
        slot->began = slot->since;
        slot->since = now;
        s->under_way--;
        archai_slots_enqueue(s, rank);
        return true;
    }
    return false;
}

void archai_slots_pace(archai_slots *s, int rank, double seconds)
{
    const double weight = 0.2; /* recent ones count more */
    const double sample = seconds > 1e-6 ? seconds : 1e-6;
    archai_slot *slot = &s->at[rank];

    slot->mean_s = slot->mean_s > 0 ? (1 - weight) * slot->mean_s + weight * sample : sample;
    slot->busy_s += seconds;
}

void archai_slots_note(archai_slots *s, int rank, bool failed, double seconds)
{
    const bool quick = failed && seconds < quick_s;
    archai_slot_event *event = &s->recent[s->noted % s->n_recent];
    archai_slot *slot = &s->at[rank];

    archai_slots_pace(s, rank, seconds);
    slot->quick_failures = quick ? slot->quick_failures + 1 : 0;
    s->n_fine += !quick - (s->noted >= s->n_recent && !event->quick_failure);
    *event = (archai_slot_event){.began = slot->began, .rank = rank, .quick_failure = quick};
    s->noted++;
}

/* -- suspicion ----------------------------------------------------------------------------- */

static bool works(const archai_slot *s)
{
    return s->exists && !s->retired && !s->leaving;
}

static bool has_run_long(const archai_slot *s, double now)
{
    return s->n > 0 && now - s->since > quick_s;
}

bool archai_slots_is_on(const archai_slots *s, int rank, int host_of)
{
    const char *a = s->at[rank].host, *b = s->at[host_of].host;

    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool is_in_group(const archai_slots *s, int i, int rank, bool whole_host)
{
    return i == rank || (whole_host && archai_slots_is_on(s, i, rank));
}

/* A streak of the group, newest first, and what the others did since it began. */
typedef struct streak {
    int failures;
    int others, others_failed; /* evaluations */
    double began;              /* clock */
} streak;

static streak look_back(const archai_slots *s, int rank, bool whole_host, double now)
{
    const int64_t first = s->noted > s->n_recent ? s->noted - s->n_recent : 0;
    streak found = {.began = now}, here = found;

    for (int64_t i = s->noted; i-- > first;) {
        const archai_slot_event *e = &s->recent[i % s->n_recent];

        if (is_in_group(s, e->rank, rank, whole_host)) {
            if (!e->quick_failure)
                break;
            here.failures++;
            here.began = e->began;
            found = here;
        } else if (!s->at[e->rank].quarantined) {
            here.others++;
            here.others_failed += e->quick_failure;
        }
    }
    return found;
}

static bool is_bad(const archai_slots *s, int rank, bool whole_host, double now)
{
    streak t = look_back(s, rank, whole_host, now);
    bool is_last = true;
    double p;

    for (int i = 0; i < s->n; i++) {
        const archai_slot *slot = &s->at[i];

        if (!works(slot))
            continue;
        if (!is_in_group(s, i, rank, whole_host)) {
            is_last = false;
            /* What has run for longer does not fail within a second either. */
            t.others += has_run_long(slot, now) && slot->since >= t.began - quick_s;
        } else if (slot->quick_failures == 0 || has_run_long(slot, now)) {
            return false;
        }
    }
    if (is_last || t.failures < SUSPECT_AFTER || t.others == t.others_failed)
        return false;
    /* Laplace's rule of succession: not zero, however well the others do. */
    p = (t.others_failed + 1.0) / (t.others + 2.0);
    return t.failures * log(p) + log((double)s->noted) < log(accident);
}

/* Does any worker do better than fail at once? If not, it is not worth looking at all of them: in a run
 * that fails as a whole that would happen with every answer. */
static bool is_any_fine(archai_slots *s, double now)
{
    if (s->n_fine > 0)
        return true;
    if (now <= s->long_after)
        return false;
    s->long_after = now + quick_s; /* for those that begin from now on */
    for (int i = 0; i < s->n; i++)
        if (s->at[i].n > 0 && s->at[i].since + quick_s < s->long_after)
            s->long_after = s->at[i].since + quick_s;
    return now > s->long_after;
}

archai_suspicion archai_slots_suspect(archai_slots *s, int rank, double now)
{
    if (!is_any_fine(s, now))
        return ARCHAI_SUSPECT_NONE;
    if (s->at[rank].host != NULL && is_bad(s, rank, true, now))
        return ARCHAI_SUSPECT_HOST;
    return is_bad(s, rank, false, now) ? ARCHAI_SUSPECT_WORKER : ARCHAI_SUSPECT_NONE;
}

double archai_slots_busy(const archai_slots *s, double began, double now)
{
    const int n = archai_slots_count(s);
    double busy = 0;

    for (int i = 0; i < s->n; i++)
        if (s->at[i].exists)
            busy += s->at[i].busy_s + (s->at[i].n > 0 ? now - s->at[i].since : 0);
    if (n == 0 || now <= began)
        return 0;
    busy /= n * (now - began);
    return busy < 1 ? busy : 1;
}
