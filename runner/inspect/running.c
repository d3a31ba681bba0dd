/* The candidates that are under way, as far as they report (runner/directory/running.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "runner/directory/running.h"
#include "runner/inspect/json.h"

enum { SHOWN = 40, MEASURES_SHOWN = 4, ARCHID_SHOWN = 24 };

static char *position_of(const archai_running *r)
{
    if (isnan(r->at))
        return archai_strdup("-");
    if (r->epochs > 0)
        return archai_printf("%s %.10g of %d", r->by_epoch ? "epoch" : "step", r->at, r->epochs);
    return archai_printf("%s %.10g", r->by_epoch ? "epoch" : "step", r->at);
}

static char *measures_of(const archai_running *r)
{
    char *text = archai_strdup("");

    for (size_t i = 0; i < r->n_measures && i < MEASURES_SHOWN; i++) {
        char number[32], *more;

        inspect_number(r->measures[i].value, number);
        more = archai_printf("%s%s%.40s %s", text, i > 0 ? ", " : "", r->measures[i].name, number);
        free(text);
        text = more;
    }
    return text;
}

static void add_row(inspect_table *table, const archai_running *r, double now)
{
    char *archid = archai_strndup(r->archid, ARCHID_SHOWN), *where = position_of(r), *measures = measures_of(r);

    inspect_table_number(table, (double)r->id);
    inspect_table_text(table, archid);
    inspect_table_number(table, r->rank);
    inspect_table_text(table, where);
    inspect_table_number(table, isnan(r->since) ? (double)NAN : fmax(0, round(now - r->since)));
    inspect_table_text(table, measures);
    free(archid);
    free(where);
    free(measures);
}

/* The table as text, "" where nothing is reported. Caller frees. */
char *inspect_running_text(const char *directory)
{
    static const char *const head[] = {"id", "model", "rank", "running", "seconds", ""};
    inspect_table table = {.columns = sizeof head / sizeof head[0]};
    archai_running *at = NULL;
    char *text = NULL;
    size_t n = 0, size;
    FILE *out;

    if (archai_running_read(directory, &at, &n, NULL) != ARCHAI_OK || n == 0) {
        free(at);
        return archai_strdup("");
    }
    out = archai_there(open_memstream(&text, &size));
    for (size_t i = 0; i < table.columns; i++)
        inspect_table_text(&table, head[i]);
    for (size_t i = 0; i < n; i++) {
        if (i < SHOWN)
            add_row(&table, &at[i], (double)time(NULL));
        archai_running_fini(&at[i]);
    }
    free(at);
    inspect_table_end(&table, out);
    if (n > SHOWN)
        (void)fprintf(out, "and %zu more\n", n - SHOWN);
    (void)fclose(out);
    return archai_there(text);
}

json_t *inspect_running_json(const char *directory)
{
    json_t *list = json_array();
    archai_running *at = NULL;
    size_t n = 0;

    if (archai_running_read(directory, &at, &n, NULL) != ARCHAI_OK)
        n = 0;
    for (size_t i = 0; i < n; i++) {
        json_t *measures = json_object();

        for (size_t k = 0; k < at[i].n_measures; k++)
            (void)json_object_set_new(measures, at[i].measures[k].name, inspect_json_number(at[i].measures[k].value));
        (void)json_array_append_new(
            list,
            json_pack("{s:I, s:o, s:i, s:o, s:o, s:o, s:o}", "id", (json_int_t)at[i].id, "archid",
                      inspect_json_text(at[i].archid), "rank", at[i].rank, "since", inspect_json_number(at[i].since),
                      at[i].by_epoch ? "epoch" : "step", inspect_json_whole(at[i].at), "epochs",
                      at[i].epochs > 0 ? json_integer(at[i].epochs) : json_null(), "measures", measures));
        archai_running_fini(&at[i]);
    }
    free(at);
    return list;
}
