/* compare: runs side by side, what differs in their settings and how far each came.
 *
 * Hypervolumes are comparable only against one reference point: the worst value of each objective among all
 * rows of all runs that stand for their architectures, plus a tenth of the range, as results.h5 places its own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/ini.h"
#include "core/pareto/pareto.h"
#include "runner/inspect/json.h"
#include "runner/inspect/report/facts.h"

enum { RUNS_MAX = 64, SHARES = 4, OBJECTIVES_MAX = 4 };

typedef struct one_run {
    inspect t;
    inspect_facts f;
    archai_ini ini;
    double volume[SHARES]; /* after a quarter, a half, ... of the evaluations; NaN: none */
} one_run;

typedef struct comparison {
    one_run *at; /* owned; [n] */
    size_t n;
    const archai_results *first;
} comparison;

static int load_run(one_run *one, const char *path, archai_err *err)
{
    one->t.path = path;
    ARCHAI_TRY(archai_results_read(&one->t.r, path, err));
    ARCHAI_TRY(inspect_facts_make(&one->t, &one->f, err));
    return archai_err_wrap(err,
                           archai_ini_parse(&one->ini, "config", one->t.r.config,
                                            strlen(one->t.r.config), err),
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
            return archai_fail(err, ARCHAI_EINVAL, "%s and %s have different objectives",
                               c->at[0].t.path, c->at[i].t.path);
    }
    return ARCHAI_OK;
}

/* -- hypervolume ------------------------------------------------------------------------------------ */

static double minimised(const archai_results *r, size_t row, size_t k)
{
    return inspect_sign(&r->objectives[k]) * r->values[row * r->n_objectives + k];
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

static int measure(one_run *one, const double *reference, archai_err *err)
{
    const archai_results *r = &one->t.r;
    const size_t m = r->n_objectives;
    double *points = archai_calloc(one->f.n_standing * m, sizeof *points);
    int rc = ARCHAI_OK;

    for (int s = 0; rc == ARCHAI_OK && s < SHARES; s++) {
        const size_t until = r->n * (size_t)(s + 1) / SHARES;
        size_t n = 0;

        for (size_t j = 0; j < one->f.n_standing; j++) {
            if (one->f.standing[j] >= until)
                continue;
            for (size_t k = 0; k < m; k++)
                points[n * m + k] = minimised(r, one->f.standing[j], k);
            n++;
        }
        one->volume[s] = (double)NAN;
        if (m <= OBJECTIVES_MAX)
            rc = archai_pareto_hypervolume(points, n, m, reference, &one->volume[s], err);
    }
    free(points);
    return rc;
}

/* -- settings --------------------------------------------------------------------------------------- */

static const char *setting(const one_run *one, const char *section, const char *key)
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

typedef void take_setting(void *payload, const comparison *c, const archai_ini_entry *e);

static void each_difference(const comparison *c, take_setting *take, void *payload)
{
    for (size_t run = 0; run < c->n; run++)
        for (size_t i = 0; i < c->at[run].ini.n; i++)
            if (is_told(c, run, &c->at[run].ini.at[i]))
                take(payload, c, &c->at[run].ini.at[i]);
}

/* -- as text ------------------------------------------------------------------------------------------ */

static void line(inspect_table *table, const char *name)
{
    inspect_table_text(table, name);
}

static void setting_line(void *payload, const comparison *c, const archai_ini_entry *e)
{
    inspect_table *table = payload;
    char *name = archai_printf("%s.%s", e->section, e->key);

    line(table, name);
    free(name);
    for (size_t i = 0; i < c->n; i++) {
        const char *value = setting(&c->at[i], e->section, e->key);

        inspect_table_text(table, value != NULL ? value : "-");
    }
}

static size_t count_status(const archai_results *r, int status)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += r->rows[i].status == (int)status;
    return n;
}

static double best_value(const one_run *one, size_t k)
{
    const size_t best = inspect_best(&one->t.r, k);

    return best < one->t.r.n ? one->t.r.values[best * one->t.r.n_objectives + k] : (double)NAN;
}

