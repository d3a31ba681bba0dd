/* core/base/text.h - text from outside: a whole file, of bounded size; is it UTF-8, and fit to be shown? */
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

/* Text from outside, before it is stored or printed: bytes that are not UTF-8 and control characters
 * (C0, DEL, C1) become '?', a character that the end cuts off goes; newlines, returns and tabs become
 * blanks, or stay where `lines`. */
void archai_text_clean(char *text, bool lines);
/* The same for n bytes without a terminating NUL; returns how many are left. */
size_t archai_bytes_clean(char *text, size_t n, bool lines);

/* Names from outside (tensors, measures, curves, architectures) as names of HDF5 links and on a terminal:
 * percent-encoded as in RFC 3986 where they would not do as they are. That is a '/', a control
 * character, a byte that is not UTF-8, a '%' that two hexadecimal digits follow, and a name that is
 * "." or "..". An empty name is "%00". Names that differ stay different, and Python's
 * urllib.parse.unquote undoes it (the empty name aside). Caller frees. */
char *archai_name_escape(const char *name);
char *archai_name_unescape(const char *name);
#endif
