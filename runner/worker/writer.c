#include "runner/worker/writer.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"

/* A segment that rank 0 has just created may take a moment to be seen on another node. */
static const double open_patience_s = 60;

enum {
    BLOCK_ROWS = ARCHAI_SEGMENT_BLOCK_ROWS,
    MIN_TEXT = 1 << 20, /* bytes of detail in a grant, at least */
    GATHERED_MAX = 64   /* rows */
};

void archai_writer_init(archai_writer *w, const char *directory)
{
    *w = (archai_writer){
        .directory = directory,
        .now = {.segment = ARCHAI_SEGMENT_INIT},
        .next = {.segment = ARCHAI_SEGMENT_INIT},
    };
}

static void drop(archai_grant *g)
{
    archai_segment_close(&g->segment);
    free(g->name);
    *g = (archai_grant){.segment = ARCHAI_SEGMENT_INIT};
}

static int sync_now(archai_writer *w, archai_err *err)
{
    if (!w->dirty || w->now.segment.fd < 0)
        return ARCHAI_OK;
    w->dirty = false;
    return archai_segment_sync(&w->now.segment, err);
}

int archai_writer_sync(archai_writer *w, archai_err *err)
{
    return w->synced_by_index ? ARCHAI_OK : sync_now(w, err);
}

int archai_writer_fini(archai_writer *w, archai_err *err)
{
    const int rc = sync_now(w, err);

    drop(&w->now);
    drop(&w->next);
    archai_buffer_free(&w->packed);
    archai_buffer_free(&w->details);
    free(w->rows);
    w->rows = NULL;
    return rc;
}

void archai_writer_grant(archai_writer *w, const archai_message *grant)
{
    archai_grant *g = w->now.name == NULL ? &w->now : &w->next;

    drop(g); /* a next one that was never begun is replaced; its places stay free */
    g->name = archai_strdup(grant->segment);
    g->row = grant->row;
    g->end_row = grant->row + grant->n_rows;
    g->text = grant->text_offset;
    g->end_text = grant->text_offset + grant->text_bytes;
    g->open_by = archai_clock_s() + open_patience_s;
    w->asked = false;
}

static int64_t mean_detail(const archai_writer *w)
{
    return w->rows_written > 0 ? w->bytes_written / w->rows_written + 1 : 1024;
}

static bool fits(const archai_grant *g, size_t bytes)
{
    return g->name != NULL && g->row < g->end_row && g->end_text - g->text >= (int64_t)bytes;
}

void archai_writer_need(archai_writer *w, bool *wanted, archai_message *need)
{
    const int64_t text = BLOCK_ROWS * mean_detail(w) + 2 * (int64_t)w->packed.size;
    const bool low = w->now.name == NULL || w->now.end_row - w->now.row < BLOCK_ROWS / 4 ||
                     w->now.end_text - w->now.text < BLOCK_ROWS / 4 * mean_detail(w) ||
                     w->now.end_text - w->now.text < 2 * (int64_t)w->packed.size;

    /* A next grant that is too small for the row at hand would be waited beside for ever. */
    *wanted = !w->asked && low && !fits(&w->next, w->packed.size);
    if (!*wanted)
        return;
    w->asked = true;
    need->type = ARCHAI_MSG_NEED;
    need->n_rows = BLOCK_ROWS;
    need->text_bytes = text > MIN_TEXT ? text : MIN_TEXT;
}

int archai_writer_open(archai_writer *w, bool *open, archai_err *err)
{
    archai_grant *g = &w->now;
    int rc;

    *open = g->segment.fd >= 0;
    if (*open)
        return ARCHAI_OK;
    rc = archai_segment_open(&g->segment, w->directory, g->name, true, err);
    *open = rc == ARCHAI_OK;
    if (rc != ARCHAI_OK && archai_clock_s() < g->open_by)
        return ARCHAI_OK;
    return rc;
}

