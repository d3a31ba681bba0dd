/* compare: runs side by side, what differs in their settings and how far each came.
 *
 * Hypervolumes are comparable only against one reference point: the worst value of each objective among all
 * rows of all runs that stand for their architectures, plus a tenth of the range, as results.h5 places its own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/pareto/pareto.h"
#include "runner/inspect/report/compare.h"
#include "runner/inspect/report/report.h"
#include "runner/process/limit.h"

enum { RUNS_MAX = 64, OBJECTIVES_MAX = 4 };

static int load_run(compare_run *one, const char *path, archai_err *err)
{
    one->t.path = path;
    ARCHAI_TRY(archai_results_read(&one->t.r, path, err));
    ARCHAI_TRY(inspect_facts_make(&one->t, &one->f, err));
    return archai_err_wrap(err, archai_ini_parse(&one->ini, "config", one->t.r.config, strlen(one->t.r.config), err),
                           "%s: ", path);
}

static void free_runs(comparison *c)
{
    for (size_t i = 0; i < c->n; i++) {
        inspect_facts_free(&c->at[i].t, &c->at[i].f);
        inspect_names_free(&c->at[i].t);
        archai_results_free(&c->at[i].t.r);
        archai_ini_free(&c->at[i].ini);
    }
    free(c->at);
}

static int check_objectives(const comparison *c, archai_err *err)
{
    for (size_t i = 1; i < c->n; i++) {
        const archai_results *r = &c->at[i].t.r;
        bool same = r->n_objectives == c->first->n_objectives;

        for (size_t k = 0; same && k < r->n_objectives; k++)
            same = strcmp(r->objectives[k].name, c->first->objectives[k].name) == 0 &&
                   r->objectives[k].direction == c->first->objectives[k].direction;
        if (!same)
            return archai_fail(err, ARCHAI_EINVAL, "%s and %s have different objectives", c->at[0].t.path,
                               c->at[i].t.path);
    }
    return ARCHAI_OK;
}

/* -- hypervolume ------------------------------------------------------------------------------------ */

static double minimised(const archai_results *r, size_t row, size_t k)
{
    return inspect_sign(&r->objectives[k]) * r->values[row * r->n_objectives + k];
}

static double finished(const compare_run *one, size_t row)
{
    return one->t.r.rows[row].started + one->t.r.rows[row].seconds - one->f.began;
}

static void place_reference(const comparison *c, double *reference)
{
    for (size_t k = 0; k < c->first->n_objectives; k++) {
        double low = INFINITY, high = -INFINITY;

        for (size_t i = 0; i < c->n; i++)
            for (size_t j = 0; j < c->at[i].f.n_standing; j++) {
                const double v = minimised(&c->at[i].t.r, c->at[i].f.standing[j], k);

                low = fmin(low, v);
                high = fmax(high, v);
            }
        reference[k] = high + (high > low ? 0.1 * (high - low) : fmax(0.1 * fabs(high), 0.1));
    }
}

/* Leaves only the points that no other dominates; returns how many. */
static size_t keep_front(double *points, size_t n, size_t m, size_t *front)
{
    const size_t kept = archai_pareto_front(points, n, m, front);

    for (size_t i = 0; i < kept; i++) /* ascending: front[i] >= i */
        memmove(&points[i * m], &points[front[i] * m], m * sizeof *points);
    return kept;
}

/* A run whose volume cannot be told has none; the others are compared all the same. */
static void measure(compare_run *one, const double *reference)
{
    const archai_results *r = &one->t.r;
    const size_t m = r->n_objectives;
    double *points = archai_calloc(one->f.n_archids * m, sizeof *points);
    size_t *front = archai_calloc(one->f.n_archids, sizeof *front);
    archai_err err = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK;

    for (int s = 0; s < COMPARE_POINTS; s++) {
        const size_t rows = r->n * (size_t)(s + 1) / COMPARE_POINTS;
        size_t *standing, n = inspect_standing_after(r, &one->f, rows, &standing);

        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < m; k++)
                points[j * m + k] = minimised(r, standing[j], k);
        free(standing);
        one->evaluations[s] = rows > 0 ? one->f.evaluation[one->f.order[rows - 1]] : 0;
        one->seconds[s] = rows > 0 ? finished(one, one->f.order[rows - 1]) : 0;
        if (s > 0) /* rows of a generational search are counted by id, and may have finished before */
            one->seconds[s] = fmax(one->seconds[s], one->seconds[s - 1]);
        one->volume[s] = (double)NAN;
        if (m > OBJECTIVES_MAX || rc != ARCHAI_OK)
            continue;
        if (m == OBJECTIVES_MAX) /* there every point costs as much as all before it */
            n = keep_front(points, n, m, front);
        rc = archai_pareto_hypervolume(points, n, m, reference, &one->volume[s], &err);
        if (rc != ARCHAI_OK) {
            one->volume[s] = (double)NAN;
            (void)fprintf(stderr, "archai-inspect: %s: no hypervolume: its values, or those of the others, lie too far apart (%s)\n",
                          one->t.path, err.text);
        }
    }
    free(points);
    free(front);
}

/* -- settings --------------------------------------------------------------------------------------- */

static const char *setting(const compare_run *one, const char *section, const char *key)
{
    const archai_ini_entry *e = archai_ini_find(&one->ini, section, key);

    return e != NULL ? e->value : NULL;
}

