/* Which rows there are. A row counts if segment_read.c accepts it; of several with one id (a
 * candidate was given to another worker while the first was merely slow) the one that finished
 * first counts. */
#include "io/results/index/index_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"

void index_table_init(index_table *t, const char *directory, const archai_objectives *objectives)
{
    *t = (index_table){
        .directory = directory, .objectives = objectives, .first_test = INT64_MAX};
}

void index_table_fini(index_table *t)
{
    for (size_t i = 0; i < t->n_segments; i++) {
        archai_segment_close(&t->segments[i].file);
        free(t->segments[i].seen);
        free(t->segments[i].n_seen);
    }
    for (size_t i = 0; i < t->n_kept; i++)
        archai_buffer_free(&t->kept[i]);
    archai_reconciled_free(&t->reconciled);
    free(t->segments);
    free(t->kept);
    free(t->rows);
    free(t->tests);
    *t = (index_table){0};
}

/* -- rows ---------------------------------------------------------------------------------- */

void index_check_status(const archai_objectives *o, archai_trial *e)
{
    const bool cached = e->status == ARCHAI_STATUS_CACHED;

    if (e->status == ARCHAI_STATUS_FAILED && (e->error == NULL || e->error[0] == '\0')) {
        free(e->error);
        e->error = archai_strdup("no reason was recorded");
    }
    if (cached) /* an earlier row's values, judged as that row is */
        e->status = ARCHAI_STATUS_OK;
    archai_trial_check(e, o);
    if (cached && e->status == ARCHAI_STATUS_OK)
        e->status = ARCHAI_STATUS_CACHED;
}

static int read_row(const index_table *t, const index_row *r, archai_trial *out, archai_err *err)
{
    archai_trial e = {0};
    bool valid = true;

    if (r->segment == INDEX_KEPT) {
        const archai_buffer *kept = &t->kept[r->row];

        ARCHAI_TRY(archai_trial_unpack(kept->data, kept->size, &e, err));
    } else {
        archai_row row = {.id = index_table_id_in_segment(t, r),
                          .text_offset = r->text_offset,
                          .text_bytes = r->text_bytes,
                          .text_crc = r->text_crc};
        const archai_segment *s = &t->segments[r->segment].file;

        ARCHAI_TRY(archai_segment_detail(s, &row, &valid, &e, err));
        if (!valid)
            return archai_fail(err, ARCHAI_EIO, "%s: row %lld has changed since it was read",
                               s->path, (long long)r->row);
        e.id = r->id;
    }
    *out = e;
    return ARCHAI_OK;
}

