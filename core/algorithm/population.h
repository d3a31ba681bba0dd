/* core/algorithm/population.h - what algorithms share that begin with a population: their first struct
 * member, the given or random models to begin with, and the two schedules.
 *
 * Such an algorithm is a struct with archai_population as its first member, a function that breeds one
 * generation and one that proposes a single model (core/algorithm/local_search.c is a short one).
 */
#ifndef ARCHAI_CORE_ALGORITHM_POPULATION_H
#define ARCHAI_CORE_ALGORITHM_POPULATION_H
#include "core/algorithm/generation.h"

typedef struct archai_population {
    archai_algorithm base;   /* first member */
    int64_t num_iters;       /* generational */
    int64_t init_num_models; /* random ones to begin with, where none are given */
    archai_strings initial_population_paths;
    archai_model *given; /* [n_given], of these paths; owned */
    size_t n_given, next_given;
    archai_generation generation;
} archai_population;

/* Rows of an option table, for a struct that begins with archai_population. */
/* clang-format off */
#define ARCHAI_POPULATION_NUM_ITERS       {"num_iters",                ARCHAI_OPT_INT,     offsetof(archai_population, num_iters),                1, 0x1p31, "10", "iterations", NULL, "generational: number of iterations"}
#define ARCHAI_POPULATION_INIT_NUM_MODELS {"init_num_models",          ARCHAI_OPT_INT,     offsetof(archai_population, init_num_models),          1, 0x1p20, "10", "models",     NULL, "random models to begin with"}
#define ARCHAI_POPULATION_PATHS           {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(archai_population, initial_population_paths), 0, 0,      "",   "paths",      NULL, "what to begin with instead: arch files, folders of them (in order of name), or results, whose front is taken; a name with blanks or commas stands in quotes"}
/* clang-format on */

/* Slots of archai_algorithm_ops. init reads the given architectures; its errors begin with
 * "initial_population_paths: " and the path. */
int archai_population_init(archai_algorithm *self, archai_err *err);
void archai_population_fini(archai_algorithm *self);

/* Propose one model once the beginning is over. ARCHAI_ENONE: no child this time. */
typedef int archai_next(archai_algorithm *self, archai_trial *out, archai_err *err);
/* propose() of both schedules. async: the beginning, then `next`. */
int archai_population_propose(archai_algorithm *self, archai_breed *breed, archai_next *next,
                              archai_propose *what, archai_trial *out, archai_err *err);

/* async: the next given architecture, or one of init_num_models random ones. ARCHAI_ENONE: the
 * beginning is over. */
int archai_population_next(archai_population *p, archai_trial *out, archai_err *err);
/* generational: the first population, the given architectures or init_num_models samples; in later
 * iterations a new one at random, for where there is nothing to breed from. `rounds` as in
 * archai_generation_sample(). */
int archai_population_begin(archai_population *p, int32_t iteration, int rounds,
                            archai_proposals *batch, archai_err *err);
#endif