static bool is_place(const char *section, const char *key)
{
    return strcmp(section, "output") == 0 && strcmp(key, "directory") == 0;
}

/* Is it the first run that has the key, and not the same in all? */
static bool is_told(const comparison *c, size_t run, const archai_ini_entry *e)
{
    bool same = true;

    if (e->key == NULL || is_place(e->section, e->key))
        return false;
    for (size_t i = 0; i < run; i++)
        if (setting(&c->at[i], e->section, e->key) != NULL)
            return false;
    for (size_t i = 0; same && i < c->n; i++) {
        const char *other = setting(&c->at[i], e->section, e->key);

        same = other != NULL && strcmp(other, e->value) == 0;
    }
    return !same;
}

void compare_each_difference(const comparison *c, compare_take *take, void *payload)
{
    const char **values = archai_calloc(c->n, sizeof *values);

    for (size_t run = 0; run < c->n; run++)
        for (size_t i = 0; i < c->at[run].ini.n; i++) {
            const archai_ini_entry *e = &c->at[run].ini.at[i];
            char *name;

            if (!is_told(c, run, e))
                continue;
            name = archai_printf("%s.%s", e->section, e->key);
            for (size_t k = 0; k < c->n; k++)
                values[k] = setting(&c->at[k], e->section, e->key);
            take(payload, name, values, c->n);
            free(name);
        }
    free(values);
}

/* -- as text ------------------------------------------------------------------------------------------ */

static void line(inspect_table *table, const char *name)
{
    inspect_table_text(table, name);
}

static void setting_line(void *payload, const char *name, const char *const *values, size_t n)
{
    inspect_table *table = payload;

    line(table, name);
    for (size_t i = 0; i < n; i++)
        inspect_table_text(table, values[i] != NULL ? values[i] : "-");
}

size_t compare_failed(const compare_run *one)
{
    size_t n = 0;

    for (size_t i = 0; i < one->t.r.n; i++)
        n += one->t.r.rows[i].status == ARCHAI_STATUS_FAILED;
    return n;
}

double compare_best(const compare_run *one, size_t k)
{
    const size_t best = inspect_best(&one->t.r, k);

    return best < one->t.r.n ? one->t.r.values[best * one->t.r.n_objectives + k] : (double)NAN;
}

static void print_text(const comparison *c)
{
    inspect_table table = {.columns = c->n + 1};
    static const char *const volumes[COMPARE_SHARES] = {"hypervolume at 25 %", "at 50 %", "at 75 %", "at 100 %"};

    line(&table, "");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_text(&table, c->at[i].t.path);
    line(&table, "state");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_text(&table, c->at[i].t.r.state);
    compare_each_difference(c, setting_line, &table);
    line(&table, "rows");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_number(&table, (double)c->at[i].t.r.n);
    line(&table, "failed");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_number(&table, (double)compare_failed(&c->at[i]));
    line(&table, "seconds of evaluations");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_number(&table, c->at[i].f.busy_s);
    line(&table, "utilisation");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_number(&table, inspect_utilisation(&c->at[i].f));
    line(&table, "front");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_number(&table, (double)c->at[i].f.n_front);
    for (size_t k = 0; k < c->first->n_objectives; k++) {
        char *name = archai_printf("best %s", c->first->objectives[k].name);

        line(&table, name);
        free(name);
        for (size_t i = 0; i < c->n; i++)
            inspect_table_number(&table, compare_best(&c->at[i], k));
    }
    for (int s = 0; s < COMPARE_SHARES; s++) {
        line(&table, volumes[s]);
        for (size_t i = 0; i < c->n; i++)
            inspect_table_number(&table, c->at[i].volume[COMPARE_POINTS / COMPARE_SHARES * (s + 1) - 1]);
    }
    inspect_table_end(&table, stdout);
}

/* -- the command --------------------------------------------------------------------------------------- */

static int write_html(const comparison *c, const char *path, archai_err *err)
{
    json_t *data = compare_json(c);
    const int rc = report_publish(path, "compare", data, err);

    json_decref(data);
    return rc;
}

int inspect_compare(inspect *t, archai_err *err)
{
    comparison c = {.n = 0};
    double reference[ARCHAI_MAX_OBJECTIVES];
    int rc = ARCHAI_OK;

    if (t->n_paths < 2 || t->n_paths > RUNS_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "compare: expected 2 to %d results, %zu given", RUNS_MAX, t->n_paths);
    c.at = archai_calloc(t->n_paths, sizeof *c.at);
    c.first = &c.at[0].t.r;
    for (; rc == ARCHAI_OK && c.n < t->n_paths; c.n++)
        rc = load_run(&c.at[c.n], t->paths[c.n], err);
    if (rc == ARCHAI_OK)
        rc = check_objectives(&c, err);
    if (rc == ARCHAI_OK)
        place_reference(&c, reference);
    archai_limit_time_end();
    for (size_t i = 0; rc == ARCHAI_OK && i < c.n; i++)
        measure(&c.at[i], reference);
    if (rc == ARCHAI_OK && t->output != NULL)
        rc = write_html(&c, t->output, err);
    else if (rc == ARCHAI_OK && t->json)
        inspect_json_print(compare_json(&c));
    else if (rc == ARCHAI_OK)
        print_text(&c);
    free_runs(&c);
    return rc;
}
