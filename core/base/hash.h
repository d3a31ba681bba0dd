/* core/base/hash.h - texts as numbers, for tables in memory and for telling texts apart. */
#ifndef ARCHAI_CORE_BASE_HASH_H
#define ARCHAI_CORE_BASE_HASH_H
#include <stdint.h>

/* FNV-1a, 64 bits. Source: Fowler, Noll, Vo, Eastlake, RFC 9923. Different texts may share a
 * number. */
uint64_t archai_hash(const char *text);
#endif
