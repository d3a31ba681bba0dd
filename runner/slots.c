#include "runner/slots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A round trip to a busy rank 0 takes a few milliseconds; candidates that last much longer gain
 * nothing from a queue, and would be proposed on older knowledge. */
static const double queue_below_s = 0.5, queue_ahead_s = 0.02;
static const double quick_s = 1;
enum { SUSPECT_AFTER = 5 };

int archai_slots_init(archai_slots *s, int n, archai_err *err)
{
    *s = (archai_slots){.at = calloc((size_t)n, sizeof *s->at), .n = n};
    return s->at != NULL ? ARCHAI_OK
                         : archai_fail(err, ARCHAI_ENOMEM, "out of memory for %d slots", n);
}

void archai_slots_fini(archai_slots *s)
{
    for (int i = 0; s->at != NULL && i < s->n; i++) {
        free(s->at[i].host);
        free(s->at[i].device);
    }
    free(s->at);
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

void archai_slots_add(archai_slots *s, int rank, int64_t id, double now)
{
    archai_slot *slot = &s->at[rank];

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
        memmove(slot->ids + i, slot->ids + i + 1, (size_t)(slot->n - i) * sizeof *slot->ids);
        slot->since = now;
        s->under_way--;
        return true;
    }
    return false;
}

void archai_slot_judge(archai_slot *s, bool failed, double seconds)
{
    const double weight = 0.2; /* recent ones count more */
    const double sample = seconds > 1e-6 ? seconds : 1e-6;

    s->mean_s = s->mean_s > 0 ? (1 - weight) * s->mean_s + weight * sample : sample;
    s->busy_s += seconds;
    s->quick_failures = failed && seconds < quick_s ? s->quick_failures + 1 : 0;
    s->ok += !failed;
}

bool archai_slots_suspect(const archai_slots *s, int rank)
{
    const char *host = s->at[rank].host;
    int failures = 0;
    bool others = false;

    if (host == NULL)
        return false;
    for (int i = 0; i < s->n; i++) {
        const archai_slot *slot = &s->at[i];

        if (!slot->exists || slot->host == NULL)
            continue;
        if (strcmp(slot->host, host) != 0)
            others = others || (slot->ok > 0 && !slot->retired);
        else if (slot->ok > 0)
            return false;
        else
            failures += slot->quick_failures;
    }
    return others && failures >= SUSPECT_AFTER;
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
