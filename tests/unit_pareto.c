/* Fronts, sorting and hypervolume against brute force, and against values known from outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pareto/pareto.h"

static uint64_t noise = 1;

static uint64_t draw(void) /* xorshift; only to make cases */
{
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    return noise;
}

/* Small whole numbers, so that equal rows and equal coordinates are common. */
static void make_rows(double *points, size_t count, unsigned levels)
{
    for (size_t i = 0; i < count; i++)
        points[i] = (double)((draw() >> 20) % levels);
}

static bool dominated(const double *points, const size_t *front, size_t rows, size_t n,
                      size_t i, size_t level)
{
    for (size_t j = 0; j < rows; j++)
        if (front[j] >= level && front[j] != SIZE_MAX &&
            archai_pareto_dominates(&points[j * n], &points[i * n], n))
            return true;
    return false;
}

/* Peel front after front by the definition. */
static void sort_by_definition(const double *points, size_t rows, size_t n, size_t *front)
{
    size_t left = rows;

    for (size_t i = 0; i < rows; i++)
        front[i] = SIZE_MAX - 1; /* not yet on one */
    for (size_t level = 0; left > 0; level++) {
        bool *joins = calloc(rows, sizeof *joins);

        for (size_t i = 0; i < rows; i++)
            joins[i] =
                front[i] == SIZE_MAX - 1 && !dominated(points, front, rows, n, i, SIZE_MAX - 1);
        for (size_t i = 0; i < rows; i++)
            if (joins[i]) {
                front[i] = level;
                left--;
            }
        free(joins);
    }
}

static void sorting_agrees_with_the_definition(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        const size_t n = 1 + draw() % 5, rows = 1 + draw() % 60;
        double points[60 * 5];
        size_t front[60], expected[60], index[60], n_index;

        make_rows(points, rows * n, 2 + (unsigned)(draw() % 9));
        sort_by_definition(points, rows, n, expected);
        archai_pareto_sort(points, rows, n, front);
        assert_memory_equal(front, expected, rows * sizeof *front);
        n_index = archai_pareto_front(points, rows, n, index);
        for (size_t i = 0, k = 0; i < rows; i++) {
            assert_int_equal(expected[i] == 0, k < n_index && index[k] == i);
            k += expected[i] == 0;
        }
    }
}

static void the_kept_front_agrees_with_the_definition(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        const size_t n = 1 + draw() % 4, rows = 1 + draw() % 60;
        double points[60 * 4];
        size_t expected[60];
        archai_front f;
        size_t size = 0, on_front = 0;

        make_rows(points, rows * n, 2 + (unsigned)(draw() % 9));
        sort_by_definition(points, rows, n, expected);
        archai_front_init(&f, n);
        for (size_t i = 0; i < rows; i++) {
            const bool would = archai_front_would_join(&f, &points[i * n]);
            bool joined;

            joined = archai_front_insert(&f, &points[i * n], (int64_t)i);
            assert_int_equal(joined, would);
            size = size + joined - f.n_left;
            assert_int_equal(f.n, size);
        }
        for (size_t i = 0; i < f.n; i++) {
            assert_int_equal(expected[f.tags[i]], 0);
            assert_memory_equal(&f.points[i * n], &points[(size_t)f.tags[i] * n],
                                n * sizeof(double));
        }
        for (size_t i = 0; i < rows; i++)
            on_front += expected[i] == 0;
        assert_int_equal(f.n, on_front);
        archai_front_fini(&f);
    }
}

/* The examples of Archai's helpers, as observed. */
static void order_is_archais(void **state)
{
    const double points[] = {2, 1, 1, 2, 2, 1, 3, 3};
    size_t index[4], n, front[4];

    (void)state;
    n = archai_pareto_front_archai(points, 4, 2, index);
    assert_int_equal(n, 2);
    assert_int_equal(index[0], 1);
    assert_int_equal(index[1], 0);
    archai_pareto_sort(points, 4, 2, front);
    assert_int_equal(front[0], 0);
    assert_int_equal(front[2], 0); /* equal rows share a front; Archai's do not */
    assert_int_equal(front[3], 1);
}

