#include "runner/inspect/report/facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/config/ini.h"
#include "runner/inspect/report/forest.h"

enum { TREES = 128, FOREST_ROWS_MAX = 2000, FOREST_SEED = 1 };

const char inspect_importance_method[] =
    "mean decrease in impurity of a random forest (128 trees on bootstrap samples, all parameters tried at "
    "each split, grown until the leaves are pure; as scikit-learn's RandomForestRegressor), over the rows that "
    "stand for their architectures, at most 2000 of them at equal distances; a value is its rank among the "
    "values of its parameter, an absent one is below all others";

/* -- the best so far ------------------------------------------------------------------------------- */

/* Does row a stand for its architecture instead of row b? Rows are in order of id. */
static bool takes_over(const archai_results *r, size_t a, size_t b)
{
    return r->rows[a].budget > r->rows[b].budget ||
           (r->rows[a].budget == r->rows[b].budget && a < b);
}

static int compare_finished(const void *a, const void *b, void *results)
{
    const archai_results *r = results;
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const double x = r->rows[i].started + r->rows[i].seconds;
    const double y = r->rows[k].started + r->rows[k].seconds;

    return x != y ? (x < y ? -1 : 1) : (i > k) - (i < k);
}

static size_t *in_order(const archai_results *r)
{
    size_t *order = archai_calloc(r->n, sizeof *order);

    for (size_t i = 0; i < r->n; i++)
        order[i] = i;
    if (r->n > 1 &&
        (strcmp(r->schedule, "generational") != 0 || strcmp(r->state, "running") == 0))
        qsort_r(order, r->n, sizeof *order, compare_finished, (void *)(uintptr_t)r);
    return order;
}

static bool has_value(const archai_results *r, size_t row, size_t k)
{
    return row < r->n && !isnan(r->values[row * r->n_objectives + k]);
}

static size_t best_standing(const archai_results *r, const size_t *standing, size_t n, size_t k)
{
    size_t best = r->n;

    for (size_t i = 0; i < n; i++)
        if (has_value(r, standing[i], k) &&
            (best == r->n || inspect_is_better(r, standing[i], best, k)))
            best = standing[i];
    return best;
}

static void count_evaluations(const archai_results *r, inspect_facts *f)
{
    int64_t n = 0;

    f->evaluation = archai_calloc(r->n, sizeof *f->evaluation);
    for (size_t i = 0; i < r->n; i++) {
        const archai_trial *e = &r->rows[f->order[i]];

        f->evaluation[f->order[i]] = n += e->status != ARCHAI_STATUS_CACHED;
        if (e->started > 0 && (f->began == 0 || e->started < f->began))
            f->began = e->started;
    }
}

static void trace_best(const archai_results *r, size_t k, inspect_facts *f)
{
    size_t *standing = archai_calloc(f->n_archids, sizeof *standing); /* r->n: none */
    size_t best = r->n, capacity = 0;

    for (size_t i = 0; i < f->n_archids; i++)
        standing[i] = r->n;
    for (size_t i = 0; i < r->n; i++) {
        const size_t row = f->order[i], before = standing[f->number[row]], was = best;

        if (!inspect_has_values(&r->rows[row]) || (before < r->n && !takes_over(r, row, before)))
            continue;
        standing[f->number[row]] = row;
        if (before < r->n && before == best)
            best = best_standing(r, standing, f->n_archids, k);
        else if (has_value(r, row, k) && (best == r->n || inspect_is_better(r, row, best, k)))
            best = row;
        if (best == was || best == r->n)
            continue;
        ARCHAI_RESERVE(f->best[k], capacity, f->n_best[k] + 1);
        f->best[k][f->n_best[k]++] = (inspect_step){
            f->evaluation[row], r->rows[row].started + r->rows[row].seconds - f->began, best};
    }
    free(standing);
}

