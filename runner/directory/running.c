#include "runner/directory/running.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "core/base/alloc.h"
#include "io/file/beside.h"
#include "io/file/file.h"

static const char file_name[] = "running.json";
enum { LIMIT = 64 << 20 };

void archai_running_fini(archai_running *r)
{
    free(r->archid);
    archai_measures_free(r->measures, r->n_measures);
    *r = (archai_running){.id = -1};
}

/* -- writing ------------------------------------------------------------------------------- */

/* JSON has no number that is none. */
static void set_number(json_t *object, const char *name, double value)
{
    if (isfinite(value))
        (void)json_object_set_new(object, name, json_real(value));
}

static json_t *to_json(const archai_running *r)
{
    json_t *measures = json_object();

    for (size_t i = 0; i < r->n_measures; i++)
        set_number(measures, r->measures[i].name, r->measures[i].value);
    return json_pack("{s:I, s:s, s:i, s:f, s:f, s:i, s:o}", "id", (json_int_t)r->id, "archid", r->archid, "rank", r->rank,
                     "since", r->since, r->by_epoch ? "epoch" : "step", isfinite(r->at) ? r->at : 0.0, "epochs",
                     r->epochs, "measures", measures);
}

int archai_running_write(const char *directory, double now, const archai_running *at, size_t n, archai_err *err)
{
    archai_beside b = ARCHAI_BESIDE_INIT;
    json_t *list = json_array(), *all;
    char *text;
    int rc;

    for (size_t i = 0; i < n; i++)
        if (at[i].id >= 0)
            (void)json_array_append_new(list, to_json(&at[i])); /* one whose archid is no UTF-8 is left out */
    all = json_pack("{s:f, s:o}", "updated", now, "candidates", list);
    text = json_dumps(all, JSON_COMPACT);
    rc = text != NULL ? archai_beside_inside(&b, directory, file_name, err)
                      : archai_fail(err, ARCHAI_EIO, "%s/%s: cannot be written", directory, file_name);
    if (rc == ARCHAI_OK)
        rc = archai_file_pwrite(b.fd, text, strlen(text), 0, b.path, err);
    if (rc == ARCHAI_OK)
        rc = archai_beside_show(&b, err);
    archai_beside_drop(&b);
    json_decref(all);
    free(text);
    return rc;
}

void archai_running_remove(const char *directory)
{
    char *path = archai_file_path(directory, file_name);

    (void)unlink(path);
    free(path);
}

/* -- reading ------------------------------------------------------------------------------- */

static double number(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);

    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static int whole(double value)
{
    return value >= 0 && value <= 1e9 ? (int)value : 0;
}

static bool from_json(const json_t *object, archai_running *r)
{
    const char *archid = json_string_value(json_object_get(object, "archid")), *name;
    const json_t *id = json_object_get(object, "id");
    json_t *v;

    if (archid == NULL || !json_is_integer(id) || json_integer_value(id) < 0)
        return false;
    *r = (archai_running){.id = json_integer_value(id),
                          .archid = archai_strdup(archid),
                          .rank = whole(number(object, "rank")),
                          .since = number(object, "since"),
                          .by_epoch = json_object_get(object, "epoch") != NULL,
                          .epochs = whole(number(object, "epochs"))};
    r->at = number(object, r->by_epoch ? "epoch" : "step");
    json_object_foreach(json_object_get(object, "measures"), name, v)
    {
        r->measures = archai_realloc(r->measures, r->n_measures + 1, sizeof *r->measures);
        r->measures[r->n_measures++] = (archai_measure){
            archai_strdup(name), json_is_number(v) ? json_number_value(v) : (double)NAN};
    }
    return true;
}

int archai_running_read(const char *directory, archai_running **out, size_t *n, archai_err *err)
{
    char *path = archai_file_path(directory, file_name), *text = NULL;
    json_t *all = NULL, *list;
    size_t size = 0;
    int rc = archai_file_read(path, LIMIT, &text, &size, err);

    free(path);
    if (rc != ARCHAI_OK)
        return rc;
    all = json_loadb(text, size, 0, NULL);
    free(text);
    list = json_object_get(all, "candidates");
    if (!json_is_array(list)) {
        json_decref(all);
        return archai_fail(err, ARCHAI_EFORMAT, "%s: not what archai-run writes", file_name);
    }
    *out = archai_calloc(json_array_size(list) + 1, sizeof **out);
    *n = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        *n += from_json(json_array_get(list, i), &(*out)[*n]);
    json_decref(all);
    return ARCHAI_OK;
}
