/* core/base/hash.h - hashes of texts, and the one hash table: from a key to the index of an item in
 * the caller's array. */
#ifndef ARCHAI_CORE_BASE_HASH_H
#define ARCHAI_CORE_BASE_HASH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits. Source: Fowler, Noll, Vo, Eastlake, RFC 9923. Different texts may share
 * a hash. */
uint64_t archai_hash(const char *text);

/* Open addressing, 8 bytes per slot, at most three quarters full. It holds no keys: `equal` says
 * whether the item at an index has the key. Of several items with equal keys the first is found.
 * Nothing is removed. Zeroed: empty. */
typedef struct archai_hash_table {
    struct archai_hash_slot {
        uint32_t hash;  /* the upper half folded into the lower */
        uint32_t index; /* + 1; 0: the slot is free */
    } *slots;           /* [capacity], owned; capacity is a power of two, or 0 */
    size_t capacity, n;
} archai_hash_table;

typedef bool archai_hash_equal(const void *items, size_t index, const void *key);

/* The index of the first item under `hash` that `equal`s the key; SIZE_MAX: none. */
size_t archai_hash_find(const archai_hash_table *t, uint64_t hash, archai_hash_equal *equal,
                        const void *items, const void *key);
/* Enter an item; index < 2^32 - 1. */
void archai_hash_add(archai_hash_table *t, uint64_t hash, size_t index);
void archai_hash_clear(archai_hash_table *t); /* frees; empty afterwards */
#endif