size_t inspect_standing_after(const archai_results *r, const inspect_facts *f, size_t n, size_t **out)
{
    size_t *standing = archai_calloc(f->n_archids, sizeof *standing), found = 0;
    char *stands = archai_calloc(r->n, 1);

    for (size_t i = 0; i < f->n_archids; i++)
        standing[i] = r->n;
    for (size_t i = 0; i < n; i++) {
        const size_t row = f->order[i], before = standing[f->number[row]];

        if (inspect_has_values(&r->rows[row]) && (before == r->n || takes_over(r, row, before)))
            standing[f->number[row]] = row;
    }
    for (size_t i = 0; i < f->n_archids; i++)
        if (standing[i] < r->n)
            stands[standing[i]] = 1;
    for (size_t i = 0; i < r->n; i++)
        if (stands[i])
            standing[found++] = i;
    free(stands);
    *out = standing;
    return found;
}

/* -- importances ------------------------------------------------------------------------------------ */

typedef struct column {
    const archai_results_param *p;
    const size_t *rows;
} column;

static int compare_values(const void *a, const void *b, void *payload)
{
    const column *c = payload;
    const size_t i = c->rows[*(const size_t *)a], k = c->rows[*(const size_t *)b];
    const bool none_i = inspect_param_absent(c->p, i), none_k = inspect_param_absent(c->p, k);

    if (none_i || none_k)
        return (int)none_k - (int)none_i;
    if (c->p->texts != NULL)
        return strcmp(c->p->texts[i], c->p->texts[k]);
    return (c->p->numbers[i] > c->p->numbers[k]) - (c->p->numbers[i] < c->p->numbers[k]);
}

/* Ranks of a parameter's values in rows[n], into every p-th of `codes`; returns how many there are. */
static uint32_t rank_values(const archai_results_param *param, const size_t *rows, size_t n,
                            size_t p, uint32_t *codes)
{
    size_t *order = archai_calloc(n, sizeof *order);
    column c = {param, rows};
    uint32_t code = 0;

    for (size_t i = 0; i < n; i++)
        order[i] = i;
    if (n > 1)
        qsort_r(order, n, sizeof *order, compare_values, &c);
    for (size_t i = 0; i < n; i++) {
        code += i > 0 && compare_values(&order[i - 1], &order[i], &c) != 0;
        codes[order[i] * p] = code;
    }
    free(order);
    return code + 1;
}

static void weigh(const inspect *t, size_t k, inspect_facts *f)
{
    const archai_results *r = &t->r;
    const size_t stride = f->n_standing / FOREST_ROWS_MAX + 1;
    size_t *rows = archai_calloc(FOREST_ROWS_MAX + 1, sizeof *rows), n = 0, p = 0;
    uint32_t *codes, *n_codes = archai_calloc(t->n_params, sizeof *n_codes);
    double *y = archai_calloc(FOREST_ROWS_MAX + 1, sizeof *y);
    double *shares = archai_calloc(t->n_params, sizeof *shares);

    f->importance[k] = archai_calloc(t->n_params, sizeof *f->importance[k]);
    for (size_t i = 0; i < f->n_standing; i += stride)
        if (isfinite(r->values[f->standing[i] * r->n_objectives + k])) {
            y[n] = r->values[f->standing[i] * r->n_objectives + k];
            rows[n++] = f->standing[i];
        }
    for (size_t i = 0; i < t->n_params; i++)
        p += t->differs[i];
    codes = archai_calloc(n * p, sizeof *codes);
    for (size_t i = 0, at = 0; i < t->n_params; i++)
        if (t->differs[i]) {
            n_codes[at] = rank_values(&t->params[i], rows, n, p, &codes[at]);
            at++;
        }
    inspect_forest(codes, n_codes, n, p, y, TREES, FOREST_SEED, shares);
    for (size_t i = 0, at = 0; i < t->n_params; i++)
        if (t->differs[i])
            f->importance[k][i] = shares[at++];
    free(rows);
    free(codes);
    free(n_codes);
    free(y);
    free(shares);
}

void inspect_facts_weigh(const inspect *t, inspect_facts *f)
{
    f->importance = archai_calloc(t->r.n_objectives, sizeof *f->importance);
    for (size_t k = 0; k < t->r.n_objectives; k++)
        weigh(t, k, f);
}

/* -- utilisation ------------------------------------------------------------------------------------ */

static double parse_time(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    return end == NULL ? (double)NAN : (double)timegm(&tm) + (*end == '.' ? strtod(end, NULL) : 0);
}

