#include "io/dataset/read.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/search/space.h"
#include "io/file/file.h"
#include "io/file/memory.h"

/* Bytes that a thread reads in one go, and that a block of archai_dataset_each holds. */
enum { UNIT_BYTES = 1 << 18, BLOCK_BYTES = 1 << 25, BLOCK_MOST = 1 << 16 };

static int cores(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int archai_dataset_workers(const archai_dataset_source *s, const archai_dataset_plan *p)
{
    const int n = s->workers != 0 ? (int)s->workers : cores();

    return p->in_order || n < 1 ? 1 : n < ARCHAI_DATASET_MAX_WORKERS ? n : ARCHAI_DATASET_MAX_WORKERS;
}

/* Bytes from one example to the next, by a map. */
static size_t apart(const archai_dataset_plan *p)
{
    return archai_dataset_image_bytes(p) + (p->tokens > 0 ? archai_dtype_size(p->image_dtype) : 0);
}

/* -- several threads ------------------------------------------------------------------------- */

typedef struct reading { /* what the threads share */
    const archai_dataset_reader *reader;
    const int64_t *map;
    int64_t first, n, unit;
    unsigned char *images, *labels;
    atomic_llong next; /* that nobody has taken yet */
    pthread_mutex_t lock;
    int64_t failed; /* where the first unit that could not be read begins; n: none; with its error */
    archai_err err;
    int rc;
} reading;

/* Numbers that follow each other are read in one go. */
static int read_unit(const reading *r, int64_t at, int64_t n, archai_err *err)
{
    const archai_dataset_plan *p = r->reader->plan;
    const archai_dataset_format *format = r->reader->source->format;
    const size_t image = r->map != NULL ? apart(p) : archai_dataset_image_bytes(p);
    const size_t label = archai_dataset_label_bytes(p);
    const archai_interrupt *interrupt = r->reader->source->interrupt;
    int64_t run;

    if (interrupt != NULL)
        ARCHAI_TRY(interrupt->check(interrupt->payload, err));
    for (int64_t i = at; i < at + n; i += run) {
        const int64_t from = r->map != NULL ? r->map[i] : r->first + i;

        run = r->map == NULL ? n : 1;
        while (r->map != NULL && p->tokens == 0 && i + run < at + n && r->map[i + run] == from + run)
            run++;
        ARCHAI_TRY(format->read(r->reader, from, run, r->images + (size_t)i * image,
                                r->labels + (size_t)i * label, err));
    }
    return ARCHAI_OK;
}

/* Units are taken in order: when one fails, all before it were taken, too, and the first that fails is the one
 * that is reported, however many threads there are. */
static void *work(void *payload)
{
    reading *r = payload;
    int64_t i;

    while ((i = atomic_fetch_add(&r->next, r->unit)) < r->n) {
        archai_err err = ARCHAI_ERR_INIT;
        const int rc = read_unit(r, i, r->n - i < r->unit ? r->n - i : r->unit, &err);

        if (rc == ARCHAI_OK)
            continue;
        (void)pthread_mutex_lock(&r->lock);
        if (i < r->failed) {
            r->failed = i;
            r->err = err;
            r->rc = rc;
        }
        (void)pthread_mutex_unlock(&r->lock);
        atomic_store(&r->next, r->n);
    }
    return NULL;
}

int archai_dataset_fill(const archai_dataset_reader *reader, const int64_t *map, int64_t first, int64_t n,
                        int workers, void *images, void *labels, archai_err *err)
{
    const archai_dataset_plan *p = reader->plan;
    const int64_t unit = UNIT_BYTES / (int64_t)archai_dataset_image_bytes(p);
    reading r = {.reader = reader, .map = map, .first = first, .n = n, .unit = unit > 1 ? unit : 1,
                 .images = images, .labels = labels, .failed = n, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread[ARCHAI_DATASET_MAX_WORKERS];
    sigset_t all, before;
    int started = 0;

    if (p->tokens > 0 && map == NULL)
        workers = 1; /* neighbours share a token */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the thread that waits for them */
    while (started + 1 < workers && (started + 1) * r.unit < n &&
           pthread_create(&thread[started], NULL, work, &r) == 0)
        started++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)work(&r); /* one that cannot be started is done without */
    while (started > 0)
        (void)pthread_join(thread[--started], NULL);
    if (r.rc != ARCHAI_OK && err != NULL)
        *err = r.err;
    return r.rc;
}

/* -- in blocks ------------------------------------------------------------------------------- */

int archai_dataset_each(const archai_dataset_reader *r, const int64_t *map, int64_t n, int workers,
                        archai_dataset_see see, void *payload, archai_err *err)
{
    const archai_dataset_plan *p = r->plan;
    const size_t image = apart(p), label = archai_dataset_label_bytes(p);
    size_t most = BLOCK_BYTES / (image + label) + 1, block;
    unsigned char *images = NULL, *labels = NULL;
    int rc = ARCHAI_OK;

    most = most > BLOCK_MOST ? BLOCK_MOST : most;
    block = (size_t)n < most ? (size_t)n : most;
    ARCHAI_TRY(archai_memory_check("data: reading a few examples",
                                   (double)(block + 1) * (double)(image + label), err));
    images = archai_file_room(block + 1, image, err);
    labels = images != NULL ? archai_file_room(block + 1, label > 0 ? label : 1, err) : NULL;
    if (labels == NULL)
        rc = ARCHAI_ENOMEM;
    for (int64_t i = 0; rc == ARCHAI_OK && i < n; i += (int64_t)block) {
        const int64_t now = n - i < (int64_t)block ? n - i : (int64_t)block;

        rc = archai_dataset_fill(r, map != NULL ? map + i : NULL, i, now, workers, images, labels, err);
        if (rc == ARCHAI_OK && see != NULL)
            rc = see(payload, images, now, err);
    }
    free(labels);
    free(images);
    return rc;
}
