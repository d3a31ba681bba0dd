/* Loads the data set of a configuration and writes it as it lies in memory:
 *
 *     show_data CONFIG.ini DIRECTORY
 *
 * With data.resident = no the examples come through a feed (io/dataset/feed/feed.h), in another order, and are put back.
 *
 * The header and the sentence that a start prints go to standard output as JSON, the inputs, labels and
 * indices of each split to DIRECTORY/<split>.images, .labels and .indices. Errors: one line, and the
 * program's exit code. Python's side: data_sets.py. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"
#include "io/dataset/feed/feed.h"
#include "io/file/file.h"
#include "io/file/h5.h"

static const char *const splits[ARCHAI_SPLIT_COUNT] = {"train", "val", "test"};

static void put(const char *directory, const char *split, const char *what, const void *at,
                uint64_t bytes)
{
    char *path = archai_printf("%s/%s.%s", directory, split, what);
    FILE *f = archai_there(fopen(path, "wb"));

    archai_must_have(fwrite(at, 1, bytes, f) == bytes && fclose(f) == 0);
    free(path);
}

/* -- through a feed -------------------------------------------------------------------------- */

enum { BATCH = 5, WORKERS = 3 };

typedef struct server {
    int requests, answers, ring;
    const archai_dataset_header *data;
    archai_err err;
    int rc;
} server;

static void *serve(void *payload)
{
    server *s = payload;

    s->rc = archai_feed_serve(s->requests, s->answers, s->ring, s->data, &s->err);
    (void)close(s->answers);
    return NULL;
}

/* Another order, if 7 does not divide n. */
static int64_t *order_of(int64_t n)
{
    int64_t *order = archai_malloc(((size_t)n + 1) * sizeof *order);

    for (int64_t i = 0; i < n; i++)
        order[i] = n % 7 != 0 ? (i * 7 + 3) % n : n - 1 - i;
    return order;
}

static int take_split(archai_feed *f, const archai_dataset_header *d, const char *directory, int split,
                      archai_err *err)
{
    const int64_t n = d->split[split].n;
    size_t label, example = archai_dataset_example_bytes(d, &label);
    const size_t token = d->tokens > 0 ? archai_dtype_size((archai_dtype)d->image_dtype) : 0;
    const size_t image = example - token, to_label = d->tokens > 0 ? image : label;
    char *images = archai_calloc((size_t)n + 1, image), *labels = archai_calloc((size_t)n + 1, to_label);
    int64_t *order = order_of(n), now = 0;
    int rc = archai_feed_begin(f, split, order, n, BATCH, err);

    for (int i = split + 1; i < ARCHAI_SPLIT_COUNT; i++) /* sometimes wrong: the next is empty */
        if (d->split[i].n > 0) {
            int64_t *next = order_of(d->split[i].n);

            archai_feed_announce(f, i, next, d->split[i].n, BATCH);
            free(next);
        }
    for (int64_t at = 0; rc == ARCHAI_OK; at += now) {
        const void *x, *y;

        rc = archai_feed_next(f, &x, &y, &now, err);
        if (rc != ARCHAI_OK || now == 0)
            break;
        for (int64_t i = 0; i < now; i++) {
            const char *from = (const char *)x + (size_t)i * example;

            memcpy(images + (size_t)order[at + i] * image, from, image);
            memcpy(labels + (size_t)order[at + i] * to_label,
                   d->tokens > 0 ? from + token : (const char *)y + (size_t)i * label, to_label);
        }
    }
    put(directory, splits[split], "images", images, (uint64_t)n * image);
    put(directory, splits[split], "labels", labels, (uint64_t)n * to_label);
    free(order);
    free(labels);
    free(images);
    return rc;
}

