/* tests/bench/bench_pareto.c - non-dominated sorting, fronts and hypervolume of many points.
 *
 *   bench_pareto [ROWS]      default 100000, three objectives
 *
 * Three kinds of points: in a cube, on a sphere (all on one front), and half on a lattice and half
 * in a chain (equal points, very many fronts). Prints CPU seconds for each and, for the first 2,000
 * points, those of a peer that peels front after front by comparing all pairs, as Archai does; both
 * must agree.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/pareto/pareto.h"
#include "core/base/rng.h"

enum { N = 3, PEER_ROWS = 2000 };

static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void cube(archai_rng *rng, size_t row, double *p)
{
    (void)row;
    for (int k = 0; k < N; k++)
        p[k] = archai_rng_random(rng);
}

static void sphere(archai_rng *rng, size_t row, double *p)
{
    double length;

    cube(rng, row, p);
    length = sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
    for (int k = 0; k < N; k++)
        p[k] /= length;
}

static void lattice_and_chain(archai_rng *rng, size_t row, double *p)
{
    cube(rng, row, p);
    for (int k = 0; k < N; k++)
        p[k] = row % 2 == 0 ? (double)row : floor(50.0 * p[k]);
}

static const struct {
    const char *name;
    void (*make)(archai_rng *rng, size_t row, double *p);
} kinds[] = {{"cube", cube}, {"sphere", sphere}, {"lattice and chain", lattice_and_chain}};

static void peer_sort(const double *points, size_t rows, size_t *front)
{
    size_t left = rows;

    for (size_t i = 0; i < rows; i++)
        front[i] = SIZE_MAX;
    for (size_t number = 0; left > 0; number++)
        for (size_t i = 0; i < rows; i++) {
            bool dominated = false;

            for (size_t j = 0; front[i] == SIZE_MAX && j < rows && !dominated; j++)
                dominated = front[j] >= number && /* not in an earlier front */
                            archai_pareto_dominates(points + j * N, points + i * N, N);
            if (front[i] == SIZE_MAX && !dominated) {
                front[i] = number;
                left--;
            }
        }
}

static void compare(const double *points, size_t rows)
{
    size_t *ours = archai_malloc(2 * rows * sizeof *ours), *theirs = ours + rows, different = 0;
    double start = cpu_seconds(), fast, slow;

    archai_pareto_sort(points, rows, N, ours);
    fast = cpu_seconds() - start;
    start = cpu_seconds();
    peer_sort(points, rows, theirs);
    slow = cpu_seconds() - start;
    for (size_t i = 0; i < rows; i++)
        different += ours[i] != theirs[i];
    printf("  %zu rows: %.4f s, the peer %.4f s, %.0f times as long; %zu rows on another front\n",
           rows, fast, slow, slow / fast, different);
    free(ours);
}

static int measure(const double *points, size_t rows, archai_err *err)
{
    const double reference[N] = {1.1, 1.1, 1.1};
    size_t *front = archai_malloc(rows * sizeof *front), fronts = 0, n;
    double start = cpu_seconds(), volume;

    archai_pareto_sort(points, rows, N, front);
    printf("  %zu rows: sort %.3f s", rows, cpu_seconds() - start);
    for (size_t i = 0; i < rows; i++)
        fronts = front[i] + 1 > fronts ? front[i] + 1 : fronts;
    start = cpu_seconds();
    n = archai_pareto_front(points, rows, N, front);
    printf(" (%zu fronts), first front %.3f s (%zu rows)", fronts, cpu_seconds() - start, n);
    start = cpu_seconds();
    ARCHAI_TRY(archai_pareto_hypervolume(points, rows, N, reference, &volume, err));
    printf(", hypervolume %.3f s\n", cpu_seconds() - start);
    free(front);
    return ARCHAI_OK;
}

int main(int argc, char **argv)
{
    const size_t rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    double *points = rows > 0 ? calloc(rows, N * sizeof *points) : NULL;
    archai_err err = ARCHAI_ERR_INIT;
    int rc = points != NULL ? ARCHAI_OK
                            : archai_fail(&err, ARCHAI_EINVAL, "usage: bench_pareto [ROWS]");

    for (size_t k = 0; rc == ARCHAI_OK && k < sizeof kinds / sizeof *kinds; k++) {
        archai_rng rng;

        archai_rng_seed(&rng, 1);
        for (size_t i = 0; i < rows; i++)
            kinds[k].make(&rng, i, points + i * N);
        printf("%s\n", kinds[k].name);
        rc = measure(points, rows, &err);
        if (rc == ARCHAI_OK)
            compare(points, rows < PEER_ROWS ? rows : PEER_ROWS);
    }
    if (rc != ARCHAI_OK)
        fprintf(stderr, "bench_pareto: %s\n", err.text);
    free(points);
    return rc == ARCHAI_OK ? 0 : 1;
}
