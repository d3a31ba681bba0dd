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

extern const char *const archai_hdf5_groups[ARCHAI_SPLIT_COUNT]; /* "train" ... */

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

/* An array that is open for reading. Where the file holds plain rows of our type they are read as bytes, by as many
 * threads as want to; else through HDF5, which lets one thread in at a time. */
typedef struct archai_hdf5_array {
    hid_t dataset;         /* owned */
    archai_hdf5_part part; /* dtype: what is read, which may be ARCHAI_F64, too */
    char name[64];         /* "/train/images" */
    int fd;                /* owned; -1: through HDF5 */
    uint64_t at;           /* its first byte in fd */
    size_t each;           /* bytes of a row in memory */
} archai_hdf5_array;
#define ARCHAI_HDF5_ARRAY_INIT                                                                     \
    {                                                                                              \
        .dataset = H5I_INVALID_HID, .fd = -1                                                       \
    }

/* path: of `file`. wanted: its shape and type, of which dim[0] may be smaller than in the file; else ARCHAI_EFORMAT "changed
 * while it was being read". `file` stays open for as long. */
int archai_hdf5_array_open(archai_hdf5_array *out, hid_t file, const char *path, int split,
                           const char *name, const archai_hdf5_part *wanted, archai_err *err);
/* Rows [first, first + n). Safe on several threads. Errors begin with the name. */
int archai_hdf5_array_read(const archai_hdf5_array *a, hsize_t first, hsize_t n, void *out,
                           archai_err *err);
/* An integer as it stands in the file, whatever its type; `index` counts elements. */
void archai_hdf5_array_text(const archai_hdf5_array *a, hsize_t index, char text[32]);
void archai_hdf5_array_close(archai_hdf5_array *a); /* safe after a failed open */
/* How many rows of /train/NAME are unpacked to read one; 1: they are not compressed. ARCHAI_EINVAL: a chunk does not
 * fit into memory. */
int archai_hdf5_together(hid_t file, const char *name, int64_t *out, archai_err *err);

/* Labels of a split of n examples (the sizes of pictures are in the plan): sets targets, label_dtype and
 * num_classes for the training split, and checks that the others agree with it. */
int archai_hdf5_plan_labels(hid_t file, int split, uint64_t n, archai_dataset_plan *p,
                            archai_err *err);
/* And the attributes, when all splits are planned. */
int archai_hdf5_plan_classes(hid_t file, archai_dataset_plan *p, archai_err *err);
/* The labels of a split, opened as the plan has them; and read and checked: [first, first + n). */
int archai_hdf5_open_labels(archai_hdf5_array *out, hid_t file, const char *path, int split,
                            const archai_dataset_plan *p, archai_err *err);
int archai_hdf5_read_labels(const archai_hdf5_array *a, const archai_dataset_plan *p, int64_t first,
                            int64_t n, void *labels, archai_err *err);
#endif
