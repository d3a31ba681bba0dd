/* io/file/h5.h - HDF5 calls with error capture, and the few things about HDF5 that are the same
 * everywhere in this project.
 *
 * archai_h5_ok(err, H5Dwrite(...)) and archai_h5_id(err, &id, H5Dopen2(...)) turn HDF5's error
 * stack into an archai_err: the outermost frame says what was attempted, the innermost why; a
 * full disk is recognised. Identifiers start as H5I_INVALID_HID and are given back with
 * archai_h5_release (nothing can be lost) or archai_h5_close (data was written: failing to
 * close is an error).
 *
 * Serial HDF5 is all that is needed; a parallel build works the same. One thread, not
 * collective.
 */
#ifndef ARCHAI_IO_FILE_H5_H
#define ARCHAI_IO_FILE_H5_H
#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/network/network.h"

/* Before the first HDF5 call of a process (may be repeated): no printing by HDF5, no attempt to
 * write a file at exit that could not be written before. */
int archai_h5_init(archai_err *err);
void archai_h5_version(char *text, size_t size); /* "HDF5 1.10.8": the library that runs */

#define archai_h5_ok(err, call) archai_h5_ok_((err), (call), #call, __FILE__, __LINE__)
#define archai_h5_id(err, out, call)                                                           \
    archai_h5_id_((err), (out), (call), #call, __FILE__, __LINE__)
int archai_h5_ok_(archai_err *err, herr_t st, const char *what, const char *file, int line);
int archai_h5_id_(archai_err *err, hid_t *out, hid_t id, const char *what, const char *file,
                  int line);

void archai_h5_release(hid_t *id);               /* any kind; invalid ones are ignored */
int archai_h5_close(hid_t *id, archai_err *err); /* any kind; *id is invalid afterwards */

/* Access properties of every file here: closing a file closes all in it; no file locks, which
 * network file systems answer with errors or hangs; the format of HDF5 1.10, whose metadata has
 * checksums, so that damage is an error and not a crash. Caller releases. */
int archai_h5_access(hid_t *fapl, archai_err *err);
/* Opens for reading. A missing file is ARCHAI_ENOTFOUND, one that is no HDF5 file
 * ARCHAI_EFORMAT. */
int archai_h5_open(hid_t *file, const char *path, archai_err *err);

/* The file type of `t`, little-endian; float16 as IEEE 754 binary16, which h5py reads as '<f2'.
 * Caller releases. */
int archai_h5_type(hid_t *type, archai_dtype t, archai_err *err);
archai_dtype archai_h5_type_of(hid_t type); /* ARCHAI_DTYPE_COUNT: none of ours */
/* A UTF-8 string type: of `width` bytes, NUL-padded, or variable with H5T_VARIABLE. */
int archai_h5_string_type(hid_t *type, size_t width, archai_err *err);

/* Attributes: made or replaced. Strings are variable-length UTF-8, so that h5py gives str. */
int archai_h5_set_string(hid_t object, const char *name, const char *value, archai_err *err);
int archai_h5_set_int(hid_t object, const char *name, int64_t value, archai_err *err);
int archai_h5_set_doubles(hid_t object, const char *name, const double *at, size_t n,
                          archai_err *err);
/* Reading what others may have written: either kind of string, any integer type, sizes bounded.
 * Missing is ARCHAI_ENOTFOUND, another type ARCHAI_EFORMAT. */
int archai_h5_get_string(hid_t object, const char *name, char **out, archai_err *err);
int archai_h5_get_int(hid_t object, const char *name, int64_t *out, archai_err *err);

/* Open group `name` of `parent`, or create it. Groups remember the order of creation: h5py then
 * lists objectives as they were configured and tensors as state_dict does. */
int archai_h5_group(hid_t parent, const char *name, hid_t *group, archai_err *err);
/* Does `group` have a link `name` (one level)? */
bool archai_h5_has(hid_t group, const char *name);
#endif
