/* Checkpoints: what was written comes back, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file/checkpoint.h"
#include "tmpdir.h"

enum { EPOCH = 2, EPOCHS = 6 };
static const char arch_text[] = "{\"nb_layers\": 3}";

static archai_trial candidate(int64_t id)
{
    archai_trial c = {
        .id = id, .seed = UINT64_C(0xfedcba9876543210), .budget = EPOCHS, .generation = 4};

    assert_int_equal(
        archai_model_init(&c.model, json_object(), "L=3", NULL, NULL),
        ARCHAI_OK);
    c.arch = strdup(arch_text);
    c.parents = strdup("[\"L=2\"]");
    c.operator_ = strdup("mutation");
    c.metadata = strdup("{\"a\": 1}");
    return c;
}

static float weights[6] = {1, -2, 3.5f, INFINITY, 0, 1e-30f};
static int64_t step = 77;
static char weight_name[] = "model.0.weight", step_name[] = "archai:step", loss[] = "val_loss",
            accuracy[] = "val_accuracy";
static const archai_tensor state[] = {
    {.name = weight_name,
     .dtype = ARCHAI_F32,
     .ndim = 2,
     .shape = {2, 3},
     .data = weights,
     .bytes = sizeof weights},
    {.name = step_name, .dtype = ARCHAI_I64, .ndim = 0, .data = &step, .bytes = sizeof step},
};

static void leave(const char *directory, const archai_trial *c, int64_t epoch)
{
    float losses[EPOCHS] = {0.5f, 0.25f, 9, 9, 9, 9},
          accuracies[EPOCHS] = {0.1f, 0.2f, 9, 9, 9, 9};
    const archai_curve curves[] = {{loss, losses, EPOCHS}, {accuracy, accuracies, EPOCHS}};
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_checkpoint_write(directory, c, epoch, EPOCHS, 12.25, state, 2, curves, 2,
                                &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

static void comes_back(void **payload)
{
    const char *directory = *payload;
    archai_trial c = candidate(7), other = candidate(7), back = {.id = -1};
    archai_checkpoint k = {.id = -1};
    const archai_tensor *t;
    float v[EPOCH];

    leave(directory, &c, 1);
    leave(directory, &c, EPOCH); /* takes the first one's place */
    assert_int_equal(archai_checkpoint_open(&k, directory, 7, NULL), ARCHAI_OK);
    assert_int_equal(k.id, 7);
    assert_int_equal(k.epoch, EPOCH);
    assert_int_equal(k.epochs, EPOCHS);
    assert_true(k.seed == c.seed);
    assert_true(k.train_seconds == 12.25);
    t = archai_tensors_find(&k.file, weight_name);
    assert_non_null(t);
    assert_int_equal(t->ndim, 2);
    assert_int_equal(t->shape[1], 3);
    assert_memory_equal(t->data, weights, sizeof weights);
    assert_memory_equal(archai_tensors_find(&k.file, step_name)->data, &step, sizeof step);
    t = archai_tensors_find(&k.file, "archai:curve:val_loss");
    assert_int_equal(t->bytes, sizeof v); /* as far as epochs are done */
    memcpy(v, t->data, sizeof v);
    assert_true(v[0] == 0.5f && v[1] == 0.25f);

    assert_int_equal(archai_checkpoint_candidate(&k, &back, NULL), ARCHAI_OK);
    assert_int_equal(back.id, 7);
    assert_string_equal(back.arch, arch_text);
    assert_string_equal(back.model.archid, "L=3");
    assert_string_equal(back.parents, c.parents);
    assert_string_equal(back.operator_, "mutation");
    assert_int_equal(back.generation, 4);
    assert_string_equal(back.metadata, c.metadata);

    /* of this very candidate, and no other */
    assert_true(archai_checkpoint_is_of(&k, &c));
    other.seed++;
    assert_false(archai_checkpoint_is_of(&k, &other));
    other.seed--;
    other.arch[2]++;
    assert_false(archai_checkpoint_is_of(&k, &other));
    other.arch[2]--;
    other.id++;
    assert_false(archai_checkpoint_is_of(&k, &other));
    archai_trial_fini(&back);
    archai_trial_fini(&other);
    archai_trial_fini(&c);
    archai_checkpoint_close(&k);
    archai_checkpoint_close(&k); /* again */
}

static void touch(const char *directory, const char *name)
{
    char path[TMPDIR_PATH_MAX];
    int fd;

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_CREAT | O_WRONLY, 0666);
    assert_true(fd >= 0);
    (void)close(fd);
}

