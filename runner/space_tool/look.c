/* runner/space_tool/look.c - the commands that look at one architecture: encode, show, info, dot. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "runner/space_tool/space_tool.h"

static int print_json(json_t *value, archai_err *err)
{
    char *text = archai_python_json(archai_there(value), false);
    int rc = ARCHAI_OK;

    if (puts(text) < 0)
        rc = archai_fail(err, ARCHAI_EIO, "standard output: %s", strerror(errno));
    free(text);
    return rc;
}

/* The shortest decimal that is this float32: 1e-05, not 9.999999747378752e-06. */
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

/* Whole numbers as integers: [3, 1, 64], as the document prints them. */
static json_t *feature_to_json(float v)
{
    if (v == truncf(v) && fabsf(v) <= 0x1p53f)
        return json_integer((json_int_t)v);
    return json_real(shortest(v));
}

int space_encode(space_tool *t, archai_err *err)
{
    archai_model m = {0};
    float *features = NULL;
    json_t *list = NULL;
    int rc;

    ARCHAI_TRY(space_tool_arguments(t, 1, 1, "encode ARCH", err));
    ARCHAI_TRY(space_tool_load(t, t->args[0], &m, err));
    features = calloc(t->space->encoding_size + 1, sizeof *features);
    list = json_array();
    if (features == NULL || list == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu features", t->space->encoding_size);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_space_encode(t->space, &m, features, err), out);
    for (size_t i = 0; i < t->space->encoding_size; i++) {
        json_t *item = feature_to_json(features[i]);

        if (item == NULL || json_array_append_new(list, item) != 0) {
            rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for the output");
            goto out;
        }
    }
    rc = print_json(list, err);
out:
    json_decref(list);
    free(features);
    archai_model_fini(&m);
    return rc;
}

int space_show(space_tool *t, archai_err *err)
{
    archai_model m = {0};
    int rc;

    ARCHAI_TRY(space_tool_arguments(t, 1, 1, "show ARCH", err));
    ARCHAI_TRY(space_tool_load(t, t->args[0], &m, err));
    rc = archai_space_print(t->space, &m, stdout, err);
    if (rc == ARCHAI_OK)
        (void)putchar('\n');
    archai_model_fini(&m);
    return rc;
}

static json_t *shapes(const archai_state_entry *entries, size_t n)
{
    json_t *all = json_object();

    for (size_t i = 0; all != NULL && i < n; i++) {
        json_t *shape = json_array();

        for (int d = 0; shape != NULL && d < entries[i].ndim; d++)
            (void)json_array_append_new(shape, json_integer(entries[i].shape[d]));
        if (json_object_set_new(all, entries[i].name, shape) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

/* A count as JSON; null where the size of the input is not known. */
static json_t *count(int64_t v)
{
    return v < 0 ? json_null() : json_integer(v);
}

int space_info(space_tool *t, archai_err *err)
{
    archai_model m = {0};
    archai_network net = {0};
    archai_counts counts;
    archai_state_entry *entries = NULL;
    json_t *info = NULL;
    size_t n = 0;
    int rc;

    ARCHAI_TRY(space_tool_arguments(t, 1, 1, "info ARCH", err));
    ARCHAI_TRY(space_tool_load(t, t->args[0], &m, err));
    ARCHAI_TRY_GOTO(rc, archai_space_describe(t->space, &m, &net, err), out);
    ARCHAI_TRY_GOTO(rc, archai_network_count(&net, &counts, err), out);
    entries = archai_module_state(net.root, &n);
    info = json_pack("{s:s, s:o, s:o, s:o, s:o}", "archid", m.archid, "params",
                     count(counts.params), "macs", count(counts.macs), "flops",
                     count(counts.flops), "state_dict", shapes(entries, n));
    rc = print_json(info, err);
out:
    json_decref(info);
    archai_state_free(entries, n);
    archai_network_fini(&net);
    archai_model_fini(&m);
    return rc;
}

int space_dot(space_tool *t, archai_err *err)
{
    archai_model m = {0};
    archai_network net = {0};
    int rc;

    ARCHAI_TRY(space_tool_arguments(t, 1, 1, "dot ARCH", err));
    ARCHAI_TRY(space_tool_load(t, t->args[0], &m, err));
    if (t->space->ops->dot != NULL) {
        rc = t->space->ops->dot(t->space, &m, stdout, err);
    } else {
        ARCHAI_TRY_GOTO(rc, archai_space_describe(t->space, &m, &net, err), out);
        rc = archai_network_dot(&net, m.archid, stdout);
        if (rc != ARCHAI_OK)
            (void)archai_fail(err, rc, "standard output: %s", strerror(errno));
    }
out:
    archai_network_fini(&net);
    archai_model_fini(&m);
    return rc;
}
