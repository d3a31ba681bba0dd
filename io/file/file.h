/* io/file/file.h - whole reads and writes, and the one way in which a file is published.
 *
 * Errors name the path. A full disk (or quota, or file size limit) is ARCHAI_EIO and says how many
 * bytes could not be written. Not collective.
 */
#ifndef ARCHAI_IO_FILE_FILE_H
#define ARCHAI_IO_FILE_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

/* Write all of data [n] at byte `at`. `path` is for messages. */
int archai_file_pwrite(int fd, const void *data, size_t n, uint64_t at, const char *path,
                       archai_err *err);
/* Fill out [n] from byte `at`; a file that ends before that is ARCHAI_EFORMAT. */
int archai_file_pread(int fd, void *out, size_t n, uint64_t at, const char *path,
                      archai_err *err);

/* "directory/name"; caller frees. */
char *archai_file_path(const char *directory, const char *name);
/* Disk or memory for [at, at + n) of a file; 0, or why there is none (errno). A signal does not end it. */
int archai_file_allocate(int fd, uint64_t at, uint64_t n);
/* A name of an open file of this process that other processes may open, too: "/proc/<pid>/fd/<fd>". */
void archai_file_name_fd(char *text, size_t size, int fd);
/* Memory for n items, where a file says how many (caller frees). NULL: there is not enough, and
 * `err` says so (ARCHAI_ENOMEM); a file must not be able to end the process. */
void *archai_file_room(size_t n, size_t size, archai_err *err);

/* fsync `beside`, rename it to `path`, fsync their directory: afterwards `path` is the old file
 * or the new one, never a mixture, also after a power failure. */
int archai_file_publish(const char *beside, const char *path, archai_err *err);
/* fsync the directory that holds `path`. */
int archai_file_sync_directory(const char *path, archai_err *err);
/* Write <directory>/<name>, beside it first (io/file/beside.h). */
int archai_file_replace(const char *directory, const char *name, const void *data, size_t n,
                        archai_err *err);
/* Copy `from` into the empty file `out`, whose name for messages is `to`; shares blocks where the file system
 * can. Not synced. */
int archai_file_copy(const char *from, int out, const char *to, archai_err *err);
/* Write the first n bytes of `in` to `out`, which may be a pipe; `path` is for messages. */
int archai_file_pour(int in, int out, uint64_t n, const char *path, archai_err *err);
/* ARCHAI_OK if `path` is a regular file that may be read, else ARCHAI_EINVAL or ARCHAI_ENOTFOUND
 * and the reason. For files that users name: opening a FIFO would wait forever. */
int archai_file_check(const char *path, archai_err *err);
/* Read a whole regular file of at most `limit` bytes; NUL-terminated; caller frees. */
int archai_file_read(const char *path, size_t limit, char **out, size_t *n, archai_err *err);

#endif
