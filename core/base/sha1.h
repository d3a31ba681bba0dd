/* core/base/sha1.h - SHA-1 of a text in hexadecimal: archids that are hashes. */
#ifndef ARCHAI_CORE_BASE_SHA1_H
#define ARCHAI_CORE_BASE_SHA1_H
#include <stddef.h>
#include "core/base/err.h"

enum { ARCHAI_SHA1_HEX = 41 }; /* 40 lower-case digits and a NUL */

int archai_sha1_hex(const void *bytes, size_t size, char out[ARCHAI_SHA1_HEX], archai_err *err);
#endif
