/* Data sets: every format into the same layout, the split, and what is said about bad files. */
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
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "io/dataset/dataset.h"
#include "io/file/h5.h"
#include "tmpdir.h"

/* -- files -------------------------------------------------------------------------------------- */

static char path_space[8][TMPDIR_PATH_MAX + 64];

/* A path below the test's directory; eight of them live at once. */
static char *path_of(void **state, const char *name)
{
    static int next;
    char *p = path_space[next++ % 8];

    (void)snprintf(p, sizeof path_space[0], "%s/%s", (const char *)*state, name);
    return p;
}

static void put_file(const char *path, const void *data, size_t n, bool gzip)
{
    gzFile f = gzopen(path, gzip ? "wb" : "wbT"); /* T: plain */

    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)n), n);
    assert_int_equal(gzclose(f), Z_OK);
}

/* IDX of n pictures of h x w whose pixels are all the picture's number. */
static void put_images(const char *path, int n, int h, int w, bool gzip)
{
    const size_t size = (size_t)n * (size_t)h * (size_t)w;
    unsigned char *file = calloc(1, 16 + size);

    assert_non_null(file);
    memcpy(file, (const unsigned char[]){0, 0, 8, 3, 0, 0, (unsigned char)(n >> 8), (unsigned char)n,
                                         0, 0, 0, (unsigned char)h, 0, 0, 0, (unsigned char)w}, 16);
    for (size_t i = 0; i < size; i++)
        file[16 + i] = (unsigned char)(i / ((size_t)h * (size_t)w));
    put_file(path, file, 16 + size, gzip);
    free(file);
}

/* Labels i % classes. */
static void put_labels(const char *path, int n, int classes, bool gzip)
{
    unsigned char file[8 + 4096] = {0, 0, 8, 1, 0, 0, (unsigned char)(n >> 8), (unsigned char)n};

    for (int i = 0; i < n; i++)
        file[8 + i] = (unsigned char)(i % classes);
    put_file(path, file, 8 + (size_t)n, gzip);
}

/* -- [data] ------------------------------------------------------------------------------------- */

/* A configuration with nothing but [data]; freed with archai_ini_free. */
static archai_ini data(const char *text)
{
    archai_ini ini = {.n = 0};

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, strlen(text), NULL), ARCHAI_OK);
    return ini;
}

static void set(archai_ini *ini, const char *key, const char *value)
{
    char text[TMPDIR_PATH_MAX + 128];

    (void)snprintf(text, sizeof text, "data.%s=%s", key, value);
    assert_int_equal(archai_ini_set(ini, text, NULL), ARCHAI_OK);
}

static const char *value(const archai_ini *ini, const char *key)
{
    return archai_ini_find(ini, "data", key)->value;
}

static archai_ini idx_data(void **state)
{
    archai_ini ini = data("[data]\nformat = idx\n");

    set(&ini, "train_images", path_of(state, "images"));
    set(&ini, "train_labels", path_of(state, "labels"));
    return ini;
}

