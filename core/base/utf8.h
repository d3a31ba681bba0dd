/* core/base/utf8.h - is it UTF-8? jansson takes nothing else, and results.h5 promises it. */
#ifndef ARCHAI_CORE_BASE_UTF8_H
#define ARCHAI_CORE_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at s, which has n >= 1 bytes left; 0: not UTF-8. */
size_t archai_utf8_length(const char *s, size_t n);
bool archai_is_utf8(const char *text);
#endif
