/* core/base/text.h - text from outside: a whole file, of bounded size; is it UTF-8? */
#ifndef ARCHAI_CORE_BASE_TEXT_H
#define ARCHAI_CORE_BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

/* Read a file of at most `most` bytes. *text is the caller's to free. Errors begin with the path:
 * ARCHAI_ENOTFOUND; ARCHAI_EFORMAT, "path:1: ...": it is larger; ARCHAI_EINVAL, ARCHAI_EIO: it
 * cannot be read. */
int archai_text_read(const char *path, size_t most, char **text, size_t *size, archai_err *err);

/* Bytes of the UTF-8 character at s, which has n >= 1 bytes left; 0: not UTF-8. jansson takes nothing
 * else, and results.h5 promises it. */
size_t archai_utf8_length(const char *s, size_t n);
bool archai_is_utf8(const char *text);
/* A text with bytes that are not UTF-8 (a path, a comment): each byte beyond ASCII becomes '?'. */
void archai_make_utf8(char *text);
#endif
