#include "core/base/hash.h"

#include <stdlib.h>

#include "core/base/alloc.h"

uint64_t archai_hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* offset basis; below, the FNV prime */

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return h;
}

static uint32_t folded(uint64_t hash)
{
    return (uint32_t)(hash ^ (hash >> 32));
}

/* Growing shuffles items of equal keys: the smallest index among them is the one entered first. */
size_t archai_hash_find(const archai_hash_table *t, uint64_t hash, archai_hash_equal *equal,
                        const void *items, const void *key)
{
    const uint32_t h = folded(hash);
    size_t first = SIZE_MAX;

    for (size_t i = h; t->capacity > 0; i++) {
        const struct archai_hash_slot *slot = &t->slots[i & (t->capacity - 1)];

        if (slot->index == 0)
            break;
        if (slot->hash == h && slot->index - 1 < first && equal(items, slot->index - 1, key))
            first = slot->index - 1;
    }
    return first;
}

static void put(archai_hash_table *t, struct archai_hash_slot slot)
{
    size_t i = slot.hash;

    while (t->slots[i & (t->capacity - 1)].index != 0)
        i++;
    t->slots[i & (t->capacity - 1)] = slot;
}

static void grow(archai_hash_table *t)
{
    const archai_hash_table old = *t;

    t->capacity = old.capacity == 0 ? 64 : 2 * old.capacity;
    t->slots = archai_calloc(t->capacity, sizeof *t->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].index != 0)
            put(t, old.slots[i]);
    free(old.slots);
}

void archai_hash_add(archai_hash_table *t, uint64_t hash, size_t index)
{
    if (4 * (t->n + 1) > 3 * t->capacity)
        grow(t);
    put(t, (struct archai_hash_slot){folded(hash), (uint32_t)index + 1});
    t->n++;
}

void archai_hash_clear(archai_hash_table *t)
{
    free(t->slots);
    *t = (archai_hash_table){.slots = NULL};
}
