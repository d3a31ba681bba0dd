/* A pair of IDX files, plain or gzip: two bytes (little-endian) give the length of the pictures'
 * file, which follows; the rest is the labels' file. What is loaded must fit what was probed. */
#include "fuzz.h"
#include "io/dataset/dataset.h"
#include "memory_file.h"

static void check_loaded(int fd, const archai_data_shape *shape)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_dataset_header *d = NULL;

    FUZZ_CHECK(archai_dataset_map(fd, &d, &err) == ARCHAI_OK);
    FUZZ_CHECK(d->channels == shape->channels && d->height == shape->height &&
               d->width == shape->width && d->num_classes == shape->num_classes);
    for (int s = 0; s < ARCHAI_SPLIT_COUNT; s++) {
        const uint8_t *labels = (const uint8_t *)d + d->split[s].labels;

        FUZZ_CHECK(d->label_dtype == ARCHAI_U8);
        for (int64_t i = 0; i < d->split[s].n; i++)
            FUZZ_CHECK(labels[i] < d->num_classes);
    }
    archai_dataset_unmap(d);
    close(fd);
}

static void load(const char *images, const char *labels)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini = {0};
    archai_dataset_source source;
    archai_dataset_facts facts = {.bytes = 0};
    char text[256];
    int n = snprintf(text, sizeof text,
                     "[data]\nformat = idx\ntrain_images = %s\ntrain_labels = %s\n", images, labels);
    int fd = -1, rc;

    FUZZ_CHECK(archai_ini_parse(&ini, "fuzz.ini", text, (size_t)n, &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_dataset_source_open(&source, &ini, &err) == ARCHAI_OK);
    rc = archai_dataset_probe(&source, &facts, &err);
    if (rc == ARCHAI_OK) /* headers may promise what the data do not hold */
        rc = archai_dataset_load(&source, &fd, &err);
    if (rc == ARCHAI_OK)
        check_loaded(fd, &facts.shape);
    else
        FUZZ_CHECK_ERROR(rc, err);
    archai_dataset_source_close(&source);
    archai_ini_free(&ini);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memory_file images, labels;
    size_t n;

    if (size < 2)
        return 0;
    n = data[0] | (size_t)data[1] << 8;
    n = n < size - 2 ? n : size - 2;
    images = memory_file_create(data + 2, n);
    labels = memory_file_create(data + 2 + n, size - 2 - n);
    load(images.path, labels.path);
    close(images.fd);
    close(labels.fd);
    return 0;
}
