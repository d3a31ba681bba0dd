/* io/file/array.h - whole HDF5 datasets as tensors in memory, for the tools.
 *
 * The files are not trusted: at most ARCHAI_ARRAY_MAX bytes a dataset, only the types of
 * archai_dtype, at most ARCHAI_MAX_DIMS dimensions. Not collective.
 */
#ifndef ARCHAI_IO_FILE_ARRAY_H
#define ARCHAI_IO_FILE_ARRAY_H
#include "core/base/err.h"
#include "io/file/tensors.h"

#define ARCHAI_ARRAY_MAX (INT64_C(16) << 30) /* bytes */

/* Split "FILE:/PATH" at the first ":/"; PATH keeps its slash. The caller owns *file; *path points
 * into `text`, or is NULL where there is none. */
void archai_array_split(const char *text, char **file, const char **path);

/* Read one dataset; out->name is the last part of the path. Free with archai_array_free. */
int archai_array_read(const char *file, const char *path, archai_tensor *out, archai_err *err);
/* Read all datasets directly in a group, in order of name; free with archai_arrays_free. */
int archai_array_read_group(const char *file, const char *path, archai_tensor **out, size_t *n,
                            archai_err *err);
void archai_array_free(archai_tensor *t);
void archai_arrays_free(archai_tensor *at, size_t n); /* at: NULL is allowed */

/* Write a new file with one dataset; published as archai_file_publish() does. */
int archai_array_write(const char *file, const char *path, const archai_tensor *t,
                       archai_err *err);
#endif