static int begin_next(archai_writer *w, archai_err *err)
{
    ARCHAI_TRY(archai_writer_flush(w, err));
    ARCHAI_TRY(archai_writer_sync(w, err)); /* the descriptor goes with the grant */
    w->dirty = false;
    drop(&w->now);
    w->now = w->next;
    w->next = (archai_grant){.segment = ARCHAI_SEGMENT_INIT};
    return ARCHAI_OK;
}

int archai_writer_turn_to(archai_writer *w, const char *segment, archai_err *err)
{
    if (w->next.name != NULL && strcmp(w->next.name, segment) == 0 &&
        (w->now.name == NULL || strcmp(w->now.name, segment) != 0))
        ARCHAI_TRY(begin_next(w, err));
    if (w->now.name == NULL || strcmp(w->now.name, segment) != 0)
        return archai_fail(err, ARCHAI_EINTERNAL, "a verdict names %s, which was not granted",
                           segment);
    return ARCHAI_OK;
}

/* Make the grant in use one with room for `bytes`; *ready is false while there is none. */
static int make_room(archai_writer *w, size_t bytes, bool *ready, archai_err *err)
{
    *ready = false;
    if (!fits(&w->now, bytes)) {
        if (!fits(&w->next, bytes))
            return ARCHAI_OK;
        ARCHAI_TRY(begin_next(w, err));
    }
    return archai_writer_open(w, ready, err);
}

int archai_writer_reserve(archai_writer *w, const archai_trial *e, bool *ready,
                          archai_err *err)
{
    enum { PLACE_GROWTH = 16 }; /* bytes that an offset and a checksum may add to a tensor */

    w->packed.size = 0;
    ARCHAI_TRY(archai_trial_pack(e, &w->packed, err));
    return make_room(w, w->packed.size + PLACE_GROWTH * e->n_tensors, ready, err);
}

int archai_writer_add(archai_writer *w, const archai_trial *e, bool *done, archai_err *err)
{
    *done = false;
    if (w->n_rows == GATHERED_MAX) /* the last flush failed */
        ARCHAI_TRY(archai_writer_flush(w, err));
    if (w->rows == NULL)
        w->rows = archai_malloc(GATHERED_MAX * sizeof *w->rows);
    w->packed.size = 0;
    ARCHAI_TRY(archai_trial_pack(e, &w->packed, err));
    if (e->n_tensors > 0 && !fits(&w->now, w->packed.size))
        return archai_fail(err, ARCHAI_EINTERNAL, "no room for the row of written tensors");
    ARCHAI_TRY(make_room(w, w->packed.size, done, err));
    if (!*done)
        return ARCHAI_OK;
    archai_buffer_reserve(&w->details, w->packed.size);
    memcpy(w->details.data + w->details.size, w->packed.data, w->packed.size);
    w->details.size += w->packed.size;
    w->rows[w->n_rows++] = archai_segment_row(e, w->now.text, w->packed.data, w->packed.size);
    w->now.row++;
    w->now.text += (int64_t)w->packed.size;
    w->rows_written++;
    w->bytes_written += (int64_t)w->packed.size;
    w->packed.size = 0;
    return w->n_rows == GATHERED_MAX ? archai_writer_flush(w, err) : ARCHAI_OK;
}

int archai_writer_flush(archai_writer *w, archai_err *err)
{
    const size_t n = w->n_rows;

    if (n == 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_segment_commit_rows(&w->now.segment, w->now.row - (int64_t)n, w->rows, n,
                                          w->details.data, w->details.size, err));
    archai_writer_drop(w);
    w->dirty = true;
    return ARCHAI_OK;
}

void archai_writer_drop(archai_writer *w)
{
    w->n_rows = 0;
    w->details.size = 0;
}

int archai_writer_commit(archai_writer *w, const archai_trial *e, bool *done,
                         archai_err *err)
{
    ARCHAI_TRY(archai_writer_add(w, e, done, err));
    return *done ? archai_writer_flush(w, err) : ARCHAI_OK;
}
