/* io/dataset/format/hdf5.c - pictures in an HDF5 file.
 *
 *   /train/images  [N,C,H,W] or, of one channel, [N,H,W]; uint8 or a floating type (read as float32)
 *   /train/labels  and the attributes: hdf5_part.h (class_names is for people)
 *   /val, /test    the same, optional
 */
#include <stddef.h>
#include <string.h>

#include "io/dataset/format/hdf5_part.h"

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

static const char *const names[ARCHAI_SPLIT_COUNT] = {"train", "val", "test"};

static int check_images(const archai_hdf5_part *x, int split, archai_err *err)
{
    if ((x->ndim != 4 && x->ndim != 3) || x->dtype == ARCHAI_I32)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s/images: %d dimensions%s, expected [N,C,H,W] or [N,H,W] of uint8 or "
                           "float32",
                           names[split], x->ndim,
                           x->dtype == ARCHAI_I32 ? " of another integer type" : "");
    if (x->dim[0] > INT32_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "/%s/images: too many pictures", names[split]);
    for (int i = 0; i < x->ndim; i++)
        if (x->dim[i] == 0 || (i > 0 && x->dim[i] > ARCHAI_DATASET_MAX_SIDE))
            return archai_fail(err, ARCHAI_EFORMAT, "/%s/images: dimension %d is %llu",
                               names[split], i, (unsigned long long)x->dim[i]);
    return ARCHAI_OK;
}

static int plan_split(hid_t file, int split, archai_dataset_plan *p, archai_err *err)
{
    archai_hdf5_part x;
    int channels, height, width;

    if (split != ARCHAI_SPLIT_TRAIN && !archai_hdf5_has_split(file, split))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_hdf5_look(file, split, "images", &x, err));
    ARCHAI_TRY(check_images(&x, split, err));
    channels = x.ndim == 4 ? (int)x.dim[1] : 1;
    height = (int)x.dim[x.ndim - 2];
    width = (int)x.dim[x.ndim - 1];
    if (split == ARCHAI_SPLIT_TRAIN) {
        p->image_dtype = x.dtype;
        p->channels = channels;
        p->height = height;
        p->width = width;
        if (x.is_double)
            (void)snprintf(p->note, sizeof p->note, "float64 is read as float32");
    }
    if (x.dtype != p->image_dtype || channels != p->channels || height != p->height ||
        width != p->width)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s: sizes or types differ from /train, expected images [N,%d,%d,%d]",
                           names[split], p->channels, p->height, p->width);
    ARCHAI_TRY(archai_hdf5_plan_labels(file, split, x.dim[0], p, err));
    p->n[split] = (int64_t)x.dim[0];
    return ARCHAI_OK;
}

static int plan_file(hid_t file, archai_dataset_plan *p, archai_err *err)
{
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        ARCHAI_TRY(plan_split(file, i, p, err));
    return archai_hdf5_plan_classes(file, p, err);
}

static int hdf5_plan(const archai_dataset_source *source, archai_dataset_plan *out, archai_err *err)
{
    const char *path = file_path(source);
    hid_t file = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_hdf5_open(path, &file, err));
    rc = archai_err_wrap(err, plan_file(file, out, err), "data.file: %s: ", path);
    archai_h5_release(&file);
    return rc;
}

static int hdf5_read(const archai_dataset_source *source, const archai_dataset_plan *p, int split,
                     void *images, void *labels, archai_err *err)
{
    const hsize_t n = (hsize_t)p->n[split], h = (hsize_t)p->height, w = (hsize_t)p->width;
    const archai_hdf5_part whole = {4, {n, (hsize_t)p->channels, h, w}, p->image_dtype, false};
    const archai_hdf5_part grey = {3, {n, h, w}, p->image_dtype, false};
    const char *path = file_path(source);
    hid_t file = H5I_INVALID_HID;
    archai_hdf5_part x;
    int rc;

    ARCHAI_TRY(archai_hdf5_open(path, &file, err));
    rc = archai_hdf5_look(file, split, "images", &x, err);
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_read(file, split, "images", 0,
                              x.ndim == 3 && p->channels == 1 ? &grey : &whole, images, err);
    if (rc == ARCHAI_OK)
        rc = archai_hdf5_read_labels(file, split, p, labels, err);
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
