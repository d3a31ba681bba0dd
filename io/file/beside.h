/* io/file/beside.h - files in the making: what is written has another name, or none, until it is complete.
 *
 * The file is created anew (O_EXCL): no link that somebody put there is followed. Libraries that open files
 * by name get `at`, which is this very file whatever happens to names. Not collective.
 */
#ifndef ARCHAI_IO_FILE_BESIDE_H
#define ARCHAI_IO_FILE_BESIDE_H
#include <stdbool.h>
#include "core/base/err.h"

typedef struct archai_beside {
    int fd;       /* owned; for reading and writing */
    char *path;   /* owned; what it becomes */
    char *name;   /* owned; its path until then; NULL: it has none */
    char at[64];  /* "/proc/<pid>/fd/<fd>": for other processes, too, as long as it is open */
} archai_beside;
#define ARCHAI_BESIDE_INIT                                                                         \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Will be <directory>/<name>, of a results directory. Until then it is .<name>.new, which replaces what a
 * process that was killed left under that name: one process writes each of these files. */
int archai_beside_inside(archai_beside *out, const char *directory, const char *name, archai_err *err);
/* Will be the file that a user named (-o PATH). Where there is a regular file or nothing, it is written beside
 * it under a name that cannot be guessed. A device, a FIFO or a link is written through in the end, and
 * stays what it is; until then the file is in memory. ARCHAI_EINVAL: a directory. */
int archai_beside_output(archai_beside *out, const char *path, archai_err *err);
/* fsync it, rename it to `path`, fsync the directory: afterwards `path` is the old file or the new one, never a
 * mixture, also after a power failure. Or write it through. Releases *b in any case; after a failure
 * nothing is left behind. */
int archai_beside_publish(archai_beside *b, archai_err *err);
/* Of a file made by archai_beside_inside that is soon replaced again: rename it without fsync, which would take its
 * time. Whoever reads it sees the old file or the new one; a power failure may take it. */
int archai_beside_show(archai_beside *b, archai_err *err);
/* Remove what processes that were killed left of <directory>/<name> under names that cannot be guessed. */
void archai_beside_sweep(const char *directory, const char *name);
void archai_beside_drop(archai_beside *b); /* removes it; safe on ARCHAI_BESIDE_INIT */
#endif
