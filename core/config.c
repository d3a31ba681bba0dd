/* Sections of the configuration: reading them through option tables, and what nobody took. */
#include "core/config.h"

#include <stdlib.h>
#include <string.h>

#include "core/algorithm.h"
#include "core/objective.h"
#include "core/space.h"

static int missing_key(const archai_ini *ini, const char *section, const char *key, archai_err *err)
{
    const archai_ini_entry *header = archai_ini_find(ini, section, NULL);

    if (header != NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%s:%d: %s.%s: missing", header->file, header->line,
                           section, key);
    return archai_fail(err, ARCHAI_EINVAL, "%s.%s: missing, and so is section [%s]", section, key,
                       section);
}

int archai_config_apply(archai_ini *ini, const char *section, const archai_option *table, void *obj,
                        archai_err *err)
{
    archai_err problem = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK, one;

    ARCHAI_TRY(archai_option_defaults(table, obj, err));
    for (const archai_option *o = table; o->key != NULL; o++) {
        archai_ini_entry *e = archai_ini_find(ini, section, o->key);

        if (e == NULL && o->def != NULL)
            continue;
        if (e == NULL) {
            one = missing_key(ini, section, o->key, &problem);
        } else {
            e->used = true;
            one = archai_option_set(table, obj, o->key, e->value, &problem);
            (void)archai_err_wrap(&problem, one, "%s:%d: %s.", e->file, e->line, section);
        }
        rc = archai_err_also(err, rc, one, &problem);
    }
    return rc;
}
