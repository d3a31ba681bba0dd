/* csv: every evaluation in the columns of Archai's search state
 * (SearchResults.save_search_state), so that notebooks written for it go on working: floats as
 * Python's repr, empty where there is none, True and False, quotes only where they are needed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "core/config/option.h"
#include "runner/inspect/inspect.h"

static void field(const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, stdout);
        return;
    }
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            (void)putchar('"');
        (void)putchar(*text);
    }
    (void)putchar('"');
}

static void number(double value)
{
    char text[32];

    if (isnan(value))
        return;
    archai_format_double(value, text);
    (void)fputs(text, stdout);
}

/* `parent` is the one a mutant came from, `parents` the "a,b" of a crossover. */
static int ancestry(const char *json, archai_err *err)
{
    json_t *list = json_loads(json, 0, NULL);
    size_t n = json_array_size(list);
    char *joined = NULL;
    size_t size = 0;
    FILE *out;

    if (n == 1)
        field(json_string_value(json_array_get(list, 0)) != NULL
                  ? json_string_value(json_array_get(list, 0))
                  : "");
    (void)putchar(',');
    if (n > 1) {
        out = open_memstream(&joined, &size);
        if (out == NULL) {
            json_decref(list);
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory");
        }
        for (size_t i = 0; i < n; i++) {
            const char *text = json_string_value(json_array_get(list, i));

            (void)fprintf(out, "%s%s", i > 0 ? "," : "", text != NULL ? text : "");
        }
        (void)fclose(out);
        field(joined != NULL ? joined : "");
        free(joined);
    }
    (void)putchar(',');
    json_decref(list);
    return ARCHAI_OK;
}

/* Unix time of "2024-05-01T12:00:00Z"; NaN where it is something else. */
static double parse_time(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    return end != NULL ? (double)timegm(&tm) : (double)NAN;
}

int inspect_csv(inspect *t, archai_err *err)
{
    const archai_results *r = &t->r;
    double began = parse_time(r->started);
    char *on_front = calloc(r->n + 1, 1);
    int rc = ARCHAI_OK;

    if (on_front == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory");
    for (size_t i = 0; i < r->n_front; i++)
        on_front[r->front[i]] = 1;
    (void)fputs("archid,", stdout);
    for (size_t k = 0; k < r->n_objectives; k++) {
        field(r->objectives[k].name);
        (void)putchar(',');
    }
    (void)puts("parent,parents,iteration_num,search_walltime_hours,is_pareto");
    for (size_t i = 0; rc == ARCHAI_OK && i < r->n; i++) {
        const archai_trial *e = &r->rows[i];

        field(e->model.archid);
        (void)putchar(',');
        for (size_t k = 0; k < r->n_objectives; k++) {
            number(r->values[i * r->n_objectives + k]);
            (void)putchar(',');
        }
        rc = ancestry(e->parents, err);
        (void)printf("%d,", e->generation);
        number((e->started + e->seconds - began) / 3600);
        (void)printf(",%s\n", on_front[i] ? "True" : "False");
    }
    free(on_front);
    return rc;
}
