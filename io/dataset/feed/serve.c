/* io/dataset/feed/serve.c - the loader's side: threads that each take a request, read what it names, and answer. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/feed/feed.h"
#include "io/dataset/feed/wire.h"
#include "io/dataset/layout.h"
#include "io/dataset/read.h"
#include "io/file/file.h"

enum { MOST_CONFIG = 1 << 26 };

typedef struct serving {
    int requests, answers, ring;
    const archai_dataset_header *data;
    archai_dataset_plan plan, files; /* files: with the validation examples in the training file */
    archai_dataset_source source;    /* owned */
    archai_dataset_reader reader[ARCHAI_SPLIT_COUNT]; /* own NULL: the split has no file */
    int64_t *map[ARCHAI_SPLIT_COUNT]; /* owned: where the examples of a split lie in their file */
    int of_file[ARCHAI_SPLIT_COUNT];  /* the split whose file holds them */
    size_t image, label;              /* bytes */
    pthread_mutex_t lock;             /* of the requests */
} serving;

/* -- one window ------------------------------------------------------------------------------ */

typedef struct wanted {
    int64_t file, at; /* number in the file, place in the window */
} wanted;

static int by_file(const void *a, const void *b)
{
    const wanted *x = a, *y = b;

    return x->file < y->file ? -1 : x->file > y->file;
}

/* Examples are read in the order of the file, and put where they belong. */
static int read_window(const serving *s, const archai_feed_request *r, const int64_t *example, char *window,
                       archai_err *err)
{
    const archai_dataset_reader *reader = &s->reader[s->of_file[r->split]];
    wanted *order = archai_malloc((size_t)r->n * sizeof *order);
    char *labels = window + (r->labels - r->images);
    const double *constants = (const double *)(const void *)((const char *)s->data + s->data->constants);
    int rc = ARCHAI_OK;

    for (int64_t i = 0; rc == ARCHAI_OK && i < r->n; i++) {
        if (example[i] < 0 || example[i] >= s->data->split[r->split].n)
            rc = archai_fail(err, ARCHAI_EINTERNAL, "data: no example %lld", (long long)example[i]);
        else
            order[i] = (wanted){s->map[r->split][example[i]], i};
    }
    if (rc == ARCHAI_OK)
        qsort(order, (size_t)r->n, sizeof *order, by_file);
    for (int64_t i = 0; rc == ARCHAI_OK && i < r->n; i++) {
        char *image = window + (size_t)order[i].at * s->image;

        rc = s->source.format->read(reader, order[i].file, 1, image,
                                    labels + (size_t)order[i].at * s->label, err);
        if (rc == ARCHAI_OK && s->data->n_constants > 0)
            s->source.format->adjust(&s->plan, constants, image, 1);
    }
    free(order);
    return rc;
}

/* A request and the numbers behind it; false: there are no more. */
static bool take(serving *s, archai_feed_request *r, int64_t **example)
{
    bool got;

    (void)pthread_mutex_lock(&s->lock);
    got = archai_feed_get(s->requests, r, sizeof *r) && r->split >= 0 && r->split < ARCHAI_SPLIT_COUNT &&
          r->n > 0 && r->labels == r->images + archai_feed_labels_at(r->n, s->image) &&
          s->reader[s->of_file[r->split]].own != NULL;
    *example = got ? archai_file_room((size_t)r->n, sizeof **example, NULL) : NULL;
    got = *example != NULL && archai_feed_get(s->requests, *example, (size_t)r->n * sizeof **example);
    (void)pthread_mutex_unlock(&s->lock);
    return got;
}

static bool answer(int fd, int64_t window, int rc, const char *why)
{
    const size_t n = rc == ARCHAI_OK ? 0 : strnlen(why, ARCHAI_FEED_TEXT - 1) + 1;
    const archai_feed_answer a = {window, rc, (int32_t)n};
    char bytes[sizeof a + ARCHAI_FEED_TEXT] = "";

    memcpy(bytes, &a, sizeof a);
    if (n > 0)
        memcpy(bytes + sizeof a, why, n - 1);
    return archai_feed_put(fd, bytes, sizeof a + n);
}

