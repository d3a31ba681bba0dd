/* summary, state: how a search is doing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "runner/directory/rundir.h"
#include "runner/inspect/json.h"
#include "runner/inspect/report/facts.h"
#include "runner/process/limit.h"

enum { FAILURES_SHOWN = 3 };

/* -- summary ------------------------------------------------------------------------------- */

static void best_by_each(const inspect *t, FILE *out)
{
    const archai_results *r = &t->r;
    inspect_table table = {.columns = 5};

    inspect_table_text(&table, "objective");
    inspect_table_text(&table, "");
    inspect_table_text(&table, "best");
    inspect_table_text(&table, "model");
    inspect_table_text(&table, "parameters");
    for (size_t k = 0; k < r->n_objectives; k++) {
        const size_t best = inspect_best(r, k);
        char *name = best < r->n ? inspect_short(t, best) : archai_strdup("-");
        char *params = best < r->n ? inspect_differing(t, best) : archai_strdup("");

        inspect_table_text(&table, r->objectives[k].name);
        inspect_table_text(&table, inspect_sign(&r->objectives[k]) < 0 ? "max" : "min");
        inspect_table_number(&table,
                             best < r->n ? r->values[best * r->n_objectives + k] : (double)NAN);
        inspect_table_text(&table, name);
        inspect_table_text(&table, params);
        free(name);
        free(params);
    }
    inspect_table_end(&table, out);
}

void inspect_failures(const archai_results *r, archai_failures *out)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].status == ARCHAI_STATUS_FAILED)
            archai_failures_add(out, r->rows[i].error, r->rows[i].id);
    archai_failures_sort(out);
}

/* The commonest kinds; a kind of one shows the error as it is. */
static void failures(const archai_results *r, FILE *out)
{
    archai_failures f = {0};
    size_t other;

    inspect_failures(r, &f);
    other = f.other;
    for (size_t k = 0; k < f.n; k++) {
        if (k >= FAILURES_SHOWN)
            other += f.at[k].n;
        else
            (void)fprintf(out, "failed %zu x: %s%s%.*s\n", f.at[k].n, f.at[k].n > 1 ? f.at[k].kind : "",
                         f.at[k].n > 1 ? "; such as: " : "",
                         (int)strcspn(f.at[k].example, "\n"), f.at[k].example);
    }
    if (other > 0)
        (void)fprintf(out, "failed %zu x: other reasons\n", other);
    archai_failures_free(&f);
}

/* GPUs that were there and not used: the device of a row says so (runner/evaluator/torch.c). */
static void unused_gpus(const archai_results *r, FILE *out)
{
    const char *where = NULL;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].device != NULL && strstr(r->rows[i].device, "not used") != NULL) {
            where = r->rows[i].device;
            n++;
        }
    if (n > 0)
        (void)fprintf(out, "ATTENTION: %zu evaluation%s ran beside GPUs that libtorch could not use: %s\n", n,
                     n == 1 ? "" : "s", where);
}

static void pace(const archai_results *r, FILE *out)
{
    inspect_rate rate;

    inspect_pace(r, &rate);
    if (isnan(rate.per_s))
        return;
    (void)fprintf(out, "%lld", (long long)rate.done);
    if (rate.total >= 0)
        (void)fprintf(out, " of %lld", (long long)rate.total);
    if (rate.per_s >= 1)
        (void)fprintf(out, " done, %.3g a second", rate.per_s);
    else
        (void)fprintf(out, " done, %.*f an hour", 3600 * rate.per_s < 10 ? 1 : 0, 3600 * rate.per_s);
    if (!isnan(rate.busy))
        (void)fprintf(out, ", slots %.0f %% busy", 100 * rate.busy);
    if (!isnan(rate.left_s))
        (void)fprintf(out, ", %.0f min left", ceil(rate.left_s / 60));
    (void)fputs("\n", out);
}

static int by_end(const void *a, const void *b, void *results)
{
    const archai_results *r = results;
    const archai_trial *x = &r->rows[*(const size_t *)a], *y = &r->rows[*(const size_t *)b];
    const double p = x->started + x->seconds, q = y->started + y->seconds;

    return p != q ? (p > q ? -1 : 1) : (x->id < y->id) - (x->id > y->id);
}

