/* runner/inspect/report/facts.h - what a report is made of, computed from the rows. */
#ifndef ARCHAI_RUNNER_INSPECT_REPORT_FACTS_H
#define ARCHAI_RUNNER_INSPECT_REPORT_FACTS_H
#include <jansson.h>
#include "runner/inspect/inspect.h"

/* The best by an objective from an evaluation on, until the next step. `evaluation` as in
 * /hypervolume/evaluations: rows that are not cached, counted in the order of finishing (of a generational
 * search that has ended: of their ids). */
typedef struct inspect_step {
    int64_t evaluation;
    double seconds; /* when that had finished, since the first row started */
    size_t row;
} inspect_step;

typedef struct inspect_facts {
    size_t *order;    /* owned; [rows]: all of them as they are counted, see inspect_step */
    size_t *number;   /* owned; [rows]: from 0, equal for the rows of one architecture */
    size_t n_archids;
    double began;     /* Unix time at which the first row started; 0: none did */
    size_t *standing; /* owned; rows that stand for their architectures, in order of id: the first ok or
                         cached one of the highest budget */
    size_t n_standing;
    int64_t *evaluation; /* owned; [rows]: how many evaluations had finished with this one, as in inspect_step */
    size_t *front;    /* owned; inspect_front */
    size_t n_front;
    inspect_step **best; /* owned; [objectives] */
    size_t *n_best;      /* owned */
    double **importance; /* owned; [objectives][params]: shares that sum to 1, or all 0: nothing can be told.
                            NULL before inspect_facts_weigh */
    archai_failures failures;
    double busy_s, offered_s; /* seconds of evaluations; slots times the time of the starts */
    int slots;                /* of the last start */
} inspect_facts;

/* How fast a search is. */
typedef struct inspect_rate {
    int64_t done, total; /* evaluations; total -1: no limit is set */
    double per_s, left_s; /* NaN: cannot be told */
    double busy;          /* utilisation */
} inspect_rate;
void inspect_pace(const archai_results *r, inspect_rate *out);
int64_t inspect_total(const archai_results *r); /* search.max_evaluations; -1: none */
int inspect_summary_json(inspect *t, archai_err *err);

/* How `importance` was computed, in words. */
extern const char inspect_importance_method[];

/* All but the importances. Calls inspect_names. */
int inspect_facts_make(inspect *t, inspect_facts *out, archai_err *err);
void inspect_facts_weigh(const inspect *t, inspect_facts *f); /* the importances: seconds on large runs */
/* Rows that stand for their architectures after the first n of f->order, in order of id; *out is the caller's
 * to free. Returns how many. */
size_t inspect_standing_after(const archai_results *r, const inspect_facts *f, size_t n, size_t **out);
void inspect_facts_free(const inspect *t, inspect_facts *f);
/* busy_s, offered_s and slots alone. */
void inspect_time_slots(const archai_results *r, inspect_facts *f);
double inspect_utilisation(const inspect_facts *f); /* [0, 1]; NaN: nothing to tell it from */
#endif
