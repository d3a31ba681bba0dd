#include "io/dataset/format/hdf5_part.h"

#include <inttypes.h>
#include <string.h>

#include "io/file/file.h"

const char *const archai_hdf5_groups[ARCHAI_SPLIT_COUNT] = {
    [ARCHAI_SPLIT_TRAIN] = "train",
    [ARCHAI_SPLIT_VAL] = "val",
    [ARCHAI_SPLIT_TEST] = "test",
};

static const char double_note[] = "float64 is read as float32";

int archai_hdf5_open(const char *path, hid_t *file, archai_err *err)
{
    ARCHAI_TRY(archai_err_wrap(err, archai_file_check(path, err), "data.file: "));
    return archai_err_wrap(err, archai_h5_open(file, path, err), "data.file: ");
}

bool archai_hdf5_has_split(hid_t file, int split)
{
    return archai_h5_has(file, archai_hdf5_groups[split]);
}

static int look_at(hid_t dataset, archai_hdf5_part *out, archai_err *err)
{
    hid_t space = H5I_INVALID_HID, type = H5I_INVALID_HID;
    H5T_class_t class;
    int rc;

    *out = (archai_hdf5_part){.ndim = 0};
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(dataset)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(dataset)), out);
    out->ndim = H5Sget_simple_extent_ndims(space);
    if (out->ndim < 1 || out->ndim > 4) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "%d dimensions", out->ndim);
        goto out;
    }
    (void)H5Sget_simple_extent_dims(space, out->dim, NULL);
    class = H5Tget_class(type);
    out->is_double = class == H5T_FLOAT && H5Tget_size(type) > sizeof(float);
    if (class == H5T_FLOAT)
        out->dtype = ARCHAI_F32;
    else if (class == H5T_INTEGER)
        out->dtype = H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE ? ARCHAI_U8
                                                                                 : ARCHAI_I32;
    else
        rc = archai_fail(err, ARCHAI_EFORMAT, "elements are neither integers nor floating numbers");
out:
    archai_h5_release(&type);
    archai_h5_release(&space);
    return rc;
}

static int open_part(hid_t file, int split, const char *name, hid_t *dataset,
                     archai_hdf5_part *out, archai_err *err)
{
    char path[64];
    int rc;

    (void)snprintf(path, sizeof path, "/%s/%s", archai_hdf5_groups[split], name);
    if (!archai_h5_has(file, archai_hdf5_groups[split]) || !archai_h5_has(file, path))
        return archai_fail(err, ARCHAI_EFORMAT, "%s is missing", path);
    rc = archai_h5_id(err, dataset, H5Dopen2(file, path, H5P_DEFAULT));
    if (rc == ARCHAI_OK)
        rc = look_at(*dataset, out, err);
    return archai_err_wrap(err, rc, "%s: ", path);
}

int archai_hdf5_look(hid_t file, int split, const char *name, archai_hdf5_part *out, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    int rc = open_part(file, split, name, &dataset, out, err);

    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, archai_h5_check_written(dataset, true, err), "/%s/%s: ", archai_hdf5_groups[split],
                             name);
    archai_h5_release(&dataset);
    return rc;
}

/* -- labels -------------------------------------------------------------------------------- */

/* What labels of that type and shape mean; ARCHAI_TARGETS_COUNT: nothing. */
static archai_targets targets_of(const archai_hdf5_part *y, const archai_dataset_plan *p)
{
    if (y->dtype == ARCHAI_F32)
        return y->ndim <= 2 ? ARCHAI_TARGETS_NUMBERS : ARCHAI_TARGETS_COUNT;
    if (y->ndim == 3)
        return p->channels > 0 ? ARCHAI_TARGETS_MASK : ARCHAI_TARGETS_COUNT;
    return y->ndim == 1   ? ARCHAI_TARGETS_CLASS
           : y->ndim == 2 ? ARCHAI_TARGETS_LABELS
                          : ARCHAI_TARGETS_COUNT;
}

