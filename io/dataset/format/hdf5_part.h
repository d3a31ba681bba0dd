/* io/dataset/format/hdf5_part.h - the arrays of a data set in an HDF5 file.
 *
 *   /train, /val, /test   the splits, the last two optional
 *   <split>/labels        integers: [N] a class each, [N,H,W] a class per pixel, [N,K] 0 or 1 for each of K
 *                         labels; floating numbers: [N] or [N,K], K targets
 *   attributes of the root: num_classes (with classes), optional ignore_index
 */
#ifndef ARCHAI_IO_DATASET_HDF5_PART_H
#define ARCHAI_IO_DATASET_HDF5_PART_H
#include "io/dataset/format.h"
#include "io/file/h5.h"

/* What one array is: its sizes and which of our types holds it. */
typedef struct archai_hdf5_part {
    int ndim; /* 1 to 4 */
    hsize_t dim[4];
    archai_dtype dtype; /* ARCHAI_U8, ARCHAI_I32 (any other integer) or ARCHAI_F32 */
    bool is_double;     /* float64 in the file */
} archai_hdf5_part;

/* Errors begin "data.file: path: ". Release with archai_h5_release. */
int archai_hdf5_open(const char *path, hid_t *file, archai_err *err);
bool archai_hdf5_has_split(hid_t file, int split);
/* Of /train/NAME and so on. Errors here and below begin with that path. */
int archai_hdf5_look(hid_t file, int split, const char *name, archai_hdf5_part *out, archai_err *err);
/* dim[0] items, from `first` on, of an array that must be of this shape otherwise, as the part's dtype, which
 * may be ARCHAI_F64, too. */
int archai_hdf5_read(hid_t file, int split, const char *name, hsize_t first,
                     const archai_hdf5_part *part, void *out, archai_err *err);

/* Labels of a split of n examples (the sizes of pictures are in the plan): sets targets, label_dtype and
 * num_classes for the training split, and checks that the others agree with it. */
int archai_hdf5_plan_labels(hid_t file, int split, uint64_t n, archai_dataset_plan *p,
                            archai_err *err);
/* And the attributes, when all splits are planned. */
int archai_hdf5_plan_classes(hid_t file, archai_dataset_plan *p, archai_err *err);
int archai_hdf5_read_labels(hid_t file, int split, const archai_dataset_plan *p, void *labels,
                            archai_err *err);
#endif
