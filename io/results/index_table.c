/* Which rows there are. A row is believed when segment_read.c believes it; of several with one
 * id (a candidate that was given to another worker while the first was only slow) the earliest
 * finished stands. */
#include "io/results/index_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

void index_news_fini(index_news *news)
{
    for (size_t i = 0; i < news->n; i++)
        free(news->at[i].archid);
    free(news->at);
    free(news->points);
    *news = (index_news){0};
}

void index_table_init(index_table *t, const char *directory,
                      const archai_objectives *objectives)
{
    *t = (index_table){.directory = directory, .objectives = objectives};
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
    free(t->segments);
    free(t->kept);
    free(t->rows);
    *t = (index_table){0};
}

/* -- what a row is taken for --------------------------------------------------------------- */

static int set_text(char **field, const char *text, archai_err *err)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a row");
    free(*field);
    *field = copy;
    return ARCHAI_OK;
}

/* The contract of results.h5 holds whatever a worker wrote: an ok row has all its objectives
 * and keeps its constraints, a failed one has a reason. */
static int settle(const archai_objectives *o, archai_trial *e, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES];
    char text[256];
    int violated;

    if (e->status == ARCHAI_STATUS_FAILED && (e->error == NULL || e->error[0] == '\0'))
        return set_text(&e->error, "no reason was recorded", err);
    if (e->status != ARCHAI_STATUS_OK && e->status != ARCHAI_STATUS_CACHED)
        return ARCHAI_OK;
    archai_objectives_values(o, e->measures, e->n_measures, values);
    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN && !isfinite(values[i])) {
            e->status = ARCHAI_STATUS_FAILED;
            (void)snprintf(text, sizeof text, "%s is %s", o->at[i].source,
                           isnan(values[i]) ? "NaN or missing" : "infinite");
            return set_text(&e->error, text, err);
        }
    violated = archai_objectives_violated(o, values, 1);
    if (violated >= 0) {
        e->status = ARCHAI_STATUS_INFEASIBLE;
        (void)snprintf(text, sizeof text, "%s = %g violates its constraint",
                       o->at[violated].source, values[violated]);
        return set_text(&e->error, text, err);
    }
    return ARCHAI_OK;
}

