/* tests/bench/bench_problem.h - the problems that search_quality solves.
 *
 * A problem is a table of measured architectures (CSV, as the evaluator `table` reads it) or a
 * function with a known Pareto front over the `config` space of data/mixed_tree.json, which has
 * numbers, choices, a choice that decides which parameters exist, and a list of blocks.
 *
 * zdt1: ZDT1 of Zitzler, Deb, Thiele 2000, "Comparison of Multiobjective Evolutionary
 * Algorithms: Empirical Results": f1 = position, f2 = g (1 - sqrt(f1 / g)), g = 1 + 9 d. dtlz2:
 * DTLZ2 of Deb, Thiele, Laumanns, Zitzler 2005, "Scalable Test Problems for Evolutionary
 * Multiobjective Optimization", three objectives: position and tilt are the two angles, and the
 * radius is 1 + 4 d.
 * Here d, from 0 to 1, is the mean distance of all other parameters from their best values: on a
 * scale for numbers, by a table for choices, and partly jointly for two of them. d = 0 is the
 * Pareto front.
 */
#ifndef ARCHAI_TESTS_BENCH_PROBLEM_H
#define ARCHAI_TESTS_BENCH_PROBLEM_H
#include <stdbool.h>
#include "core/search/trial.h"
#include "core/search/space.h"
#include "io/table/table.h"

struct problem {
    archai_table *table; /* NULL: a function */
    bool dtlz2;
    bool curve;     /* of a table: measure NAME after k epochs is in column NAME_k */
    double failing; /* share of the architectures that fail, always the same ones */
};

/* `name`: path of a CSV file, "zdt1" or "dtlz2". */
int problem_open(struct problem *p, const char *name, archai_err *err);
void problem_close(struct problem *p);
/* Evaluate a candidate: measures, or a failure. *e is zeroed, the caller frees it. */
int problem_evaluate(const struct problem *p, archai_space *space, const archai_trial *c,
                     archai_trial *e, archai_err *err);
#endif
