/* core/search/search_index.h - from (archid, budget) to record: an open-addressing hash table.
 *
 * Holds 8 bytes per slot and points into the search's records instead of copying archids.
 * Private to the search.
 */
#ifndef ARCHAI_CORE_SEARCH_SEARCH_INDEX_H
#define ARCHAI_CORE_SEARCH_SEARCH_INDEX_H
#include <stddef.h>
#include <stdint.h>
#include "core/search/search.h"

struct archai_search_index {
    struct archai_search_slot {
        uint32_t hash;   /* of the archid */
        uint32_t record; /* its index + 1; 0: empty */
    } *slots;            /* [capacity], owned; capacity is a power of two, or 0 */
    size_t capacity, n;
    size_t n_archids; /* different ones, at whatever budgets */
};

/* The first record entered under (archid, budget), or SIZE_MAX. */
size_t archai_search_index_find(const struct archai_search_index *ix, const archai_record *records,
                                const char *archid, double budget);
/* The first record entered under archid, at whatever budget, or SIZE_MAX. */
size_t archai_search_index_any(const struct archai_search_index *ix, const archai_record *records,
                               const char *archid);
/* Enter records[at], whose key is not there yet. ARCHAI_ENOMEM leaves the table as it was. */
int archai_search_index_add(struct archai_search_index *ix, const archai_record *records, size_t at,
                            archai_err *err);
void archai_search_index_fini(struct archai_search_index *ix);
#endif
