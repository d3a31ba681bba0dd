#include "io/results/history.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
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
    size_t n_segments;
    place *places; /* owned; by id, then by the time of finishing */
    size_t n_places, capacity, next_place;
    /* results.h5, piece by piece; NULL: there is none */
    archai_results_reader *index;
    char *index_path; /* owned */
    archai_results piece;
    size_t n_rows, piece_end, at; /* in the table; end of the piece; next row in the piece */
    int64_t last_id;              /* of the table */
    archai_history_touch touch;
    void *payload;
};

/* -- the segments -------------------------------------------------------------------------- */

static int note_place(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    archai_history *h = payload;

    (void)err;
    ARCHAI_RESERVE(h->places, h->capacity, h->n_places + 1);
    h->places[h->n_places++] = (place){.id = r->id,
                                       .finished = r->finished,
                                       .row = row,
                                       .segment = (int32_t)(h->n_segments - 1)};
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
        if (rc != ARCHAI_OK)
            break;
        h->n_segments++;
        rc = archai_segment_scan(s, 0, s->size.rows, note_place, h, err);
    }
    archai_strings_free(&names);
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

int archai_history_next(archai_history *h, archai_trial *out, bool *got, archai_err *err)
{
    for (*got = false; !*got;) {
        const place *p = h->next_place < h->n_places ? &h->places[h->next_place] : NULL;
        archai_trial *row, e = {0};
        int64_t id;

        ARCHAI_TRY(index_row(h, &row, err));
        if (p == NULL && row == NULL)
            return ARCHAI_OK;
        id = row == NULL || (p != NULL && p->id < row->id) ? p->id : row->id;
        for (; h->next_place < h->n_places && h->places[h->next_place].id == id;
             h->next_place++) {
            p = &h->places[h->next_place];
            if (*got)
                continue;
            ARCHAI_TRY(archai_segment_read(&h->segments[p->segment], p->row, got, &e, err));
            if (*got && e.n_tensors > 0)
                e.stored = archai_segment_place(h->segments[p->segment].name, p->row);
        }
        if (row != NULL && row->id == id) {
            if (!*got) {
                e = *row;
                *row = (archai_trial){0};
                *got = true;
            }
            h->at++;
        }
        if (*got)
            *out = e;
    }
    return ARCHAI_OK;
}

void archai_history_close(archai_history *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->n_segments; i++)
        archai_segment_close(&h->segments[i]);
    archai_results_free(&h->piece);
    archai_results_close(h->index);
    free(h->segments);
    free(h->places);
    free(h->index_path);
    free(h->directory);
    free(h);
}