size_t inspect_last_failures(const archai_results *r, size_t most, size_t **out)
{
    size_t *rows = archai_calloc(r->n, sizeof *rows), n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].status == ARCHAI_STATUS_FAILED)
            rows[n++] = i;
    if (n > 1)
        qsort_r(rows, n, sizeof *rows, by_end, (void *)(uintptr_t)r);
    *out = rows;
    return n < most ? n : most;
}

/* Of a search that goes on: is it still failing? */
static void last_failures(const archai_results *r, FILE *out)
{
    size_t *rows, n = inspect_last_failures(r, FAILURES_SHOWN, &rows);

    for (size_t i = 0; i < n; i++) {
        const archai_trial *e = &r->rows[rows[i]];
        const time_t end = (time_t)(e->started + e->seconds);
        char when[32] = "";
        struct tm tm;

        if (gmtime_r(&end, &tm) != NULL)
            (void)strftime(when, sizeof when, "%H:%M:%SZ", &tm);
        (void)fprintf(out, "%s candidate %lld, %s, rank %d: %.*s\n", i == 0 ? "last failed:" : "           ", (long long)e->id,
                      when, e->rank, (int)strcspn(e->error, "\n"), e->error);
    }
    free(rows);
}

int inspect_summary_text(inspect *t, FILE *out, archai_err *err)
{
    const archai_results *r = &t->r;
    archai_strings models = {NULL, 0};
    size_t n_front;
    char who[512] = "", *running;
    const bool alive = strcmp(r->state, "running") == 0 && archai_rundir_owner_alive(t->directory, who);

    (void)fprintf(out, "%s: %s\n", t->path, r->state);
    if (strcmp(r->state, "running") == 0) {
        if (alive)
            (void)fprintf(out, "by %s\n", who);
        else
            (void)fprintf(out, "but no process is running it any more (%s); archai-run --resume continues it\n",
                         who[0] != '\0' ? who : "it has no owner");
    }
    (void)fprintf(out, "space %s, algorithm %s, schedule %s, seed %lld, %lld rank%s\n", r->space,
                 r->algorithm, r->schedule, (long long)r->seed, (long long)r->ranks,
                 r->ranks == 1 ? "" : "s");
    (void)fprintf(out, "started %s, updated %s, %s\n", r->started, r->updated, r->software);
    (void)fprintf(out, "evaluations %zu", r->n);
    inspect_counts(r, out);
    (void)fputs("\n", out);
    unused_gpus(r, out);
    pace(r, out);
    ARCHAI_TRY(archai_results_models(t->path, &models, err));
    free(inspect_front(r, &n_front));
    (void)fprintf(out, "front %zu model%s; weights of %zu model%s\n\n", n_front, n_front == 1 ? "" : "s",
                 models.n, models.n == 1 ? "" : "s");
    archai_strings_free(&models);
    ARCHAI_TRY(inspect_names(t, err));
    best_by_each(t, out);
    failures(r, out);
    if (alive)
        last_failures(r, out);
    running = alive ? inspect_running_text(t->directory) : archai_strdup("");
    if (running[0] != '\0')
        (void)fprintf(out, "\n%s", running);
    free(running);
    return ARCHAI_OK;
}

int inspect_summary(inspect *t, archai_err *err)
{
    return t->json ? inspect_summary_json(t, err) : inspect_summary_text(t, stdout, err);
}

/* -- state --------------------------------------------------------------------------------- */

int inspect_state(inspect *t, archai_err *err)
{
    char who[512] = "";
    const bool alive = archai_rundir_owner_alive(t->directory, who);

    (void)err;
    if (t->json) {
        inspect_json_print(json_pack("{s:o, s:o, s:b, s:o}", "path", inspect_json_text(t->path), "state",
                                     inspect_json_text(t->r.state), "alive", (int)alive, "owner", inspect_json_text(who)));
        return ARCHAI_OK;
    }
    (void)puts(t->r.state);
    if (strcmp(t->r.state, "running") == 0 && !alive)
        (void)fprintf(stderr,
                      "archai-inspect: no process is running %s any more%s%s; archai-run "
                      "--resume continues it\n",
                      t->directory, who[0] != '\0' ? ": " : "", who);
    return ARCHAI_OK;
}
