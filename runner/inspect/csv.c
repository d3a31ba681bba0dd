/* csv, table: every evaluation, one a line. The first columns are those of Archai's search state
 * (SearchResults.save_search_state), so that notebooks written for it keep working: floats as Python's repr, an
 * empty cell for a missing value, True and False, quotes only where they are needed. The rest follows: how the
 * evaluation went, the parameters and the metrics under their own names, or as params.NAME and metrics.NAME
 * where another column has that name. --json is a list of objects with the same names, null for a missing
 * value.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "runner/inspect/json.h"

enum { METRICS_MAX = 4096 };

typedef struct columns {
    char **names;  /* owned */
    size_t n, capacity;
    char **metrics; /* owned; of the measures that are no objectives */
    size_t n_metrics;
    char *on_front; /* owned; [rows] */
    double began;   /* Unix time of the first evaluation */
} columns;

static const char *const of_archai[] = {"parent", "parents", "iteration_num",
                                        "search_walltime_hours", "is_pareto"};
static const char *const of_ours[] = {"id",      "status", "error", "operator", "budget",
                                      "seconds", "started", "rank",  "device", "log"};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* -- which columns there are ----------------------------------------------------------------------- */

static bool has_name(const columns *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->names[i], name) == 0)
            return true;
    return false;
}

static void add(columns *c, const char *group, const char *name)
{
    ARCHAI_RESERVE(c->names, c->capacity, c->n + 1);
    c->names[c->n] = has_name(c, name) ? archai_printf("%s.%s", group, name) : archai_strdup(name);
    c->n++;
}

static bool is_source(const archai_results *r, const char *name)
{
    for (size_t k = 0; k < r->n_objectives; k++)
        if (strcmp(r->objectives[k].source, name) == 0 && strcmp(r->objectives[k].name, name) == 0)
            return true;
    return false;
}

/* Measures come in the same order from row to row. */
static void find_metrics(const archai_results *r, columns *c)
{
    c->metrics = archai_calloc(METRICS_MAX, sizeof *c->metrics);
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0, hint = 0; k < r->rows[i].n_measures; k++) {
            const char *name = r->rows[i].measures[k].name;
            size_t j = 0;

            while (j < c->n_metrics && strcmp(c->metrics[(hint + j) % c->n_metrics], name) != 0)
                j++;
            hint = c->n_metrics > 0 ? (hint + j + 1) % c->n_metrics : 0;
            if (j < c->n_metrics || is_source(r, name) || c->n_metrics == METRICS_MAX)
                continue;
            c->metrics[c->n_metrics++] = archai_strdup(name);
        }
}

/* Unix time of "2024-05-01T12:00:00Z"; NaN for anything else. */
static double parse_time(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    return end != NULL ? (double)timegm(&tm) : (double)NAN;
}

static int open_columns(inspect *t, columns *c, archai_err *err)
{
    const archai_results *r = &t->r;

    *c = (columns){.began = parse_time(r->started)}; /* of the last start: earlier ones may have rows, too */
    ARCHAI_TRY(inspect_names(t, err));
    c->on_front = inspect_front_flags(r);
    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].started > 0)
            c->began = fmin(c->began, r->rows[i].started);
    find_metrics(r, c);
    add(c, "candidates", "archid");
    for (size_t k = 0; k < r->n_objectives; k++)
        add(c, "objectives", r->objectives[k].name);
    for (size_t k = 0; k < COUNT(of_archai); k++)
        add(c, "candidates", of_archai[k]);
    for (size_t k = 0; k < COUNT(of_ours); k++)
        add(c, "candidates", of_ours[k]);
    for (size_t k = 0; k < t->n_params; k++)
        add(c, "params", t->params[k].name);
    for (size_t k = 0; k < c->n_metrics; k++)
        add(c, "metrics", c->metrics[k]);
    return ARCHAI_OK;
}

static void close_columns(columns *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->names[i]);
    for (size_t i = 0; i < c->n_metrics; i++)
        free(c->metrics[i]);
    free(c->names);
    free(c->metrics);
    free(c->on_front);
}

/* -- one row --------------------------------------------------------------------------------------- */

/* The cells `parent`, of a mutant, and `parents`, "a,b" of a crossover. */
static void ancestry(const char *json, json_t *cells)
{
    json_t *list = json_loads(json, 0, NULL), *item;
    const bool one = json_array_size(list) == 1;
    char *joined = archai_strdup("");
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(item);
        char *longer = archai_printf("%s%s%s", joined, i > 0 ? "," : "", name != NULL ? name : "");

        free(joined);
        joined = longer;
    }
    (void)json_array_append_new(cells, one ? inspect_json_text(joined) : inspect_json_text(""));
    (void)json_array_append_new(cells, one ? inspect_json_text("") : inspect_json_text(joined));
    free(joined);
    json_decref(list);
}