static void print_text(const comparison *c)
{
    inspect_table table = {.columns = c->n + 1};
    static const char *const volumes[SHARES] = {"hypervolume at 25 %", "at 50 %", "at 75 %", "at 100 %"};

    line(&table, "");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_text(&table, c->at[i].t.path);
    line(&table, "state");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_text(&table, c->at[i].t.r.state);
    each_difference(c, setting_line, &table);
    line(&table, "rows");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_number(&table, (double)c->at[i].t.r.n);
    line(&table, "failed");
    for (size_t i = 0; i < c->n; i++)
        inspect_table_number(&table, (double)count_status(&c->at[i].t.r, ARCHAI_STATUS_FAILED));
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
            inspect_table_number(&table, best_value(&c->at[i], k));
    }
    for (int s = 0; s < SHARES; s++) {
        line(&table, volumes[s]);
        for (size_t i = 0; i < c->n; i++)
            inspect_table_number(&table, c->at[i].volume[s]);
    }
    inspect_table_end(&table, stdout);
}

/* -- as JSON ------------------------------------------------------------------------------------------ */

static void setting_json(void *payload, const comparison *c, const archai_ini_entry *e)
{
    char *name = archai_printf("%s.%s", e->section, e->key);
    json_t *values = json_array();

    for (size_t i = 0; i < c->n; i++) {
        const char *value = setting(&c->at[i], e->section, e->key);

        (void)json_array_append_new(values, value != NULL ? inspect_json_text(value) : json_null());
    }
    (void)json_object_set_new(payload, name, values);
    free(name);
}

static json_t *run_json(const one_run *one)
{
    const archai_results *r = &one->t.r;
    json_t *best = json_object(), *volumes = json_array();

    for (size_t k = 0; k < r->n_objectives; k++)
        (void)json_object_set_new(best, r->objectives[k].name, inspect_json_number(best_value(one, k)));
    for (int s = 0; s < SHARES; s++)
        (void)json_array_append_new(volumes, inspect_json_number(one->volume[s]));
    return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:I, s:o, s:o}", "path", inspect_json_text(one->t.path), "state",
                     inspect_json_text(r->state), "rows", (json_int_t)r->n, "failed",
                     (json_int_t)count_status(r, ARCHAI_STATUS_FAILED), "seconds", inspect_json_number(one->f.busy_s),
                     "utilisation", inspect_json_number(inspect_utilisation(&one->f)), "front",
                     (json_int_t)one->f.n_front, "best", best, "hypervolume", volumes);
}

static void print_json(const comparison *c)
{
    json_t *runs = json_array(), *settings = json_object(), *all;

    for (size_t i = 0; i < c->n; i++)
        (void)json_array_append_new(runs, archai_there(run_json(&c->at[i])));
    each_difference(c, setting_json, settings);
    all = archai_there(json_pack("{s:o, s:o}", "runs", runs, "settings", settings));
    inspect_json_print(all);
}

int inspect_compare(inspect *t, archai_err *err)
{
    comparison c = {.n = 0};
    double reference[ARCHAI_MAX_OBJECTIVES];
    int rc = ARCHAI_OK;

    if (t->n_paths < 2 || t->n_paths > RUNS_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "compare: expected 2 to %d results, %zu given",
                           RUNS_MAX, t->n_paths);
    c.at = archai_calloc(t->n_paths, sizeof *c.at);
    c.first = &c.at[0].t.r;
    for (; rc == ARCHAI_OK && c.n < t->n_paths; c.n++)
        rc = load_run(&c.at[c.n], t->paths[c.n], err);
    if (rc == ARCHAI_OK)
        rc = check_objectives(&c, err);
    if (rc == ARCHAI_OK)
        place_reference(&c, reference);
    for (size_t i = 0; rc == ARCHAI_OK && i < c.n; i++)
        rc = measure(&c.at[i], reference, err);
    if (rc == ARCHAI_OK && t->json)
        print_json(&c);
    else if (rc == ARCHAI_OK)
        print_text(&c);
    free_runs(&c);
    return rc;
}
