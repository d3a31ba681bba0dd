#include "io/results/history.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/config/ini.h"
#include "io/file/file.h"
#include "io/results/reconcile.h"
#include "io/segment/segment.h"

typedef struct place {
    int64_t id;
    double finished;
    int64_t row;
    int32_t segment;
} place;
_Static_assert(sizeof(place) <= 32, "there may be millions of these");

struct archai_history {
    char *directory; /* owned */
    archai_segment *segments;
    size_t n_segments, at_segment; /* at: the one that is scanned */
    place *places; /* owned; by id, then by the time of finishing */
    size_t n_places, capacity, next_place;
    /* results.h5, piece by piece; NULL: there is none */
    archai_results_reader *index;
    char *index_path; /* owned */
    archai_results piece;
    size_t n_rows, piece_end, at; /* in the table; end of the piece; next row in the piece */
    int64_t last_id;              /* of the table */
    archai_reconciled reconciled;
    bool is_generational;
    size_t behind; /* rows that results.h5 does not show like that */
    archai_history_touch touch;
    void *payload;
};

/* -- the segments -------------------------------------------------------------------------- */

static int note_place(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    archai_history *h = payload;
    const archai_reconciled_row *known = archai_reconciled_find(
        &h->reconciled, archai_segment_place(h->segments[h->at_segment].name, row));

    (void)err;
    if (known != NULL && known->id < 0)
        return ARCHAI_OK;
    ARCHAI_RESERVE(h->places, h->capacity, h->n_places + 1);
    h->places[h->n_places++] = (place){.id = known != NULL ? known->id : r->id,
                                       .finished = r->finished,
                                       .row = row,
                                       .segment = (int32_t)h->at_segment};
    return ARCHAI_OK;
}

static int by_id(const void *a, const void *b)
{
    const place *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->finished > y->finished) - (x->finished < y->finished);
}

static int open_segments(archai_history *h, archai_err *err)
{
    archai_strings names = {NULL, 0};
    int rc = ARCHAI_OK;

    ARCHAI_TRY(archai_segment_list(h->directory, &names, err));
    h->segments = archai_calloc(names.n, sizeof *h->segments);
    for (size_t i = 0; i < names.n && rc == ARCHAI_OK; i++) {
        archai_segment *s = &h->segments[i];
        char *path = archai_file_path(h->directory, names.at[i]);

        rc = h->touch(h->payload, path, err);
        free(path);
        if (rc == ARCHAI_OK)
            rc = archai_segment_open(s, h->directory, names.at[i], false, err);
        h->n_segments += rc == ARCHAI_OK;
    }
    archai_strings_free(&names);
    return rc;
}

static int find_places(archai_history *h, archai_err *err)
{
    const archai_segment **segments = archai_calloc(h->n_segments, sizeof *segments);
    int rc;

    for (size_t i = 0; i < h->n_segments; i++)
        segments[i] = &h->segments[i];
    rc = archai_reconcile(&h->reconciled, h->directory, segments, h->n_segments, h->is_generational, err);
    for (; rc == ARCHAI_OK && h->at_segment < h->n_segments; h->at_segment++)
        rc = archai_segment_scan(segments[h->at_segment], 0, segments[h->at_segment]->size.rows, note_place,
                                 h, err);
    free(segments);
    if (h->n_places > 0)
        qsort(h->places, h->n_places, sizeof *h->places, by_id);
    return rc;
}

/* -- results.h5 ---------------------------------------------------------------------------- */

static int open_index(archai_history *h, archai_results *head, archai_err *err)
{
    h->index_path = archai_file_path(h->directory, "results.h5");
    if (access(h->index_path, F_OK) != 0)
        return ARCHAI_OK; /* killed before the first refresh: there are only segments */
    ARCHAI_TRY(h->touch(h->payload, h->index_path, err));
    ARCHAI_TRY(archai_results_open(&h->index, h->index_path, head, err));
    h->n_rows = head->n;
    return ARCHAI_OK;
}

/* The table's next row, or NULL behind the last one. */
static int index_row(archai_history *h, archai_trial **row, archai_err *err)
{
    const size_t left = h->n_rows - h->piece_end;

    *row = NULL;
    if (h->at == h->piece.n) {
        if (left == 0)
            return ARCHAI_OK;
        archai_results_free(&h->piece);
        h->at = 0;
        ARCHAI_TRY(archai_results_piece(
            h->index, h->piece_end, left < ARCHAI_RESULTS_PIECE ? left : ARCHAI_RESULTS_PIECE,
            &h->piece, err));
        for (size_t i = 0; i < h->piece.n; i++) {
            if (h->piece.rows[i].id <= h->last_id)
                return archai_fail(err, ARCHAI_EFORMAT,
                                   "%s: /candidates/id: row %zu: ids do not ascend",
                                   h->index_path, h->piece_end + i);
            h->last_id = h->piece.rows[i].id;
        }
        h->piece_end += h->piece.n;
    }
    *row = &h->piece.rows[h->at];
    return ARCHAI_OK;
}

