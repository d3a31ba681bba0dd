/* tests/support/small_cnn.h - the cnn model and the pictures of data/shim_cnn.safetensors,
 * which PyTorch in Python trained, too. After cmocka.h; setup and teardown of a group are
 * open_small_cnn and close_small_cnn. */
#ifndef ARCHAI_TESTS_SMALL_CNN_H
#define ARCHAI_TESTS_SMALL_CNN_H
#include <stdlib.h>
#include <string.h>

#include "core/search/space.h"
#include "io/dataset/dataset.h"
#include "io/file/tensors.h"
#include "near.h"
#include "shim_device.h"

static archai_tensors golden; /* data/shim_cnn.safetensors */

static inline int open_small_cnn(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (open_device(state) != 0)
        return -1;
    if (archai_safetensors_open(&golden, ARCHAI_TEST_DATA "/shim_cnn.safetensors", &err) == ARCHAI_OK)
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

static inline int close_small_cnn(void **state)
{
    archai_tensors_close(&golden);
    return close_device(state);
}

/* -- a described model -------------------------------------------------------------------- */

typedef struct subject {
    archai_space *space;
    archai_model arch;
    archai_network net;
    shim_model *model;
} subject;

static inline void build(subject *s, const char *space, const archai_data_shape *data,
                         const char *arch, uint64_t seed)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini = {.n = 0};

    memset(s, 0, sizeof *s);
    if (archai_ini_parse(&ini, "test", space, strlen(space), &err) != ARCHAI_OK ||
        archai_space_create(&s->space, &ini, data, &err) != ARCHAI_OK ||
        archai_space_load_arch(s->space, arch, strlen(arch), &s->arch, &err) != ARCHAI_OK ||
        archai_space_describe(s->space, &s->arch, &s->net, &err) != ARCHAI_OK ||
        shim_model_build(&s->model, device, &s->net, seed, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    archai_ini_free(&ini);
}

static inline void destroy(subject *s)
{
    shim_model_destroy(s->model);
    archai_network_fini(&s->net);
    archai_model_fini(&s->arch);
    archai_space_destroy(s->space);
}

/* Tensors of `file` below "<prefix>/", named without it; *n of them. Caller frees the array. */
static inline archai_tensor *tensors_below(const archai_tensors *file, const char *prefix,
                                           size_t *n)
{
    archai_tensor *at = calloc(file->n, sizeof *at);
    const size_t skip = strlen(prefix) + 1;

    assert_non_null(at);
    *n = 0;
    for (size_t i = 0; i < file->n; i++)
        if (strncmp(file->at[i].name, prefix, skip - 1) == 0 &&
            file->at[i].name[skip - 1] == '/') {
            at[*n] = file->at[i];
            at[*n].name += skip;
            (*n)++;
        }
    return at;
}

static inline archai_tensor *golden_below(const char *prefix, size_t *n)
{
    return tensors_below(&golden, prefix, n);
}

static inline const archai_tensor *golden_get(const char *name)
{
    const archai_tensor *t = archai_tensors_find(&golden, name);

    if (t == NULL)
        fail_msg("shim_cnn.safetensors lacks %s", name);
    return t;
}

/* A convolution's bias before a batch norm has gradient 0 in theory and rounding errors in
 * practice. An optimizer that normalises them makes the bias, and the mean that it moves,
 * unpredictable. */
static inline bool is_noise(const char *name)
{
    return strcmp(name, "model.0.bias") == 0 || strcmp(name, "model.3.bias") == 0 ||
           strstr(name, "running_mean") != NULL;
}

/* The model's state_dict has these names, in this order, with these types, shapes and values.
 * With `noise` unset, the values of the tensors that is_noise names do not matter. */
static inline void assert_state(shim_model *m, const archai_tensor *want, size_t n,
                                double tolerance, bool noise)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *got;
    size_t n_got;

    assert_int_equal(shim_model_state(m, &got, &n_got, &err), ARCHAI_OK);
    assert_int_equal(n_got, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(got[i].name, want[i].name);
        assert_int_equal(got[i].dtype, want[i].dtype);
        assert_int_equal(got[i].ndim, want[i].ndim);
        assert_int_equal(got[i].bytes, want[i].bytes);
        assert_memory_equal(got[i].shape, want[i].shape,
                            sizeof *got[i].shape * (size_t)got[i].ndim);
        if (!noise && is_noise(got[i].name))
            continue;
        if (got[i].dtype == ARCHAI_F32)
            assert_near_floats(got[i].data, want[i].data, got[i].bytes / sizeof(float),
                               tolerance);
        else
            assert_memory_equal(got[i].data, want[i].data, got[i].bytes);
    }
}

static const char cnn_space[] = "[space]\nname = cnn\n";
static const archai_data_shape small_data = {
    .channels = 3, .height = 12, .width = 12, .num_classes = 5};
static const char small_arch[] = "{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 8}";

/* A data set in memory as a node's memfd would hold it: train and val of shim_cnn.safetensors.
 */
static inline archai_dataset_header *small_set(void)
{
    enum { IMAGES = 4096, LABELS = 32768, BYTES = 36864 };
    static _Alignas(64) char memory[BYTES];
    archai_dataset_header *h = (archai_dataset_header *)(void *)memory;
    uint64_t image_at = IMAGES, label_at = LABELS;
    const char *const splits[] = {"train", "val"};

    *h = (archai_dataset_header){.version = ARCHAI_DATASET_VERSION,
                                 .image_dtype = ARCHAI_U8,
                                 .label_dtype = ARCHAI_U8,
                                 .channels = 3,
                                 .height = 12,
                                 .width = 12,
                                 .num_classes = 5,
                                 .ignore_index = -1,
                                 .bytes = BYTES};
    for (int i = 0; i < 2; i++) {
        char name[32];
        const archai_tensor *t;

        (void)snprintf(name, sizeof name, "%s/images", splits[i]);
        t = golden_get(name);
        h->split[i] = (archai_dataset_split){t->shape[0], image_at, label_at};
        memcpy(memory + image_at, t->data, t->bytes);
        image_at += t->bytes;
        assert_true(image_at <= LABELS);
        (void)snprintf(name, sizeof name, "%s/labels", splits[i]);
        t = golden_get(name);
        memcpy(memory + label_at, t->data, t->bytes);
        label_at += t->bytes;
    }
    return h;
}
#endif
