/* show, curves: one model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "runner/inspect/json.h"

/* -- show ---------------------------------------------------------------------------------- */

static void line(const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        (void)printf("%-12s %s\n", name, text);
}

static void print_time(double started, double seconds)
{
    time_t t = (time_t)started;
    struct tm tm;
    char text[32];

    if (!(started > 0) || gmtime_r(&t, &tm) == NULL)
        return;
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    (void)printf("%-12s %s, took %.3g s\n", "evaluated", text, seconds);
}

static bool is_on_front(const archai_results *r, size_t row)
{
    for (size_t i = 0; i < r->n_front; i++)
        if (r->front[i] == row)
            return true;
    return false;
}

static void print_weights(const inspect *t, const char *archid)
{
    archai_tensor *at = NULL;
    size_t n = 0, bytes = 0;
    archai_err why = ARCHAI_ERR_INIT;
    int rc = archai_results_tensors(t->path, archid, &at, &n, &why);

    if (rc != ARCHAI_OK) { /* most models have none: not an error of this command */
        (void)printf("%-12s %s\n", "weights", rc == ARCHAI_ENOTFOUND ? "none kept" : why.text);
        return;
    }
    for (size_t i = 0; i < n; i++)
        bytes += at[i].bytes;
    (void)printf("%-12s %zu tensors, %zu bytes\n", "weights", n, bytes);
    for (size_t i = 0; i < n; i++) {
        char *name = archai_name_escape(at[i].name); /* as results.h5 has it */

        (void)printf("  %s  %s [", name, archai_dtype_name(at[i].dtype));
        free(name);
        for (int d = 0; d < at[i].ndim; d++)
            (void)printf("%s%lld", d > 0 ? ", " : "", (long long)at[i].shape[d]);
        (void)printf("]\n");
    }
    archai_arrays_free(at, n);
}

/* A measure that is an objective has been shown as one. */
static bool is_shown(const archai_results *r, const char *name)
{
    for (size_t k = 0; k < r->n_objectives; k++)
        if (strcmp(r->objectives[k].name, name) == 0)
            return true;
    return false;
}

/* -- the same as JSON ------------------------------------------------------------------------ */

/* A text that holds JSON, as what it says; else as a text. */
static json_t *parsed(const char *text)
{
    json_t *value = NULL;

    if (text != NULL && archai_document_parse(text, strlen(text), &value, NULL) == ARCHAI_OK)
        return value;
    return inspect_json_text(text);
}

/* {name: {"dtype": ..., "shape": [...]}}; null: none kept. */
static int weights_json(const inspect *t, const char *archid, json_t **out, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    archai_tensor *at = NULL;
    size_t n = 0;
    const int rc = archai_results_tensors(t->path, archid, &at, &n, &why);

    *out = rc == ARCHAI_OK ? json_object() : json_null();
    if (rc != ARCHAI_OK && rc != ARCHAI_ENOTFOUND)
        return archai_fail(err, rc, "%s", why.text);
    for (size_t i = 0; i < n; i++) {
        json_t *shape = archai_there(json_array());

        for (int d = 0; d < at[i].ndim; d++)
            (void)json_array_append_new(shape, json_integer(at[i].shape[d]));
        (void)json_object_set_new(*out, at[i].name, json_pack("{s:s, s:o}", "dtype", archai_dtype_name(at[i].dtype),
                                                              "shape", shape));
    }
    archai_arrays_free(at, n);
    return ARCHAI_OK;
}

static int show_json(inspect *t, archai_err *err)
{
    const archai_trial *e = &t->r.rows[t->row];
    json_t *all = NULL, *weights = NULL;
    json_int_t rows = 0;

    for (size_t i = 0; i < t->r.n; i++)
        rows += strcmp(t->r.rows[i].model.archid, e->model.archid) == 0;
    ARCHAI_TRY(inspect_json_row(t, t->row, &all, err));
    if (weights_json(t, e->model.archid, &weights, err) != ARCHAI_OK) {
        json_decref(all);
        json_decref(weights);
        return err->code;
    }
    (void)json_object_set_new(all, "arch", parsed(e->arch));
    (void)json_object_set_new(all, "metadata", parsed(e->metadata));
    (void)json_object_set_new(all, "rows", json_integer(rows));
    (void)json_object_set_new(all, "weights", weights);
    inspect_json_print(all);
    return ARCHAI_OK;
}

