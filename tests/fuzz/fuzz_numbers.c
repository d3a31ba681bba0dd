/* A CSV table of numbers whose column `y` is to be predicted: as classes, or, where its first byte is '#', which
 * is left out, as numbers. What is loaded is finite and fits what was probed. */
#include <math.h>
#include "fuzz.h"
#include "io/dataset/dataset.h"
#include "memory_file.h"

static void check_loaded(int fd, const archai_dataset_facts *facts)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_dataset_header *d = NULL;

    FUZZ_CHECK(archai_dataset_map(fd, &d, &err) == ARCHAI_OK);
    FUZZ_CHECK(d->features == facts->shape.features && d->num_classes == facts->shape.num_classes);
    for (int s = 0; s < ARCHAI_SPLIT_COUNT; s++) {
        const char *base = (const char *)d;
        const float *rows = (const float *)(const void *)(base + d->split[s].images);
        const void *labels = base + d->split[s].labels;

        FUZZ_CHECK(d->split[s].n == facts->n[s]);
        for (int64_t i = 0; i < d->split[s].n * d->features; i++)
            FUZZ_CHECK(isfinite(rows[i]));
        for (int64_t i = 0; i < d->split[s].n; i++)
            FUZZ_CHECK(d->label_dtype == ARCHAI_F32  ? isfinite(((const float *)labels)[i])
                       : d->label_dtype == ARCHAI_U8 ? ((const uint8_t *)labels)[i] < d->num_classes
                                                     : ((const int32_t *)labels)[i] < d->num_classes);
    }
    archai_dataset_unmap(d);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int real = size > 0 && data[0] == '#';
    memory_file file = memory_file_create(data + real, size - (size_t)real);
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini = {0};
    archai_dataset_source source;
    archai_dataset_facts facts;
    char text[256];
    int n = snprintf(text, sizeof text, "[data]\nformat = numbers\nfile = %s\ntarget = y\ntargets = %s\n",
                     file.path, real ? "real" : "class");
    int fd = -1, rc;

    FUZZ_CHECK(archai_ini_parse(&ini, "fuzz.ini", text, (size_t)n, &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_dataset_source_open(&source, &ini, &err) == ARCHAI_OK);
    rc = archai_dataset_probe(&source, &facts, &err);
    if (rc == ARCHAI_OK)
        rc = archai_dataset_load(&source, &fd, &err);
    if (rc == ARCHAI_OK)
        check_loaded(fd, &facts);
    else
        FUZZ_CHECK_ERROR(rc, err);
    archai_dataset_source_close(&source);
    archai_ini_free(&ini);
    close(file.fd);
    return 0;
}