static int take_all(const archai_dataset_header *d, const char *config, const char *directory, archai_err *err)
{
    int request[2], answer[2], ring = memfd_create("ring", 0), rc;
    archai_feed *feed = NULL;
    pthread_t thread;
    server s = {.data = d, .err = ARCHAI_ERR_INIT};
    char *text;
    size_t size;

    ARCHAI_TRY(archai_file_read(config, 1 << 20, &text, &size, err));
    archai_must_have(pipe(request) == 0 && pipe(answer) == 0 && ring >= 0);
    s.requests = request[0];
    s.answers = answer[1];
    s.ring = dup(ring);
    archai_must_have(pthread_create(&thread, NULL, serve, &s) == 0);
    rc = archai_feed_open(&feed, request[1], answer[0], ring, d, text, WORKERS, err);
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; rc == ARCHAI_OK && i < ARCHAI_SPLIT_COUNT; i++)
            if (d->split[i].n > 0)
                rc = take_split(feed, d, directory, i, err);
            else {
                put(directory, splits[i], "images", "", 0);
                put(directory, splits[i], "labels", "", 0);
            }
    archai_feed_close(feed);
    (void)pthread_join(thread, NULL);
    (void)close(s.ring);
    free(text);
    return rc;
}

/* -- as it lies in memory -------------------------------------------------------------------- */

static int show(const archai_dataset_source *source, const char *config, const char *directory,
                archai_err *err)
{
    const archai_dataset_header *d;
    archai_dataset_facts facts;
    char text[ARCHAI_DATASET_SENTENCE];
    int fd = -1;

    ARCHAI_TRY(archai_dataset_probe(source, &facts, err));
    ARCHAI_TRY(archai_dataset_load(source, &fd, err));
    ARCHAI_TRY(archai_dataset_map(fd, &d, err));
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        const archai_dataset_split *s = &d->split[i];
        int64_t *index = NULL;
        size_t n = 0;

        /* to where the next thing begins at the latest; the reader takes as much as it wants */
        if (d->streamed == 0) {
            put(directory, splits[i], "images", (const char *)d + s->images, d->bytes - s->images);
            put(directory, splits[i], "labels", (const char *)d + s->labels, d->bytes - s->labels);
        }
        ARCHAI_TRY(archai_dataset_indices(&facts, i, &index, &n, err));
        put(directory, splits[i], "indices", index, n * sizeof *index);
        free(index);
    }
    if (d->streamed != 0)
        ARCHAI_TRY(take_all(d, config, directory, err));
    (void)printf("{\"image\": \"%s\", \"label\": \"%s\", \"channels\": %d, \"height\": %d, "
                 "\"width\": %d, \"tokens\": %d, \"vocab\": %d, \"features\": %d, \"classes\": %d, "
                 "\"ignore\": %d, \"targets\": %d, \"n\": [%d, %d, %d], \"about\": %s, "
                 "\"bytes\": %lld, \"said\": \"%s\"}\n",
                 archai_dtype_name((archai_dtype)d->image_dtype),
                 archai_dtype_name((archai_dtype)d->label_dtype), d->channels, d->height, d->width,
                 d->tokens, d->vocab, d->features, d->num_classes, d->ignore_index, d->targets,
                 (int)d->split[0].n, (int)d->split[1].n, (int)d->split[2].n,
                 d->about != 0 ? archai_dataset_about(d) : "null", (long long)facts.bytes,
                 archai_dataset_sentence(&facts, text));
    archai_dataset_unmap(d);
    (void)close(fd);
    return ARCHAI_OK;
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_dataset_source source = {0};
    archai_ini ini = {0};
    int rc;

    if (argc != 3)
        return 2;
    rc = archai_ini_read(&ini, argv[1], &err);
    if (rc == ARCHAI_OK)
        rc = archai_h5_init(&err);
    if (rc == ARCHAI_OK)
        rc = archai_dataset_source_open(&source, &ini, &err);
    if (rc == ARCHAI_OK) {
        rc = archai_ini_locate(&ini, show(&source, argv[1], argv[2], &err), &err);
        archai_dataset_source_close(&source);
    }
    archai_ini_free(&ini);
    if (rc != ARCHAI_OK)
        (void)fprintf(stderr, "%s\n", err.text);
    return archai_rc_exit_status(rc);
}
