/* io/dataset/format/numbers.c - tables: a row of numbers, and a class or numbers to predict from it.
 *
 * CSV with a header, a file for each split; or one HDF5 file with /train/features [N,D], /train/labels and
 * so on (hdf5_part.h). Columns are standardised with the mean and the deviation (of the population) of the
 * training rows, which go into the results. What is kept until these are known are differences from the
 * first training row: float32 has too few digits for a column such as a time.
 */
#include "io/dataset/format/numbers.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/dataset/format/hdf5_part.h"
#include "io/file/file.h"

enum { MAX_FEATURES = 1 << 16, CHUNK = 1 << 17 /* numbers */ };

typedef struct numbers_settings {
    char *file[ARCHAI_SPLIT_COUNT];
    archai_numbers_wish wish;
    bool standardize;
} numbers_settings;

/* clang-format off */
#define AT(member) offsetof(numbers_settings, member)

static const archai_option numbers_options[] = {
    {"file",        ARCHAI_OPT_STRING,  AT(file[ARCHAI_SPLIT_TRAIN]), 0, 0, "", "", NULL, "CSV file of the training rows, or an HDF5 file of all"},
    {"val_file",    ARCHAI_OPT_STRING,  AT(file[ARCHAI_SPLIT_VAL]),   0, 0, "", "", NULL, "CSV file of the rows to validate on; empty: split off the training rows"},
    {"test_file",   ARCHAI_OPT_STRING,  AT(file[ARCHAI_SPLIT_TEST]),  0, 0, "", "", NULL, "CSV file of rows that no search sees"},
    {"target",      ARCHAI_OPT_STRINGS, AT(wish.target),      0, 0, "", "", NULL, "column to predict; with targets = real, perhaps several (CSV)"},
    {"targets",     ARCHAI_OPT_CHOICE,  AT(wish.targets),     0, 0, "class", "", "class real", "what the column holds (CSV)"},
    {"columns",     ARCHAI_OPT_STRINGS, AT(wish.columns),     0, 0, "", "", NULL, "columns to predict from; empty: all others (CSV)"},
    {"standardize", ARCHAI_OPT_BOOL,    AT(standardize),      0, 0, "yes", "", NULL, "subtract each column's mean, divide by its deviation"},
    ARCHAI_OPTION_END,
};
#undef AT
/* clang-format on */

static void numbers_check(const archai_dataset_source *source, archai_check *c)
{
    const numbers_settings *s = source->settings;

    archai_check_given(c, "file", s->file[ARCHAI_SPLIT_TRAIN], "format",
                       "missing, format = numbers needs the path of a CSV or HDF5 file");
    if (s->wish.targets == ARCHAI_NUMBERS_CLASS && s->wish.target.n > 1)
        archai_check_fail(c, "target", NULL, "%zu columns, expected one with targets = class",
                          s->wish.target.n);
}

/* The key that names the file of a split. */
static const char *key_of(int split)
{
    return numbers_options[split].key;
}

static int is_hdf5(const numbers_settings *s, bool *out, archai_err *err)
{
    const char *path = s->file[ARCHAI_SPLIT_TRAIN];
    char start[8] = "";
    FILE *f;

    ARCHAI_TRY(archai_err_wrap(err, archai_file_check(path, err), "data.file: "));
    f = fopen(path, "rbe");
    *out = f != NULL && fread(start, sizeof start, 1, f) == 1 &&
           memcmp(start, "\x89HDF\r\n\x1a\n", sizeof start) == 0;
    if (f != NULL)
        (void)fclose(f);
    return ARCHAI_OK;
}

static int read_csv(const numbers_settings *s, int split, const archai_numbers *like, size_t most,
                    archai_numbers *out, archai_err *err)
{
    return archai_err_wrap(err,
                           archai_numbers_read(out, s->file[split], &s->wish, like, most, err),
                           "data.%s: ", key_of(split));
}

/* -- plan ---------------------------------------------------------------------------------- */