static void rows_with_nan_take_no_part(void **state)
{
    const double points[] = {1, 1, 2, 2, NAN, 5, 5, NAN, NAN, NAN};
    const double reference[] = {3, 3};
    size_t index[5], n, front[5];
    archai_front f;
    double volume;
    bool joined;

    (void)state;
    n = archai_pareto_front(points, 5, 2, index);
    assert_int_equal(n, 1);
    assert_int_equal(index[0], 0);
    archai_pareto_sort(points, 5, 2, front);
    assert_true(front[1] == 1 && front[2] == SIZE_MAX && front[4] == SIZE_MAX);
    assert_int_equal(archai_pareto_hypervolume(points, 5, 2, reference, &volume, NULL),
                     ARCHAI_OK);
    assert_true(volume == 4.0);
    archai_front_init(&f, 2);
    joined = archai_front_insert(&f, &points[4], 7);
    assert_false(joined);
    assert_int_equal(f.n, 0);
    archai_front_fini(&f);
}

/* By hand from the paper's formula. */
static void crowding_is_the_papers(void **state)
{
    const double points[] = {2, 1, 0, 4, 4, 0, 1, 2};
    const double flat[] = {1, 5, 1, 5, 1, 5};
    double out[4];

    (void)state;
    archai_pareto_crowding(points, 4, 2, out);
    assert_true(out[0] == 3.0 / 4 + 2.0 / 4);
    assert_true(isinf(out[1]) && isinf(out[2]));
    assert_true(out[3] == 2.0 / 4 + 3.0 / 4);
    archai_pareto_crowding(flat, 3, 2, out);
    assert_true(isinf(out[0]) && out[1] == 0.0 && isinf(out[2]));
}

/* The same four points, and three of a second front among them. */
static void ranks_are_fronts_and_crowding_on_each(void **state)
{
    const double points[] = {2, 1, 6, 4, 0, 4, NAN, 0, 4, 0, 4, 5, 1, 2, 5, 4.5};
    const size_t fronts[] = {0, 1, 0, SIZE_MAX, 0, 1, 0, 1};
    double crowding[8];
    size_t front[8];

    (void)state;
    archai_pareto_rank(points, 8, 2, front, crowding);
    assert_memory_equal(front, fronts, sizeof fronts);
    assert_true(crowding[0] == 3.0 / 4 + 2.0 / 4 && crowding[6] == 2.0 / 4 + 3.0 / 4);
    assert_true(isinf(crowding[1]) && isinf(crowding[2]) && isinf(crowding[4]) &&
                isinf(crowding[5]));
    assert_true(crowding[3] == 0.0 && crowding[7] == 2.0);
}

/* What an evaluator may report is as large as a double: numbers that overflow are still
 * numbers. */
static void largest_numbers_are_measured(void **state)
{
    const double spread[] = {-DBL_MAX, 0, 0, -1, DBL_MAX / 2, -2, DBL_MAX, -3};
    const double least[] = {-DBL_MAX, -DBL_MAX, -DBL_MAX, -DBL_MAX};
    const double most[] = {DBL_MAX, DBL_MAX, DBL_MAX, DBL_MAX};
    double out[4], volume;

    (void)state;
    archai_pareto_crowding(spread, 4, 2, out);
    assert_true(out[1] == 0.75 + 2.0 / 3 && out[2] == 0.5 + 2.0 / 3);
    for (size_t n = 1; n <= 4; n++) {
        assert_int_equal(archai_pareto_hypervolume(least, 1, n, most, &volume, NULL),
                         ARCHAI_OK);
        assert_true(volume == DBL_MAX);
    }
}

/* On a grid the volume is a count of cells: what some row covers, below the reference. */
static double count_cells(const double *points, size_t rows, size_t n, unsigned levels)
{
    size_t cells = 1, covered = 0;

    for (size_t k = 0; k < n; k++)
        cells *= levels;
    for (size_t c = 0; c < cells; c++) {
        bool hit = false;

        for (size_t i = 0; i < rows && !hit; i++) {
            size_t rest = c;

            hit = true;
            for (size_t k = 0; k < n; k++, rest /= levels)
                hit = hit && points[i * n + k] <= (double)(rest % levels);
        }
        covered += hit;
    }
    return (double)covered;
}

