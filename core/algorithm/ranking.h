/* core/algorithm/ranking.h - records as points: fronts, and who is better.
 *
 * Rows are indices of records whose values take part in fronts.
 */
#ifndef ARCHAI_CORE_ALGORITHM_RANKING_H
#define ARCHAI_CORE_ALGORITHM_RANKING_H
#include "core/search/search.h"

/* The objectives of rows[n] as points to minimise, [n, n_optimised]. Caller frees. */
double *archai_ranking_points(const archai_search *s, const size_t *rows, size_t n);
/* The same rounded to float32, as Archai does, which makes more of them equal. */
double *archai_ranking_points_float(const archai_search *s, const size_t *rows, size_t n);

/* Is no record ok? Then there is nothing to breed from. */
bool archai_ranking_is_empty(const archai_search *s);
/* Was every objective measured? Also of a candidate that violates a constraint. */
bool archai_ranking_has_result(const archai_search *s, const archai_record *r);
/* All records that take part in fronts, in order of id. Caller frees. */
size_t *archai_ranking_rows(const archai_search *s, size_t *n);
/* Reduce `rows` to their Pareto front as Archai orders it: lexicographic, of equal points the first.
 * as_float: by the rounded points. Returns how many are left. */
size_t archai_ranking_front(const archai_search *s, size_t *rows, size_t n, bool as_float);
/* The front of everything evaluated, ordered as above. Caller frees. It comes from the front that the
 * search keeps, and takes no longer when the history grows. */
size_t *archai_ranking_best(const archai_search *s, size_t *n);

/* A record ranked by NSGA-II's rules (core/algorithm/nsga2.c). */
typedef struct archai_ranked {
    size_t record, front;
    double crowding;
    double violation; /* of constraints, set by the caller; 0: feasible */
} archai_ranked;
/* For qsort, the best first: the smaller violation, the lower front, the larger crowding distance, the
 * earlier record. */
int archai_ranking_compare(const void *a, const void *b);
/* Find fronts and crowding among list[n], and sort it. */
void archai_ranking_sort(const archai_search *s, archai_ranked *list, size_t n);
#endif
