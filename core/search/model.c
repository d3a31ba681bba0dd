#include "core/search/model.h"

#include <stdlib.h>
#include <string.h>

/* An archid becomes the name of an HDF5 group: no '/', not "." (the group itself), not empty.
 */
static int check_archid(const char *archid, archai_err *err)
{
    if (archid == NULL || archid[0] == '\0')
        return archai_fail(err, ARCHAI_EINVAL, "archid is empty");
    if (strchr(archid, '/') != NULL || strcmp(archid, ".") == 0)
        return archai_fail(err, ARCHAI_EINVAL, "archid '%.200s' may hold no '/' and not be '.'",
                           archid);
    return ARCHAI_OK;
}

int archai_model_init(archai_model *m, json_t *arch, const char *archid, json_t *metadata,
                      archai_err *err)
{
    archai_model made = {.arch = arch, .metadata = metadata};
    int rc = check_archid(archid, err);

    if (rc != ARCHAI_OK)
        goto out;
    made.archid = strdup(archid);
    if (made.metadata == NULL)
        made.metadata = json_object();
    if (made.archid == NULL || made.metadata == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "model: out of memory");
        goto out;
    }
    *m = made;
    memset(&made, 0, sizeof made);
out:
    archai_model_fini(&made);
    return rc;
}

int archai_model_copy(archai_model *out, const archai_model *from, archai_err *err)
{
    json_t *metadata = json_deep_copy(from->metadata);

    if (metadata == NULL && from->metadata != NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "model: out of memory");
    return archai_model_init(out, json_incref(from->arch), from->archid, metadata, err);
}

void archai_model_clear(archai_model *m)
{
    json_decref(m->arch);
    m->arch = NULL;
}

void archai_model_fini(archai_model *m)
{
    json_decref(m->arch);
    json_decref(m->metadata);
    free(m->archid);
    memset(m, 0, sizeof *m);
}
