/* io/dataset/feed/feed.c - the trainer's side: which examples are asked for, and where they lie. */
#include "io/dataset/feed/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/feed/wire.h"
#include "io/file/file.h"

typedef struct pass {
    int split;
    int64_t n, batch;
    int64_t *order; /* owned; NULL: no pass */
    int64_t asked;  /* examples */
} pass;

typedef struct window {
    int64_t n; /* examples */
    bool there;
    uint64_t at; /* in the ring; labels behind the images */
} window;

struct archai_feed {
    int requests, answers, ring; /* owned */
    const archai_dataset_header *data;
    int workers;
    size_t image, label; /* bytes */
    pass now, next;
    window window[ARCHAI_FEED_WINDOWS]; /* number % n_windows */
    int64_t n_windows, rows;            /* of the ring as it is: rows of a window */
    char *mapped;                       /* owned; n_windows times window_bytes() */
    size_t mapped_bytes;
    int64_t asked, used; /* windows, over all passes */
    int64_t offset;      /* examples of window `used` that were handed out */
    int64_t given;       /* examples of this pass */
    int64_t passes; /* begun */
    double waited;
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int gone(archai_err *err)
{
    return archai_fail(err, ARCHAI_EIO, "data: archai-loader has ended");
}

int archai_feed_open(archai_feed **out, int requests, int answers, int ring,
                     const archai_dataset_header *data, const char *config, int workers, archai_err *err)
{
    archai_feed *f = archai_calloc(1, sizeof *f);
    const archai_feed_hello hello = {workers, (int64_t)strlen(config) + 1};

    f->requests = requests;
    f->answers = answers;
    f->ring = ring;
    f->data = data;
    f->workers = workers;
    f->image = archai_dataset_example_bytes(data, &f->label);
    if (!archai_feed_put(requests, &hello, sizeof hello) ||
        !archai_feed_put(requests, config, (size_t)hello.text)) {
        archai_feed_close(f);
        return gone(err);
    }
    *out = f;
    return ARCHAI_OK;
}

void archai_feed_close(archai_feed *f)
{
    if (f == NULL)
        return;
    if (f->mapped != NULL)
        (void)munmap(f->mapped, f->mapped_bytes);
    (void)close(f->requests);
    (void)close(f->answers);
    (void)close(f->ring);
    free(f->now.order);
    free(f->next.order);
    free(f);
}

int64_t archai_feed_passes(const archai_feed *f)
{
    return f->passes;
}

double archai_feed_waited(const archai_feed *f)
{
    return f->waited;
}

/* -- the ring -------------------------------------------------------------------------------- */

/* For batches of that size: how many windows of how many examples. */
static void plan_ring(const archai_feed *f, int64_t batch, int64_t *windows, int64_t *rows)
{
    const int64_t bytes = batch * (int64_t)(f->image + f->label);
    const int64_t most = ARCHAI_FEED_BYTES / bytes; /* batches */

    *rows = batch;
    *windows = f->workers + 2; /* one in use, one ahead, one for each thread at work */
    if (f->data->together > 1) {
        *windows = 2;
        *rows = most > 4 ? most / 2 * batch : batch;
    }
    if (*windows * (*rows / batch) > most)
        *windows = most;
    *windows = *windows < 2 ? 2 : *windows > ARCHAI_FEED_WINDOWS ? ARCHAI_FEED_WINDOWS : *windows;
}

static size_t window_bytes(const archai_feed *f, int64_t rows)
{
    return (size_t)archai_feed_labels_at(rows, f->image) +
           (size_t)archai_feed_labels_at(rows, f->label);
}

/* Only while nothing is asked for. */
static int make_ring(archai_feed *f, int64_t windows, int64_t rows, archai_err *err)
{
    const size_t bytes = (size_t)windows * window_bytes(f, rows);

    if (f->mapped != NULL)
        (void)munmap(f->mapped, f->mapped_bytes);
    f->mapped = NULL;
    if (ftruncate(f->ring, (off_t)bytes) != 0 || (errno = archai_file_allocate(f->ring, 0, bytes)) != 0)
        return archai_fail(err, ARCHAI_ENOMEM, "data: %zu bytes for what is read ahead: %s", bytes,
                           strerror(errno));
    f->mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, f->ring, 0);
    if (f->mapped == MAP_FAILED) {
        f->mapped = NULL;
        return archai_fail(err, ARCHAI_ENOMEM, "data: %zu bytes for what is read ahead: %s", bytes,
                           strerror(errno));
    }
    f->mapped_bytes = bytes;
    f->n_windows = windows;
    f->rows = rows;
    f->asked = f->used = 0;
    return ARCHAI_OK;
}

/* *why: ARCHAI_OK, or why this window could not be read. */
static int take_answer(archai_feed *f, archai_err *why, archai_err *err)
{
    archai_feed_answer a;
    char text[ARCHAI_FEED_TEXT] = "";

    *why = (archai_err)ARCHAI_ERR_INIT;
    if (!archai_feed_get(f->answers, &a, sizeof a) || a.text < 0 || a.text > (int)sizeof text ||
        !archai_feed_get(f->answers, text, (size_t)a.text))
        return gone(err);
    text[sizeof text - 1] = '\0';
    if (a.rc != ARCHAI_OK)
        (void)archai_fail(why, ARCHAI_EIO, "%s", text);
    if (a.window == -1)
        return archai_fail(err, ARCHAI_EIO, "%s", text);
    if (a.window < f->used || a.window >= f->asked)
        return archai_fail(err, ARCHAI_EINTERNAL, "data: an answer to window %lld", (long long)a.window);
    f->window[a.window % f->n_windows].there = true;
    return ARCHAI_OK;
}