/* Where the test of `id` is, or would be. */
static size_t test_place(const index_table *t, int64_t id)
{
    size_t low = 0, high = t->n_tests;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (t->tests[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void index_table_add_test(index_table *t, const index_row *test)
{
    const size_t at = test_place(t, test->id);
    const bool known = at < t->n_tests && t->tests[at].id == test->id;

    if (known && t->tests[at].finished <= test->finished)
        return;
    if (!known) {
        ARCHAI_RESERVE(t->tests, t->tests_capacity, t->n_tests + 1);
        memmove(&t->tests[at + 1], &t->tests[at], (t->n_tests++ - at) * sizeof *t->tests);
    }
    t->tests[at] = *test;
    t->first_test = test->id < t->first_test ? test->id : t->first_test;
}

int index_table_read(const index_table *t, size_t i, archai_trial *out, archai_err *err)
{
    const index_row *r = &t->rows[i];
    const size_t at = test_place(t, r->id);
    archai_trial e = {0}, test = {0};
    int rc;

    ARCHAI_TRY(read_row(t, r, &e, err));
    if (at < t->n_tests && t->tests[at].id == r->id) {
        rc = read_row(t, &t->tests[at], &test, err);
        if (rc != ARCHAI_OK) {
            archai_trial_fini(&e);
            return rc;
        }
        archai_trial_amend(&e, &test);
        archai_trial_fini(&test);
    }
    index_check_status(t->objectives, &e);
    *out = e;
    return ARCHAI_OK;
}

/* -- news ---------------------------------------------------------------------------------- */

void index_news_fini(index_news *news)
{
    for (size_t i = 0; i < news->n; i++)
        free(news->at[i].archid);
    free(news->at);
    free(news->points);
    *news = (index_news){0};
}

void index_news_add(index_news *news, const archai_objectives *o, const index_row *row,
                    const archai_trial *e)
{
    double values[ARCHAI_MAX_OBJECTIVES], *point;
    const size_t k = o->n_optimised;
    index_new *new_;

    ARCHAI_RESERVE(news->at, news->capacity, news->n + 1);
    ARCHAI_RESERVE(news->points, news->points_capacity, (news->n + 1) * k);
    new_ = &news->at[news->n];
    *new_ =
        (index_new){.row = *row, .started = e->started, .budget = e->budget, .point = news->n * k};
    new_->row.archid_hash = archai_hash(e->model.archid);
    new_->row.status = (uint8_t)e->status;
    point = &news->points[new_->point];
    for (size_t i = 0; i < k; i++)
        point[i] = NAN;
    if (e->status == ARCHAI_STATUS_OK || e->status == ARCHAI_STATUS_CACHED) {
        archai_objectives_values(o, e->measures, e->n_measures, values);
        archai_objectives_minimised(o, values, point);
    }
    if (e->status == ARCHAI_STATUS_OK && e->n_tensors > 0)
        new_->archid = archai_strdup(e->model.archid);
    news->n++;
}

/* -- merging ------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const index_row *x = &((const index_new *)a)->row;
    const index_row *y = &((const index_new *)b)->row;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->finished > y->finished) - (x->finished < y->finished);
}

static int by_finish(const void *a, const void *b)
{
    const index_row *x = &((const index_new *)a)->row;
    const index_row *y = &((const index_new *)b)->row;

    if (x->finished != y->finished)
        return x->finished < y->finished ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* First position whose id is >= id. */
static size_t lower_bound(const index_table *t, int64_t id)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->rows[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t index_table_find(const index_table *t, int64_t id)
{
    size_t i = lower_bound(t, id);

    return i < t->n && t->rows[i].id == id ? i : t->n;
}

static int start_of(const index_table *t, const index_row *r)
{
    int start = -1, k;

    return r->segment != INDEX_KEPT &&
                   archai_segment_name_read(t->segments[r->segment].file.name, &start, &k)
               ? start
               : -1;
}

/* Of two rows with one id: does `a` count? A later start's of another evaluation does, until the next start
 * reconciles them (reconcile.h): this run knows it under that id. */
static bool wins(const index_table *t, const index_row *a, const index_row *b)
{
    const bool is_same = a->archid_hash == b->archid_hash && a->budget == b->budget;
    const int x = is_same ? 0 : start_of(t, a), y = is_same ? 0 : start_of(t, b);

    return x != y ? x > y : a->finished < b->finished;
}

/* Drop news that lose to a row of the same id, in the news (sorted by id) or in the table; one that
 * wins against the table takes its place at once. */
static void drop_losers(index_table *t, index_news *news)
{
    size_t kept = 0;

    for (size_t i = 0; i < news->n; i++) {
        index_new *new_ = &news->at[i];
        size_t at = index_table_find(t, new_->row.id);
        bool loses = false;

        if (kept > 0 && news->at[kept - 1].row.id == new_->row.id) {
            if (wins(t, &new_->row, &news->at[kept - 1].row)) {
                free(news->at[kept - 1].archid);
                news->at[kept - 1] = *new_;
            } else {
                free(new_->archid);
            }
            continue;
        }

        if (at < t->n && !loses) {
            if (wins(t, &new_->row, &t->rows[at])) {
                t->rows[at] = new_->row;
                news->replaced = true;
                news->first = at < news->first ? at : news->first;
            }
            loses = true; /* as a row to be added; `replaced` counts it */
        }
        if (loses)
            free(new_->archid);
        else
            news->at[kept++] = *new_;
    }
    news->n = kept;
}

void index_mark_seen(index_segment *s, int64_t row)
{
    s->seen[row / 8] |= (uint8_t)(1 << (row % 8));
    s->n_seen[row / INDEX_BLOCK]++;
}

static void mark_all_seen(index_table *t, const index_news *news)
{
    for (size_t i = 0; i < news->n; i++) {
        const index_row *r = &news->at[i].row;

        if (r->segment == INDEX_KEPT)
            continue;
        index_mark_seen(&t->segments[r->segment], r->row);
    }
}

void index_table_merge(index_table *t, index_news *news)
{
    size_t at, i, to;

    if (news->n == 0)
        return;
    ARCHAI_RESERVE(t->rows, t->capacity, t->n + news->n);
    mark_all_seen(t, news);
    qsort(news->at, news->n, sizeof *news->at, by_id);
    drop_losers(t, news);
    if (news->n > 0) {
        at = lower_bound(t, news->at[0].row.id);
        news->first = at < news->first ? at : news->first;
    }
    /* From the back, so that only rows behind the first new one move. */
    for (at = t->n, i = news->n, to = t->n + news->n; i > 0;)
        t->rows[--to] = at > 0 && t->rows[at - 1].id > news->at[i - 1].row.id
                            ? t->rows[--at]
                            : news->at[--i].row;
    t->n += news->n;
    qsort(news->at, news->n, sizeof *news->at, by_finish);
}

int index_table_recount(const index_table *t, index_news *news, archai_err *err)
{
    int rc = ARCHAI_OK;

    *news = (index_news){.first = 0};
    for (size_t i = 0; rc == ARCHAI_OK && i < t->n; i++) {
        archai_trial e = {0};

        rc = index_table_read(t, i, &e, err);
        if (rc == ARCHAI_OK)
            index_news_add(news, t->objectives, &t->rows[i], &e);
        archai_trial_fini(&e);
    }
    if (rc != ARCHAI_OK)
        index_news_fini(news);
    else if (news->n > 0)
        qsort(news->at, news->n, sizeof *news->at, by_finish);
    return rc;
}
