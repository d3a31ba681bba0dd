/* pareto, top: lists of models. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/option.h"
#include "runner/inspect/inspect.h"

enum { TOP_DEFAULT = 10 };

struct ordering {
    const archai_results *r;
    const char *name;
    double sign; /* times the value: smaller is better */
};

/* Better first; what has no value last; then the order in which they were asked for. */
static int compare(const void *a, const void *b, void *payload)
{
    const struct ordering *o = payload;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    double x = o->sign * archai_results_value(o->r, i, o->name);
    double y = o->sign * archai_results_value(o->r, k, o->name);

    if (isnan(x) != isnan(y))
        return isnan(x) ? 1 : -1;
    if (x != y && !isnan(x))
        return x < y ? -1 : 1;
    return (i > k) - (i < k);
}

static bool several_budgets(const archai_results *r)
{
    for (size_t i = 1; i < r->n; i++)
        if (r->rows[i].budget != r->rows[0].budget)
            return true;
    return false;
}

/* Rows as a table: the objectives, and `extra` where it is none of them. */
static int print_rows(const archai_results *r, const size_t *rows, size_t n, const char *extra,
                      archai_err *err)
{
    bool budgets = several_budgets(r);
    inspect_table table;

    inspect_table_init(&table, 2 + budgets + (extra != NULL) + r->n_objectives);
    inspect_table_text(&table, "id");
    inspect_table_text(&table, "model");
    if (budgets)
        inspect_table_text(&table, "budget");
    if (extra != NULL)
        inspect_table_text(&table, extra);
    for (size_t k = 0; k < r->n_objectives; k++)
        inspect_table_text(&table, r->objectives[k].name);
    for (size_t i = 0; i < n; i++) {
        const archai_trial *e = &r->rows[rows[i]];

        inspect_table_number(&table, (double)e->id);
        inspect_table_text(&table, e->model.archid);
        if (budgets)
            inspect_table_number(&table, e->budget);
        if (extra != NULL)
            inspect_table_number(&table, archai_results_value(r, rows[i], extra));
        for (size_t k = 0; k < r->n_objectives; k++)
            inspect_table_number(&table, r->values[rows[i] * r->n_objectives + k]);
    }
    return inspect_table_end(&table, stdout, err);
}

int inspect_pareto(inspect *t, archai_err *err)
{
    const archai_results *r = &t->r;
    struct ordering by = {.r = r,
                          .name = r->objectives[0].name,
                          .sign = r->objectives[0].direction == ARCHAI_MAXIMIZE ? -1 : 1};

    size_t n = 0;

    for (size_t i = 0; i < r->n_front; i++) /* copies say nothing new */
        if (r->rows[r->front[i]].status == ARCHAI_STATUS_OK)
            r->front[n++] = r->front[i];
    if (n == 0)
        (void)fprintf(stderr, "archai-inspect: no model has been evaluated yet\n");
    else
        qsort_r(r->front, n, sizeof *r->front, compare, &by);
    return print_rows(r, r->front, n, NULL, err);
}

/* Is `name` an objective, a metric, or nothing of the kind? */
static int find_name(const archai_results *r, const char *name, struct ordering *by,
                     bool *is_objective, archai_err *err)
{
    const char *names[256];
    const char *near;
    size_t n = 0;

    *is_objective = false;
    by->sign = 1;
    for (size_t k = 0; k < r->n_objectives; k++) {
        names[n++] = r->objectives[k].name;
        if (strcmp(name, r->objectives[k].name) == 0) {
            *is_objective = true;
            by->sign = r->objectives[k].direction == ARCHAI_MAXIMIZE ? -1 : 1;
            return ARCHAI_OK;
        }
        if (strcmp(name, r->objectives[k].source) == 0)
            by->sign = r->objectives[k].direction == ARCHAI_MAXIMIZE ? -1 : 1;
    }
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->rows[i].n_measures; k++) {
            if (strcmp(name, r->rows[i].measures[k].name) == 0)
                return ARCHAI_OK;
            if (i == 0 && n < sizeof names / sizeof names[0])
                names[n++] = r->rows[i].measures[k].name;
        }
    near = archai_nearest(name, names, n);
    return archai_fail(err, ARCHAI_ENOTFOUND, "no objective or metric '%s'%s%s%s", name,
                       near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                       near != NULL ? "'?" : "");
}

int inspect_top(inspect *t, archai_err *err)
{
    const archai_results *r = &t->r;
    struct ordering by = {.r = r, .name = t->args[0]};
    size_t most = t->count > 0 ? (size_t)t->count : TOP_DEFAULT;
    size_t *rows, n = 0, kept = 0;
    bool is_objective;
    int rc;

    ARCHAI_TRY(find_name(r, t->args[0], &by, &is_objective, err));
    if (!is_objective)
        (void)fprintf(stderr, "archai-inspect: %s is no objective: %s values first\n",
                      t->args[0], by.sign > 0 ? "small" : "large");
    rows = malloc((r->n + 1) * sizeof *rows);
    if (rows == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory");
    for (size_t i = 0; i < r->n; i++) /* a cached row repeats another */
        if (r->rows[i].status == ARCHAI_STATUS_OK &&
            !isnan(archai_results_value(r, i, t->args[0])))
            rows[n++] = i;
    if (n > 1)
        qsort_r(rows, n, sizeof *rows, compare, &by);
    for (size_t i = 0; i < n && kept < most; i++) { /* of several budgets the best counts */
        bool known = false;

        for (size_t k = 0; !known && k < kept; k++)
            known = strcmp(r->rows[rows[k]].model.archid, r->rows[rows[i]].model.archid) == 0;
        if (!known)
            rows[kept++] = rows[i];
    }
    rc = print_rows(r, rows, kept, is_objective ? NULL : t->args[0], err);
    free(rows);
    return rc;
}
