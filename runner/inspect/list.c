/* pareto, top: lists of models. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/inspect/inspect.h"

enum { TOP_DEFAULT = 10 };

static bool several_budgets(const archai_results *r)
{
    for (size_t i = 1; i < r->n; i++)
        if (r->rows[i].budget != r->rows[0].budget)
            return true;
    return false;
}

/* Rows as a table: their objectives, the metric `extra` if not NULL, and the parameters that differ. */
static int print_rows(inspect *t, const size_t *rows, size_t n, const char *extra, archai_err *err)
{
    const archai_results *r = &t->r;
    const bool budgets = several_budgets(r);
    inspect_table table = {.columns = 3 + budgets + (extra != NULL) + r->n_objectives};
    char *text;

    ARCHAI_TRY(inspect_names(t, err));
    inspect_table_text(&table, "id");
    inspect_table_text(&table, "model");
    if (budgets)
        inspect_table_text(&table, "budget");
    if (extra != NULL)
        inspect_table_text(&table, extra);
    for (size_t k = 0; k < r->n_objectives; k++)
        inspect_table_text(&table, r->objectives[k].name);
    inspect_table_text(&table, "parameters");
    for (size_t i = 0; i < n; i++) {
        const archai_trial *e = &r->rows[rows[i]];

        inspect_table_number(&table, (double)e->id);
        text = inspect_short(t, rows[i]);
        inspect_table_text(&table, text);
        free(text);
        if (budgets)
            inspect_table_number(&table, e->budget);
        if (extra != NULL)
            inspect_table_number(&table, archai_results_value(r, rows[i], extra));
        for (size_t k = 0; k < r->n_objectives; k++)
            inspect_table_number(&table, r->values[rows[i] * r->n_objectives + k]);
        text = inspect_differing(t, rows[i]);
        inspect_table_text(&table, text);
        free(text);
    }
    inspect_table_end(&table, stdout);
    return ARCHAI_OK;
}

int inspect_pareto(inspect *t, archai_err *err)
{
    size_t n, *rows = inspect_front(&t->r, &n);
    int rc;

    if (t->json) {
        rc = inspect_json_rows(t, rows, n, err);
    } else {
        if (n == 0)
            (void)fprintf(stderr, "archai-inspect: no model is on the front yet\n");
        rc = print_rows(t, rows, n, NULL, err);
    }
    free(rows);
    return rc;
}

/* Is `name` an objective, a metric or neither? A metric has the sign of the objective made from it. */
static int find_name(const archai_results *r, const char *name, double *sign, bool *is_objective,
                     archai_err *err)
{
    const char *names[256];
    size_t n = 0;

    *is_objective = false;
    *sign = 1;
    for (size_t k = 0; k < r->n_objectives; k++) {
        const archai_results_objective *o = &r->objectives[k];

        names[n++] = o->name;
        *is_objective = strcmp(name, o->name) == 0;
        if (*is_objective || strcmp(name, o->source) == 0)
            *sign = inspect_sign(o);
        if (*is_objective)
            return ARCHAI_OK;
    }
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->rows[i].n_measures; k++) {
            if (strcmp(name, r->rows[i].measures[k].name) == 0)
                return ARCHAI_OK;
            if (i == 0 && n < sizeof names / sizeof names[0])
                names[n++] = r->rows[i].measures[k].name;
        }
    return inspect_unknown("no objective or metric", name, names, n, err);
}

int inspect_best_rows(const inspect *t, const char *name, size_t most, bool *is_objective,
                      size_t **out, size_t *n_out, archai_err *err)
{
    const archai_results *r = &t->r;
    size_t *rows, n = 0;
    double sign;

    ARCHAI_TRY(find_name(r, name, &sign, is_objective, err));
    if (!*is_objective)
        (void)fprintf(stderr, "archai-inspect: %s is not an objective: %s values first\n", name,
                      sign > 0 ? "small" : "large");
    rows = archai_calloc(r->n, sizeof *rows);
    for (size_t i = 0; i < r->n; i++) /* a cached row repeats another */
        if (r->rows[i].status == ARCHAI_STATUS_OK &&
            !isnan(archai_results_value(r, i, name)))
            rows[n++] = i;
    inspect_sort(r, rows, n, name, sign);
    *out = rows;
    *n_out = inspect_once(r, rows, n, most); /* a model once, by the best of its budgets */
    return ARCHAI_OK;
}

int inspect_top(inspect *t, archai_err *err)
{
    bool is_objective;
    size_t *rows, kept;
    int rc;

    ARCHAI_TRY(inspect_best_rows(t, t->args[0], t->count > 0 ? (size_t)t->count : TOP_DEFAULT,
                                 &is_objective, &rows, &kept, err));
    rc = t->json ? inspect_json_rows(t, rows, kept, err)
                 : print_rows(t, rows, kept, is_objective ? NULL : t->args[0], err);
    free(rows);
    return rc;
}