/* A new list of the row's cells, in the order of the columns. */
static json_t *row_cells(const inspect *t, const columns *c, size_t i)
{
    const archai_results *r = &t->r;
    const archai_trial *e = &r->rows[i];
    json_t *cells = archai_there(json_array());

    (void)json_array_append_new(cells, inspect_json_text(e->model.archid));
    for (size_t k = 0; k < r->n_objectives; k++)
        (void)json_array_append_new(cells, inspect_json_number(r->values[i * r->n_objectives + k]));
    ancestry(e->parents, cells);
    (void)json_array_append_new(cells, json_integer(e->generation));
    (void)json_array_append_new(cells, inspect_json_number((e->started + e->seconds - c->began) / 3600));
    (void)json_array_append_new(cells, json_boolean(c->on_front[i]));
    (void)json_array_append_new(cells, json_integer(e->id));
    (void)json_array_append_new(cells, inspect_json_text(archai_status_name(e->status)));
    (void)json_array_append_new(cells, inspect_json_text(e->error));
    (void)json_array_append_new(cells, inspect_json_text(e->operator_));
    (void)json_array_append_new(cells, inspect_json_number(e->budget));
    (void)json_array_append_new(cells, inspect_json_number(e->seconds));
    (void)json_array_append_new(cells, inspect_json_number(e->started));
    (void)json_array_append_new(cells, json_integer(e->rank));
    (void)json_array_append_new(cells, inspect_json_text(e->device));
    (void)json_array_append_new(cells, inspect_json_text(e->log));
    for (size_t k = 0; k < t->n_params; k++)
        (void)json_array_append_new(cells, inspect_json_param(&t->params[k], i));
    for (size_t k = 0; k < c->n_metrics; k++)
        (void)json_array_append_new(
            cells, inspect_json_number(archai_measure_get(e->measures, e->n_measures, c->metrics[k])));
    return cells;
}

/* -- CSV ------------------------------------------------------------------------------------------- */

/* Would a spreadsheet take the text for a formula? A number it may take for one. */
static bool is_formula(const char *s)
{
    char *end;

    if (*s == '\0' || strchr("=+-@\t\r", *s) == NULL)
        return false;
    (void)strtod(s, &end);
    return end == s || *end != '\0';
}

/* A name or a text. One that is a formula gets an apostrophe, by which spreadsheets know a text. */
static void field(const char *s)
{
    const char *quote = strpbrk(s, ",\"\r\n") != NULL ? "\"" : "";

    (void)fputs(quote, stdout);
    if (is_formula(s))
        (void)putchar('\'');
    for (; *s != '\0'; s++) {
        if (*s == '"')
            (void)putchar('"');
        (void)putchar(*s);
    }
    (void)fputs(quote, stdout);
}

static void cell(const json_t *value)
{
    char digits[32];

    if (json_is_string(value)) {
        field(json_string_value(value));
    } else if (json_is_real(value)) {
        archai_format_double(json_real_value(value), digits);
        field(digits);
    } else if (json_is_integer(value)) {
        (void)printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        (void)fputs(json_is_true(value) ? "True" : "False", stdout);
    }
}

static int print_csv(inspect *t, archai_err *err)
{
    columns c;

    ARCHAI_TRY(open_columns(t, &c, err));
    for (size_t k = 0; k < c.n; k++) {
        field(c.names[k]);
        (void)putchar(k + 1 < c.n ? ',' : '\n');
    }
    for (size_t i = 0; i < t->r.n; i++) {
        json_t *cells = row_cells(t, &c, i);

        for (size_t k = 0; k < c.n; k++) {
            cell(json_array_get(cells, k));
            (void)putchar(k + 1 < c.n ? ',' : '\n');
        }
        json_decref(cells);
    }
    close_columns(&c);
    return ARCHAI_OK;
}

/* -- JSON ------------------------------------------------------------------------------------------ */

static json_t *row_object(const inspect *t, const columns *c, size_t row)
{
    json_t *cells = row_cells(t, c, row), *object = archai_there(json_object());

    for (size_t k = 0; k < c->n; k++)
        (void)json_object_set(object, c->names[k], json_array_get(cells, k));
    json_decref(cells);
    return object;
}

int inspect_json_row(inspect *t, size_t row, json_t **out, archai_err *err)
{
    columns c;

    ARCHAI_TRY(open_columns(t, &c, err));
    *out = row_object(t, &c, row);
    close_columns(&c);
    return ARCHAI_OK;
}

int inspect_json_rows(inspect *t, const size_t *rows, size_t n, archai_err *err)
{
    columns c;

    ARCHAI_TRY(open_columns(t, &c, err));
    (void)putchar('[');
    for (size_t i = 0; i < n; i++) {
        json_t *object = row_object(t, &c, rows != NULL ? rows[i] : i);

        (void)fputs(i > 0 ? ",\n " : "", stdout);
        (void)json_dumpf(object, stdout, 0);
        json_decref(object);
    }
    (void)puts("]");
    close_columns(&c);
    return ARCHAI_OK;
}

int inspect_csv(inspect *t, archai_err *err)
{
    return t->json ? inspect_json_rows(t, NULL, t->r.n, err) : print_csv(t, err);
}

int inspect_table_all(inspect *t, archai_err *err)
{
    return inspect_csv(t, err);
}
