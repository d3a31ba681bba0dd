/* How the front of each pair of objectives grew, and the hypervolume. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/inspect/report/report.h"

/* Pairs of the first objectives; the front after each quarter; points of one front, of the curve. */
enum { OBJECTIVES_MAX = 6, QUARTERS = 4, FRONT_MAX = 300, CURVE_MAX = 2000 };

typedef struct plane {
    const archai_results *r;
    size_t x, y; /* objectives */
} plane;

static double at(const archai_results *r, size_t row, size_t k)
{
    return inspect_sign(&r->objectives[k]) * r->values[row * r->n_objectives + k];
}

static int by_x_then_y(const void *a, const void *b, void *payload)
{
    const plane *p = payload;
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const double xi = at(p->r, i, p->x), xk = at(p->r, k, p->x);
    const double yi = at(p->r, i, p->y), yk = at(p->r, k, p->y);

    return xi != xk ? (xi < xk ? -1 : 1) : yi != yk ? (yi < yk ? -1 : 1) : (i > k) - (i < k);
}

/* The rows of `rows` that no other dominates in the plane, in order of x; of equal ones the first. In place;
 * returns how many. */
static size_t front_of(const plane *p, size_t *rows, size_t n)
{
    size_t kept = 0, found = 0;
    double lowest = INFINITY;

    for (size_t i = 0; i < n; i++)
        if (isfinite(at(p->r, rows[i], p->x)) && isfinite(at(p->r, rows[i], p->y)))
            rows[kept++] = rows[i];
    if (kept > 1)
        qsort_r(rows, kept, sizeof *rows, by_x_then_y, (void *)(uintptr_t)p);
    for (size_t i = 0; i < kept; i++)
        if (at(p->r, rows[i], p->y) < lowest) {
            lowest = at(p->r, rows[i], p->y);
            rows[found++] = rows[i];
        }
    return found;
}

static json_t *quarter(report *p, const plane *of, size_t n)
{
    const archai_results *r = &p->t->r;
    json_t *ids = archai_there(json_array());
    size_t *rows, found = inspect_standing_after(r, p->f, n, &rows), shown;

    found = front_of(of, rows, found);
    shown = found < FRONT_MAX ? found : FRONT_MAX;
    for (size_t i = 0; i < shown; i++) {
        const size_t row = rows[shown > 1 ? i * (found - 1) / (shown - 1) : 0];

        p->is_named[row] = true;
        (void)json_array_append_new(ids, json_integer(r->rows[row].id));
    }
    free(rows);
    return json_pack("{s:I, s:I, s:o}", "evaluation", (json_int_t)(n > 0 ? p->f->evaluation[p->f->order[n - 1]] : 0),
                     "size", (json_int_t)found, "ids", ids);
}

static void put_pairs(report *p)
{
    const archai_results *r = &p->t->r;
    size_t kept[OBJECTIVES_MAX], n = 0;
    json_t *pairs = json_array();

    for (size_t k = 0; k < r->n_objectives && n < OBJECTIVES_MAX; k++)
        if (report_is_optimised(&r->objectives[k]))
            kept[n++] = k;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            const plane of = {r, kept[b], kept[a]};
            json_t *growth = archai_there(json_array());

            for (size_t q = 1; q <= QUARTERS; q++)
                (void)json_array_append_new(growth, archai_there(quarter(p, &of, r->n * q / QUARTERS)));
            (void)json_array_append_new(pairs,
                                        json_pack("{s:o, s:o, s:o}", "x", inspect_json_text(r->objectives[of.x].name),
                                                  "y", inspect_json_text(r->objectives[of.y].name), "growth", growth));
        }
    (void)json_object_set_new(p->out, "pairs", pairs);
}

json_t *report_hypervolume(const archai_results_growth *g)
{
    json_t *evaluations = json_array(), *seconds = json_array(), *value = json_array();
    const size_t stride = (g->n + CURVE_MAX - 1) / CURVE_MAX;

    for (size_t i = g->n > 0 ? (g->n - 1) % stride : 0; i < g->n; i += stride) {
        (void)json_array_append_new(evaluations, json_integer(g->evaluations[i]));
        (void)json_array_append_new(seconds, inspect_json_number(g->seconds[i]));
        (void)json_array_append_new(value, inspect_json_number(g->value[i]));
    }
    return json_pack("{s:o, s:o, s:o}", "evaluations", evaluations, "seconds", seconds, "value", value);
}

int report_growth(report *p, archai_err *err)
{
    archai_results_growth g;

    put_pairs(p);
    ARCHAI_TRY(archai_results_growth_read(p->t->path, &g, err));
    (void)json_object_set_new(p->out, "hypervolume", archai_there(report_hypervolume(&g)));
    archai_results_growth_free(&g);
    return ARCHAI_OK;
}
