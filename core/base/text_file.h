/* core/base/text_file.h - a whole file, of bounded size. */
#ifndef ARCHAI_CORE_BASE_TEXT_FILE_H
#define ARCHAI_CORE_BASE_TEXT_FILE_H
#include <stddef.h>
#include "core/base/err.h"

/* Read a file of at most `most` bytes. *text is the caller's to free. Errors begin with the path:
 * ARCHAI_ENOTFOUND; ARCHAI_EFORMAT, "path:1: ...": it is larger; ARCHAI_EINVAL, ARCHAI_EIO: it
 * cannot be read. */
int archai_text_file_read(const char *path, size_t most, char **text, size_t *size,
                          archai_err *err);
#endif
