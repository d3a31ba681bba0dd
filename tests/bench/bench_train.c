/* bench_train - trains one model through the shim and prints what its epochs took as JSON.
 *
 *   bench_train CONFIG ARCH DEVICE THREADS EPOCHS [SECTION.KEY=VALUE]...
 *
 * [space], [data] and [train] of CONFIG; ARCH as save_arch writes it. Each epoch is a training of its own, from
 * the weights that the one before left. train_throughput.py compares it with Python PyTorch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/config/config.h"
#include "core/search/space.h"
#include "io/dataset/dataset.h"
#include "shim/shim.h"

enum { CONFIG = 1, ARCH, DEVICE, THREADS, EPOCHS, OVERRIDES };

struct bench {
    archai_ini ini;
    archai_config config;
    archai_augment augment;
    archai_space *space;
    archai_model model;
    archai_network net;
    const archai_dataset_header *data;
    int data_fd;
    shim_device *device;
    shim_model *trained;
};

/* CPU time, since the machine may have others at work; of all threads. */
static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int train_epochs(struct bench *b, int64_t epochs, archai_err *err)
{
    shim_train_settings settings = {
        .epochs = 1, .recipe = b->config.train, .augment = b->augment};
    shim_train_result r = {.epochs = 0};

    printf("{\"seconds\": [");
    for (int64_t i = 0; i < epochs; i++) {
        settings.seed = (uint64_t)i;
        ARCHAI_TRY(shim_model_train(b->trained, b->data, &settings, &r, err));
        printf("%s%.6f", i > 0 ? ", " : "", r.train_seconds);
    }
    printf("], \"cpu_seconds\": [");
    for (int64_t i = 0; i < epochs; i++) {
        const double begun = cpu_seconds(); /* with the validation */

        settings.seed = (uint64_t)(epochs + i);
        ARCHAI_TRY(shim_model_train(b->trained, b->data, &settings, &r, err));
        printf("%s%.6f", i > 0 ? ", " : "", cpu_seconds() - begun);
    }
    printf("], \"pictures\": %lld, \"val_loss\": %.6f, \"val_accuracy\": %.6f, \"arithmetic\": \"%s\"}\n",
           (long long)b->data->split[ARCHAI_SPLIT_TRAIN].n, r.kept.val_loss, r.kept.val_accuracy, r.arithmetic);
    return ARCHAI_OK;
}

static int bench(struct bench *b, char **argv, archai_err *err)
{
    archai_dataset_source source;
    archai_dataset_facts facts;
    const archai_ini_entry *augment;

    ARCHAI_TRY(archai_ini_read(&b->ini, argv[CONFIG], err));
    for (char **set = argv + OVERRIDES; *set != NULL; set++)
        ARCHAI_TRY(archai_ini_set(&b->ini, *set, err));
    ARCHAI_TRY(archai_config_load(&b->config, &b->ini, err));
    augment = archai_ini_find(&b->ini, "data", "augment");
    if (augment != NULL)
        ARCHAI_TRY(archai_augment_parse(augment->value, &b->augment, err));
    ARCHAI_TRY(archai_dataset_source_open(&source, &b->ini, err));
    ARCHAI_TRY(archai_dataset_probe(&source, &facts, err));
    ARCHAI_TRY(archai_dataset_load(&source, &b->data_fd, err));
    archai_dataset_source_close(&source);
    ARCHAI_TRY(archai_dataset_map(b->data_fd, &b->data, err));
    ARCHAI_TRY(archai_space_create(&b->space, &b->ini, &facts.shape, err));
    ARCHAI_TRY(archai_space_load_arch(b->space, argv[ARCH], strlen(argv[ARCH]), &b->model, err));
    ARCHAI_TRY(archai_space_describe(b->space, &b->model, &b->net, err));
    ARCHAI_TRY(shim_device_open(&b->device, argv[DEVICE], atoi(argv[THREADS]), err));
    ARCHAI_TRY(shim_model_build(&b->trained, b->device, &b->net, (uint64_t)b->config.search.seed, err));
    return train_epochs(b, atol(argv[EPOCHS]), err);
}

int main(int argc, char **argv)
{
    struct bench b = {.data_fd = -1};
    archai_err err = ARCHAI_ERR_INIT;
    int rc;

    if (argc < OVERRIDES) {
        fprintf(stderr, "usage: bench_train CONFIG ARCH DEVICE THREADS EPOCHS [SECTION.KEY=VALUE]...\n");
        return 2;
    }
    rc = bench(&b, argv, &err);
    if (rc != ARCHAI_OK)
        fprintf(stderr, "bench_train: %s\n", err.text);
    shim_model_destroy(b.trained);
    shim_device_close(b.device);
    archai_network_fini(&b.net);
    archai_model_fini(&b.model);
    archai_space_destroy(b.space);
    archai_config_free(&b.config);
    archai_ini_free(&b.ini);
    archai_dataset_unmap(b.data);
    return archai_rc_exit_status(rc);
}