static int plan_csv(const numbers_settings *s, archai_dataset_plan *p, archai_err *err)
{
    archai_numbers train, other;
    int rc = ARCHAI_OK;

    if (s->wish.target.n == 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "data.target: missing, expected the name of the column to predict");
    ARCHAI_TRY(read_csv(s, ARCHAI_SPLIT_TRAIN, NULL, SIZE_MAX, &train, err));
    p->n[ARCHAI_SPLIT_TRAIN] = (int64_t)train.n;
    p->features = (int)train.d;
    p->targets = train.k > 0 ? ARCHAI_TARGETS_NUMBERS : ARCHAI_TARGETS_CLASS;
    p->num_classes = (int)(train.k > 0 ? train.k : train.classes.n);
    p->label_dtype = train.k > 0 ? ARCHAI_F32 : train.classes.n <= 256 ? ARCHAI_U8 : ARCHAI_I32;
    for (int i = ARCHAI_SPLIT_TRAIN + 1; rc == ARCHAI_OK && i < ARCHAI_SPLIT_COUNT; i++) {
        if (s->file[i][0] == '\0')
            continue;
        rc = read_csv(s, i, &train, SIZE_MAX, &other, err);
        if (rc != ARCHAI_OK)
            break;
        p->n[i] = (int64_t)other.n;
        archai_numbers_free(&other);
    }
    archai_numbers_free(&train);
    return rc;
}

static int plan_hdf5_split(hid_t file, int split, archai_dataset_plan *p, archai_err *err)
{
    archai_hdf5_part x;

    if (split != ARCHAI_SPLIT_TRAIN && !archai_hdf5_has_split(file, split))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_hdf5_look(file, split, "features", &x, err));
    if (x.ndim != 2 || x.dim[0] < 1 || x.dim[0] > INT32_MAX || x.dim[1] < 1 ||
        x.dim[1] > MAX_FEATURES ||
        (split != ARCHAI_SPLIT_TRAIN && x.dim[1] != (hsize_t)p->features))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "features of split %d: %d dimensions, the second of %llu, expected [N,D] as in "
                           "/train/features",
                           split, x.ndim, (unsigned long long)x.dim[1]);
    p->features = (int)x.dim[1];
    p->n[split] = (int64_t)x.dim[0];
    return archai_hdf5_plan_labels(file, split, x.dim[0], p, err);
}

static int plan_hdf5(const numbers_settings *s, archai_dataset_plan *p, archai_err *err)
{
    const char *path = s->file[ARCHAI_SPLIT_TRAIN];
    hid_t file = H5I_INVALID_HID;
    int rc = ARCHAI_OK;

    for (int i = ARCHAI_SPLIT_TRAIN + 1; i < ARCHAI_SPLIT_COUNT; i++)
        if (s->file[i][0] != '\0')
            return archai_fail(err, ARCHAI_EINVAL,
                               "data.%s: an HDF5 file holds all splits, expected none beside it",
                               key_of(i));
    ARCHAI_TRY(archai_hdf5_open(path, &file, err));
    for (int i = 0; rc == ARCHAI_OK && i < ARCHAI_SPLIT_COUNT; i++)
        rc = plan_hdf5_split(file, i, p, err);
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_plan_classes(file, p, err);
    archai_h5_release(&file);
    p->note[0] = '\0'; /* float64 is what is read here */
    return archai_err_wrap(err, rc, "data.file: %s: ", path);
}

static int numbers_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                        archai_err *err)
{
    bool hdf5;

    ARCHAI_TRY(is_hdf5(source->settings, &hdf5, err));
    out->image_dtype = ARCHAI_F32;
    return hdf5 ? plan_hdf5(source->settings, out, err) : plan_csv(source->settings, out, err);
}

/* -- read ---------------------------------------------------------------------------------- */

/* Rows [n,d] as differences from `base`; ARCHAI_EFORMAT names the first that is not finite. */
static int take_rows(const double *rows, size_t first, size_t n, size_t d, const double *base, float *out,
                     archai_err *err)
{
    for (size_t i = 0; i < n * d; i++) {
        out[i] = (float)(rows[i] - base[i % d]);
        if (!isfinite(out[i]))
            return archai_fail(err, ARCHAI_EFORMAT, "row %zu, column %zu is %g", first + i / d, i % d,
                               rows[i]);
    }
    return ARCHAI_OK;
}

