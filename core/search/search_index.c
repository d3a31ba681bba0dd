#include "core/search/search_index.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

static uint32_t hash(const char *archid)
{
    const uint64_t h = archai_hash(archid);

    return (uint32_t)(h ^ (h >> 32));
}

static size_t find(const struct archai_search_index *ix, const archai_record *records,
                   const char *archid, const double *budget)
{
    const uint32_t h = hash(archid);
    size_t first = SIZE_MAX;

    for (size_t i = h; ix->capacity > 0; i++) {
        const struct archai_search_slot *slot = &ix->slots[i & (ix->capacity - 1)];
        const archai_record *r;

        if (slot->record == 0)
            break;
        r = &records[slot->record - 1];
        if (slot->hash != h || slot->record - 1 >= first || strcmp(r->archid, archid) != 0)
            continue;
        if (budget == NULL)
            first = slot->record - 1;
        else if (r->budget == *budget)
            return slot->record - 1;
    }
    return first;
}

size_t archai_search_index_find(const struct archai_search_index *ix,
                                const archai_record *records, const char *archid, double budget)
{
    return find(ix, records, archid, &budget);
}

size_t archai_search_index_any(const struct archai_search_index *ix,
                               const archai_record *records, const char *archid)
{
    return find(ix, records, archid, NULL);
}

static void put(struct archai_search_index *ix, struct archai_search_slot slot)
{
    size_t i = slot.hash;

    while (ix->slots[i & (ix->capacity - 1)].record != 0)
        i++;
    ix->slots[i & (ix->capacity - 1)] = slot;
}

static int grow(struct archai_search_index *ix, archai_err *err)
{
    const struct archai_search_index old = *ix;
    const size_t capacity = old.capacity == 0 ? 64 : 2 * old.capacity;
    struct archai_search_slot *slots = calloc(capacity, sizeof *slots);

    if (slots == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", capacity);
    ix->slots = slots;
    ix->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].record != 0)
            put(ix, old.slots[i]);
    free(old.slots);
    return ARCHAI_OK;
}

int archai_search_index_add(struct archai_search_index *ix, const archai_record *records,
                            size_t at, archai_err *err)
{
    if (at >= UINT32_MAX)
        return archai_fail(err, ARCHAI_ENOMEM, "more than %u candidates", UINT32_MAX - 1);
    if (3 * (ix->n + 1) > 2 * ix->capacity)
        ARCHAI_TRY(grow(ix, err));
    ix->n_archids += archai_search_index_any(ix, records, records[at].archid) == SIZE_MAX;
    put(ix, (struct archai_search_slot){hash(records[at].archid), (uint32_t)at + 1});
    ix->n++;
    return ARCHAI_OK;
}

void archai_search_index_fini(struct archai_search_index *ix)
{
    free(ix->slots);
    *ix = (struct archai_search_index){.slots = NULL};
}