static void probe(archai_ini *ini, archai_data_shape *shape)
{
    archai_dataset_source source;
    archai_dataset_facts facts;
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_dataset_source_open(&source, ini, &err) != ARCHAI_OK ||
        archai_dataset_probe(&source, &facts, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    *shape = facts.shape;
    archai_dataset_source_close(&source);
}

static int load_fd(archai_ini *ini, int *fd, archai_err *err)
{
    archai_dataset_source source;
    int rc = archai_dataset_source_open(&source, ini, err);

    if (rc != ARCHAI_OK)
        return rc;
    rc = archai_dataset_load(&source, fd, err);
    archai_dataset_source_close(&source);
    return rc;
}

/* Load and map; the caller unmaps. */
static const archai_dataset_header *load(archai_ini *ini)
{
    const archai_dataset_header *d = NULL;
    archai_err err = ARCHAI_ERR_INIT;
    int fd = -1;

    if (load_fd(ini, &fd, &err) != ARCHAI_OK || archai_dataset_map(fd, &d, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    (void)close(fd);
    return d;
}

static const unsigned char *image(const archai_dataset_header *d, int split, int64_t i)
{
    return (const unsigned char *)d + d->split[split].images +
           i * d->channels * d->height * d->width;
}

static const unsigned char *label(const archai_dataset_header *d, int split, int64_t i)
{
    return (const unsigned char *)d + d->split[split].labels +
           i * (d->targets == ARCHAI_TARGETS_MASK ? d->height * d->width : 1);
}

/* Both ways into a data set refuse it, in these words. */
static void refuses(archai_ini *ini, int code, const char *says)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_dataset_source source;
    archai_dataset_facts facts;
    int fd = -1;

    if (archai_dataset_source_open(&source, ini, NULL) == ARCHAI_OK) {
        if (archai_dataset_probe(&source, &facts, &err) != ARCHAI_OK) {
            assert_int_equal(err.code, code);
            if (strstr(err.text, says) == NULL)
                fail_msg("'%s' does not say '%s'", err.text, says);
            err = (archai_err)ARCHAI_ERR_INIT;
        }
        archai_dataset_source_close(&source);
    }
    if (load_fd(ini, &fd, &err) != code)
        fail_msg("load gave '%s', expected code %d", err.text, code);
    assert_int_equal(fd, -1);
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, says);
}

/* -- idx ------------------------------------------------------------------------------------------ */

/* Every picture is in exactly one split, with its own label; the split follows the seed alone. */
static void idx_is_split_without_loss(void **state)
{
    archai_ini c = idx_data(state);
    archai_data_shape shape;
    int first_val[2] = {0};

    for (int round = 0; round < 2; round++) {
        const archai_dataset_header *d;
        bool seen[200] = {false};
        int n_seen = 0;

        put_images(value(&c, "train_images"), 200, 5, 7, round == 1);
        put_labels(value(&c, "train_labels"), 200, 9, round == 1);
        probe(&c, &shape);
        assert_int_equal(shape.channels, 1);
        assert_int_equal(shape.height, 5);
        assert_int_equal(shape.width, 7);
        assert_int_equal(shape.num_classes, 9);
        d = load(&c);
        assert_int_equal(d->split[ARCHAI_SPLIT_TRAIN].n, 180);
        assert_int_equal(d->split[ARCHAI_SPLIT_VAL].n, 20);
        assert_int_equal(d->split[ARCHAI_SPLIT_TEST].n, 0);
        for (int s = 0; s < 2; s++)
            for (int64_t i = 0; i < d->split[s].n; i++) {
                const unsigned char *x = image(d, s, i);

                for (int k = 1; k < 35; k++)
                    assert_int_equal(x[k], x[0]);
                assert_int_equal(*label(d, s, i), x[0] % 9);
                assert_false(seen[x[0]]);
                seen[x[0]] = true;
                n_seen++;
            }
        assert_int_equal(n_seen, 200);
        first_val[round] = *image(d, ARCHAI_SPLIT_VAL, 0);
        archai_dataset_unmap(d);
    }
    assert_int_equal(first_val[0], first_val[1]); /* gzip or plain */
    archai_ini_free(&c);
}

/* The pixels of picture i are i: the indices say where each picture of a split came from. */
static void indices_name_the_pictures(void **state)
{
    archai_ini c = idx_data(state);
    const archai_dataset_header *d;
    archai_dataset_source source;
    archai_dataset_facts facts, back;
    char *record, *about = NULL;

    put_images(value(&c, "train_images"), 150, 2, 2, false);
    put_labels(value(&c, "train_labels"), 150, 4, false);
    set(&c, "test_images", path_of(state, "ti"));
    set(&c, "test_labels", path_of(state, "tl"));
    put_images(value(&c, "test_images"), 5, 2, 2, true);
    put_labels(value(&c, "test_labels"), 5, 4, false);
    set(&c, "max_samples", "140");
    set(&c, "seed", "7");
    d = load(&c);
    assert_int_equal(archai_dataset_source_open(&source, &c, NULL), ARCHAI_OK);
    assert_int_equal(archai_dataset_probe(&source, &facts, NULL), ARCHAI_OK);
    record = archai_dataset_record(&facts, d);
    assert_int_equal(archai_dataset_record_read(record, &back, &about, NULL), ARCHAI_OK);
    assert_string_equal(about, "{}");
    assert_int_equal(archai_dataset_record_read("{\"train\": 3}", &back, &about, NULL), ARCHAI_EFORMAT);
    for (int s = 0; s < ARCHAI_SPLIT_COUNT; s++) {
        int64_t *index = NULL;
        size_t n = 0;

        assert_int_equal(archai_dataset_indices(&back, s, &index, &n, NULL), ARCHAI_OK);
        assert_int_equal(n, ((const int[]){126, 14, 5})[s]);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(index[i], *image(d, s, (int64_t)i));
        free(index);
    }
    free(record);
    free(about);
    archai_dataset_source_close(&source);
    archai_dataset_unmap(d);
    archai_ini_free(&c);
}

static void max_samples_takes_the_first(void **state)
{
    archai_ini c = idx_data(state);
    const archai_dataset_header *d;

    put_images(value(&c, "train_images"), 200, 2, 2, false);
    put_labels(value(&c, "train_labels"), 200, 4, false);
    set(&c, "max_samples", "50");
    set(&c, "validation", "0.5");
    d = load(&c);
    assert_int_equal(d->split[ARCHAI_SPLIT_TRAIN].n, 25);
    assert_int_equal(d->split[ARCHAI_SPLIT_VAL].n, 25);
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < 25; i++)
            assert_true(*image(d, s, i) < 50);
    archai_dataset_unmap(d);
    set(&c, "max_samples", "1");
    refuses(&c, ARCHAI_EINVAL, "data.max_samples");
    set(&c, "max_samples", "all");
    set(&c, "validation", "0");
    refuses(&c, ARCHAI_EINVAL, "data.validation");
    archai_ini_free(&c);
}