static int fill_csv(const numbers_settings *s, const archai_dataset_plan *p, int split,
                    const archai_numbers *train, const archai_numbers *t, float *rows, void *labels,
                    archai_err *err)
{
    const size_t n = (size_t)p->n[split], k = train->k;
    double *base = archai_calloc(train->d, sizeof *base);
    int rc;

    if (t->n < n || t->d != (size_t)p->features || train->k != t->k ||
        (k > 0 ? k : train->classes.n) != (size_t)p->num_classes) {
        free(base);
        return archai_fail(err, ARCHAI_EFORMAT, "data.%s: %s: changed while it was read", key_of(split),
                           s->file[split]);
    }
    if (s->standardize)
        memcpy(base, train->features, train->d * sizeof *base);
    rc = take_rows(t->features, 0, n, t->d, base, rows, err);
    for (size_t i = 0; i < n * k; i++)
        ((float *)labels)[i] = (float)t->targets[i];
    for (size_t i = 0; k == 0 && i < n; i++)
        if (p->label_dtype == ARCHAI_U8)
            ((uint8_t *)labels)[i] = (uint8_t)t->label[i];
        else
            ((int32_t *)labels)[i] = t->label[i];
    free(base);
    return archai_err_wrap(err, rc, "data.%s: %s: ", key_of(split), s->file[split]);
}

static int read_csv_split(const numbers_settings *s, const archai_dataset_plan *p, int split,
                          float *rows, void *labels, archai_err *err)
{
    archai_numbers train, other = {.n = 0};
    int rc;

    ARCHAI_TRY(read_csv(s, ARCHAI_SPLIT_TRAIN, NULL, SIZE_MAX, &train, err));
    rc = split == ARCHAI_SPLIT_TRAIN ? ARCHAI_OK : read_csv(s, split, &train, SIZE_MAX, &other, err);
    if (rc == ARCHAI_OK)
        rc = fill_csv(s, p, split, &train, split == ARCHAI_SPLIT_TRAIN ? &train : &other, rows, labels,
                      err);
    archai_numbers_free(&other);
    archai_numbers_free(&train);
    return rc;
}

/* The first training row, which the others are differences from. */
static int first_row(hid_t file, size_t d, double *out, archai_err *err)
{
    const archai_hdf5_part one = {2, {1, d}, ARCHAI_F64, true};

    return archai_hdf5_read(file, ARCHAI_SPLIT_TRAIN, "features", 0, &one, out, err);
}

static int read_hdf5_split(const numbers_settings *s, const archai_dataset_plan *p, int split,
                           float *rows, void *labels, archai_err *err)
{
    const size_t n = (size_t)p->n[split], d = (size_t)p->features, step = CHUNK / d + 1;
    double *base = archai_calloc(d, sizeof *base), *chunk = archai_malloc(step * d * sizeof *chunk);
    hid_t file = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_hdf5_open(s->file[ARCHAI_SPLIT_TRAIN], &file, err), out);
    if (s->standardize)
        ARCHAI_TRY_GOTO(rc, first_row(file, d, base, err), out);
    for (size_t i = 0; rc == ARCHAI_OK && i < n; i += step) {
        const archai_hdf5_part part = {2, {n - i < step ? n - i : step, d}, ARCHAI_F64, true};

        rc = archai_hdf5_read(file, split, "features", i, &part, chunk, err);
        if (rc == ARCHAI_OK)
            rc = take_rows(chunk, i, part.dim[0], d, base, rows + i * d, err);
    }
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_read_labels(file, split, p, labels, err);
    rc = archai_err_wrap(err, rc, "data.file: %s: ", s->file[ARCHAI_SPLIT_TRAIN]);
out:
    archai_h5_release(&file);
    free(chunk);
    free(base);
    return rc;
}

static int numbers_read(const archai_dataset_source *source, const archai_dataset_plan *p, int split,
                        void *images, void *labels, archai_err *err)
{
    bool hdf5;

    ARCHAI_TRY(is_hdf5(source->settings, &hdf5, err));
    return (hdf5 ? read_hdf5_split : read_csv_split)(source->settings, p, split, images, labels, err);
}

/* -- standardising ------------------------------------------------------------------------- */