static void *work(void *payload)
{
    serving *s = payload;
    archai_feed_request r;
    int64_t *example = NULL;

    while (take(s, &r, &example)) {
        const size_t bytes = (size_t)(r.labels - r.images) + (size_t)r.n * s->label;
        const size_t skip = (size_t)(r.images % (uint64_t)sysconf(_SC_PAGESIZE));
        archai_err err = ARCHAI_ERR_INIT;
        char *window = mmap(NULL, bytes + skip, PROT_READ | PROT_WRITE, MAP_SHARED, s->ring,
                            (off_t)(r.images - skip));
        const int rc = window == MAP_FAILED
                           ? archai_fail(&err, ARCHAI_ENOMEM, "data: %zu bytes of what is read ahead: %s",
                                         bytes, strerror(errno))
                           : read_window(s, &r, example, window + skip, &err);

        if (window != MAP_FAILED)
            (void)munmap(window, bytes + skip);
        free(example);
        example = NULL;
        if (!answer(s->answers, r.window, rc, err.text))
            break;
    }
    free(example);
    return NULL;
}

/* -- opening --------------------------------------------------------------------------------- */

/* The files, which must be what they were when the data set was described. */
static int open_files(serving *s, archai_err *err)
{
    const archai_dataset_header *d = s->data;
    int64_t split_off = 0;
    archai_dataset_facts facts;
    archai_dataset_header now;
    size_t n;

    ARCHAI_TRY(archai_dataset_plan_make(&s->source, &s->plan, &split_off, err));
    ARCHAI_TRY(archai_dataset_lay_out(&s->plan, &now, err));
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        if (now.split[i].n != d->split[i].n)
            return archai_fail(err, ARCHAI_EFORMAT, "data.file: changed since the run began");
    if (now.image_dtype != d->image_dtype || now.label_dtype != d->label_dtype ||
        now.channels != d->channels || now.height != d->height || now.width != d->width ||
        now.tokens != d->tokens || now.features != d->features || now.num_classes != d->num_classes)
        return archai_fail(err, ARCHAI_EFORMAT, "data.file: changed since the run began");
    s->files = s->plan;
    s->files.n[ARCHAI_SPLIT_TRAIN] += split_off;
    facts = archai_dataset_facts_of(&s->source, &s->plan, split_off, 0);
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        const bool apart = i != ARCHAI_SPLIT_VAL || split_off == 0;

        s->of_file[i] = apart ? i : ARCHAI_SPLIT_TRAIN;
        if (s->plan.n[i] == 0)
            continue;
        ARCHAI_TRY(archai_dataset_indices(&facts, i, &s->map[i], &n, err));
        if (apart)
            ARCHAI_TRY(archai_dataset_open_split(&s->reader[i], &s->source, &s->files, i, err));
    }
    return ARCHAI_OK;
}

static int read_hello(serving *s, int64_t *workers, archai_ini *ini, archai_err *err)
{
    archai_feed_hello hello;
    char *text;
    int rc;

    if (!archai_feed_get(s->requests, &hello, sizeof hello) || hello.workers < 1 ||
        hello.workers > ARCHAI_DATASET_MAX_WORKERS || hello.text < 1 || hello.text > MOST_CONFIG)
        return archai_fail(err, ARCHAI_EFORMAT, "archai-loader is started by archai-evaluator");
    *workers = hello.workers;
    text = archai_file_room((size_t)hello.text, 1, err);
    if (text == NULL)
        return ARCHAI_ENOMEM;
    rc = archai_feed_get(s->requests, text, (size_t)hello.text) && text[hello.text - 1] == '\0'
             ? archai_ini_parse(ini, "configuration", text, strlen(text), err)
             : archai_fail(err, ARCHAI_EFORMAT, "the configuration did not arrive");
    free(text);
    return rc;
}

static void serve(serving *s, int64_t workers)
{
    pthread_t thread[ARCHAI_DATASET_MAX_WORKERS];
    int started = 0;

    while (started + 1 < workers && pthread_create(&thread[started], NULL, work, s) == 0)
        started++;
    (void)work(s);
    while (started > 0)
        (void)pthread_join(thread[--started], NULL);
}

int archai_feed_serve(int requests, int answers, int ring, const archai_dataset_header *data,
                      archai_err *err)
{
    serving s = {.requests = requests, .answers = answers, .ring = ring, .data = data,
                 .lock = PTHREAD_MUTEX_INITIALIZER};
    archai_ini ini = {0};
    int64_t workers = 1;
    int rc;

    s.image = archai_dataset_example_bytes(data, &s.label);
    rc = read_hello(&s, &workers, &ini, err);
    if (rc == ARCHAI_OK)
        rc = archai_dataset_source_open(&s.source, &ini, err);
    if (rc == ARCHAI_OK)
        rc = open_files(&s, err);
    if (rc == ARCHAI_OK)
        serve(&s, workers);
    else
        (void)answer(answers, -1, rc, err->text);
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        archai_dataset_close_split(&s.reader[i]);
        free(s.map[i]);
    }
    if (s.source.format != NULL)
        archai_dataset_source_close(&s.source);
    archai_ini_free(&ini);
    return rc;
}
