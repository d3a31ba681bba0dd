/* summary, state, watch: how a search is doing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/directory/rundir.h"
#include "runner/inspect/inspect.h"
#include "runner/process/limit.h"

enum { WATCH_S = 2, FAILURES_SHOWN = 3 };

/* -- summary ------------------------------------------------------------------------------- */

static void best_by_each(const archai_results *r)
{
    inspect_table table = {.columns = 4};

    inspect_table_text(&table, "objective");
    inspect_table_text(&table, "");
    inspect_table_text(&table, "best");
    inspect_table_text(&table, "model");
    for (size_t k = 0; k < r->n_objectives; k++) {
        const double sign = inspect_sign(&r->objectives[k]);
        size_t best = r->n;

        for (size_t i = 0; i < r->n; i++) {
            double v = sign * r->values[i * r->n_objectives + k];

            if (inspect_has_values(&r->rows[i]) && !isnan(v) &&
                (best == r->n || v < sign * r->values[best * r->n_objectives + k]))
                best = i;
        }
        inspect_table_text(&table, r->objectives[k].name);
        inspect_table_text(&table, sign < 0 ? "max" : "min");
        inspect_table_number(&table,
                             best < r->n ? r->values[best * r->n_objectives + k] : (double)NAN);
        inspect_table_text(&table, best < r->n ? r->rows[best].model.archid : "-");
    }
    inspect_table_end(&table, stdout);
}

/* The most frequent errors, grouped by their first lines. */
static void failures(const archai_results *r)
{
    struct {
        const char *text;
        size_t length, n;
    } kinds[64];
    size_t n_kinds = 0, other = 0;

    for (size_t i = 0; i < r->n; i++) {
        const char *text = r->rows[i].error;
        size_t length = strcspn(text, "\n"), k;

        if (r->rows[i].status != ARCHAI_STATUS_FAILED)
            continue;
        for (k = 0; k < n_kinds; k++)
            if (kinds[k].length == length && memcmp(kinds[k].text, text, length) == 0)
                break;
        if (k == sizeof kinds / sizeof kinds[0]) {
            other++;
            continue;
        }
        if (k == n_kinds) {
            kinds[n_kinds].text = text;
            kinds[n_kinds].length = length;
            kinds[n_kinds++].n = 0;
        }
        kinds[k].n++;
    }
    for (int shown = 0; shown < FAILURES_SHOWN; shown++) {
        size_t most = 0;

        for (size_t k = 1; k < n_kinds; k++)
            if (kinds[k].n > kinds[most].n)
                most = k;
        if (n_kinds == 0 || kinds[most].n == 0)
            return;
        (void)printf("failed %zu x: %.*s\n", kinds[most].n, (int)kinds[most].length,
                     kinds[most].text);
        kinds[most].n = 0;
    }
    for (size_t k = 0; k < n_kinds; k++)
        other += kinds[k].n;
    if (other > 0)
        (void)printf("failed %zu x: other reasons\n", other);
}

/* GPUs that were there and not used: the device of a row says so (runner/evaluator/torch.c). */
static void unused_gpus(const archai_results *r)
{
    const char *where = NULL;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].device != NULL && strstr(r->rows[i].device, "not used") != NULL) {
            where = r->rows[i].device;
            n++;
        }
    if (n > 0)
        (void)printf("ATTENTION: %zu evaluation%s ran beside GPUs that libtorch could not use: %s\n", n,
                     n == 1 ? "" : "s", where);
}

int inspect_summary(inspect *t, archai_err *err)
{
    const archai_results *r = &t->r;
    archai_strings models = {NULL, 0};
    size_t n_front = 0;
    char who[512] = "";

    (void)printf("%s: %s\n", t->path, r->state);
    if (strcmp(r->state, "running") == 0) {
        if (archai_rundir_owner_alive(t->directory, who))
            (void)printf("by %s\n", who);
        else
            (void)printf("but no process is running it any more (%s); archai-run --resume continues it\n",
                         who[0] != '\0' ? who : "it has no owner");
    }
    (void)printf("space %s, algorithm %s, schedule %s, seed %lld, %lld rank%s\n", r->space,
                 r->algorithm, r->schedule, (long long)r->seed, (long long)r->ranks,
                 r->ranks == 1 ? "" : "s");
    (void)printf("started %s, updated %s, %s\n", r->started, r->updated, r->software);
    (void)printf("evaluations %zu", r->n);
    inspect_counts(r, stdout);
    (void)puts("");
    unused_gpus(r);
    ARCHAI_TRY(archai_results_models(t->path, &models, err));
    for (size_t i = 0; i < r->n_front; i++) /* cached rows are on it, too */
        n_front += r->rows[r->front[i]].status == ARCHAI_STATUS_OK;
    (void)printf("front %zu model%s; weights of %zu model%s\n\n", n_front, n_front == 1 ? "" : "s",
                 models.n, models.n == 1 ? "" : "s");
    archai_strings_free(&models);
    best_by_each(r);
    failures(r);
    return ARCHAI_OK;
}

/* -- state --------------------------------------------------------------------------------- */

int inspect_state(inspect *t, archai_err *err)
{
    char who[512] = "";

    (void)err;
    (void)puts(t->r.state);
    if (strcmp(t->r.state, "running") == 0 && !archai_rundir_owner_alive(t->directory, who))
        (void)fprintf(stderr,
                      "archai-inspect: no process is running %s any more%s%s; archai-run "
                      "--resume continues it\n",
                      t->directory, who[0] != '\0' ? ": " : "", who);
    return ARCHAI_OK;
}

/* -- watch --------------------------------------------------------------------------------- */

int inspect_watch(inspect *t, archai_err *err)
{
    bool terminal = isatty(STDOUT_FILENO) == 1;
    char before[64] = "";
    char who[512];

    for (;;) {
        bool alive = archai_rundir_owner_alive(t->directory, who);
        archai_err why = ARCHAI_ERR_INIT;
        int rc;

        archai_limit_reading(t->path);
        rc = archai_results_read(&t->r, t->path, &why);
        if (rc == ARCHAI_ENOTFOUND && alive) { /* not published yet */
            (void)sleep(WATCH_S);
            continue;
        }
        if (rc != ARCHAI_OK)
            return archai_fail(err, rc, "%s", why.text);
        if (strcmp(before, t->r.updated) != 0) {
            (void)snprintf(before, sizeof before, "%s", t->r.updated);
            if (terminal)
                (void)fputs("\033[H\033[J", stdout); /* home, clear */
            ARCHAI_TRY(inspect_summary(t, err));
            if (!terminal)
                (void)puts("");
            if (fflush(stdout) != 0)
                return archai_fail(err, ARCHAI_EIO, "standard output: write failed");
        }
        if (strcmp(t->r.state, "running") != 0 || !alive)
            return ARCHAI_OK;
        archai_results_free(&t->r);
        (void)sleep(WATCH_S);
    }
}
