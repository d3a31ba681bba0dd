/* core/search/objective.h - objectives, constraints and cheap measures (Archai's SearchObjectives).
 *
 * An objective is a direction for a named measure, its `source`. A source that follows from the
 * architecture alone (params, macs, flops, madd, non_embedding_params) is cheap: it is known before anything is trained. Every
 * other one is expensive and comes from an evaluator.
 */
#ifndef ARCHAI_CORE_SEARCH_OBJECTIVE_H
#define ARCHAI_CORE_SEARCH_OBJECTIVE_H
#include <stdbool.h>
#include "core/base/err.h"
#include "core/config/ini.h"
#include "core/config/option.h"
#include "core/measure/measure.h"
#include "core/search/space.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ARCHAI_MAX_OBJECTIVES = 16 };

typedef enum archai_direction {
    ARCHAI_MAXIMIZE,
    ARCHAI_MINIMIZE,
    ARCHAI_CONSTRAIN /* not optimised: only its constraint counts */
} archai_direction;

typedef struct archai_objective {
    char *name;   /* owned; from the section [objective.<name>] */
    char *source; /* owned; name of a measure; default: the objective's name */
    int direction;
    int expensive;             /* 0 no, 1 yes (resolved from "auto" when created) */
    archai_doubles constraint; /* empty, or [low, high], both inclusive */
    char *unit;                /* owned */
} archai_objective;

typedef struct archai_objectives {
    archai_objective at[ARCHAI_MAX_OBJECTIVES]; /* in configuration order */
    size_t n;                                   /* all, constraint-only ones included */
    size_t n_optimised;                         /* those with maximize or minimize; >= 1 */
    archai_measure_specs measures;              /* sections [measure.*], and those that sources imply */
} archai_objectives;

/* Read all sections [objective.*] and [measure.*]. At least one objective must be optimised. */
int archai_objectives_create(archai_objectives *out, archai_ini *ini, archai_err *err);
void archai_objectives_free(archai_objectives *o);

/* A measure by name, e.g. {"val_accuracy", 0.93}. */
typedef struct archai_measure {
    char *name; /* owned */
    double value;
} archai_measure;

/* All cheap measures of a model (params, macs, flops, madd as far as they are known), from
 * describe(); 0 of them where the space has no describe. Caller frees with archai_measures_free. */
int archai_measures_cheap(archai_space *space, const archai_model *m, archai_measure **out,
                          size_t *n, archai_err *err);
void archai_measures_free(archai_measure *at, size_t n);
double archai_measure_get(const archai_measure *at, size_t n, const char *name); /* NaN: none */

/* Fill values[o->n] in objective order from measures; NaN where there is none. */
void archai_objectives_values(const archai_objectives *o, const archai_measure *at, size_t n,
                              double *values);
/* Optimised objectives of `values` (objective order) as a minimised point of o->n_optimised. */
void archai_objectives_minimised(const archai_objectives *o, const double *values, double *point);
/* First violated constraint among the objectives with `expensive` equal to `expensive`, or -1.
 * A NaN violates; a measure that a cheap objective lacks violates. One that was measured comes first. */
int archai_objectives_violated(const archai_objectives *o, const double *values, int expensive);
/* Has every objective that is optimised a value? */
bool archai_objectives_all_measured(const archai_objectives *o, const double *values);
/* In words: `value` is outside the objective's constraint. Caller frees. */
char *archai_objective_explain(const archai_objective *o, double value);

extern const archai_option archai_objective_options[];

#ifdef __cplusplus
}
#endif
#endif
