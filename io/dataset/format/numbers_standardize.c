/* What follows from the training rows: means and deviations, and the names that a table has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/dataset/format/hdf5_part.h"
#include "io/dataset/format/numbers.h"

/* constants: means, then deviations, of what was read. */
size_t archai_numbers_constants(const archai_dataset_source *source, const archai_dataset_plan *p)
{
    const archai_numbers_settings *s = source->settings;

    return s->standardize ? 2 * (size_t)p->features : 0;
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
static int look_again(const archai_numbers_settings *s, size_t d, double *base, json_t *about, archai_err *err)
{
    archai_numbers train;
    hid_t file = H5I_INVALID_HID;
    bool hdf5;
    int rc;

    ARCHAI_TRY(archai_numbers_is_hdf5(s, &hdf5, err));
    if (hdf5) {
        ARCHAI_TRY(archai_hdf5_open(s->file[ARCHAI_SPLIT_TRAIN], &file, err));
        rc = archai_numbers_first_row(file, s->file[ARCHAI_SPLIT_TRAIN], d, base, err);
        archai_h5_release(&file);
        return archai_err_wrap(err, rc, "data.file: %s: ", s->file[ARCHAI_SPLIT_TRAIN]);
    }
    ARCHAI_TRY(archai_numbers_csv(s, ARCHAI_SPLIT_TRAIN, NULL,
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

/* What is known when all rows were seen. */
static int say(const archai_dataset_source *source, size_t d, const double *constants, json_t *about,
               archai_err *err)
{
    double *first = archai_malloc(d * sizeof *first);
    int rc = look_again(source->settings, d, first, about, err);

    if (rc == ARCHAI_OK && constants != NULL) {
        put_numbers(about, "feature_means", constants, first, d);
        put_numbers(about, "feature_deviations", constants + d, NULL, d);
    }
    free(first);
    return rc;
}

int archai_numbers_finish(const archai_dataset_source *source, const archai_dataset_plan *p,
                          json_t *about, archai_err *err)
{
    const archai_numbers_settings *s = source->settings;

    return s->standardize ? ARCHAI_OK : say(source, (size_t)p->features, NULL, about, err);
}

/* Mean and deviation of each column of the training rows; a column that is constant is only moved. */
int archai_numbers_measure(const archai_dataset_source *source, const archai_dataset_plan *p, int pass,
                           const void *rows, int64_t n, double *constants, json_t *about,
                           archai_err *err)
{
    const size_t d = (size_t)p->features;
    double *mean = constants, *deviation = constants + d;
    const float *x = rows;

    for (size_t i = 0; rows != NULL && i < (size_t)n * d; i++)
        if (pass == 0)
            mean[i % d] += x[i];
        else
            deviation[i % d] += (x[i] - mean[i % d]) * (x[i] - mean[i % d]);
    if (rows != NULL)
        return ARCHAI_OK;
    for (size_t c = 0; c < d; c++) {
        if (pass == 0) {
            mean[c] /= (double)n;
            continue;
        }
        deviation[c] = sqrt(deviation[c] / (double)n);
        deviation[c] = deviation[c] > 0 ? deviation[c] : 1;
    }
    return pass == 0 ? ARCHAI_OK : say(source, d, constants, about, err);
}

void archai_numbers_adjust(const archai_dataset_plan *p, const double *constants, void *rows, int64_t n)
{
    const size_t d = (size_t)p->features;
    float *x = rows;

    for (size_t i = 0; i < (size_t)n * d; i++)
        x[i] = (float)((x[i] - constants[i % d]) / constants[d + i % d]);
}