/* As results.h5 says, else config.ini. */
static bool is_generational(const archai_history *h, const archai_results *head)
{
    const archai_ini_entry *e = NULL;
    archai_ini ini = {0};
    char *path;
    bool is = false;

    if (head->schedule != NULL)
        return strcmp(head->schedule, "generational") == 0;
    path = archai_file_path(h->directory, "config.ini");
    if (archai_ini_read(&ini, path, NULL) == ARCHAI_OK)
        e = archai_ini_find(&ini, "search", "schedule");
    is = e != NULL && strcmp(e->value, "generational") == 0;
    archai_ini_free(&ini);
    free(path);
    return is;
}

/* -- both ---------------------------------------------------------------------------------- */

int archai_history_open(archai_history **out, const char *directory, archai_history_touch touch,
                        void *payload, archai_results *head, archai_err *err)
{
    archai_history *h = archai_calloc(1, sizeof *h);
    int rc;

    *h = (archai_history){.touch = touch, .payload = payload, .last_id = -1};
    h->directory = archai_strdup(directory);
    rc = open_index(h, head, err);
    if (rc == ARCHAI_OK)
        rc = open_segments(h, err);
    if (rc == ARCHAI_OK) {
        h->is_generational = is_generational(h, head);
        rc = find_places(h, err);
    }
    if (rc == ARCHAI_OK && h->index != NULL) /* its table may still crash HDF5 */
        rc = touch(payload, h->index_path, err);
    if (rc != ARCHAI_OK) {
        archai_results_free(head);
        archai_history_close(h);
        return rc;
    }
    *out = h;
    return ARCHAI_OK;
}

/* The rows that the segments have of `id`: the first that finished, and what others add to it. */
static int read_places(archai_history *h, int64_t id, archai_trial *row, archai_trial *tests,
                       bool *got, archai_err *err)
{
    for (; h->next_place < h->n_places && h->places[h->next_place].id == id; h->next_place++) {
        const place *p = &h->places[h->next_place];
        const archai_segment *s = &h->segments[p->segment];
        archai_trial e = {0};
        bool valid = false;
        const int rc = archai_segment_read(s, p->row, &valid, &e, err);

        if (rc == ARCHAI_OK && valid && !e.is_test && !*got) {
            *row = e;
            row->id = id; /* it may have been given another one */
            *got = true;
            if (e.n_tensors > 0)
                row->stored = archai_segment_place(s->name, p->row);
            continue;
        }
        if (rc == ARCHAI_OK && valid && e.is_test)
            archai_trial_amend(tests, &e);
        archai_trial_fini(&e);
        if (rc != ARCHAI_OK) {
            archai_trial_fini(row);
            archai_trial_fini(tests);
            return rc;
        }
    }
    return ARCHAI_OK;
}

int archai_history_next(archai_history *h, archai_trial *out, bool *got, archai_err *err)
{
    for (*got = false; !*got;) {
        const place *p = h->next_place < h->n_places ? &h->places[h->next_place] : NULL;
        archai_trial *row, e = {0}, tests = {0};
        int64_t id;

        ARCHAI_TRY(index_row(h, &row, err));
        if (p == NULL && row == NULL)
            return ARCHAI_OK;
        id = row == NULL || (p != NULL && p->id < row->id) ? p->id : row->id;
        ARCHAI_TRY(read_places(h, id, &e, &tests, got, err));
        h->behind += *got && (row == NULL || row->id != id ||
                              strcmp(row->model.archid, e.model.archid) != 0);
        if (row != NULL && row->id == id) {
            if (!*got && archai_reconciled_moved(&h->reconciled, id, row->model.archid)) {
                h->behind++;
            } else if (!*got) {
                e = *row;
                *row = (archai_trial){0};
                *got = true;
            }
            h->at++;
        }
        if (*got) {
            archai_trial_amend(&e, &tests);
            *out = e;
        }
        archai_trial_fini(&tests);
    }
    return ARCHAI_OK;
}

char *archai_history_reconciled(const archai_history *h, char *sentence, size_t size)
{
    if (h->reconciled.n_new == 0)
        return NULL;
    archai_reconciled_sentence(&h->reconciled, sentence, size);
    return archai_reconciled_text(&h->reconciled);
}

size_t archai_history_behind(const archai_history *h)
{
    return h->behind + h->reconciled.n_new;
}

void archai_history_close(archai_history *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->n_segments; i++)
        archai_segment_close(&h->segments[i]);
    archai_reconciled_free(&h->reconciled);
    archai_results_free(&h->piece);
    archai_results_close(h->index);
    free(h->segments);
    free(h->places);
    free(h->index_path);
    free(h->directory);
    free(h);
}