static void hypervolume_counts_cells(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        const size_t n = 1 + draw() % 4, rows = draw() % 25;
        const unsigned levels = 2 + (unsigned)(draw() % 6);
        double points[25 * 4], reference[4], volume;

        make_rows(points, rows * n, levels + 2); /* some outside */
        for (size_t k = 0; k < n; k++)
            reference[k] = levels;
        assert_int_equal(archai_pareto_hypervolume(points, rows, n, reference, &volume, NULL),
                         ARCHAI_OK);
        assert_true(volume == count_cells(points, rows, n, levels));
    }
}

/* Points on x + y = 1: the area above n of them, evenly spaced, to (1, 1) is (n - 1) / 2n
 * when both ends are among them. A sphere's octant: 1 - pi/6 in the limit, from below. */
static void hypervolume_of_known_shapes(void **state)
{
    enum { LINE = 101, GRID = 60 };
    double line[LINE * 2], volume, *sphere = malloc(GRID * GRID * 3 * sizeof *sphere);
    const double reference[] = {1, 1, 1};
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    for (int i = 0; i < LINE; i++) {
        line[2 * i] = (double)i / (LINE - 1);
        line[2 * i + 1] = 1.0 - line[2 * i];
    }
    assert_int_equal(archai_pareto_hypervolume(line, LINE, 2, reference, &volume, NULL),
                     ARCHAI_OK);
    assert_true(fabs(volume - 0.5 * 99 / 100) < 1e-12);
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            const double a = (i + 0.5) / GRID * acos(0.0), b = (j + 0.5) / GRID * acos(0.0);
            double *p = &sphere[(i * GRID + j) * 3];

            p[0] = sin(a) * cos(b);
            p[1] = sin(a) * sin(b);
            p[2] = cos(a);
        }
    assert_int_equal(
        archai_pareto_hypervolume(sphere, GRID * GRID, 3, reference, &volume, NULL), ARCHAI_OK);
    assert_true(volume < 1 - acos(-1.0) / 6 && volume > 1 - acos(-1.0) / 6 - 0.02);
    free(sphere);
    assert_int_equal(archai_pareto_hypervolume(line, 1, 5, reference, &volume, &err),
                     ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "5 objectives"));
}

/* Large enough that an algorithm with a square in it would be noticed by whoever waits. */
static void many_rows(void **state)
{
    enum { ROWS = 100000 };
    double *points = malloc(ROWS * 3 * sizeof *points);
    size_t *front = malloc(ROWS * sizeof *front), *index = malloc(ROWS * sizeof *index), n,
           first = 0;
    archai_front f;

    (void)state;
    for (size_t i = 0; i < ROWS * 3; i++)
        points[i] = (double)(draw() >> 11) / 9007199254740992.0;
    archai_pareto_sort(points, ROWS, 3, front);
    n = archai_pareto_front(points, ROWS, 3, index);
    archai_front_init(&f, 3);
    for (size_t i = 0; i < ROWS; i++) {
        first += front[i] == 0;
        (void)archai_front_insert(&f, &points[3 * i], (int64_t)i);
    }
    assert_int_equal(n, first);
    assert_int_equal(f.n, first);
    archai_front_fini(&f);
    free(points);
    free(front);
    free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_agrees_with_the_definition),
        cmocka_unit_test(the_kept_front_agrees_with_the_definition),
        cmocka_unit_test(order_is_archais),
        cmocka_unit_test(rows_with_nan_take_no_part),
        cmocka_unit_test(crowding_is_the_papers),
        cmocka_unit_test(ranks_are_fronts_and_crowding_on_each),
        cmocka_unit_test(largest_numbers_are_measured),
        cmocka_unit_test(hypervolume_counts_cells),
        cmocka_unit_test(hypervolume_of_known_shapes),
        cmocka_unit_test(many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