static void own_validation_and_test_files(void **state)
{
    archai_ini c = idx_data(state);
    const archai_dataset_header *d;

    put_images(value(&c, "train_images"), 10, 2, 2, false);
    put_labels(value(&c, "train_labels"), 10, 4, false);
    set(&c, "val_images", path_of(state, "vi"));
    set(&c, "val_labels", path_of(state, "vl"));
    set(&c, "test_images", path_of(state, "ti"));
    set(&c, "test_labels", path_of(state, "tl"));
    put_images(value(&c, "val_images"), 3, 2, 2, true);
    put_labels(value(&c, "val_labels"), 3, 4, true);
    put_images(value(&c, "test_images"), 5, 2, 2, true);
    put_labels(value(&c, "test_labels"), 5, 4, false);
    d = load(&c);
    assert_int_equal(d->split[ARCHAI_SPLIT_TRAIN].n, 10);
    assert_int_equal(d->split[ARCHAI_SPLIT_VAL].n, 3);
    assert_int_equal(d->split[ARCHAI_SPLIT_TEST].n, 5);
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(*label(d, ARCHAI_SPLIT_TEST, i), i % 4);
    archai_dataset_unmap(d);

    put_labels(value(&c, "val_labels"), 3, 200, true); /* 0 1 2: fine */
    archai_dataset_unmap(load(&c));
    put_labels(value(&c, "train_labels"), 10, 2, false); /* now 2 is no class */
    refuses(&c, ARCHAI_EFORMAT, "label 2 of picture 2, expected 0 to 1");
    put_images(value(&c, "val_images"), 3, 2, 3, true);
    refuses(&c, ARCHAI_EFORMAT, "data.val_images: ");
    set(&c, "val_labels", "");
    refuses(&c, ARCHAI_EINVAL, "data.val_labels: missing");
    archai_ini_free(&c);
}

