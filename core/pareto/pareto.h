/* core/pareto/pareto.h - Pareto dominance: a front kept up to date, non-dominated sorting,
 * hypervolume.
 *
 * Points are rows of n doubles, and smaller is better: archai_objectives_minimised() flips the
 * signs. Rows with a NaN are left out of everything.
 */
#ifndef ARCHAI_CORE_PARETO_PARETO_H
#define ARCHAI_CORE_PARETO_PARETO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

/* a <= b everywhere and a < b somewhere. */
bool archai_pareto_dominates(const double *a, const double *b, size_t n);

/* Indices of the non-dominated rows of points [rows, n], ascending; equal rows are all kept.
 * Returns how many; `out` has room for `rows`. */
size_t archai_pareto_front(const double *points, size_t rows, size_t n, size_t *out);
/* As Archai orders it: of equal rows only the first, in lexicographic order of the points. */
size_t archai_pareto_front_archai(const double *points, size_t rows, size_t n, size_t *out);
/* Non-dominated sorting: front[i] is the front number of row i from 0 (rows with NaN: SIZE_MAX).
 * Equal rows share a front. Up to 3 objectives it takes O(rows log^2 rows) comparisons; beyond that
 * each row is compared with the members of O(log fronts) fronts. Source: Zhang, Tian, Cheng, Jin
 * 2015, "An Efficient Approach to Nondominated Sorting" (ENS-BS); the staircase of a front of three
 * objectives is from Kung, Luccio, Preparata 1975. It is an array here, so an insertion moves part
 * of it: half a second in all where 100,000 rows stay on one staircase. */
void archai_pareto_sort(const double *points, size_t rows, size_t n, size_t *front);

/* As Archai sorts: an equal row joins the next front, and within a front the order is
 * lexicographic, ties by index. order[0..result) are the rows front by front, front[i] is the front
 * of order[i]; rows with NaN are left out. Both have room for `rows`. */
size_t archai_pareto_sort_archai(const double *points, size_t rows, size_t n, size_t *order,
                                 size_t *front);

/* Crowding distance of each of the points [rows, n] of one front: summed over the objectives, the
 * distance between a point's two neighbours relative to the front's extent; infinite at both ends.
 * Source: Deb, Pratap, Agarwal, Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic
 * Algorithm: NSGA-II", section III-B. */
void archai_pareto_crowding(const double *points, size_t rows, size_t n, double *out);

/* NSGA-II's order: each row's front, as archai_pareto_sort() gives it, and its crowding distance on
 * that front (0 with NaN). The lower front is better; on one front, the larger distance. */
void archai_pareto_rank(const double *points, size_t rows, size_t n, size_t *front,
                        double *crowding);

/* Exact hypervolume of points [rows, n] against a reference point, 1 <= n <= 4. Points that are not
 * below the reference in every objective add nothing, nor do rows with NaN. O(rows log rows)
 * comparisons up to 3 objectives (for 3 with a staircase as above), O(rows^2 log rows) for 4.
 * Source of the 3-D sweep: Fonseca, Paquete, Lopez-Ibanez 2006; Beume et al. 2009. A volume beyond
 * DBL_MAX is given as DBL_MAX. ARCHAI_EINVAL: n outside 1..4, or an infinite point. */
int archai_pareto_hypervolume(const double *points, size_t rows, size_t n, const double *reference,
                              double *out, archai_err *err);

/* A front kept up to date as points arrive. Members are (tag, point). */
typedef struct archai_front {
    size_t n_objectives;
    size_t n, capacity;
    double *points; /* [n, n_objectives], owned */
    int64_t *tags;  /* [n], owned */
    int64_t *left;  /* [n_left], owned: tags of the members that the last insert removed */
    size_t n_left;
} archai_front;
void archai_front_init(archai_front *f, size_t n_objectives);
void archai_front_fini(archai_front *f);
/* Whether the point joined: no member dominates it. Members that it dominates leave; equal ones
 * stay. */
bool archai_front_insert(archai_front *f, const double *point, int64_t tag);
bool archai_front_would_join(const archai_front *f, const double *point);
/* Whether there was such a member. What it alone dominated is for the caller to insert again. */
bool archai_front_remove(archai_front *f, int64_t tag);
#endif