/* It reads no more requests: its last answer may say why. */
static int lost(archai_feed *f, archai_err *err)
{
    archai_err ignored;
    int rc = ARCHAI_OK;

    while (rc == ARCHAI_OK)
        rc = take_answer(f, &ignored, err);
    return rc;
}

/* Ask for the next window of a pass. */
static int ask(archai_feed *f, pass *p, archai_err *err)
{
    const int64_t left = p->n - p->asked, each = f->rows / p->batch * p->batch;
    const int64_t n = left < each ? left : each;
    window *w = &f->window[f->asked % f->n_windows];
    archai_feed_request r = {.window = f->asked, .split = p->split, .n = n};

    *w = (window){.n = n};
    w->at = (uint64_t)(f->asked % f->n_windows) * window_bytes(f, f->rows);
    r.images = w->at;
    r.labels = w->at + archai_feed_labels_at(n, f->image);
    if (!archai_feed_put(f->requests, &r, sizeof r) ||
        !archai_feed_put(f->requests, p->order + p->asked, (size_t)n * sizeof *p->order))
        return lost(f, err);
    p->asked += n;
    f->asked++;
    return ARCHAI_OK;
}

/* As many as there is room for; the window in use is not given up before the next call. */
static int ask_ahead(archai_feed *f, archai_err *err)
{
    while (f->asked < f->used + f->n_windows) {
        pass *p = f->now.order != NULL && f->now.asked < f->now.n     ? &f->now
                  : f->next.order != NULL && f->next.asked < f->next.n ? &f->next
                                                                       : NULL;

        if (p == NULL || p->batch > f->rows)
            return ARCHAI_OK;
        ARCHAI_TRY(ask(f, p, err));
    }
    return ARCHAI_OK;
}

/* -- passes ---------------------------------------------------------------------------------- */

static void set_pass(pass *p, int split, const int64_t *order, int64_t n, int64_t batch)
{
    free(p->order);
    *p = (pass){split, n, batch, archai_malloc(((size_t)n + 1) * sizeof *order), 0};
    memcpy(p->order, order, (size_t)n * sizeof *order);
}

static bool is_pass(const pass *p, int split, const int64_t *order, int64_t n, int64_t batch)
{
    return p->order != NULL && p->split == split && p->n == n && p->batch == batch &&
           memcmp(p->order, order, (size_t)n * sizeof *order) == 0;
}

/* Windows that nobody will use: the answers that are on their way are waited for. */
static int drop(archai_feed *f, archai_err *err)
{
    archai_err ignored;

    for (; f->used < f->asked; f->used++)
        while (!f->window[f->used % f->n_windows].there)
            ARCHAI_TRY(take_answer(f, &ignored, err));
    return ARCHAI_OK;
}

void archai_feed_announce(archai_feed *f, int split, const int64_t *order, int64_t n, int64_t batch)
{
    if (f->next.order == NULL || f->next.asked == 0)
        set_pass(&f->next, split, order, n, batch);
}

int archai_feed_begin(archai_feed *f, int split, const int64_t *order, int64_t n, int64_t batch,
                      archai_err *err)
{
    const bool whole = f->given == f->now.n || f->now.order == NULL;
    int64_t windows, rows;

    if (f->offset > 0) { /* the last window of the pass before */
        f->used++;
        f->offset = 0;
    }
    f->given = 0;
    f->passes++;
    if (whole && is_pass(&f->next, split, order, n, batch)) {
        free(f->now.order);
        f->now = f->next;
        f->next = (pass){.order = NULL};
        if (f->now.asked > 0)
            return ask_ahead(f, err);
    } else {
        ARCHAI_TRY(drop(f, err));
        free(f->next.order);
        f->next = (pass){.order = NULL};
        set_pass(&f->now, split, order, n, batch);
    }
    plan_ring(f, batch, &windows, &rows);
    if (f->mapped == NULL || rows != f->rows || windows != f->n_windows)
        ARCHAI_TRY(make_ring(f, windows, rows, err));
    return ask_ahead(f, err);
}

int archai_feed_next(archai_feed *f, const void **images, const void **labels, int64_t *n,
                     archai_err *err)
{
    window *w = &f->window[f->used % f->n_windows];
    archai_err why;
    double begun;

    *n = 0;
    if (f->offset > 0 && f->offset >= w->n) {
        f->used++;
        f->offset = 0;
        w = &f->window[f->used % f->n_windows];
    }
    if (f->given >= f->now.n)
        return ARCHAI_OK;
    ARCHAI_TRY(ask_ahead(f, err));
    begun = now_s();
    while (!w->there) {
        ARCHAI_TRY(take_answer(f, &why, err));
        if (why.code != ARCHAI_OK) {
            if (err != NULL)
                *err = why;
            return ARCHAI_EIO;
        }
    }
    f->waited += now_s() - begun;
    *n = w->n - f->offset < f->now.batch ? w->n - f->offset : f->now.batch;
    *images = f->mapped + w->at + (uint64_t)f->offset * f->image;
    *labels = f->mapped + w->at + archai_feed_labels_at(w->n, f->image) + (uint64_t)f->offset * f->label;
    f->offset += *n;
    f->given += *n;
    return ARCHAI_OK;
}
