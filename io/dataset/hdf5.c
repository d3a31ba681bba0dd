/* io/dataset/hdf5.c - pictures in an HDF5 file.
 *
 *   /train/images  [N,C,H,W]  uint8 or a floating type (read as float32)
 *   /train/labels  [N], or [N,H,W] for masks; any integer type
 *   /val, /test    the same, optional
 *   attributes of the root: num_classes, optional ignore_index (class_names is for people)
 */
#include "io/dataset/format.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "io/file/file.h"
#include "io/file/h5.h"

static const char *const groups[ARCHAI_SPLIT_COUNT] = {
    [ARCHAI_SPLIT_TRAIN] = "train",
    [ARCHAI_SPLIT_VAL] = "val",
    [ARCHAI_SPLIT_TEST] = "test",
};

typedef struct hdf5_settings {
    char *file;
} hdf5_settings;

/* clang-format off */
static const archai_option hdf5_options[] = {
    {"file", ARCHAI_OPT_STRING, offsetof(hdf5_settings, file), 0, 0, "", "", NULL, "path of the file"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static const char *file_path(const archai_dataset_source *source)
{
    return ((const hdf5_settings *)source->settings)->file;
}

static void hdf5_check(const archai_dataset_source *source, archai_check *c)
{
    archai_check_given(c, "file", file_path(source), "format",
                       "missing, format = hdf5 needs the path of an HDF5 file");
}

/* What one dataset is: its sizes and which of our types holds it. */
typedef struct item {
    int ndim;
    hsize_t dim[4];
    archai_dtype dtype;
} item;

static int look_at(hid_t dataset, item *out, archai_err *err)
{
    hid_t space = H5I_INVALID_HID, type = H5I_INVALID_HID;
    H5T_class_t class;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(dataset)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(dataset)), out);
    out->ndim = H5Sget_simple_extent_ndims(space);
    if (out->ndim < 1 || out->ndim > 4) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "%d dimensions", out->ndim);
        goto out;
    }
    (void)H5Sget_simple_extent_dims(space, out->dim, NULL);
    class = H5Tget_class(type);
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

static int open_item(hid_t file, int split, const char *name, hid_t *dataset, item *out,
                     archai_err *err)
{
    char path[32];
    int rc;

    (void)snprintf(path, sizeof path, "/%s/%s", groups[split], name);
    if (!archai_h5_has(file, groups[split]) || !archai_h5_has(file, path))
        return archai_fail(err, ARCHAI_EFORMAT, "%s is missing", path);
    rc = archai_h5_id(err, dataset, H5Dopen2(file, path, H5P_DEFAULT));
    if (rc == ARCHAI_OK)
        rc = look_at(*dataset, out, err);
    return archai_err_wrap(err, rc, "%s: ", path);
}

static int check_images(const item *x, int split, archai_err *err)
{
    if (x->ndim != 4 || x->dtype == ARCHAI_I32)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s/images: %d dimensions%s, expected [N,C,H,W] of uint8 or float32",
                           groups[split], x->ndim,
                           x->dtype == ARCHAI_I32 ? " of another integer type" : "");
    if (x->dim[0] > INT32_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "/%s/images: too many pictures", groups[split]);
    for (int i = 0; i < 4; i++)
        if (x->dim[i] == 0 || (i > 0 && x->dim[i] > ARCHAI_DATASET_MAX_SIDE))
            return archai_fail(err, ARCHAI_EFORMAT, "/%s/images: dimension %d is %llu",
                               groups[split], i, (unsigned long long)x->dim[i]);
    return ARCHAI_OK;
}

/* Labels of the images `x`: [N] or [N,H,W], integers. */
static int check_labels(const item *y, const item *x, int split, archai_err *err)
{
    if (y->dtype == ARCHAI_F32 || (y->ndim != 1 && y->ndim != 3))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s/labels: expected [N] or [N,H,W] of an integer type",
                           groups[split]);
    if (y->dim[0] != x->dim[0])
        return archai_fail(err, ARCHAI_EFORMAT, "/%s/labels: %llu labels, expected %llu as images",
                           groups[split], (unsigned long long)y->dim[0],
                           (unsigned long long)x->dim[0]);
    if (y->ndim == 3 && (y->dim[1] != x->dim[2] || y->dim[2] != x->dim[3]))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s/labels: masks of %llu x %llu, expected %llu x %llu", groups[split],
                           (unsigned long long)y->dim[1], (unsigned long long)y->dim[2],
                           (unsigned long long)x->dim[2], (unsigned long long)x->dim[3]);
    return ARCHAI_OK;
}

