/* runner/given/retrain.h - archai-run --from: chosen models of other results are trained once more.
 *
 * --from RESULTS is search.algorithm = retrain with search.from, search.models and search.fresh. What was chosen
 * is kept in the run's own directory, DIR/from: models.json (runner/given/chosen.h), and model k's weights,
 * k.safetensors. So --resume trains the very same models, whatever has become of RESULTS, which is only read. A
 * worker takes the weights from there (runner/worker/worker_fetch.c). Rank 0 only; not collective.
 */
#ifndef ARCHAI_RUNNER_GIVEN_RETRAIN_H
#define ARCHAI_RUNNER_GIVEN_RETRAIN_H
#include <jansson.h>
#include <stdio.h>
#include "core/config/config.h"
#include "core/search/given.h"
#include "runner/evaluator/evaluator.h"
#include "runner/rank/arguments.h"

#define ARCHAI_RETRAIN_FOLDER "from"

typedef struct archai_retrain {
    const char *directory; /* borrowed; the run's own results */
    bool resume;
    archai_giver giver;  /* payload: this */
    char *from;          /* owned; NULL: nothing is trained again */
    bool fresh, earlier; /* earlier: what was chosen is in the directory already */
    json_t *chosen;      /* owned */
    char *notes;         /* owned; what is trained, for the user, a line each; NULL: nothing */
} archai_retrain;

/* What --from, its models and --fresh say, as keys. */
int archai_retrain_configure(archai_ini *ini, const archai_arguments *args, archai_err *err);
/* Before the search is made: the giver of this run. */
void archai_retrain_init(archai_retrain *r, const archai_config *config, bool resume);
/* Afterwards: can this evaluator begin from weights, are they there, and do they fit the models of this
 * configuration? The last layer alone may differ; `notes` say so. Errors begin "search.from: ". */
int archai_retrain_check(archai_retrain *r, archai_space *space, const archai_evaluator_ops *evaluator,
                         archai_config *config, archai_err *err);
/* Once the directory is the run's: what was chosen goes into it. */
int archai_retrain_hand_over(archai_retrain *r, archai_err *err);
void archai_retrain_fini(archai_retrain *r); /* safe on a zeroed struct */
#endif
