/* io/file/pt/zip.h - members of a zip archive in memory, as PyTorch's files have them: stored, not compressed.
 *
 * Written by hand: the members are used where they lie in the mapping, which no library offers, and of the
 * format nothing but the directory is needed (APPNOTE.TXT 6.3, 4.3 and 4.5.3 for more than 4 GiB). Nothing
 * in the archive is trusted.
 */
#ifndef ARCHAI_IO_FILE_PT_ZIP_H
#define ARCHAI_IO_FILE_PT_ZIP_H
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

typedef struct archai_zip_member {
    const char *name; /* borrowed from the archive; not terminated */
    size_t name_length;
    const unsigned char *data; /* borrowed */
    size_t size;
} archai_zip_member;

typedef struct archai_zip {
    archai_zip_member *at; /* owned; sorted */
    size_t n;
} archai_zip;

/* Does it begin as an archive does? */
bool archai_zip_is(const void *data, size_t size);
/* ARCHAI_EFORMAT: damaged, compressed, encrypted, or in several parts. `data` outlives *out. */
int archai_zip_open(archai_zip *out, const void *data, size_t size, archai_err *err);
void archai_zip_close(archai_zip *z); /* safe on a zeroed struct */
/* The first member whose name ends so ("/data.pkl"); NULL: none. */
const archai_zip_member *archai_zip_find_end(const archai_zip *z, const char *end);
/* The member of this whole name; NULL: none. */
const archai_zip_member *archai_zip_find(const archai_zip *z, const char *name, size_t length);
#endif
