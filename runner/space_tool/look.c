/* runner/space_tool/look.c - the commands that look at one architecture: encode, show, info, dot. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/space_tool/space_tool.h"

/* The shortest decimal that reads back as this float32: 1e-05, not 9.999999747378752e-06. */
static double shortest(float v)
{
    char text[32];
    double d = (double)v;

    for (int digits = 1; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)v);
        d = strtod(text, NULL);
        if ((float)d == v)
            return d;
    }
    return (double)v;
}

/* Integers without a point: [3, 1, 64], as Archai's documentation prints them. */
static json_t *feature_to_json(float v)
{
    if (v == truncf(v) && fabsf(v) <= 0x1p53f)
        return archai_there(json_integer((json_int_t)v));
    return archai_there(json_real(shortest(v)));
}

int space_encode(space_tool *t, archai_err *err)
{
    float *features = archai_calloc(t->space->encoding_size, sizeof *features);
    json_t *list = archai_there(json_array());
    int rc = archai_space_encode(t->space, &t->model, features, err);

    for (size_t i = 0; rc == ARCHAI_OK && i < t->space->encoding_size; i++) {
        if (isfinite(features[i])) /* JSON has no other numbers; a plug-in may */
            (void)json_array_append_new(list, feature_to_json(features[i]));
        else
            rc = archai_fail(err, ARCHAI_EFORMAT, "feature %zu of %s is %f", i, t->model.archid,
                             (double)features[i]);
    }
    if (rc == ARCHAI_OK)
        rc = space_tool_print(list, err);
    json_decref(list);
    free(features);
    return rc;
}

/* What a command prints, as the member `name` of an object beside the archid. */
static int print_text(space_tool *t, const char *name, int (*print)(space_tool *t, FILE *out, archai_err *err), archai_err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out;
    json_t *all;
    int rc;

    if (!t->json)
        return print(t, stdout, err);
    out = archai_there(open_memstream(&text, &size));
    rc = print(t, out, err);
    (void)fclose(out);
    if (rc == ARCHAI_OK) {
        all = archai_there(json_pack("{s:s, s:s}", "archid", t->model.archid, name, text));
        rc = space_tool_print(all, err);
        json_decref(all);
    }
    free(text);
    return rc;
}

static int print_modules(space_tool *t, FILE *out, archai_err *err)
{
    ARCHAI_TRY(archai_space_print(t->space, &t->model, out, err));
    (void)fputc('\n', out);
    return ARCHAI_OK;
}

int space_show(space_tool *t, archai_err *err)
{
    return print_text(t, "modules", print_modules, err);
}

static json_t *shapes(const archai_state_entry *entries, size_t n)
{
    json_t *all = archai_there(json_object());

    for (size_t i = 0; i < n; i++) {
        json_t *shape = archai_there(json_array());

        for (int d = 0; d < entries[i].ndim; d++)
            (void)json_array_append_new(shape, json_integer(entries[i].shape[d]));
        (void)json_object_set_new(all, entries[i].name, shape);
    }
    return all;
}

/* A count as JSON; null if the size of the input is not known. */
static json_t *count(int64_t v)
{
    return v < 0 ? json_null() : json_integer(v);
}

int space_info(space_tool *t, archai_err *err)
{
    archai_network net = {0};
    archai_counts counts;
    archai_state_entry *entries = NULL;
    json_t *info = NULL;
    size_t n = 0;
    int rc;

    ARCHAI_TRY(archai_space_describe(t->space, &t->model, &net, err));
    ARCHAI_TRY_GOTO(rc, archai_network_count(&net, &counts, err), out);
    entries = archai_module_state(net.root, &n);
    info = archai_there(json_pack("{s:s, s:o, s:o, s:o, s:o}", "archid", t->model.archid, "params",
                                  count(counts.params), "macs", count(counts.macs), "flops",
                                  count(counts.flops), "state_dict", shapes(entries, n)));
    rc = space_tool_print(info, err);
out:
    json_decref(info);
    archai_state_free(entries, n);
    archai_network_fini(&net);
    return rc;
}

static int print_dot(space_tool *t, FILE *out, archai_err *err)
{
    archai_network net = {0};
    int rc;

    if (t->space->ops->dot != NULL)
        return t->space->ops->dot(t->space, &t->model, out, err);
    ARCHAI_TRY(archai_space_describe(t->space, &t->model, &net, err));
    rc = archai_network_dot(&net, t->model.archid, out);
    if (rc != ARCHAI_OK)
        (void)archai_fail(err, rc, "standard output: %s", strerror(errno));
    archai_network_fini(&net);
    return rc;
}

int space_dot(space_tool *t, archai_err *err)
{
    return print_text(t, "dot", print_dot, err);
}