static int plan_split(hid_t file, int split, archai_dataset_plan *p, archai_err *err)
{
    hid_t images = H5I_INVALID_HID, labels = H5I_INVALID_HID;
    item x, y;
    int rc = ARCHAI_OK;

    if (split != ARCHAI_SPLIT_TRAIN && !archai_h5_has(file, groups[split]))
        return ARCHAI_OK;
    ARCHAI_TRY_GOTO(rc, open_item(file, split, "images", &images, &x, err), out);
    ARCHAI_TRY_GOTO(rc, open_item(file, split, "labels", &labels, &y, err), out);
    ARCHAI_TRY_GOTO(rc, check_images(&x, split, err), out);
    ARCHAI_TRY_GOTO(rc, check_labels(&y, &x, split, err), out);
    if (split == ARCHAI_SPLIT_TRAIN) {
        p->image_dtype = x.dtype;
        p->label_dtype = y.dtype;
        p->targets = y.ndim == 3 ? ARCHAI_TARGETS_MASK : ARCHAI_TARGETS_CLASS;
        p->channels = (int)x.dim[1];
        p->height = (int)x.dim[2];
        p->width = (int)x.dim[3];
    } else if (x.dtype != p->image_dtype || y.dtype != p->label_dtype ||
               (y.ndim == 3) != (p->targets == ARCHAI_TARGETS_MASK) || x.dim[1] != (hsize_t)p->channels ||
               x.dim[2] != (hsize_t)p->height || x.dim[3] != (hsize_t)p->width) {
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "/%s: sizes or types differ from /train, expected images [N,%d,%d,%d]",
                         groups[split], p->channels, p->height, p->width);
        goto out;
    }
    p->n[split] = (int64_t)x.dim[0];
out:
    archai_h5_release(&labels);
    archai_h5_release(&images);
    return rc;
}

static int plan_file(hid_t file, archai_dataset_plan *p, archai_err *err)
{
    int64_t classes, ignore;
    int rc;

    ARCHAI_TRY(archai_h5_get_int(file, "num_classes", &classes, err));
    if (classes < 2 || classes > ARCHAI_DATASET_MAX_CLASSES)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "attribute num_classes is %" PRId64 ", expected 2 or more", classes);
    p->num_classes = (int)classes;
    rc = archai_h5_get_int(file, "ignore_index", &ignore, err);
    if (rc == ARCHAI_OK && (ignore < 0 || ignore > INT32_MAX))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "attribute ignore_index is %" PRId64 ", expected 0 or more", ignore);
    if (rc == ARCHAI_OK)
        p->ignore_index = (int)ignore;
    else if (rc != ARCHAI_ENOTFOUND)
        return rc;
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        ARCHAI_TRY(plan_split(file, i, p, err));
    return ARCHAI_OK;
}

static int open_file(const char *path, hid_t *file, archai_err *err)
{
    ARCHAI_TRY(archai_err_wrap(err, archai_file_check(path, err), "data.file: "));
    return archai_err_wrap(err, archai_h5_open(file, path, err), "data.file: ");
}

static int hdf5_plan(const archai_dataset_source *source, archai_dataset_plan *out, archai_err *err)
{
    const char *path = file_path(source);
    hid_t file = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(open_file(path, &file, err));
    rc = archai_err_wrap(err, plan_file(file, out, err), "data.file: %s: ", path);
    archai_h5_release(&file);
    return rc;
}

/* The first n items along dimension 0 of a dataset of the planned shape. */
static int read_items(hid_t file, int split, const char *name, int ndim, const hsize_t *dim,
                      archai_dtype dtype, void *out, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    const hid_t memory = dtype == ARCHAI_F32  ? H5T_NATIVE_FLOAT
                         : dtype == ARCHAI_U8 ? H5T_NATIVE_UINT8
                                              : H5T_NATIVE_INT32;
    item now;
    int rc;

    ARCHAI_TRY_GOTO(rc, open_item(file, split, name, &dataset, &now, err), out);
    if (now.ndim != ndim || now.dim[0] < dim[0] ||
        memcmp(now.dim + 1, dim + 1, (size_t)(ndim - 1) * sizeof *dim) != 0) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "/%s/%s changed while it was being read",
                         groups[split], name);
        goto out;
    }
    rc = archai_err_wrap(err, archai_h5_rows(dataset, memory, ndim, 0, dim, out, NULL, err),
                         "/%s/%s: ", groups[split], name);
out:
    archai_h5_release(&dataset);
    return rc;
}

static int hdf5_read(const archai_dataset_source *source, const archai_dataset_plan *p, int split,
                     void *images, void *labels, archai_err *err)
{
    const char *path = file_path(source);
    const hsize_t n = (hsize_t)p->n[split], h = (hsize_t)p->height, w = (hsize_t)p->width;
    const hsize_t image_dim[4] = {n, (hsize_t)p->channels, h, w};
    const hsize_t label_dim[3] = {n, h, w};
    hid_t file = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(open_file(path, &file, err));
    rc = read_items(file, split, "images", 4, image_dim, p->image_dtype, images, err);
    if (rc == ARCHAI_OK)
        rc = read_items(file, split, "labels", p->targets == ARCHAI_TARGETS_MASK ? 3 : 1, label_dim, p->label_dtype, labels,
                        err);
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, archai_dataset_check_labels(p, labels, p->n[split], err),
                             "/%s/labels: ", groups[split]);
    archai_h5_release(&file);
    return archai_err_wrap(err, rc, "data.file: %s: ", path);
}

const archai_dataset_format archai_dataset_hdf5 = {
    .name = "hdf5",
    .help = "images and labels in an HDF5 file",
    .options = hdf5_options,
    .settings_size = sizeof(hdf5_settings),
    .check = hdf5_check,
    .plan = hdf5_plan,
    .read = hdf5_read,
};
