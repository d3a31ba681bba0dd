/* runner/coordinator/slots.h - what rank 0 knows about each worker: what it has been given, how fast it is,
 * whether it can be trusted. Bookkeeping only. */
#ifndef ARCHAI_RUNNER_COORDINATOR_SLOTS_H
#define ARCHAI_RUNNER_COORDINATOR_SLOTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARCHAI_SLOT_DEPTH = 1024 }; /* candidates under way with one worker, at most */

typedef struct archai_slot {
    bool exists;        /* this rank evaluates */
    bool retired;       /* takes no more work */
    bool leaving;       /* was asked to take no more work */
    bool lost;          /* its rank gives no sign of life; then it is retired, too */
    bool quarantined;   /* it, or its node, was found to be bad; then it is leaving, too */
    char *host, *device; /* owned; NULL before the worker said so */
    int64_t *ids; /* [n], under way, in the order in which they were sent; points into `store` */
    int n;
    int64_t *store; /* owned; [capacity] */
    size_t capacity;
    bool in_line;   /* its rank is in `line` */
    double mean_s;      /* of its recent evaluations; 0: not known yet */
    double busy_s;      /* time spent on finished evaluations */
    double since;       /* clock: the current candidate began at about this time */
    double began;       /* clock: and the one that was removed last */
    int quick_failures; /* in a row */
    double stopped_at;  /* clock: of its rank's first stop request; 0: none yet */
} archai_slot;

/* One evaluation that came back. */
typedef struct archai_slot_event {
    double began; /* clock */
    int rank;
    bool quick_failure;
} archai_slot_event;

typedef struct archai_slots {
    archai_slot *at; /* [n], owned; number = rank */
    int n;
    int64_t under_way; /* over all */
    int *line;         /* [n], owned; ranks that may have room, first come first served: a ring of
                          n_line from `first` on */
    int first, n_line;
    int64_t noted;     /* evaluations that came back */
    archai_slot_event *recent; /* [n_recent], owned; number `noted` goes to noted % n_recent */
    int n_recent;
    int n_fine;        /* of them, those that were not quick failures */
    double long_after; /* clock: nobody has been busy for longer than a second before */
} archai_slots;

typedef enum archai_suspicion {
    ARCHAI_SUSPECT_NONE,
    ARCHAI_SUSPECT_WORKER, /* this slot: a GPU, say */
    ARCHAI_SUSPECT_HOST    /* every slot of its host */
} archai_suspicion;

void archai_slots_init(archai_slots *s, int n);
void archai_slots_fini(archai_slots *s);
int archai_slots_alive(const archai_slots *s); /* exist and are not retired */
int archai_slots_count(const archai_slots *s); /* exist */

/* How many candidates a worker should have where proposals learn from nothing: one, unless its evaluations
 * are so short that the round trip to rank 0 would show. */
int archai_slot_depth(const archai_slot *s);
/* The rank that has waited longest for work, -1: no rank has room. served takes it out of the line, with
 * work or without; it joins the end of the line when something is removed from it. */
int archai_slots_next(archai_slots *s);
void archai_slots_served(archai_slots *s);
/* This rank may have room: it goes to the end of the line, unless it is in it. */
void archai_slots_enqueue(archai_slots *s, int rank);
void archai_slots_add(archai_slots *s, int rank, int64_t id, double now);
bool archai_slots_has(const archai_slots *s, int rank, int64_t id);
/* false: it never had it, or has given it back. */
bool archai_slots_remove(archai_slots *s, int rank, int64_t id, double now);
/* After an evaluation was removed: its pace. */
void archai_slots_pace(archai_slots *s, int rank, double seconds);
/* The same, and whether it failed within a second. */
void archai_slots_note(archai_slots *s, int rank, bool failed, double seconds);
/* Has this worker, or its whole node, failed its last candidates, at least five, within a second each,
 * while others did so well at the same time that such a streak is not an accident (less than one in a
 * million, over the whole run)? Then something is wrong with it, and it would consume all candidates.
 * Never where no other worker is left. */
archai_suspicion archai_slots_suspect(archai_slots *s, int rank, double now);
bool archai_slots_is_on(const archai_slots *s, int rank, int host_of); /* the host of another */
/* Share of the workers' time since `began` that went into evaluations. */
double archai_slots_busy(const archai_slots *s, double began, double now);
#endif
