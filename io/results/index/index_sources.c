/* Where the table's rows come from: the segments, and an earlier results.h5. */
#include "io/results/index/index_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/results/results.h"

/* -- segments ------------------------------------------------------------------------------ */

static int open_segment(index_table *t, const char *name, archai_err *err)
{
    index_segment s = {.file = ARCHAI_SEGMENT_INIT};

    ARCHAI_TRY(archai_segment_open(&s.file, t->directory, name, false, err));
    s.n_blocks = (s.file.size.rows + INDEX_BLOCK - 1) / INDEX_BLOCK;
    s.seen = archai_calloc((size_t)s.n_blocks, INDEX_BLOCK / 8);
    s.n_seen = archai_calloc((size_t)s.n_blocks, sizeof *s.n_seen);
    ARCHAI_RESERVE(t->segments, t->segments_capacity, t->n_segments + 1);
    t->segments[t->n_segments++] = s;
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

int64_t index_table_id_in_segment(const index_table *t, const index_row *r)
{
    const archai_reconciled_row *known =
        t->reconciled.n == 0 || r->segment == INDEX_KEPT
            ? NULL
            : archai_reconciled_find(&t->reconciled,
                                     archai_segment_place(t->segments[r->segment].file.name, r->row));

    return known != NULL ? known->was : r->id;
}

struct looking {
    index_table *table;
    index_segment *segment;
    index_news *news;
};

/* A row that a scan found. One whose detail is not right (yet: the pages of a network file system
 * arrive in any order) is read again next time. */
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
    const archai_reconciled_row *known;
    bool valid;

    if ((s->seen[row / 8] >> (row % 8) & 1) != 0)
        return ARCHAI_OK;
    known = archai_reconciled_find(&looking->table->reconciled, archai_segment_place(s->file.name, row));
    if (known != NULL && known->id < 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_segment_detail(&s->file, r, &valid, &e, err));
    if (!valid)
        return ARCHAI_OK;
    if (known != NULL)
        entry.id = known->id;
    entry.budget = r->budget;
    if (e.is_test) {
        index_table_add_test(looking->table, &entry);
        index_mark_seen(s, row);
        s->unsynced = true;
        archai_trial_fini(&e);
        return ARCHAI_OK;
    }
    index_check_status(looking->table->objectives, &e);
    index_news_add(looking->news, looking->table->objectives, &entry, &e);
    archai_trial_fini(&e);
    return ARCHAI_OK;
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
    if (news->n == before && !s->unsynced)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_segment_sync(&s->file, err));
    s->unsynced = false;
    return ARCHAI_OK;
}

/* Rows that tests were added to are written again. */
static void count_tests(index_table *t, index_news *news)
{
    size_t at = t->n;

    for (size_t i = 0; i < t->n_tests && at == t->n; i++)
        if (t->tests[i].id >= t->first_test)
            at = index_table_find(t, t->tests[i].id);
    t->first_test = INT64_MAX;
    news->first = at < news->first ? at : news->first;
}

int index_table_update(index_table *t, index_news *news, archai_err *err)
{
    int rc = ARCHAI_OK;

    *news = (index_news){.first = t->n};
    ARCHAI_TRY(open_new_segments(t, err));
    for (size_t i = 0; rc == ARCHAI_OK && i < t->n_segments; i++)
        rc = look_into(t, &t->segments[i], news, err);
    if (rc == ARCHAI_OK) {
        index_table_merge(t, news);
        count_tests(t, news);
    } else {
        index_news_fini(news);
    }
    return rc;
}

/* -- an earlier results.h5 ----------------------------------------------------------------- */

/* `e` comes without tensors: their segment is gone. */
static int keep(index_table *t, const archai_trial *e, index_news *news, archai_err *err)
{
    const index_row row = {.id = e->id,
                           .budget = e->budget,
                           .finished = e->started + e->seconds,
                           .row = (int64_t)t->n_kept,
                           .segment = INDEX_KEPT};
    archai_buffer packed = {0};

    ARCHAI_TRY(archai_trial_pack(e, &packed, err));
    ARCHAI_RESERVE(t->kept, t->kept_capacity, t->n_kept + 1);
    t->kept[t->n_kept++] = packed;
    index_news_add(news, t->objectives, &row, e);
    return ARCHAI_OK;
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
        if (archai_reconciled_moved(&t->reconciled, e->id, e->model.archid))
            continue; /* it has another id by now, or does not count */
        ARCHAI_TRY(archai_results_curves(path, first + i, &e->curves, &e->n_curves, err));
        ARCHAI_TRY(keep(t, e, news, err));
    }
    return ARCHAI_OK;
}

int index_table_adopt(index_table *t, const char *path, index_news *news, archai_err *err)
{
    archai_results_reader *x = NULL;
    archai_results head = {0};
    int rc = ARCHAI_OK;

    *news = (index_news){.first = t->n};
    for (size_t i = 0; i < t->n; i++)
        t->rows[i].doubtful = true;
    if (access(path, F_OK) != 0)
        return ARCHAI_OK; /* killed before the first refresh: there are only segments */
    ARCHAI_TRY(archai_results_open(&x, path, &head, err));
    for (size_t at = 0; rc == ARCHAI_OK && at < head.n; at += ARCHAI_RESULTS_PIECE) {
        const size_t left = head.n - at;
        archai_results piece = {0};

        rc = archai_results_piece(x, at, left < ARCHAI_RESULTS_PIECE ? left : ARCHAI_RESULTS_PIECE,
                                  &piece, err);
        if (rc == ARCHAI_OK)
            rc = adopt_piece(t, &piece, at, path, news, err);
        archai_results_free(&piece);
    }
    archai_results_free(&head);
    archai_results_close(x);
    if (rc == ARCHAI_OK)
        index_table_merge(t, news);
    else
        index_news_fini(news);
    return rc;
}
