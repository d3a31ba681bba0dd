/* core/search/given.h - architectures of other results, which a search begins with or trains again.
 *
 * core/ reads no results: whoever makes the search brings an archai_giver that does.
 */
#ifndef ARCHAI_CORE_SEARCH_GIVEN_H
#define ARCHAI_CORE_SEARCH_GIVEN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/option.h"

typedef struct archai_given {
    char *archid;     /* owned */
    char *arch;       /* owned; what save_arch wrote */
    char *metadata;   /* owned; JSON object, as text; NULL: none */
    int64_t begin_at; /* weights to begin from (archai_trial); 0: new ones */
} archai_given;
void archai_given_free(archai_given *at, size_t n); /* NULL is allowed */

typedef struct archai_giver {
    void *payload;
    /* The front of the results at `path`, a directory or an HDF5 file. Caller frees. */
    int (*front)(void *payload, const char *path, archai_given **out, size_t *n, archai_err *err);
    /* Models of the results at `path` as a user names them (search.models); with their weights unless
     * `fresh`. Each once; at least one. Caller frees. */
    int (*chosen)(void *payload, const char *path, const archai_strings *models, bool fresh,
                  archai_given **out, size_t *n, archai_err *err);
} archai_giver;
#endif
