/* choose: several models at once, for archai-run --from and whoever does the like.
 *
 * Standard output is one JSON object, {"space": "cnn", "models": [...]}, a model being {"archid", "id", "budget",
 * "arch": text, "metadata": {...}, "weights": {"name": [shape], ...}}; weights are null, and "lack" says why, where
 * there are none. With -o DIR, which must be there, DIR/<k>.safetensors has the weights of model k, counted from 0,
 * and then DIR/models.json that same object. With --format arch nothing is said of weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "io/file/beside.h"
#include "io/file/file.h"
#include "io/file/tensors.h"
#include "runner/inspect/inspect.h"
#include "runner/process/tool.h"

/* -- which ------------------------------------------------------------------------------------- */

/* As named one by one; a model that is named twice is there once. */
static int name_rows(const inspect *t, size_t **out, size_t *n, archai_err *err)
{
    size_t *rows = archai_calloc(t->n_args, sizeof *rows), kept = 0;
    int rc = ARCHAI_OK;

    for (size_t i = 0; rc == ARCHAI_OK && i < t->n_args; i++) {
        bool known = false;
        size_t row = 0;

        rc = inspect_resolve(t, t->args[i], &row, err);
        for (size_t k = 0; rc == ARCHAI_OK && !known && k < kept; k++)
            known = strcmp(t->r.rows[rows[k]].model.archid, t->r.rows[row].model.archid) == 0;
        if (rc == ARCHAI_OK && !known)
            rows[kept++] = row;
    }
    if (rc == ARCHAI_OK) {
        *out = rows;
        *n = kept;
    } else {
        free(rows);
    }
    return rc;
}

static int choose_rows(const inspect *t, size_t **out, size_t *n, archai_err *err)
{
    bool is_objective;
    int64_t most;
    int rc;

    if (t->n_args == 0 || (t->n_args == 1 && strcmp(t->args[0], "pareto") == 0)) {
        *out = inspect_front(&t->r, n);
        rc = ARCHAI_OK;
    } else if (t->n_args == 3 && strcmp(t->args[0], "top") == 0) {
        if (archai_tool_count(t->args[2], 1, &most, NULL) != ARCHAI_OK)
            return archai_fail(err, ARCHAI_EINVAL, "top %s %s: expected how many models, at least 1", t->args[1],
                               t->args[2]);
        rc = inspect_best_rows(t, t->args[1], (size_t)most, &is_objective, out, n, err);
    } else if (strcmp(t->args[0], "top") == 0) {
        return archai_fail(err, ARCHAI_EINVAL, "top: expected a measure and how many models: top NAME N");
    } else {
        rc = name_rows(t, out, n, err);
    }
    if (rc == ARCHAI_OK && *n == 0) {
        free(*out);
        *out = NULL;
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s: no model has results there yet", t->path);
    }
    return rc;
}

/* -- what is said of each ---------------------------------------------------------------------- */

static json_t *text(const char *s)
{
    json_t *value = json_string(s != NULL ? s : "");

    return value != NULL ? value : json_string("?"); /* not UTF-8 */
}

static void put(json_t *object, const char *key, json_t *value)
{
    archai_must_have(json_object_set_new(object, key, value) == 0);
}

static json_t *shapes(const archai_tensor *at, size_t n)
{
    json_t *all = archai_there(json_object());

    for (size_t i = 0; i < n; i++) {
        json_t *shape = archai_there(json_array());

        for (int d = 0; d < at[i].ndim; d++)
            archai_must_have(json_array_append_new(shape, json_integer(at[i].shape[d])) == 0);
        if (json_object_set_new(all, at[i].name, shape) != 0)
            put(all, "?", json_array()); /* a name that is not UTF-8 */
    }
    return all;
}

static int write_weights(const char *directory, size_t k, const archai_tensor *at, size_t n, archai_err *err)
{
    archai_beside b = ARCHAI_BESIDE_INIT;
    char name[64];
    int rc;

    (void)snprintf(name, sizeof name, "%zu.safetensors", k);
    ARCHAI_TRY(archai_beside_inside(&b, directory, name, err));
    rc = archai_err_wrap(err, archai_safetensors_write(b.fd, at, n, err), "%s/%s: ", directory, name);
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    archai_beside_drop(&b);
    return rc;
}

/* Only what is missing is said of the model; everything else ends the command. */
static int say_weights(const inspect *t, size_t k, const char *archid, json_t *model, archai_err *err)
{
    archai_tensor *at = NULL;
    archai_err why = ARCHAI_ERR_INIT;
    size_t n = 0;
    int rc = archai_results_tensors(t->path, archid, &at, &n, &why);

    put(model, "weights", rc == ARCHAI_OK ? shapes(at, n) : json_null());
    if (rc == ARCHAI_ENOTFOUND) {
        put(model, "lack", text(why.text));
        return ARCHAI_OK;
    }
    if (rc != ARCHAI_OK)
        *err = why;
    else if (t->output != NULL)
        rc = write_weights(t->output, k, at, n, err);
    archai_arrays_free(at, n);
    return rc;
}

static int say_model(const inspect *t, size_t k, size_t row, bool weights, json_t *list, archai_err *err)
{
    const archai_trial *e = &t->r.rows[row];
    json_t *model = archai_there(json_object());
    json_t *metadata = e->metadata != NULL ? json_loads(e->metadata, 0, NULL) : NULL;

    archai_must_have(json_array_append_new(list, model) == 0);
    put(model, "archid", text(e->model.archid));
    put(model, "id", json_integer(e->id));
    put(model, "budget", json_real(e->budget));
    put(model, "arch", text(e->arch));
    put(model, "metadata", json_is_object(metadata) ? json_incref(metadata) : json_object());
    json_decref(metadata);
    return weights ? say_weights(t, k, e->model.archid, model, err) : ARCHAI_OK;
}

int inspect_choose(inspect *t, archai_err *err)
{
    const bool weights = t->format == NULL || strcmp(t->format, "arch") != 0;
    json_t *all, *list = archai_there(json_array());
    size_t *rows = NULL, n = 0;
    char *said = NULL;
    int rc = ARCHAI_OK;

    if (t->format != NULL && weights)
        rc = archai_fail(err, ARCHAI_EINVAL, "--format: '%s', expected arch", t->format);
    if (rc == ARCHAI_OK)
        rc = choose_rows(t, &rows, &n, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++)
        rc = say_model(t, i, rows[i], weights, list, err);
    all = archai_there(json_object());
    put(all, "space", text(t->r.space));
    put(all, "models", list);
    if (rc == ARCHAI_OK)
        said = archai_python_json(all, false);
    if (rc == ARCHAI_OK && t->output != NULL)
        rc = archai_file_replace(t->output, "models.json", said, strlen(said), err);
    if (rc == ARCHAI_OK)
        (void)puts(said);
    free(said);
    free(rows);
    json_decref(all);
    return rc;
}
