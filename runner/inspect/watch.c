/* watch: how a search is doing, and what its candidates report, until it ends. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "runner/directory/rundir.h"
#include "runner/directory/running.h"
#include "runner/inspect/report/facts.h"
#include "runner/process/limit.h"

enum { WATCH_S = 2, SHOWN = 40, MEASURES_SHOWN = 4, ARCHID_SHOWN = 24 };

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
static char *running_text(const char *directory)
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

/* On a terminal both together, in place of what was there; elsewhere what has changed. */
static int show(inspect *t, bool terminal, bool updated, const char *running, archai_err *err)
{
    if (terminal)
        (void)fputs("\033[H\033[J", stdout); /* home, clear */
    if (terminal || updated)
        ARCHAI_TRY(inspect_summary(t, err));
    if (running[0] != '\0')
        (void)printf("%s%s", terminal || updated ? "\n" : "", running);
    if (!terminal)
        (void)puts("");
    return fflush(stdout) != 0 ? archai_fail(err, ARCHAI_EIO, "standard output: write failed") : ARCHAI_OK;
}

int inspect_watch(inspect *t, archai_err *err)
{
    bool terminal = isatty(STDOUT_FILENO) == 1;
    char before[64] = "", *shown = archai_strdup("");
    char who[512];
    int rc;

    for (;;) {
        bool alive = archai_rundir_owner_alive(t->directory, who), updated;
        archai_err why = ARCHAI_ERR_INIT;
        char *running;

        archai_limit_reading(t->path);
        rc = archai_results_read(&t->r, t->path, &why);
        if (rc == ARCHAI_ENOTFOUND && alive) { /* not published yet */
            (void)sleep(WATCH_S);
            continue;
        }
        if (rc != ARCHAI_OK) {
            rc = archai_fail(err, rc, "%s", why.text);
            break;
        }
        alive = alive && strcmp(t->r.state, "running") == 0;
        running = alive ? running_text(t->directory) : archai_strdup("");
        updated = strcmp(before, t->r.updated) != 0;
        if (updated || strcmp(shown, running) != 0) {
            (void)snprintf(before, sizeof before, "%s", t->r.updated);
            rc = show(t, terminal, updated, running, err);
        }
        free(shown);
        shown = running;
        if (rc != ARCHAI_OK || !alive)
            break;
        inspect_names_free(t);
        archai_results_free(&t->r);
        (void)sleep(WATCH_S);
    }
    free(shown);
    return rc;
}
