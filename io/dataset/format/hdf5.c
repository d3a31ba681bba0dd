/* io/dataset/format/hdf5.c - pictures in an HDF5 file.
 *
 *   /train/images  [N,C,H,W] or, of one channel, [N,H,W]; uint8 or a floating type (read as float32)
 *   /train/labels  and the attributes: hdf5_part.h (class_names is for people)
 *   /val, /test    the same, optional
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"
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

static int check_images(const archai_hdf5_part *x, int split, archai_err *err)
{
    if ((x->ndim != 4 && x->ndim != 3) || x->dtype == ARCHAI_I32)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "/%s/images: %d dimensions%s, expected [N,C,H,W] or [N,H,W] of uint8 or "
                           "float32",
                           archai_hdf5_groups[split], x->ndim,
                           x->dtype == ARCHAI_I32 ? " of another integer type" : "");
    if (x->dim[0] > INT32_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "/%s/images: too many pictures", archai_hdf5_groups[split]);
    for (int i = 0; i < x->ndim; i++)
        if (x->dim[i] == 0 || (i > 0 && x->dim[i] > ARCHAI_DATASET_MAX_SIDE))
            return archai_fail(err, ARCHAI_EFORMAT, "/%s/images: dimension %d is %llu",
                               archai_hdf5_groups[split], i, (unsigned long long)x->dim[i]);
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
                           archai_hdf5_groups[split], p->channels, p->height, p->width);
    ARCHAI_TRY(archai_hdf5_plan_labels(file, split, x.dim[0], p, err));
    p->n[split] = (int64_t)x.dim[0];
    return ARCHAI_OK;
}

static int plan_file(hid_t file, archai_dataset_plan *p, archai_err *err)
{
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        ARCHAI_TRY(plan_split(file, i, p, err));
    ARCHAI_TRY(archai_hdf5_together(file, "images", &p->together, err));
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

/* -- reading ------------------------------------------------------------------------------- */

typedef struct hdf5_reader {
    hid_t file; /* owned, as are the arrays */
    archai_hdf5_array images, labels;
} hdf5_reader;

static void hdf5_close(archai_dataset_reader *r)
{
    hdf5_reader *own = r->own;

    archai_hdf5_array_close(&own->images);
    archai_hdf5_array_close(&own->labels);
    archai_h5_release(&own->file);
    free(own);
    r->own = NULL;
}

static int open_all(const archai_dataset_reader *r, hdf5_reader *own, archai_err *err)
{
    const archai_dataset_plan *p = r->plan;
    const hsize_t n = (hsize_t)p->n[r->split], h = (hsize_t)p->height, w = (hsize_t)p->width;
    const archai_hdf5_part whole = {4, {n, (hsize_t)p->channels, h, w}, p->image_dtype, false};
    const archai_hdf5_part grey = {3, {n, h, w}, p->image_dtype, false};
    const char *path = file_path(r->source);
    archai_hdf5_part x;

    ARCHAI_TRY(archai_hdf5_look(own->file, r->split, "images", &x, err));
    ARCHAI_TRY(archai_hdf5_array_open(&own->images, own->file, path, r->split, "images",
                                      x.ndim == 3 && p->channels == 1 ? &grey : &whole, err));
    return archai_hdf5_open_labels(&own->labels, own->file, path, r->split, p, err);
}

static int hdf5_open(archai_dataset_reader *r, archai_err *err)
{
    hdf5_reader *own = archai_calloc(1, sizeof *own);
    int rc;

    r->own = own;
    *own = (hdf5_reader){H5I_INVALID_HID, ARCHAI_HDF5_ARRAY_INIT, ARCHAI_HDF5_ARRAY_INIT};
    rc = archai_hdf5_open(file_path(r->source), &own->file, err);
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, open_all(r, own, err), "data.file: %s: ", file_path(r->source));
    if (rc != ARCHAI_OK)
        hdf5_close(r);
    return rc;
}

static int hdf5_read(const archai_dataset_reader *r, int64_t first, int64_t n, void *images,
                     void *labels, archai_err *err)
{
    const hdf5_reader *own = r->own;
    int rc = archai_hdf5_array_read(&own->images, (hsize_t)first, (hsize_t)n, images, err);

    if (rc == ARCHAI_OK)
        rc = archai_hdf5_read_labels(&own->labels, r->plan, first, n, labels, err);
    return archai_err_wrap(err, rc, "data.file: %s: ", file_path(r->source));
}

const archai_dataset_format archai_dataset_hdf5 = {
    .name = "hdf5",
    .help = "images and labels in an HDF5 file",
    .options = hdf5_options,
    .settings_size = sizeof(hdf5_settings),
    .check = hdf5_check,
    .plan = hdf5_plan,
    .open = hdf5_open,
    .read = hdf5_read,
    .close = hdf5_close,
};
