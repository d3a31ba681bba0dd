/* runner/rank/plan.h - what a run is going to do, checked as a whole before anything starts.
 *
 * Rank 0 reads the configuration, the headers of the data and the results directory; every problem that
 * it finds is one line of its error. The other ranks get the resolved configuration as text and make
 * what a worker needs from it.
 */
#ifndef ARCHAI_RUNNER_RANK_PLAN_H
#define ARCHAI_RUNNER_RANK_PLAN_H
#include "core/config/config.h"
#include "core/search/failure.h"
#include "core/search/objective.h"
#include "core/search/search.h"
#include "core/search/space.h"
#include "io/dataset/dataset.h"
#include "runner/evaluator/evaluator.h"
#include "runner/given/retrain.h"
#include "runner/rank/arguments.h"

typedef struct archai_plan {
    archai_ini ini;
    archai_config config;
    archai_dataset_source source; /* section [data] */
    archai_data_shape data;
    archai_objectives objectives;
    const archai_evaluator_ops *evaluator; /* borrowed, static */
    void *evaluator_settings;              /* owned; its own keys */
    char *text;                            /* owned; the resolved configuration */
    /* rank 0 only */
    archai_dataset_facts facts; /* n[0] == 0: no data are used */
    archai_space *space;
    archai_search search;
    bool has_search;
    archai_retrain retrain; /* --from */
    char *data_set; /* owned; archai_dataset_record, once the data are loaded; NULL: none are used */
    char *unused;   /* owned; keys that are not used, a line each; "": none */
    char *complete; /* owned; why there is nothing left to do (--resume on a complete run); or NULL */
    int complete_code; /* then the exit code */
    archai_failures failures; /* of all starts: why rows failed */
    /* --resume: */
    char *changes;     /* owned; what differs from the earlier configuration, a line each; or NULL */
    char *told, *settled; /* owned; of archai_earlier; or NULL */
    int starts;        /* archai_rundir_starts when the rows were read */
    int earlier_ranks; /* of the last start; 0: not known */
    int64_t *left_over; /* owned; ids of checkpoints whose rows are committed */
    size_t n_left_over;
} archai_plan;

/* The registries that archai-run links; ends with NULL. */
extern const archai_registry *const archai_run_registries[];

/* Rank 0. */
int archai_plan_make(archai_plan *p, const archai_arguments *args, archai_err *err);
/* Other ranks, from rank 0's text (malloc'ed; taken over in any case) and data shape. */
int archai_plan_from_text(archai_plan *p, char *text, const archai_data_shape *data,
                          archai_err *err);
void archai_plan_fini(archai_plan *p); /* safe on a zeroed struct */

/* "evolution_pareto on space cnn (2304 models): 200 evaluations with torch on 4 workers, results in
 * runs/x". */
void archai_plan_sentence(const archai_plan *p, int workers, char *out, size_t size);
#endif
