/* Loads the data set of a configuration and writes it as it lies in memory:
 *
 *     show_data CONFIG.ini DIRECTORY
 *
 * The header and the sentence that a start prints go to standard output as JSON, the inputs, labels and
 * indices of each split to DIRECTORY/<split>.images, .labels and .indices. Errors: one line, and the
 * program's exit code. Python's side: data_sets.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"
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

static int show(const archai_dataset_source *source, const char *directory, archai_err *err)
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
        put(directory, splits[i], "images", (const char *)d + s->images, d->bytes - s->images);
        put(directory, splits[i], "labels", (const char *)d + s->labels, d->bytes - s->labels);
        ARCHAI_TRY(archai_dataset_indices(&facts, i, &index, &n, err));
        put(directory, splits[i], "indices", index, n * sizeof *index);
        free(index);
    }
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
        rc = archai_ini_locate(&ini, show(&source, argv[2], &err), &err);
        archai_dataset_source_close(&source);
    }
    archai_ini_free(&ini);
    if (rc != ARCHAI_OK)
        (void)fprintf(stderr, "%s\n", err.text);
    return archai_rc_exit_status(rc);
}