int archai_hdf5_plan_labels(hid_t file, int split, uint64_t n, archai_dataset_plan *p,
                            archai_err *err)
{
    const char *group = archai_hdf5_groups[split];
    archai_targets targets;
    archai_hdf5_part y;
    hsize_t k;

    ARCHAI_TRY(archai_hdf5_look(file, split, "labels", &y, err));
    targets = targets_of(&y, p);
    k = y.ndim == 2 ? y.dim[1] : 1;
    if (targets == ARCHAI_TARGETS_COUNT)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s/labels: %d dimensions of %s, expected [N] or [N,H,W] of an integer "
                           "type, or [N] or [N,K] of floating numbers",
                           group, y.ndim, y.dtype == ARCHAI_F32 ? "floating numbers" : "integers");
    if (y.dim[0] != n)
        return archai_fail(err, ARCHAI_EFORMAT, "/%s/labels: %llu labels, expected %llu as images",
                           group, (unsigned long long)y.dim[0], (unsigned long long)n);
    if (targets == ARCHAI_TARGETS_MASK &&
        (y.dim[1] != (hsize_t)p->height || y.dim[2] != (hsize_t)p->width))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s/labels: masks of %llu x %llu, expected %d x %d", group,
                           (unsigned long long)y.dim[1], (unsigned long long)y.dim[2], p->height,
                           p->width);
    if (k < 1 || k > ARCHAI_DATASET_MAX_CLASSES)
        return archai_fail(err, ARCHAI_EFORMAT, "/%s/labels: dimension 1 is %llu", group,
                           (unsigned long long)k);
    if (split == ARCHAI_SPLIT_TRAIN) {
        p->targets = targets;
        p->label_dtype = y.dtype;
        p->num_classes = (int)k;
    } else if (targets != p->targets || y.dtype != p->label_dtype || (int)k != p->num_classes) {
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s: sizes or types differ from /train, whose labels are %s", group,
                           archai_targets_text(p->targets));
    }
    if (y.is_double)
        memcpy(p->note, double_note, sizeof double_note);
    return ARCHAI_OK;
}

static int plan_num_classes(hid_t file, archai_dataset_plan *p, archai_err *err)
{
    const bool classes = p->targets == ARCHAI_TARGETS_CLASS || p->targets == ARCHAI_TARGETS_MASK;
    int64_t n;
    int rc = archai_h5_get_int(file, "num_classes", &n, err);

    if (rc == ARCHAI_ENOTFOUND && !classes)
        return ARCHAI_OK;
    ARCHAI_TRY(rc);
    if (classes && (n < 2 || n > ARCHAI_DATASET_MAX_CLASSES))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "attribute num_classes is %" PRId64 ", expected 2 or more", n);
    if (!classes && n != p->num_classes)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "attribute num_classes is %" PRId64 ", but /train/labels has %d columns", n,
                           p->num_classes);
    p->num_classes = (int)n;
    return ARCHAI_OK;
}

int archai_hdf5_plan_classes(hid_t file, archai_dataset_plan *p, archai_err *err)
{
    int64_t ignore;
    int rc;

    ARCHAI_TRY(plan_num_classes(file, p, err));
    rc = archai_h5_get_int(file, "ignore_index", &ignore, err);
    if (rc == ARCHAI_OK && (ignore < 0 || ignore > INT32_MAX))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "attribute ignore_index is %" PRId64 ", expected 0 or more", ignore);
    if (rc == ARCHAI_OK)
        p->ignore_index = (int)ignore;
    return rc == ARCHAI_ENOTFOUND ? ARCHAI_OK : rc;
}

int archai_hdf5_open_labels(archai_hdf5_array *out, hid_t file, const char *path, int split,
                            const archai_dataset_plan *p, archai_err *err)
{
    archai_hdf5_part y;

    *out = (archai_hdf5_array){.dataset = H5I_INVALID_HID, .fd = -1};
    ARCHAI_TRY(archai_hdf5_look(file, split, "labels", &y, err));
    if (targets_of(&y, p) != p->targets || y.dtype != p->label_dtype ||
        (y.ndim == 2 && y.dim[1] != (hsize_t)p->num_classes) ||
        (y.ndim == 3 && (y.dim[1] != (hsize_t)p->height || y.dim[2] != (hsize_t)p->width)) ||
        y.dim[0] < (hsize_t)p->n[split])
        return archai_fail(err, ARCHAI_EFORMAT, "/%s/labels changed while it was being read",
                           archai_hdf5_groups[split]);
    return archai_hdf5_array_open(out, file, path, split, "labels", &y, err);
}

int archai_hdf5_read_labels(const archai_hdf5_array *a, const archai_dataset_plan *p, int64_t first,
                            int64_t n, void *labels, archai_err *err)
{
    const int64_t each = (int64_t)(archai_dataset_label_bytes(p) / archai_dtype_size(p->label_dtype));
    int64_t bad;
    char text[32];

    ARCHAI_TRY(archai_hdf5_array_read(a, (hsize_t)first, (hsize_t)n, labels, err));
    bad = archai_dataset_bad_label(p, labels, n);
    if (bad < 0)
        return ARCHAI_OK;
    if (p->label_dtype == ARCHAI_F32)
        return archai_err_wrap(err, archai_dataset_check_labels(p, labels, first, n, err), "%s: ",
                               a->name);
    archai_hdf5_array_text(a, (hsize_t)(first * each + bad), text);
    return archai_err_wrap(err, archai_dataset_refuse_label(p, text, first + bad / each, err), "%s: ",
                           a->name);
}
