/* pack: all of results.h5 in one file, with the weights, to send away. */
#include "io/results/pack.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/beside.h"
#include "runner/inspect/inspect.h"

/* The copy is held against itself as `verify` does it, before it has its name. */
static int verify(const inspect *t, const char *path, archai_err *err)
{
    inspect copy = {.path = path,
                    .json = t->json,
                    .directory = archai_strndup(path, (size_t)(strrchr(path, '/') - path))}; /* no segments are there */
    int rc = archai_results_read(&copy.r, path, err);

    if (rc == ARCHAI_OK)
        rc = inspect_verify(&copy, err);
    archai_results_free(&copy.r);
    free(copy.directory);
    return rc;
}

int inspect_pack(inspect *t, archai_err *err)
{
    archai_beside b = ARCHAI_BESIDE_INIT;
    size_t models;
    int rc;

    if (t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "pack needs -o FILE");
    ARCHAI_TRY(archai_beside_output(&b, t->output, err));
    if (b.name == NULL) { /* HDF5 writes files alone */
        archai_beside_drop(&b);
        return archai_fail(err, ARCHAI_EINVAL, "%s: is not a regular file, expected one, or a name that is free", t->output);
    }
    rc = archai_results_pack(t->path, b.at, &models, err);
    if (rc == ARCHAI_OK)
        rc = verify(t, b.at, err);
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    archai_beside_drop(&b);
    return rc;
}