static int slots_of(const archai_results *r)
{
    const archai_ini_entry *e;
    archai_ini ini = {0};
    int slots = (int)r->ranks;

    if (r->ranks > 1 &&
        archai_ini_parse(&ini, "config", r->config, strlen(r->config), NULL) == ARCHAI_OK) {
        e = archai_ini_find(&ini, "run", "coordinator_evaluates");
        slots -= e != NULL && strcmp(e->value, "no") == 0;
    }
    archai_ini_free(&ini);
    return slots;
}

typedef struct moment {
    double time;
    int running, open; /* how many evaluations begin or end, and whether the last start does */
} moment;

static int compare_moments(const void *a, const void *b)
{
    const double x = ((const moment *)a)->time, y = ((const moment *)b)->time;

    return (x > y) - (x < y);
}

static size_t add_span(moment *at, size_t n, double from, double to, int running, int open)
{
    if (!(from < to))
        return n;
    at[n] = (moment){from, running, open};
    at[n + 1] = (moment){to, -running, -open};
    return n + 2;
}

/* Seconds of the starts. The last one is known by its times; an earlier one went on while anything ran, so that
 * pauses between starts do not count. Where more ran than there are slots, several runs were merged, and each
 * offered its own. */
static double time_of_starts(moment *at, size_t n, int slots)
{
    double seconds = 0;
    int64_t running = 0;
    int open = 0;

    if (n > 1)
        qsort(at, n, sizeof *at, compare_moments);
    for (size_t i = 0; i + 1 < n; i++) {
        running += at[i].running;
        open += at[i].open;
        seconds += (at[i + 1].time - at[i].time) * fmax((double)((running + slots - 1) / slots), open);
    }
    return seconds;
}

void inspect_time_slots(const archai_results *r, inspect_facts *f)
{
    moment *at = archai_calloc(r->n + 1, 2 * sizeof *at);
    size_t n = add_span(at, 0, parse_time(r->started), parse_time(r->updated), 0, 1);

    f->slots = slots_of(r);
    for (size_t i = 0; i < r->n; i++) {
        const archai_trial *e = &r->rows[i];

        if (e->status == ARCHAI_STATUS_CACHED || !(e->started > 0))
            continue;
        f->busy_s += e->seconds;
        n = add_span(at, n, e->started, e->started + e->seconds, 1, 0);
    }
    f->offered_s = f->slots > 0 ? f->slots * time_of_starts(at, n, f->slots) : 0;
    free(at);
}

double inspect_utilisation(const inspect_facts *f)
{
    return f->offered_s > 0 ? fmin(1, f->busy_s / f->offered_s) : (double)NAN;
}

/* -- the whole -------------------------------------------------------------------------------------- */

int inspect_facts_make(inspect *t, inspect_facts *f, archai_err *err)
{
    const archai_results *r = &t->r;

    *f = (inspect_facts){0};
    ARCHAI_TRY(inspect_names(t, err));
    f->number = inspect_number_archids(r, &f->n_archids);
    f->order = in_order(r);
    count_evaluations(r, f);
    f->n_standing = inspect_standing_after(r, f, r->n, &f->standing);
    f->front = inspect_front(r, &f->n_front);
    f->best = archai_calloc(r->n_objectives, sizeof *f->best);
    f->n_best = archai_calloc(r->n_objectives, sizeof *f->n_best);
    for (size_t k = 0; k < r->n_objectives; k++)
        trace_best(r, k, f);
    inspect_failures(r, &f->failures);
    inspect_time_slots(r, f);
    return ARCHAI_OK;
}

void inspect_facts_free(const inspect *t, inspect_facts *f)
{
    for (size_t k = 0; f->best != NULL && k < t->r.n_objectives; k++) {
        free(f->best[k]);
        if (f->importance != NULL)
            free(f->importance[k]);
    }
    free(f->order);
    free(f->number);
    free(f->best);
    free(f->n_best);
    free(f->importance);
    free(f->standing);
    free(f->evaluation);
    free(f->front);
    archai_failures_free(&f->failures);
    *f = (inspect_facts){0};
}