/* Append what `e`, the settled content of `row`, means to the other parts. */
static int add_news(index_news *news, const archai_objectives *o, const index_row *row,
                    const archai_trial *e, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES];
    size_t k = o->n_optimised;
    index_new *new_;

    if (news->n == news->capacity) {
        size_t capacity = news->capacity == 0 ? 256 : 2 * news->capacity;
        index_new *at = realloc(news->at, capacity * sizeof *at);
        double *points;

        if (at != NULL)
            news->at = at;
        points = realloc(news->points, capacity * k * sizeof *points);
        if (points != NULL)
            news->points = points;
        if (at == NULL || points == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu new rows", capacity);
        news->capacity = capacity;
    }
    new_ = &news->at[news->n];
    *new_ = (index_new){.row = *row, .started = e->started, .budget = e->budget};
    new_->row.archid_hash = archai_hash(e->model.archid);
    new_->row.status = (uint8_t)e->status;
    new_->point = news->n * k;
    for (size_t i = 0; i < k; i++)
        news->points[new_->point + i] = NAN;
    if (e->status == ARCHAI_STATUS_OK || e->status == ARCHAI_STATUS_CACHED) {
        archai_objectives_values(o, e->measures, e->n_measures, values);
        archai_objectives_minimised(o, values, &news->points[new_->point]);
    }
    if (e->status == ARCHAI_STATUS_OK && e->n_tensors > 0) {
        new_->archid = strdup(e->model.archid);
        if (new_->archid == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a row");
    }
    news->n++;
    return ARCHAI_OK;
}

int index_table_read(const index_table *t, size_t i, archai_trial *out, archai_err *err)
{
    const index_row *r = &t->rows[i];
    archai_trial e = {0};
    bool valid = true;
    int rc;

    if (r->segment == INDEX_KEPT) {
        const archai_buffer *kept = &t->kept[r->row];

        ARCHAI_TRY(archai_trial_unpack(kept->data, kept->size, &e, err));
    } else {
        archai_row row = {.id = r->id,
                          .text_offset = r->text_offset,
                          .text_bytes = r->text_bytes,
                          .text_crc = r->text_crc};
        const archai_segment *s = &t->segments[r->segment].file;

        ARCHAI_TRY(archai_segment_detail(s, &row, &valid, &e, err));
        if (!valid)
            return archai_fail(err, ARCHAI_EIO, "%s: row %lld has changed since it was read",
                               s->path, (long long)r->row);
    }
    rc = settle(t->objectives, &e, err);
    if (rc == ARCHAI_OK)
        *out = e;
    else
        archai_trial_fini(&e);
    return rc;
}

/* -- looking for rows ---------------------------------------------------------------------- */

static int open_segment(index_table *t, const char *name, archai_err *err)
{
    index_segment s = {.file = ARCHAI_SEGMENT_INIT};
    index_segment *grown = realloc(t->segments, (t->n_segments + 1) * sizeof *grown);

    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for segment %s", name);
    t->segments = grown;
    ARCHAI_TRY(archai_segment_open(&s.file, t->directory, name, false, err));
    s.n_blocks = (s.file.size.rows + INDEX_BLOCK - 1) / INDEX_BLOCK;
    s.seen = calloc((size_t)s.n_blocks, INDEX_BLOCK / 8);
    s.n_seen = calloc((size_t)s.n_blocks, sizeof *s.n_seen);
    if (s.seen == NULL || s.n_seen == NULL) {
        archai_segment_close(&s.file);
        free(s.seen);
        free(s.n_seen);
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for segment %s", name);
    }
    grown[t->n_segments++] = s;
    return ARCHAI_OK;
}

static int open_new_segments(index_table *t, archai_err *err)
{
    archai_strings names = {NULL, 0};
    int rc = ARCHAI_OK;

    ARCHAI_TRY(archai_segment_list(t->directory, &names, err));
    for (size_t i = 0; rc == ARCHAI_OK && i < names.n; i++) {
        bool known = false;

        for (size_t k = 0; !known && k < t->n_segments; k++)
            known = strcmp(t->segments[k].file.name, names.at[i]) == 0;
        if (!known)
            rc = open_segment(t, names.at[i], err);
    }
    archai_strings_free(&names);
    return rc;
}

struct looking {
    index_table *table;
    index_segment *segment;
    index_news *news;
};

/* A row that a scan found. One whose detail does not fit (yet: pages of a network file system
 * come in any order) is looked at again next time. */
static int found(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    const struct looking *looking = payload;
    index_segment *s = looking->segment;
    archai_trial e = {0};
    index_row entry = {.id = r->id,
                       .finished = r->finished,
                       .row = row,
                       .text_offset = r->text_offset,
                       .text_bytes = (uint32_t)r->text_bytes,
                       .text_crc = r->text_crc,
                       .segment = (int32_t)(s - looking->table->segments)};
    bool valid;
    int rc;

    if ((s->seen[row / 8] >> (row % 8) & 1) != 0 || r->text_bytes > ARCHAI_FRAME_MAX)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_segment_detail(&s->file, r, &valid, &e, err));
    if (!valid)
        return ARCHAI_OK;
    rc = settle(looking->table->objectives, &e, err);
    if (rc == ARCHAI_OK)
        rc = add_news(looking->news, looking->table->objectives, &entry, &e, err);
    archai_trial_fini(&e);
    return rc;
}