int inspect_show(inspect *t, archai_err *err)
{
    const archai_results *r = &t->r;
    const size_t row = t->row;
    const archai_trial *e = &r->rows[row];
    char text[32];
    size_t others = 0;
    char *parameters;

    if (t->json)
        return show_json(t, err);
    ARCHAI_TRY(inspect_names(t, err));
    for (size_t i = 0; i < r->n; i++)
        others += i != row && strcmp(r->rows[i].model.archid, e->model.archid) == 0;
    line("model", e->model.archid);
    parameters = inspect_differing(t, row);
    line("parameters", parameters);
    free(parameters);
    line("arch", e->arch);
    line("metadata", strcmp(e->metadata, "{}") == 0 ? "" : e->metadata);
    (void)printf("%-12s %s%s\n", "status", archai_status_name(e->status),
                 is_on_front(r, row) ? ", on the front" : "");
    line("error", e->error);
    for (size_t k = 0; k < r->n_objectives; k++) {
        inspect_number(r->values[row * r->n_objectives + k], text);
        (void)printf("%-12s %s%s%s (%s)\n", r->objectives[k].name, text,
                     r->objectives[k].unit[0] != '\0' ? " " : "", r->objectives[k].unit,
                     r->objectives[k].direction == ARCHAI_MAXIMIZE ? "max" : "min");
    }
    for (size_t k = 0; k < e->n_measures; k++)
        if (!is_shown(r, e->measures[k].name)) {
            inspect_number(e->measures[k].value, text);
            line(e->measures[k].name, text);
        }
    (void)printf("%-12s %lld, generation %d, by %s\n", "id", (long long)e->id, e->generation,
                 e->operator_);
    line("parents", strcmp(e->parents, "[]") == 0 ? "" : e->parents);
    inspect_number(e->budget, text);
    line("budget", text);
    print_time(e->started, e->seconds);
    (void)printf("%-12s %s, rank %d\n", "on", e->device, e->rank);
    if (others > 0)
        (void)printf("%-12s %zu more rows of this model\n", "also", others);
    print_weights(t, e->model.archid);
    return ARCHAI_OK;
}

/* -- curves -------------------------------------------------------------------------------- */

static void curves_json(const inspect *t, const archai_curve *curves, size_t n)
{
    const archai_trial *e = &t->r.rows[t->row];
    json_t *all = json_object();

    for (size_t c = 0; c < n; c++) {
        json_t *values = json_array();

        for (size_t i = 0; i < curves[c].n; i++)
            (void)json_array_append_new(values, inspect_json_number((double)curves[c].values[i]));
        (void)json_object_set_new(all, curves[c].name, values);
    }
    inspect_json_print(json_pack("{s:I, s:o, s:o}", "id", (json_int_t)e->id, "archid", inspect_json_text(e->model.archid),
                                 "curves", all));
}

int inspect_curves(inspect *t, archai_err *err)
{
    archai_curve *curves = NULL;
    inspect_table table = {0};
    size_t n, epochs = 0;

    ARCHAI_TRY(archai_results_curves(t->path, t->row, &curves, &n, err));
    if (t->json) {
        curves_json(t, curves, n);
        archai_results_curves_free(curves, n);
        return ARCHAI_OK;
    }
    if (n == 0)
        (void)fprintf(stderr, "archai-inspect: no learning curves of %s\n", t->args[0]);
    table.columns = n + 1;
    inspect_table_text(&table, "epoch");
    for (size_t c = 0; c < n; c++) {
        inspect_table_text(&table, curves[c].name);
        epochs = curves[c].n > epochs ? curves[c].n : epochs;
    }
    for (size_t e = 0; e < epochs; e++) {
        inspect_table_number(&table, (double)e + 1);
        for (size_t c = 0; c < n; c++)
            inspect_table_number(&table,
                                 e < curves[c].n ? (double)curves[c].values[e] : (double)NAN);
    }
    inspect_table_end(&table, n > 0 ? stdout : stderr);
    archai_results_curves_free(curves, n);
    return ARCHAI_OK;
}
