#include "runner/space_tool/space_tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"

int space_tool_read(const char *path, char **text, size_t *size, archai_err *err)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *data = NULL;
    size_t n = 0, capacity = 0, got;
    int rc = ARCHAI_OK;

    if (in == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, strerror(errno));
    do { /* the size is not known beforehand: standard input, pipes */
        ARCHAI_RESERVE(data, capacity, n + 65536 + 1);
        got = fread(data + n, 1, 65536, in);
        n += got;
    } while (got > 0 && n <= SPACE_TOOL_FILE_MAX);
    if (n > SPACE_TOOL_FILE_MAX)
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: larger than the limit of %d MiB", path,
                         SPACE_TOOL_FILE_MAX >> 20);
    else if (ferror(in))
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, strerror(errno));
    if (in != stdin)
        (void)fclose(in);
    if (rc != ARCHAI_OK) {
        free(data);
        return rc;
    }
    data[n] = '\0';
    *text = data;
    *size = n;
    return ARCHAI_OK;
}

/* A line as sample prints it, {"archid": "...", "arch": {...}, "metadata": {...}}; a new reference. NULL:
 * something else, which is left to the space. */
static json_t *parse_line(const char *text, size_t size)
{
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

    if (json_object_size(root) == 3 && json_is_string(json_object_get(root, "archid")) &&
        json_object_get(root, "arch") != NULL && json_is_object(json_object_get(root, "metadata")))
        return root;
    json_decref(root);
    return NULL;
}

/* What the line says of the model, its parents above all, is not in its arch. */
static int load_line(space_tool *t, const json_t *line, archai_model *out, archai_err *err)
{
    ARCHAI_TRY(archai_space_load_json(t->space, json_object_get(line, "arch"), out, err));
    if (json_object_update(out->metadata, json_object_get(line, "metadata")) != 0)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the metadata of %s", out->archid);
    return ARCHAI_OK;
}

int space_tool_load(space_tool *t, const char *path, archai_model *out, archai_err *err)
{
    json_t *line;
    char *text;
    size_t size;
    int rc;

    ARCHAI_TRY(space_tool_read(path, &text, &size, err));
    line = parse_line(text, size);
    rc = line != NULL ? load_line(t, line, out, err)
                      : archai_space_load_arch(t->space, text, size, out, err);
    json_decref(line);
    free(text);
    return archai_err_wrap(err, rc, "%s:", strcmp(path, "-") == 0 ? "standard input" : path);
}

int space_tool_print(const json_t *value, archai_err *err)
{
    char *text = archai_python_json(value, false);
    int rc = ARCHAI_OK;

    if (puts(text) < 0 || fflush(stdout) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "standard output: %s", strerror(errno));
    free(text);
    return rc;
}

int space_tool_line(const archai_model *m, archai_err *err)
{
    json_t *line = m == NULL ? json_null()
                             : archai_there(json_pack("{s:s, s:O, s:O}", "archid", m->archid, "arch",
                                                      m->arch, "metadata", m->metadata));
    const int rc = space_tool_print(line, err);

    json_decref(line);
    return rc;
}
