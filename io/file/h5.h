/* io/file/h5.h - HDF5 calls with error capture, and the few things about HDF5 that are the same
 * everywhere in this project.
 *
 * archai_h5_ok(err, H5Dwrite(...)) and archai_h5_id(err, &id, H5Dopen2(...)) turn HDF5's error
 * stack into an archai_err: the outermost frame says what was attempted, the innermost why; a
 * full disk is recognised. Identifiers start as H5I_INVALID_HID and are closed with
 * archai_h5_release (nothing can be lost) or archai_h5_close (data was written: failing to
 * close is an error).
 *
 * Serial HDF5 is enough; a parallel build works the same. One thread, not collective.
 */
#ifndef ARCHAI_IO_FILE_H5_H
#define ARCHAI_IO_FILE_H5_H
#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/option.h"
#include "core/network/network.h"
#include "io/file/tensors.h"

/* Call before a process's first HDF5 call (may be repeated): HDF5 prints nothing, and at exit does
 * not try again to write a file that could not be written. */
int archai_h5_init(archai_err *err);
void archai_h5_version(char *text, size_t size); /* "HDF5 1.10.8": the one loaded */

#define archai_h5_ok(err, call) archai_h5_ok_((err), (call), #call, __FILE__, __LINE__)
#define archai_h5_id(err, out, call)                                                           \
    archai_h5_id_((err), (out), (call), #call, __FILE__, __LINE__)
int archai_h5_ok_(archai_err *err, herr_t st, const char *what, const char *file, int line);
int archai_h5_id_(archai_err *err, hid_t *out, hid_t id, const char *what, const char *file,
                  int line);

void archai_h5_release(hid_t *id);               /* any kind; invalid ones are ignored */
int archai_h5_close(hid_t *id, archai_err *err); /* any kind; *id is invalid afterwards */

/* Access properties of every file here: closing a file closes everything in it; no file locks,
 * which fail or hang on network file systems; the format of HDF5 1.10, whose metadata has
 * checksums, so that damage is an error and not a crash. Caller releases. */
int archai_h5_access(hid_t *fapl, archai_err *err);
/* Open for reading. A missing file is ARCHAI_ENOTFOUND, one that is not HDF5 ARCHAI_EFORMAT. */
int archai_h5_open(hid_t *file, const char *path, archai_err *err);

/* The file type of `t`, little-endian. h5py reads float16 as '<f2', bfloat16 as '<f4', float8_e5m2 as
 * '<f2', bool and complex64 as numpy's; the other float8 are bytes, in a compound whose member
 * has the type's name.
 * Caller releases. */
int archai_h5_type(hid_t *type, archai_dtype t, archai_err *err);
archai_dtype archai_h5_type_of(hid_t type); /* ARCHAI_DTYPE_COUNT: not a type of ours */
/* Let what is missing of a dataset of that type read as NaN; nothing for types without one. */
int archai_h5_fill_nan(hid_t dcpl, archai_dtype t, archai_err *err);
/* A UTF-8 string type: of `width` bytes, NUL-padded, or variable with H5T_VARIABLE. */
int archai_h5_string_type(hid_t *type, size_t width, archai_err *err);

/* Type, shape and size in bytes of a dataset that holds a tensor; the rest of *out is left alone.
 * ARCHAI_EFORMAT: no tensor has such a type or shape. */
int archai_h5_shape(hid_t dataset, archai_tensor *out, archai_err *err);
/* Read all of a dataset of that type and shape into new memory, out->data; caller frees. */
int archai_h5_read(hid_t dataset, archai_tensor *out, archai_err *err);
/* ARCHAI_EFORMAT where HDF5 would answer fill values: a virtual dataset with sources that are missing, external files that
 * are; and, where `whole`, chunks or a whole dataset that were never written (some take that for zeros). */
int archai_h5_check_written(hid_t dataset, bool whole, archai_err *err);
/* Read the rows from `first` on of a dataset of this rank, at most 4, into `to`; or, where that is
 * NULL, write them from `from`. shape: of what is read or written. In memory it is of `type`. */
int archai_h5_rows(hid_t dataset, hid_t type, int rank, uint64_t first, const hsize_t *shape,
                   void *to, const void *from, archai_err *err);

/* Create or replace an attribute. Strings are variable-length UTF-8, which h5py reads as str. */
int archai_h5_set_string(hid_t object, const char *name, const char *value, archai_err *err);
int archai_h5_set_int(hid_t object, const char *name, int64_t value, archai_err *err);
int archai_h5_set_doubles(hid_t object, const char *name, const double *at, size_t n,
                          archai_err *err);
/* Read what others may have written: either kind of string (caller frees), any integer type, sizes
 * bounded. A missing attribute is ARCHAI_ENOTFOUND, another type ARCHAI_EFORMAT. */
int archai_h5_get_string(hid_t object, const char *name, char **out, archai_err *err);
int archai_h5_get_int(hid_t object, const char *name, int64_t *out, archai_err *err);

/* Open group `name` of `parent`, or create it. Groups remember the order of creation: h5py lists
 * objectives as they were configured and tensors as state_dict does. */
int archai_h5_group(hid_t parent, const char *name, hid_t *group, archai_err *err);
/* Does `group` have a link `name` (one level)? */
bool archai_h5_has(hid_t group, const char *name);
/* Names of a group's links: in order of creation if asked for and remembered, else sorted. */
int archai_h5_links(hid_t group, bool as_created, archai_strings *out, archai_err *err);
#endif