static int look_into(index_table *t, index_segment *s, index_news *news, archai_err *err)
{
    struct looking looking = {t, s, news};
    size_t before = news->n;
    int64_t b = 0;

    while (b < s->n_blocks) {
        int64_t end, last;

        if (s->n_seen[b] == INDEX_BLOCK) {
            b++;
            continue;
        }
        for (end = b; end < s->n_blocks && s->n_seen[end] < INDEX_BLOCK; end++)
            continue;
        last = end * INDEX_BLOCK < s->file.size.rows ? end * INDEX_BLOCK : s->file.size.rows;
        ARCHAI_TRY(archai_segment_scan(&s->file, b * INDEX_BLOCK, last, found, &looking, err));
        b = end;
    }
    return news->n > before ? archai_segment_sync(&s->file, err) : ARCHAI_OK;
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

/* Drop news that lost to a row of the same id, in the news (sorted by id) or in the table;
 * where one wins against the table it takes its place at once. */
static void drop_losers(index_table *t, index_news *news)
{
    size_t kept = 0;

    for (size_t i = 0; i < news->n; i++) {
        index_new *new_ = &news->at[i];
        size_t at = index_table_find(t, new_->row.id);
        bool loses = kept > 0 && news->at[kept - 1].row.id == new_->row.id;

        if (at < t->n && !loses) {
            if (new_->row.finished < t->rows[at].finished) {
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

static void mark_seen(index_table *t, const index_news *news)
{
    for (size_t i = 0; i < news->n; i++) {
        const index_row *r = &news->at[i].row;
        index_segment *s;

        if (r->segment == INDEX_KEPT)
            continue;
        s = &t->segments[r->segment];
        s->seen[r->row / 8] |= (uint8_t)(1 << (r->row % 8));
        s->n_seen[r->row / INDEX_BLOCK]++;
    }
}

/* Enter the news into the table; leaves them in order of finishing. On failure nothing changed,
 * and the next look finds the same rows again. */
static int merge(index_table *t, index_news *news, archai_err *err)
{
    size_t at, i, to;

    if (news->n == 0)
        return ARCHAI_OK;
    if (t->n + news->n > t->capacity) {
        size_t capacity = t->n + news->n + t->n / 2;
        index_row *grown = realloc(t->rows, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu rows", capacity);
        t->rows = grown;
        t->capacity = capacity;
    }
    mark_seen(t, news);
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
    return ARCHAI_OK;
}

int index_table_update(index_table *t, index_news *news, archai_err *err)
{
    int rc = ARCHAI_OK;

    *news = (index_news){.first = t->n};
    ARCHAI_TRY(open_new_segments(t, err));
    for (size_t i = 0; rc == ARCHAI_OK && i < t->n_segments; i++)
        rc = look_into(t, &t->segments[i], news, err);
    if (rc == ARCHAI_OK)
        rc = merge(t, news, err);
    if (rc != ARCHAI_OK)
        index_news_fini(news);
    return rc;
}

int index_table_recount(const index_table *t, index_news *news, archai_err *err)
{
    int rc = ARCHAI_OK;

    *news = (index_news){.first = 0};
    for (size_t i = 0; rc == ARCHAI_OK && i < t->n; i++) {
        archai_trial e = {0};

        rc = index_table_read(t, i, &e, err);
        if (rc == ARCHAI_OK)
            rc = add_news(news, t->objectives, &t->rows[i], &e, err);
        archai_trial_fini(&e);
    }
    if (rc != ARCHAI_OK)
        index_news_fini(news);
    else if (news->n > 0)
        qsort(news->at, news->n, sizeof *news->at, by_finish);
    return rc;
}

/* -- an earlier results.h5 ----------------------------------------------------------------- */

static int keep(index_table *t, const archai_trial *e, index_news *news, archai_err *err)
{
    /* `e` comes without tensors: their segment is gone. */
    archai_buffer *grown = realloc(t->kept, (t->n_kept + 1) * sizeof *grown);
    index_row row = {.id = e->id,
                     .finished = e->started + e->seconds,
                     .row = (int64_t)t->n_kept,
                     .segment = INDEX_KEPT};

    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for earlier rows");
    t->kept = grown;
    t->kept[t->n_kept] = (archai_buffer){0};
    ARCHAI_TRY(archai_trial_pack(e, &t->kept[t->n_kept], err));
    t->n_kept++;
    return add_news(news, t->objectives, &row, e, err);
}

void index_table_doubt(index_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->rows[i].doubtful = true;
}

static int adopt_piece(index_table *t, archai_results *piece, size_t first, const char *path,
                       index_news *news, archai_err *err)
{
    for (size_t i = 0; i < piece->n; i++) {
        archai_trial *e = &piece->rows[i];
        size_t at = index_table_find(t, e->id);

        if (at < t->n) {
            t->rows[at].doubtful = false;
            continue;
        }
        ARCHAI_TRY(archai_results_curves(path, first + i, &e->curves, &e->n_curves, err));
        ARCHAI_TRY(keep(t, e, news, err));
    }
    return ARCHAI_OK;
}

int index_table_adopt(index_table *t, const char *path, index_news *news, archai_err *err)
{
    archai_results_reader *x = NULL;
    archai_results head = {0};
    size_t n;
    int rc;

    *news = (index_news){.first = t->n};
    ARCHAI_TRY(archai_results_open(&x, path, &head, err));
    n = head.n;
    archai_results_free(&head);
    rc = ARCHAI_OK;
    for (size_t at = 0; rc == ARCHAI_OK && at < n; at += ARCHAI_RESULTS_PIECE) {
        const size_t count = n - at < ARCHAI_RESULTS_PIECE ? n - at : ARCHAI_RESULTS_PIECE;
        archai_results piece = {0};

        rc = archai_results_piece(x, at, count, &piece, err);
        if (rc == ARCHAI_OK)
            rc = adopt_piece(t, &piece, at, path, news, err);
        archai_results_free(&piece);
    }
    archai_results_close(x);
    if (rc == ARCHAI_OK)
        rc = merge(t, news, err);
    if (rc != ARCHAI_OK)
        index_news_fini(news);
    return rc;
}
