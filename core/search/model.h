/* core/search/model.h - ArchaiModel: an architecture, its identity and its metadata.
 *
 * `arch` is data (a JSON value, what save_arch writes), not a torch object: a module tree and
 * weights are made from it where they are needed (core/network/network.h, shim/).
 */
#ifndef ARCHAI_CORE_SEARCH_MODEL_H
#define ARCHAI_CORE_SEARCH_MODEL_H
#include <jansson.h>
#include "core/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct archai_model {
    json_t *arch;     /* owned reference; NULL after archai_model_clear() */
    char *archid;     /* owned; identity of the architecture, UTF-8 without '/' and NUL */
    json_t *metadata; /* owned reference; a JSON object, {} when there is none */
} archai_model;

/* Takes over the references `arch` and `metadata` (NULL: an empty object) and copies `archid`,
 * also on failure (they are released then). */
int archai_model_init(archai_model *m, json_t *arch, const char *archid, json_t *metadata,
                      archai_err *err);
void archai_model_copy(archai_model *out, const archai_model *from); /* shares arch */
void archai_model_clear(archai_model *m); /* drops arch, keeps archid and metadata */
void archai_model_fini(archai_model *m);  /* safe on a zeroed struct */

#ifdef __cplusplus
}
#endif
#endif
