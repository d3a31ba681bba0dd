/* What formats ask for: the weights of a row, and the network that its space describes. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/paths.h"
#include "core/registries.h"
#include "io/dataset/dataset.h"
#include "io/dataset/shape.h"
#include "runner/inspect/export/format.h"

/* -- the space ------------------------------------------------------------------------------ */

static int probe(archai_ini *ini, archai_data_shape *shape, archai_err *err)
{
    archai_dataset_source source;
    archai_dataset_facts facts;
    int rc;

    ARCHAI_TRY(archai_dataset_source_open(&source, ini, err));
    rc = archai_dataset_probe(&source, &facts, err);
    if (rc == ARCHAI_OK)
        *shape = facts.shape;
    archai_dataset_source_close(&source);
    return rc;
}

/* A resolved configuration has a section [data] whether any were used or not. */
static bool used_data(const inspect *t, const archai_ini *ini)
{
    const archai_ini_entry *kind = archai_ini_find(ini, "evaluator", "kind");

    return t->r.data != NULL || kind == NULL || strcmp(kind->value, "torch") == 0;
}

/* As recorded, which needs no data; earlier versions did not, and their data are looked at. */
static int data_shape(const inspect *t, archai_ini *ini, archai_data_shape *shape, archai_err *err)
{
    json_t *recorded = t->r.data_shape != NULL ? json_loads(t->r.data_shape, 0, NULL) : NULL;
    int rc = ARCHAI_OK;

    if (recorded != NULL)
        rc = archai_err_wrap(err, archai_dataset_shape_read(recorded, shape, err), "%s: data_shape: ", t->path);
    else if (used_data(t, ini))
        rc = archai_err_wrap(err, probe(ini, shape, err),
                             "the shape of the data is not recorded, and they cannot be read: ");
    json_decref(recorded);
    return rc;
}

static bool is_plugin(const archai_ini *ini)
{
    const archai_ini_entry *name = archai_ini_find(ini, "space", "name");

    return name != NULL && strcmp(name->value, ARCHAI_SPACE_PLUGIN) == 0;
}

static int read_config(const inspect *t, archai_ini *ini, archai_err *err)
{
    char *name;
    int rc;

    if (t->config != NULL)
        return archai_ini_read(ini, t->config, err);
    name = archai_printf("%s/config.ini", t->directory);
    rc = archai_ini_parse(ini, name, t->r.config, strlen(t->r.config), err);
    free(name);
    if (rc == ARCHAI_OK && is_plugin(ini)) /* results may come from anywhere, code may not */
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "%s: its space is a plug-in, whose code is run only where --config CONFIG names it",
                         t->path);
    return rc;
}

int export_space(const inspect *t, archai_space **out, archai_err *err)
{
    archai_ini ini = {.file = NULL};
    archai_data_shape shape = {0};
    int rc = read_config(t, &ini, err);

    if (rc == ARCHAI_OK) {
        archai_paths_resolve(&ini, getenv("HOME"), NULL);
        rc = data_shape(t, &ini, &shape, err);
    }
    if (rc == ARCHAI_OK)
        rc = archai_space_create(out, &ini, &shape, err);
    archai_ini_free(&ini);
    return rc;
}

/* -- a model -------------------------------------------------------------------------------- */

static int describe(export_model *m, archai_space *space, archai_err *err)
{
    const char *text = m->t->r.rows[m->row].arch;
    archai_model model = {.arch = NULL};
    int rc;

    if (!archai_space_can(space, "describe"))
        return archai_fail(err, ARCHAI_EINVAL, "the space %s does not say what its networks are made of",
                           space->ops->name);
    rc = archai_space_load_arch(space, text, strlen(text), &model, err);
    if (rc == ARCHAI_OK)
        rc = archai_space_describe(space, &model, &m->net, err);
    archai_model_fini(&model);
    return rc;
}

int export_model_open(export_model *out, const inspect *t, size_t row, const export_format *format,
                      archai_space *space, archai_err *err)
{
    *out = (export_model){.t = t, .row = row, .archid = t->r.rows[row].model.archid};
    if (format->weights)
        ARCHAI_TRY(archai_results_tensors(t->path, out->archid, &out->tensors, &out->n, err));
    if (format->network)
        return archai_err_wrap(err, describe(out, space, err), "%s: ", out->archid);
    return ARCHAI_OK;
}

void export_model_close(export_model *m)
{
    archai_arrays_free(m->tensors, m->n);
    archai_network_fini(&m->net);
    *m = (export_model){.t = NULL};
}
