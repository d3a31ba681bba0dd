/* core/config/train_own.h - keys of [train] that hold for one candidate: what a search space says
 * of them. */
#ifndef ARCHAI_CORE_CONFIG_TRAIN_OWN_H
#define ARCHAI_CORE_CONFIG_TRAIN_OWN_H
#include <jansson.h>
#include "core/config/config.h"

/* Can a candidate have this value for this key of [train]? `budgets`: the algorithm decides how
 * many epochs. ARCHAI_EINVAL begins with the key. */
int archai_train_check_value(const char *key, const json_t *value, bool budgets,
                             archai_err *err);

/* Is there such a key in [train]? */
bool archai_train_is_key(const char *key);

/* Section [train] of `c` with these keys and values (borrowed; NULL: none); the other sections
 * of *out are empty. Free with archai_config_free. Errors as above, and where keys do not go
 * together (archai_train_faults); nothing to free then. */
int archai_train_override(archai_config *out, const archai_config *c, const json_t *values,
                          archai_err *err);
#endif
