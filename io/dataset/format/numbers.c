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

typedef archai_numbers_settings numbers_settings;

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

int archai_numbers_is_hdf5(const numbers_settings *s, bool *out, archai_err *err)
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

int archai_numbers_csv(const numbers_settings *s, int split, const archai_numbers *like, size_t most,
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
    ARCHAI_TRY(archai_numbers_csv(s, ARCHAI_SPLIT_TRAIN, NULL, SIZE_MAX, &train, err));
    p->n[ARCHAI_SPLIT_TRAIN] = (int64_t)train.n;
    p->features = (int)train.d;
    p->targets = train.k > 0 ? ARCHAI_TARGETS_NUMBERS : ARCHAI_TARGETS_CLASS;
    p->num_classes = (int)(train.k > 0 ? train.k : train.classes.n);
    p->label_dtype = train.k > 0 ? ARCHAI_F32 : train.classes.n <= 256 ? ARCHAI_U8 : ARCHAI_I32;
    for (int i = ARCHAI_SPLIT_TRAIN + 1; rc == ARCHAI_OK && i < ARCHAI_SPLIT_COUNT; i++) {
        if (s->file[i][0] == '\0')
            continue;
        rc = archai_numbers_csv(s, i, &train, SIZE_MAX, &other, err);
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
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_together(file, "features", &p->together, err);
    archai_h5_release(&file);
    p->note[0] = '\0'; /* float64 is what is read here */
    return archai_err_wrap(err, rc, "data.file: %s: ", path);
}

static int numbers_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                        archai_err *err)
{
    bool hdf5;

    ARCHAI_TRY(archai_numbers_is_hdf5(source->settings, &hdf5, err));
    out->image_dtype = ARCHAI_F32;
    if (!hdf5)
        out->held = "a CSV table is read as a whole; one in HDF5 is not";
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

typedef struct numbers_reader {
    bool is_csv;
    archai_numbers train, table; /* owned; of a CSV file; train: its classes and first row */
    hid_t file;                  /* owned; of HDF5 */
    archai_hdf5_array features, labels;
    double *base; /* owned: the first training row, which the others are differences from; else zeros */
} numbers_reader;

static void numbers_close(archai_dataset_reader *r)
{
    numbers_reader *own = r->own;

    archai_numbers_free(&own->train);
    archai_numbers_free(&own->table);
    archai_hdf5_array_close(&own->features);
    archai_hdf5_array_close(&own->labels);
    archai_h5_release(&own->file);
    free(own->base);
    free(own);
    r->own = NULL;
}

static int open_csv(const archai_dataset_reader *r, numbers_reader *own, archai_err *err)
{
    const numbers_settings *s = r->source->settings;
    const archai_dataset_plan *p = r->plan;
    const int split = r->split;
    const archai_numbers *t = &own->train;

    ARCHAI_TRY(archai_numbers_csv(s, ARCHAI_SPLIT_TRAIN, NULL, SIZE_MAX, &own->train, err));
    if (split != ARCHAI_SPLIT_TRAIN) {
        ARCHAI_TRY(archai_numbers_csv(s, split, &own->train, SIZE_MAX, &own->table, err));
        t = &own->table;
    }
    if (t->n < (size_t)p->n[split] || t->d != (size_t)p->features || own->train.k != t->k ||
        (t->k > 0 ? t->k : own->train.classes.n) != (size_t)p->num_classes)
        return archai_fail(err, ARCHAI_EFORMAT, "data.%s: %s: changed while it was read", key_of(split),
                           s->file[split]);
    if (s->standardize)
        memcpy(own->base, own->train.features, t->d * sizeof *own->base);
    return ARCHAI_OK;
}

/* The first training row. */
int archai_numbers_first_row(hid_t file, const char *path, size_t d, double *out, archai_err *err)
{
    const archai_hdf5_part one = {2, {1, d}, ARCHAI_F64, true};
    archai_hdf5_array a;
    int rc = archai_hdf5_array_open(&a, file, path, ARCHAI_SPLIT_TRAIN, "features", &one, err);

    if (rc == ARCHAI_OK)
        rc = archai_hdf5_array_read(&a, 0, 1, out, err);
    archai_hdf5_array_close(&a);
    return rc;
}

static int open_hdf5(const archai_dataset_reader *r, numbers_reader *own, archai_err *err)
{
    const numbers_settings *s = r->source->settings;
    const char *path = s->file[ARCHAI_SPLIT_TRAIN];
    const size_t d = (size_t)r->plan->features;
    const archai_hdf5_part part = {2, {(hsize_t)r->plan->n[r->split], d}, ARCHAI_F64, true};
    int rc;

    ARCHAI_TRY(archai_hdf5_open(path, &own->file, err));
    rc = s->standardize ? archai_numbers_first_row(own->file, path, d, own->base, err) : ARCHAI_OK;
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_array_open(&own->features, own->file, path, r->split, "features", &part, err);
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_open_labels(&own->labels, own->file, path, r->split, r->plan, err);
    return archai_err_wrap(err, rc, "data.file: %s: ", path);
}

static int numbers_open(archai_dataset_reader *r, archai_err *err)
{
    numbers_reader *own = archai_calloc(1, sizeof *own);
    bool hdf5 = false;
    int rc;

    r->own = own;
    *own = (numbers_reader){.file = H5I_INVALID_HID, .features = ARCHAI_HDF5_ARRAY_INIT,
                            .labels = ARCHAI_HDF5_ARRAY_INIT};
    own->base = archai_calloc((size_t)r->plan->features, sizeof *own->base);
    rc = archai_numbers_is_hdf5(r->source->settings, &hdf5, err);
    own->is_csv = !hdf5;
    if (rc == ARCHAI_OK)
        rc = (hdf5 ? open_hdf5 : open_csv)(r, own, err);
    if (rc != ARCHAI_OK)
        numbers_close(r);
    return rc;
}

static int read_table(const archai_dataset_reader *r, size_t first, size_t n, float *rows, void *labels,
                      archai_err *err)
{
    const numbers_settings *s = r->source->settings;
    const numbers_reader *own = r->own;
    const archai_numbers *t = r->split == ARCHAI_SPLIT_TRAIN ? &own->train : &own->table;
    const size_t k = t->k;

    for (size_t i = 0; i < n * k; i++)
        ((float *)labels)[i] = (float)t->targets[first * k + i];
    for (size_t i = 0; k == 0 && i < n; i++)
        if (r->plan->label_dtype == ARCHAI_U8)
            ((uint8_t *)labels)[i] = (uint8_t)t->label[first + i];
        else
            ((int32_t *)labels)[i] = t->label[first + i];
    return archai_err_wrap(err,
                           take_rows(t->features + first * t->d, first, n, t->d, own->base, rows, err),
                           "data.%s: %s: ", key_of(r->split), s->file[r->split]);
}

static int numbers_read(const archai_dataset_reader *r, int64_t first, int64_t n, void *images,
                        void *labels, archai_err *err)
{
    const numbers_settings *s = r->source->settings;
    const numbers_reader *own = r->own;
    const size_t d = (size_t)r->plan->features, step = CHUNK / d + 1;
    double *chunk;
    int rc = ARCHAI_OK;

    if (own->is_csv)
        return read_table(r, (size_t)first, (size_t)n, images, labels, err);
    chunk = archai_malloc((step < (size_t)n ? step : (size_t)n) * d * sizeof *chunk);
    for (size_t i = 0; rc == ARCHAI_OK && i < (size_t)n; i += step) {
        const size_t now = (size_t)n - i < step ? (size_t)n - i : step, at = (size_t)first + i;

        rc = archai_hdf5_array_read(&own->features, at, now, chunk, err);
        if (rc == ARCHAI_OK)
            rc = take_rows(chunk, at, now, d, own->base, (float *)images + i * d, err);
    }
    free(chunk);
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_read_labels(&own->labels, r->plan, first, n, labels, err);
    return archai_err_wrap(err, rc, "data.file: %s: ", s->file[ARCHAI_SPLIT_TRAIN]);
}

const archai_dataset_format archai_dataset_numbers = {
    .name = "numbers",
    .help = "tables in CSV or HDF5",
    .options = numbers_options,
    .settings_size = sizeof(numbers_settings),
    .check = numbers_check,
    .plan = numbers_plan,
    .open = numbers_open,
    .read = numbers_read,
    .close = numbers_close,
    .finish = archai_numbers_finish,
    .measure_passes = 2,
    .n_constants = archai_numbers_constants,
    .measure = archai_numbers_measure,
    .adjust = archai_numbers_adjust,
};
