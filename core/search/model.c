#include "core/search/model.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"

/* An archid becomes the name of an HDF5 group: no '/', not "." (the group itself), not empty. It goes
 * into JSON, too, and a plug-in may write anything. */
static int check_archid(const char *archid, archai_err *err)
{
    if (archid == NULL || archid[0] == '\0')
        return archai_fail(err, ARCHAI_EINVAL, "archid is empty");
    if (strchr(archid, '/') != NULL || strcmp(archid, ".") == 0)
        return archai_fail(err, ARCHAI_EINVAL, "archid '%.200s' may not contain '/' or be '.'",
                           archid);
    if (!archai_is_utf8(archid))
        return archai_fail(err, ARCHAI_EINVAL, "archid '%.200s' is not UTF-8", archid);
    return ARCHAI_OK;
}

int archai_model_init(archai_model *m, json_t *arch, const char *archid, json_t *metadata,
                      archai_err *err)
{
    int rc = check_archid(archid, err);

    if (rc == ARCHAI_OK && metadata != NULL && !json_is_object(metadata))
        rc = archai_fail(err, ARCHAI_EINVAL, "metadata of %.200s is not a JSON object", archid);
    if (rc != ARCHAI_OK) {
        json_decref(arch);
        json_decref(metadata);
        return rc;
    }
    *m = (archai_model){
        .arch = arch,
        .archid = archai_strdup(archid),
        .metadata = metadata != NULL ? metadata : archai_there(json_object()),
    };
    return ARCHAI_OK;
}

void archai_model_copy(archai_model *out, const archai_model *from)
{
    *out = (archai_model){
        .arch = json_incref(from->arch),
        .archid = archai_strdup(from->archid),
        .metadata = archai_there(from->metadata != NULL ? json_deep_copy(from->metadata)
                                                        : json_object()),
    };
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
    *m = (archai_model){.arch = NULL};
}