static void bad_idx_files_are_named(void **state)
{
    archai_ini c = idx_data(state);
    unsigned char file[65536];
    size_t n;
    FILE *f;

    refuses(&c, ARCHAI_ENOTFOUND, "data.train_images: ");
    put_images(value(&c, "train_images"), 100, 8, 8, true);
    refuses(&c, ARCHAI_ENOTFOUND, "data.train_labels: ");
    put_labels(value(&c, "train_labels"), 99, 4, true);
    refuses(&c, ARCHAI_EFORMAT, "99 labels, expected 100");
    put_images(value(&c, "train_labels"), 100, 1, 1, false);
    refuses(&c, ARCHAI_EFORMAT, "starts with 00 00 08 03, expected 00 00 08 01");
    put_labels(value(&c, "train_labels"), 100, 1, true);
    refuses(&c, ARCHAI_EFORMAT, "every label is 0");
    put_labels(value(&c, "train_labels"), 100, 4, true);
    archai_dataset_unmap(load(&c));

    /* A truncated gzip file, at every kind of place. */
    f = fopen(value(&c, "train_images"), "rb");
    assert_non_null(f);
    n = fread(file, 1, sizeof file, f);
    (void)fclose(f);
    for (size_t keep = 3; keep < n; keep += n / 5) {
        f = fopen(value(&c, "train_images"), "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(file, 1, keep, f), keep);
        (void)fclose(f);
        refuses(&c, ARCHAI_EFORMAT, "data.train_images: ");
    }
    /* A damaged one. */
    memset(file + n / 2, 0xa5, 8);
    f = fopen(value(&c, "train_images"), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file, 1, n, f), n);
    (void)fclose(f);
    refuses(&c, ARCHAI_EFORMAT, "data.train_images: ");

    put_images(value(&c, "train_images"), 100, 8, 8, false);
    assert_int_equal(truncate(value(&c, "train_images"), 1000), 0);
    refuses(&c, ARCHAI_EFORMAT, "1000 bytes, expected 6416");
    set(&c, "train_images", *state);
    refuses(&c, ARCHAI_EINVAL, "is a directory, expected a file"); /* bad input: exit code 2 */
    set(&c, "train_images", "");
    refuses(&c, ARCHAI_EINVAL, "data.train_images: missing");
    archai_ini_free(&c);
}

/* -- cifar10 ---------------------------------------------------------------------------------- */

static void cifar10_reads_its_binary_files(void **state)
{
    enum { RECORD = 3073, EACH = 4 };
    archai_ini c = data("[data]\nformat = cifar10\nvalidation = 0.25\nseed = 3\n");
    static unsigned char file[EACH * RECORD];
    const archai_dataset_header *d;
    archai_data_shape shape;

    set(&c, "file", *state);
    refuses(&c, ARCHAI_ENOTFOUND, "data_batch_1.bin");
    for (int b = 1; b <= 6; b++) {
        char name[32];

        for (int i = 0; i < EACH; i++) {
            file[i * RECORD] = (unsigned char)(b % 10);
            for (int k = 0; k < 3072; k++)
                file[i * RECORD + 1 + k] = (unsigned char)(b * 10 + k / 1024); /* by plane */
        }
        (void)snprintf(name, sizeof name, b <= 5 ? "data_batch_%d.bin" : "test_batch.bin", b);
        put_file(path_of(state, name), file, sizeof file, false);
    }
    probe(&c, &shape);
    assert_int_equal(shape.channels, 3);
    assert_int_equal(shape.num_classes, 10);
    d = load(&c);
    assert_int_equal(d->split[ARCHAI_SPLIT_TRAIN].n, 15);
    assert_int_equal(d->split[ARCHAI_SPLIT_VAL].n, 5);
    assert_int_equal(d->split[ARCHAI_SPLIT_TEST].n, 4);
    for (int s = 0; s < ARCHAI_SPLIT_COUNT; s++)
        for (int64_t i = 0; i < d->split[s].n; i++)
            for (int k = 0; k < 3; k++)
                assert_int_equal(image(d, s, i)[k * 1024 + 5], *label(d, s, i) * 10 + k);
    archai_dataset_unmap(d);
    file[0] = 10;
    put_file(path_of(state, "data_batch_3.bin"), file, sizeof file, false);
    refuses(&c, ARCHAI_EFORMAT, "data_batch_3.bin: label 10");
    put_file(path_of(state, "data_batch_2.bin"), file, 100, false);
    refuses(&c, ARCHAI_EFORMAT, "data_batch_2.bin: 100 bytes, expected a multiple of 3073");
    archai_ini_free(&c);
}