/* Mean and deviation of each column of the training rows; a column that is constant is only moved. */
static void measure(const float *rows, size_t n, size_t d, double *mean, double *deviation)
{
    memset(mean, 0, d * sizeof *mean);
    memset(deviation, 0, d * sizeof *deviation);
    for (size_t i = 0; i < n * d; i++)
        mean[i % d] += rows[i];
    for (size_t c = 0; c < d; c++)
        mean[c] /= (double)n;
    for (size_t i = 0; i < n * d; i++)
        deviation[i % d] += (rows[i] - mean[i % d]) * (rows[i] - mean[i % d]);
    for (size_t c = 0; c < d; c++) {
        deviation[c] = sqrt(deviation[c] / (double)n);
        deviation[c] = deviation[c] > 0 ? deviation[c] : 1;
    }
}

static void put_numbers(json_t *about, const char *key, const double *at, const double *base, size_t n)
{
    json_t *list = archai_there(json_array());

    for (size_t i = 0; i < n; i++)
        archai_must_have(
            json_array_append_new(list, archai_there(json_real(at[i] + (base != NULL ? base[i] : 0)))) == 0);
    archai_must_have(json_object_set_new(about, key, list) == 0);
}

static void put_names(json_t *about, const char *key, const archai_strings *names)
{
    json_t *list = archai_there(json_array());

    for (size_t i = 0; i < names->n; i++) {
        json_t *name = json_string(names->at[i]); /* NULL: not UTF-8 */

        archai_must_have(
            json_array_append_new(list, name != NULL ? name : archai_there(json_string("?"))) == 0);
    }
    if (names->n > 0)
        archai_must_have(json_object_set_new(about, key, list) == 0);
    else
        json_decref(list);
}

/* What the training file says beside the rows: the first one, and the names. */
static int look_again(const numbers_settings *s, size_t d, double *base, json_t *about, archai_err *err)
{
    archai_numbers train;
    hid_t file = H5I_INVALID_HID;
    bool hdf5;
    int rc;

    ARCHAI_TRY(is_hdf5(s, &hdf5, err));
    if (hdf5) {
        ARCHAI_TRY(archai_hdf5_open(s->file[ARCHAI_SPLIT_TRAIN], &file, err));
        rc = first_row(file, d, base, err);
        archai_h5_release(&file);
        return archai_err_wrap(err, rc, "data.file: %s: ", s->file[ARCHAI_SPLIT_TRAIN]);
    }
    ARCHAI_TRY(read_csv(s, ARCHAI_SPLIT_TRAIN, NULL,
                        s->wish.targets == ARCHAI_NUMBERS_CLASS ? SIZE_MAX : 1, &train, err));
    put_names(about, "features", &train.feature_names);
    put_names(about, "targets", &s->wish.target);
    put_names(about, "class_names", &train.classes);
    rc = train.d == d ? ARCHAI_OK
                      : archai_fail(err, ARCHAI_EFORMAT, "data.file: %s: changed while it was read",
                                    s->file[ARCHAI_SPLIT_TRAIN]);
    memcpy(base, train.features, (rc == ARCHAI_OK ? d : 0) * sizeof *base);
    archai_numbers_free(&train);
    return rc;
}

static int numbers_finish(const archai_dataset_source *source, const archai_dataset_header *h,
                          char *base, json_t *about, archai_err *err)
{
    const numbers_settings *s = source->settings;
    const size_t d = (size_t)h->features;
    double *first = archai_malloc(3 * d * sizeof *first), *mean = first + d, *deviation = mean + d;
    int rc = look_again(s, d, first, about, err);

    if (rc == ARCHAI_OK && s->standardize) {
        measure((const float *)(const void *)(base + h->split[ARCHAI_SPLIT_TRAIN].images),
                (size_t)h->split[ARCHAI_SPLIT_TRAIN].n, d, mean, deviation);
        for (int k = 0; k < ARCHAI_SPLIT_COUNT; k++) {
            float *rows = (float *)(void *)(base + h->split[k].images);

            for (size_t i = 0; i < (size_t)h->split[k].n * d; i++)
                rows[i] = (float)((rows[i] - mean[i % d]) / deviation[i % d]);
        }
        put_numbers(about, "feature_means", mean, first, d);
        put_numbers(about, "feature_deviations", deviation, NULL, d);
    }
    free(first);
    return rc;
}

const archai_dataset_format archai_dataset_numbers = {
    .name = "numbers",
    .help = "tables in CSV or HDF5",
    .options = numbers_options,
    .settings_size = sizeof(numbers_settings),
    .check = numbers_check,
    .plan = numbers_plan,
    .read = numbers_read,
    .finish = numbers_finish,
};
