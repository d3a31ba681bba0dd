/* csv: every evaluation in the columns of Archai's search state (SearchResults.save_search_state), so that
 * notebooks written for it keep working: floats as Python's repr, an empty cell for a missing value, True and
 * False, quotes only where they are needed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "runner/inspect/inspect.h"

/* A cell, and the comma after it. */
static void field(const char *text)
{
    const char *quote = strpbrk(text, ",\"\r\n") != NULL ? "\"" : "";

    (void)fputs(quote, stdout);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            (void)putchar('"');
        (void)putchar(*text);
    }
    (void)fputs(quote, stdout);
    (void)putchar(',');
}

static void number(double value)
{
    char text[32] = "";

    if (!isnan(value))
        archai_format_double(value, text);
    field(text);
}

/* The cells `parent`, of a mutant, and `parents`, "a,b" of a crossover. */
static void ancestry(const char *json)
{
    json_t *list = json_loads(json, 0, NULL), *item;
    const bool one = json_array_size(list) == 1;
    char *joined = archai_strdup("");
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);
        char *longer = archai_printf("%s%s%s", joined, i > 0 ? "," : "", text != NULL ? text : "");

        free(joined);
        joined = longer;
    }
    field(one ? joined : "");
    field(one ? "" : joined);
    free(joined);
    json_decref(list);
}

/* Unix time of "2024-05-01T12:00:00Z"; NaN for anything else. */
static double parse_time(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    return end != NULL ? (double)timegm(&tm) : (double)NAN;
}

int inspect_csv(inspect *t, archai_err *err)
{
    const archai_results *r = &t->r;
    double began = parse_time(r->started); /* of the last start: earlier ones may have rows, too */
    char *on_front = inspect_front_flags(r);

    (void)err;
    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].started > 0)
            began = fmin(began, r->rows[i].started);
    (void)fputs("archid,", stdout);
    for (size_t k = 0; k < r->n_objectives; k++)
        field(r->objectives[k].name);
    (void)puts("parent,parents,iteration_num,search_walltime_hours,is_pareto");
    for (size_t i = 0; i < r->n; i++) {
        const archai_trial *e = &r->rows[i];

        field(e->model.archid);
        for (size_t k = 0; k < r->n_objectives; k++)
            number(r->values[i * r->n_objectives + k]);
        ancestry(e->parents);
        (void)printf("%d,", e->generation);
        number((e->started + e->seconds - began) / 3600);
        (void)puts(on_front[i] ? "True" : "False");
    }
    free(on_front);
    return ARCHAI_OK;
}