/* -- hdf5 ------------------------------------------------------------------------------------- */

static void put_dataset(hid_t file, const char *path, hid_t type, int ndim, const hsize_t *dim,
                        hid_t memory, const void *data)
{
    hid_t lcpl = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(ndim, dim, NULL), set;

    assert_true(H5Pset_create_intermediate_group(lcpl, 1) >= 0);
    set = H5Dcreate2(file, path, type, space, lcpl, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0);
    assert_true(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    archai_h5_release(&set);
    archai_h5_release(&space);
    archai_h5_release(&lcpl);
}

static void hdf5_reads_masks_and_floats(void **state)
{
    enum { N = 6, C = 2, H = 3, W = 4 };
    archai_ini c = data("[data]\nformat = hdf5\n");
    static double images[N][C][H][W];
    static int16_t labels[N][H][W];
    const archai_dataset_header *d;
    hid_t file;

    assert_int_equal(archai_h5_init(NULL), ARCHAI_OK);
    for (int i = 0; i < N * C * H * W; i++)
        (&images[0][0][0][0])[i] = i / 8.0;
    for (int i = 0; i < N * H * W; i++)
        (&labels[0][0][0])[i] = (int16_t)(i % 5 == 4 ? 77 : i % 5);
    set(&c, "file", path_of(state, "d.h5"));
    file = H5Fcreate(value(&c, "file"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    put_dataset(file, "/train/images", H5T_IEEE_F64LE, 4, (const hsize_t[]){N, C, H, W},
                H5T_NATIVE_DOUBLE, images);
    put_dataset(file, "/train/labels", H5T_STD_I16BE, 3, (const hsize_t[]){N, H, W},
                H5T_NATIVE_INT16, labels);
    put_dataset(file, "/val/images", H5T_IEEE_F32LE, 4, (const hsize_t[]){2, C, H, W},
                H5T_NATIVE_DOUBLE, images);
    put_dataset(file, "/val/labels", H5T_STD_I16BE, 3, (const hsize_t[]){2, H, W},
                H5T_NATIVE_INT16, labels);
    assert_true(H5Fclose(file) >= 0); /* HDF5 does not open a file twice in two ways */
    refuses(&c, ARCHAI_ENOTFOUND, "num_classes is missing");
    file = H5Fopen(value(&c, "file"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_int_equal(archai_h5_set_int(file, "num_classes", 4, NULL), ARCHAI_OK);
    assert_true(H5Fclose(file) >= 0);
    refuses(&c, ARCHAI_EFORMAT, "/train/labels: label 77 of picture 0, expected 0 to 3");
    file = H5Fopen(value(&c, "file"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_int_equal(archai_h5_set_int(file, "ignore_index", 77, NULL), ARCHAI_OK);
    assert_true(H5Fclose(file) >= 0);
    d = load(&c);
    assert_int_equal(d->image_dtype, ARCHAI_F32);
    assert_int_equal(d->label_dtype, ARCHAI_I32);
    assert_int_equal(d->ignore_index, 77);
    assert_int_equal(d->targets, ARCHAI_TARGETS_MASK);
    assert_int_equal(d->num_classes, 4);
    assert_int_equal(d->split[ARCHAI_SPLIT_TRAIN].n, N);
    assert_int_equal(d->split[ARCHAI_SPLIT_VAL].n, 2);
    for (int i = 0; i < N * C * H * W; i++)
        assert_true(((const float *)(const void *)image(d, 0, 0))[i] == (float)(i / 8.0));
    for (int i = 0; i < N * H * W; i++)
        assert_int_equal(((const int32_t *)(const void *)label(d, 0, 0))[i], (&labels[0][0][0])[i]);
    archai_dataset_unmap(d);

    file = H5Fopen(value(&c, "file"), H5F_ACC_RDWR, H5P_DEFAULT);
    put_dataset(file, "/test/images", H5T_IEEE_F32LE, 4, (const hsize_t[]){2, C, H, W},
                H5T_NATIVE_DOUBLE, images);
    assert_true(H5Fclose(file) >= 0);
    refuses(&c, ARCHAI_EFORMAT, "/test/labels is missing");
    file = H5Fopen(value(&c, "file"), H5F_ACC_RDWR, H5P_DEFAULT);
    put_dataset(file, "/test/labels", H5T_STD_I16BE, 3, (const hsize_t[]){2, H, W - 1},
                H5T_NATIVE_INT16, labels);
    assert_true(H5Fclose(file) >= 0);
    refuses(&c, ARCHAI_EFORMAT, "/test/labels: masks of 3 x 3, expected 3 x 4");
    file = H5Fopen(value(&c, "file"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Fclose(file) >= 0);
    put_file(value(&c, "file"), "no HDF5", 7, false);
    refuses(&c, ARCHAI_EFORMAT, "data.file: ");
    set(&c, "file", "");
    refuses(&c, ARCHAI_EINVAL, "data.file: missing");
    archai_ini_free(&c);
}

/* -- synthetic ---------------------------------------------------------------------------------- */

static archai_ini synthetic_data(void)
{
    return data("[data]\nsamples = 300\n");
}

/* Same seed, same bytes; fewer pictures are the first of more; all classes occur equally often. */
static void synthetic_follows_its_seed(void **state)
{
    archai_ini c = synthetic_data();
    const archai_dataset_header *a = load(&c), *b = load(&c), *other;
    int count[10] = {0};

    (void)state;
    assert_int_equal(a->bytes, b->bytes);
    assert_memory_equal(a, b, a->bytes);
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < a->split[s].n; i++)
            count[*label(a, s, i)]++;
    for (int k = 0; k < 10; k++)
        assert_int_equal(count[k], 30);
    set(&c, "seed", "2");
    other = load(&c);
    assert_memory_not_equal(image(a, 0, 0), image(other, 0, 0), 784);
    archai_dataset_unmap(other);
    archai_dataset_unmap(b);
    archai_dataset_unmap(a);
    archai_ini_free(&c);
}

static void synthetic_masks_label_every_pixel(void **state)
{
    archai_ini c = synthetic_data();
    const archai_dataset_header *d;
    int64_t count[10] = {0}, pixels;

    (void)state;
    set(&c, "masks", "yes");
    set(&c, "channels", "3");
    set(&c, "width", "40");
    d = load(&c);
    assert_int_equal(d->targets, ARCHAI_TARGETS_MASK);
    pixels = d->split[ARCHAI_SPLIT_TRAIN].n * 28 * 40;
    for (int64_t i = 0; i < pixels; i++) {
        assert_true(*(label(d, 0, 0) + i) < 10);
        count[*(label(d, 0, 0) + i)]++;
    }
    assert_true(count[0] > pixels / 4); /* background */
    for (int k = 1; k < 10; k++)
        assert_true(count[k] > 0);
    archai_dataset_unmap(d);
    set(&c, "classes", "18");
    refuses(&c, ARCHAI_EINVAL, "data.classes: 18 is outside 2..17");
    set(&c, "masks", "no");
    set(&c, "classes", "1");
    refuses(&c, ARCHAI_EINVAL, "data.classes: 1 is outside 2..17");
    set(&c, "classes", "17");
    refuses(&c, ARCHAI_EINVAL, "data.classes: 17, expected 2 to 16");
    archai_ini_free(&c);
}

/* -- the memfd ---------------------------------------------------------------------------------- */

static void nobody_can_change_it(void **state)
{
    archai_ini c = synthetic_data();
    int fd = -1;

    (void)state;
    assert_int_equal(load_fd(&c, &fd, NULL), ARCHAI_OK);
    assert_true(pwrite(fd, "x", 1, 0) < 0);
    assert_int_not_equal(ftruncate(fd, 0), 0);
    assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    (void)close(fd);
    archai_ini_free(&c);
}

/* Damage the header in every field: it is noticed, or changes nothing that matters. */
static void damaged_headers_are_refused(void **state)
{
    archai_ini c = synthetic_data();
    const archai_dataset_header *good = load(&c), *d = NULL;
    archai_err err = ARCHAI_ERR_INIT;
    archai_dataset_header h;
    int fd;

    (void)state;
#define DAMAGED(change)                                                                            \
    h = *good;                                                                                     \
    change;                                                                                        \
    fd = memfd_create("damaged", MFD_CLOEXEC);                                                     \
    assert_int_equal(ftruncate(fd, (off_t)good->bytes), 0);                                        \
    assert_int_equal(pwrite(fd, &h, sizeof h, 0), sizeof h);                                       \
    if (archai_dataset_map(fd, &d, &err) != ARCHAI_EFORMAT)                                        \
        fail_msg("not refused: %s", #change);                                                      \
    (void)close(fd);
    DAMAGED(h.magic[0] = 'X')
    DAMAGED(h.version = 1)
    DAMAGED(h.bytes += 64)
    DAMAGED(h.image_dtype = ARCHAI_I64)
    DAMAGED(h.label_dtype = 99)
    DAMAGED(h.channels = 0)
    DAMAGED(h.channels = INT32_MAX)
    DAMAGED(h.height = -5)
    DAMAGED(h.num_classes = 0)
    DAMAGED(h.targets = -1)
    DAMAGED(h.targets = ARCHAI_TARGETS_COUNT)
    DAMAGED(h.targets = ARCHAI_TARGETS_NEXT_TOKEN)
    DAMAGED(h.targets = ARCHAI_TARGETS_NUMBERS)
    DAMAGED(h.tokens = 5)
    DAMAGED(h.features = 5)
    DAMAGED(h.about = 1)
    DAMAGED(h.about = h.bytes)
    DAMAGED(h.split[0].n = -1)
    DAMAGED(h.split[0].n = INT64_MAX)
    DAMAGED(h.split[1].images = h.bytes)
    DAMAGED(h.split[1].images = UINT64_MAX - 8)
    DAMAGED(h.split[0].labels = 0)
    DAMAGED(h.split[0].images += 1)
#undef DAMAGED
    fd = memfd_create("short", MFD_CLOEXEC);
    assert_int_equal(archai_dataset_map(fd, &d, &err), ARCHAI_EFORMAT);
    (void)close(fd);
    archai_dataset_unmap(good);
    archai_ini_free(&c);
}

#define IN_TMPDIR(test) cmocka_unit_test_setup_teardown(test, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TMPDIR(idx_is_split_without_loss),
        IN_TMPDIR(indices_name_the_pictures),
        IN_TMPDIR(max_samples_takes_the_first),
        IN_TMPDIR(own_validation_and_test_files),
        IN_TMPDIR(bad_idx_files_are_named),
        IN_TMPDIR(cifar10_reads_its_binary_files),
        IN_TMPDIR(hdf5_reads_masks_and_floats),
        cmocka_unit_test(synthetic_follows_its_seed),
        cmocka_unit_test(synthetic_masks_label_every_pixel),
        cmocka_unit_test(nobody_can_change_it),
        cmocka_unit_test(damaged_headers_are_refused),
    };

    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