static bool exists(const char *directory, const char *name)
{
    char path[TMPDIR_PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static void lists_and_sweeps(void **payload)
{
    static const char *const foreign[] = {"checkpoint-x.safetensors",
                                          "checkpoint--1.safetensors", "checkpoint-1.pt",
                                          "results.h5"};
    const char *directory = *payload;
    archai_trial c;
    int64_t *ids;
    size_t n;

    for (int64_t id = 12; id > 0; id -= 5) {
        c = candidate(id);
        leave(directory, &c, EPOCH);
        archai_trial_fini(&c);
    }
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        touch(directory, foreign[i]);
    touch(directory, "checkpoint-5.safetensors.123-abcdef");
    assert_int_equal(archai_checkpoints_list(directory, &ids, &n, NULL), ARCHAI_OK);
    assert_int_equal(n, 3);
    assert_true(ids[0] == 2 && ids[1] == 7 && ids[2] == 12);
    free(ids);
    archai_checkpoint_remove(directory, 7);
    archai_checkpoint_remove(directory, 7); /* there is none */
    archai_checkpoints_sweep(directory, true);
    assert_false(exists(directory, "checkpoint-5.safetensors.123-abcdef"));
    assert_true(exists(directory, "checkpoint-2.safetensors"));
    assert_false(exists(directory, "checkpoint-7.safetensors"));
    archai_checkpoints_sweep(directory, false);
    assert_int_equal(archai_checkpoints_list(directory, &ids, &n, NULL), ARCHAI_OK);
    assert_int_equal(n, 0);
    free(ids);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        assert_true(exists(directory, foreign[i]));
    assert_int_equal(archai_checkpoints_list("/nonexistent", &ids, &n, NULL), ARCHAI_EIO);
}

static void file_path(char path[TMPDIR_PATH_MAX], const char *directory, int64_t id)
{
    (void)snprintf(path, TMPDIR_PATH_MAX, "%s/checkpoint-%lld.safetensors", directory, (long long)id);
}

/* A checkpoint from bytes in memory, judged as archai_checkpoint_open does: a type of tensors that is not known is damage. */
static int parse(archai_checkpoint *out, const void *bytes, size_t size, archai_err *err)
{
    archai_checkpoint k = {.id = -1};
    int rc = archai_safetensors_parse(&k.file, bytes, size, err);

    if (rc == ARCHAI_ENOTSUP)
        rc = ARCHAI_EFORMAT;
    if (rc == ARCHAI_OK)
        rc = archai_checkpoint_check(&k, err);
    if (rc == ARCHAI_OK)
        *out = k;
    else
        archai_checkpoint_close(&k);
    return rc;
}

static uint8_t *contents(const char *directory, int64_t id, size_t *size)
{
    char path[TMPDIR_PATH_MAX];
    struct stat st;
    uint8_t *bytes;
    int fd;

    file_path(path, directory, id);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    *size = (size_t)st.st_size;
    bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, *size), st.st_size);
    (void)close(fd);
    return bytes;
}

/* One bit, anywhere but in the blanks that pad the header: seen. */
static void damage_is_seen(void **payload)
{
    const char *directory = *payload;
    archai_trial c = candidate(3);
    archai_checkpoint k = {.id = -1};
    archai_err err = ARCHAI_ERR_INIT;
    size_t size;
    uint8_t *bytes;
    uint64_t head;

    leave(directory, &c, EPOCH);
    bytes = contents(directory, 3, &size);
    assert_int_equal(parse(&k, bytes, size, &err), ARCHAI_OK);
    archai_checkpoint_close(&k);
    memcpy(&head, bytes, sizeof head);
    for (size_t i = 0; i < size; i++) {
        if (i < 8 + head && bytes[i] == ' ')
            continue;
        bytes[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(parse(&k, bytes, size, &err), ARCHAI_EFORMAT);
        bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t n = 0; n < size; n++)
        assert_int_equal(parse(&k, bytes, n, NULL), ARCHAI_EFORMAT);
    free(bytes);
    archai_trial_fini(&c);

    assert_int_equal(archai_checkpoint_open(&k, directory, 4, &err), ARCHAI_ENOTFOUND);
    touch(directory, "checkpoint-4.safetensors");
    assert_int_equal(archai_checkpoint_open(&k, directory, 4, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "checkpoint-4.safetensors"));
}

/* Epochs that cannot be, under a right checksum. */
static void nonsense_is_refused(void **payload)
{
    static const int64_t epochs[] = {0, -1, EPOCHS + 1};
    const char *directory = *payload;
    archai_trial c = candidate(1);
    archai_checkpoint k = {.id = -1};
    archai_err err = ARCHAI_ERR_INIT;

    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++) {
        const int64_t about[] = {1, (int64_t)c.seed, epochs[i], EPOCHS};
        size_t size;
        uint8_t *bytes, *at;
        int64_t sum;

        leave(directory, &c, EPOCH);
        bytes = contents(directory, 1, &size);
        assert_int_equal(parse(&k, bytes, size, NULL), ARCHAI_OK);
        at = bytes +
             ((const uint8_t *)archai_tensors_find(&k.file, "archai:about")->data - bytes);
        memcpy(at, about, sizeof about);
        sum = archai_checkpoint_sum(k.file.at, k.file.n - 1);
        at =
            bytes + ((const uint8_t *)archai_tensors_find(&k.file, "archai:crc")->data - bytes);
        memcpy(at, &sum, sizeof sum);
        archai_checkpoint_close(&k);
        assert_int_equal(parse(&k, bytes, size, &err), ARCHAI_EFORMAT);
        assert_non_null(strstr(err.text, "epoch"));
        free(bytes);
    }
    archai_trial_fini(&c);
    c = candidate(1);
    assert_int_equal(
        archai_checkpoint_write("/nonexistent", &c, 1, 1, 0, state, 2, NULL, 0, &err),
        ARCHAI_EIO);
    assert_non_null(strstr(err.text, "/nonexistent/checkpoint-1.safetensors"));
    archai_trial_fini(&c);
}

/* Whoever may read the results may go on with a training, too. */
static void is_as_open_as_the_umask_allows(void **payload)
{
    const mode_t before = umask(027);
    archai_trial c = candidate(3);
    struct stat st;
    char path[TMPDIR_PATH_MAX];

    leave(*payload, &c, 1);
    (void)umask(before);
    file_path(path, *payload, 3);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    archai_trial_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(lists_and_sweeps, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(damage_is_seen, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(nonsense_is_refused, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(is_as_open_as_the_umask_allows, tmpdir_setup, tmpdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
