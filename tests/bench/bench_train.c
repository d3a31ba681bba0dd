/* bench_train - trains one cnn model through the shim and prints its seconds per epoch as JSON.
 *
 *   bench_train IMAGES LABELS ARCH DEVICE THREADS BATCH_SIZE EPOCHS
 *
 * IDX files; ARCH as save_arch writes it. train_throughput.py compares it with Python PyTorch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "core/search/space.h"
#include "io/dataset/dataset.h"
#include "shim/shim.h"

struct bench {
    archai_ini ini;
    archai_space *space;
    archai_model model;
    archai_network net;
    const archai_dataset_header *data;
    int data_fd;
    shim_device *device;
    shim_model *trained;
};

/* One epoch per call, so that the fastest is seen: a result holds only the sum of its epochs. */
static int train_epochs(struct bench *b, int64_t batch_size, int64_t epochs, archai_err *err)
{
    shim_train_settings settings = {.epochs = 1,
                                    .recipe = {.batch_size = batch_size,
                                               .optimizer = ARCHAI_OPTIMIZER_ADAMW,
                                               .learning_rate = 1e-3,
                                               .weight_decay = 1e-2,
                                               .learning_rate_schedule = ARCHAI_LR_CONSTANT}};
    shim_train_result result;

    printf("{\"seconds\": [");
    for (int64_t i = 0; i < epochs; i++) {
        settings.seed = (uint64_t)i;
        ARCHAI_TRY(shim_model_train(b->trained, b->data, &settings, &result, err));
        printf("%s%.6f", i > 0 ? ", " : "", result.train_seconds);
    }
    printf("], \"pictures\": %lld, \"val_accuracy\": %.4f}\n",
           (long long)b->data->split[ARCHAI_SPLIT_TRAIN].n, result.kept.val_accuracy);
    return ARCHAI_OK;
}

static int bench(struct bench *b, char **argv, archai_err *err)
{
    static const char text[] = "[space]\nname = cnn\n[data]\nformat = idx\n";
    char images[4096], labels[4096];
    archai_dataset_source source;
    archai_dataset_facts facts;

    (void)snprintf(images, sizeof images, "data.train_images=%s", argv[1]);
    (void)snprintf(labels, sizeof labels, "data.train_labels=%s", argv[2]);
    ARCHAI_TRY(archai_ini_parse(&b->ini, "bench", text, strlen(text), err));
    ARCHAI_TRY(archai_ini_set(&b->ini, images, err));
    ARCHAI_TRY(archai_ini_set(&b->ini, labels, err));
    ARCHAI_TRY(archai_dataset_source_open(&source, &b->ini, err));
    ARCHAI_TRY(archai_dataset_probe(&source, &facts, err));
    ARCHAI_TRY(archai_dataset_load(&source, &b->data_fd, err));
    archai_dataset_source_close(&source);
    ARCHAI_TRY(archai_dataset_map(b->data_fd, &b->data, err));
    ARCHAI_TRY(archai_space_create(&b->space, &b->ini, &facts.shape, err));
    ARCHAI_TRY(archai_space_load_arch(b->space, argv[3], strlen(argv[3]), &b->model, err));
    ARCHAI_TRY(archai_space_describe(b->space, &b->model, &b->net, err));
    ARCHAI_TRY(shim_device_open(&b->device, argv[4], atoi(argv[5]), err));
    ARCHAI_TRY(shim_model_build(&b->trained, b->device, &b->net, 1, err));
    return train_epochs(b, atol(argv[6]), atol(argv[7]), err);
}

int main(int argc, char **argv)
{
    struct bench b = {.data_fd = -1};
    archai_err err = ARCHAI_ERR_INIT;
    int rc;

    if (argc != 8) {
        fprintf(stderr, "usage: bench_train IMAGES LABELS ARCH DEVICE THREADS BATCH_SIZE EPOCHS\n");
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
    archai_ini_free(&b.ini);
    archai_dataset_unmap(b.data);
    return archai_rc_exit_status(rc);
}
