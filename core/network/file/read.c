/* A file: its members and what it includes. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/base/number.h"
#include "core/network/file/reader.h"
#include "core/network/file/vocabulary.h"

/* -- messages ------------------------------------------------------------------------------ */

int archai_network_file_at(const archai_network_file *f, const json_t *at, const json_t *in,
                           const char *where, int rc, archai_err *err)
{
    const char *file = NULL;
    int line = 0;

    if (rc == ARCHAI_OK)
        return rc;
    if ((at == NULL || !archai_lines_where(f->lines, at, &file, &line)) &&
        (in == NULL || !archai_lines_where(f->lines, in, &file, &line)))
        return archai_err_wrap(err, rc, "%s: %s%s", f->path, where,
                               where[0] != '\0' ? ": " : "");
    return archai_err_wrap(err, rc, "%s:%d: %s%s", file, line, where,
                           where[0] != '\0' ? ": " : "");
}

int archai_reader_at(archai_reader *r, const json_t *at, const json_t *in, int rc)
{
    return archai_network_file_at(r->f, at, in, r->where, rc, r->err);
}

size_t archai_reader_enter(archai_reader *r, const char *name)
{
    const size_t n = strlen(r->where);

    if (n + strlen(name) + 2 < sizeof r->where)
        (void)snprintf(r->where + n, sizeof r->where - n, "%s%s", n > 0 ? "." : "", name);
    return n;
}

void archai_reader_leave(archai_reader *r, size_t where)
{
    r->where[where] = '\0';
}

/* -- included files ------------------------------------------------------------------------ */

static bool is_read(const struct stat *s, const struct stat *read, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (read[i].st_dev == s->st_dev && read[i].st_ino == s->st_ino)
            return true;
    return false;
}

typedef struct includes {
    struct stat read[ARCHAI_NETWORK_FILE_INCLUDES]; /* each file is read once */
    size_t n;
} includes;

static int include(archai_reader *r, includes *seen, const char *path, const json_t *list,
                   const json_t *in);

/* Of a whole file only its blocks are taken. */
static int check_included(archai_reader *r, const char *path, json_t *document)
{
    const json_t *at = NULL;
    int rc;

    if (json_object_get(document, "blocks") == NULL && json_object_get(document, "include") == NULL)
        rc = archai_fail(r->err, ARCHAI_EINVAL, "include: %s has no 'blocks'", path);
    else
        rc = archai_network_file_check_keys(document, &at, r->err);
    rc = archai_reader_at(r, at, document, rc);
    if (rc != ARCHAI_OK)
        json_decref(document);
    return rc;
}

static int include_one(archai_reader *r, includes *seen, const char *from, const json_t *name)
{
    struct stat s;
    char *folder = archai_strdup(from), *path;
    json_t *document = NULL;
    int rc = ARCHAI_OK;

    path = json_string_value(name)[0] == '/'
               ? archai_strdup(json_string_value(name))
               : archai_printf("%s/%s", dirname(folder), json_string_value(name));
    if (stat(path, &s) != 0)
        rc = archai_fail(r->err, ARCHAI_ENOTFOUND, "%s: there is no such file", path);
    else if (!S_ISREG(s.st_mode))
        rc = archai_fail(r->err, ARCHAI_EINVAL, "%s: not a file", path);
    else if (seen->n == ARCHAI_NETWORK_FILE_INCLUDES)
        rc = archai_fail(r->err, ARCHAI_EINVAL, "more than %d files",
                         ARCHAI_NETWORK_FILE_INCLUDES);
    rc = archai_reader_at(r, name, NULL, archai_err_wrap(r->err, rc, "include: "));
    if (rc == ARCHAI_OK && !is_read(&s, seen->read, seen->n)) {
        seen->read[seen->n++] = s;
        rc = archai_document_read_lines(path, &document, r->f->lines, r->err);
        if (rc == ARCHAI_OK)
            rc = check_included(r, path, document);
        if (rc == ARCHAI_OK) {
            archai_must_have(json_array_append_new(r->f->documents, document) == 0);
            rc = include(r, seen, path, json_object_get(document, "include"), document);
        }
    }
    free(path);
    free(folder);
    return rc;
}

static int include(archai_reader *r, includes *seen, const char *path, const json_t *list,
                   const json_t *in)
{
    if (json_is_string(list))
        return include_one(r, seen, path, list);
    if (list != NULL && !json_is_array(list))
        return archai_reader_at(
            r, list, in,
            archai_fail(r->err, ARCHAI_EINVAL, "include: expected a list of files"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_string(json_array_get(list, i)))
            return archai_reader_at(
                r, list, in,
                archai_fail(r->err, ARCHAI_EINVAL, "include: expected a list of files"));
        ARCHAI_TRY(include_one(r, seen, path, json_array_get(list, i)));
    }
    return ARCHAI_OK;
}

/* -- the file ------------------------------------------------------------------------------ */

static int read_input(archai_reader *r, const json_t *input)
{
    archai_data_shape *d = &r->f->input;
    size_t n = 0;

    while (archai_data_names[n] != NULL)
        n++;
    if (!json_is_object(input))
        return archai_fail(r->err, ARCHAI_EINVAL,
                           "expected {channels, height, width}, {tokens, vocab} or {features}");
    ARCHAI_TRY(archai_json_check_keys(input, archai_data_names, n, r->err));
    for (size_t i = 0; i < n; i++) {
        int64_t v = 0;

        if (json_object_get(input, archai_data_names[i]) == NULL)
            continue;
        ARCHAI_TRY(archai_json_integer(input, archai_data_names[i], 1, INT32_MAX, &v, r->err));
        *(int *)archai_data_size(d, archai_data_names[i]) = (int)v;
    }
    if ((d->channels > 0 || d->height > 0 || d->width > 0) + (d->tokens > 0 || d->vocab > 0) +
            (d->features > 0) >
        1)
        return archai_fail(
            r->err, ARCHAI_EINVAL,
            "expected one of {channels, height, width}, {tokens, vocab}, {features}");
    return ARCHAI_OK;
}

int archai_network_file_check_keys(const json_t *document, const json_t **at, archai_err *err)
{
    static const char *const keys[] = {"parameters", "network", "blocks",
                                       "include",    "input",   "class"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)document, key, value)
    {
        size_t i = 0;

        while (i < 6 && strcmp(keys[i], key) != 0)
            i++;
        *at = i == 6 ? value : *at;
        if (i == 6 && strcmp(key, "model") == 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "model: unknown key; did you mean 'network'?");
        if (i == 6)
            return archai_fail(err, ARCHAI_EINVAL, "%.100s: unknown key%s", key,
                               archai_suggest(key, keys, 6).text);
    }
    return ARCHAI_OK;
}

static int check_members(archai_reader *r, const json_t *document)
{
    const json_t *class = json_object_get(document, "class"),
                 *input = json_object_get(document, "input"),
                 *blocks = json_object_get(document, "blocks");
    const json_t *at = document;
    int rc = json_is_object(document)
                 ? archai_network_file_check_keys(document, &at, r->err)
                 : archai_fail(r->err, ARCHAI_EINVAL, "expected a mapping");

    ARCHAI_TRY(archai_reader_at(r, at, document, rc));
    if (json_object_get(document, "network") == NULL)
        rc = archai_fail(r->err, ARCHAI_EINVAL, "there is no 'network'");
    ARCHAI_TRY(archai_reader_at(r, document, NULL, rc));
    if (class != NULL && (!json_is_string(class) || json_string_length(class) == 0))
        rc = archai_fail(r->err, ARCHAI_EINVAL,
                         "class: expected the name of the network's class");
    ARCHAI_TRY(archai_reader_at(r, class, document, rc));
    r->f->class_name = class != NULL ? json_string_value(class) : "Network";
    if (blocks != NULL && !json_is_object(blocks))
        rc = archai_fail(r->err, ARCHAI_EINVAL, "blocks: expected {NAME(arguments): items}");
    ARCHAI_TRY(archai_reader_at(r, blocks, document, rc));
    r->f->parameters = json_object_get(document, "parameters");
    if (input != NULL)
        rc = archai_err_wrap(r->err, read_input(r, input), "input: ");
    return archai_reader_at(r, input, document, rc);
}

/* The blocks of a document, where it has some. */
static const json_t *blocks_of(const json_t *document)
{
    return json_object_get(document, "blocks");
}

static void keep_included(archai_network_file *f)
{
    for (size_t i = 0; i < json_array_size(f->documents); i++) {
        json_t *blocks = (json_t *)blocks_of(json_array_get(f->documents, i));

        if (f->included == NULL)
            f->included = archai_there(json_object());
        if (json_is_object(blocks))
            archai_must_have(json_object_update(f->included, blocks) == 0);
    }
}

/* Names first, then headings, which are needed to read bodies. */
static int read_all(archai_reader *r, const json_t *document)
{
    static int (*const passes[])(archai_reader * r, const json_t *blocks) = {
        archai_read_block_names, archai_read_block_headings, archai_read_block_bodies};
    archai_network_file *f = r->f;

    archai_find_saved(&f->network, json_object_get(document, "network"));
    for (size_t pass = 0; pass < 3; pass++) {
        r->where[0] = '\0';
        for (size_t i = 0; i < json_array_size(f->documents); i++)
            ARCHAI_TRY(passes[pass](r, blocks_of(json_array_get(f->documents, i))));
        ARCHAI_TRY(passes[pass](r, blocks_of(document)));
    }
    f->network.name = "network";
    f->network.heading = json_object_get(document, "network");
    ARCHAI_TRY(
        archai_read_block(r, &f->network, json_object_get(document, "network"), document));
    return archai_check_block_arguments(r);
}

int archai_network_file_create(archai_network_file **out, const char *path,
                               const json_t *document, archai_lines *lines, archai_err *err)
{
    archai_network_file *f = archai_calloc(1, sizeof *f);
    archai_reader r = {.f = f, .err = err};
    includes *seen = archai_calloc(1, sizeof *seen);
    int rc;

    f->path = archai_arena_printf(&f->arena, "%s", path);
    f->lines = lines;
    f->documents = archai_there(json_array());
    rc = check_members(&r, document);
    if (rc == ARCHAI_OK && stat(path, &seen->read[0]) == 0)
        seen->n = 1; /* the file itself */
    if (rc == ARCHAI_OK)
        rc = include(&r, seen, path, json_object_get(document, "include"), document);
    free(seen);
    if (rc == ARCHAI_OK)
        rc = read_all(&r, document);
    if (rc == ARCHAI_OK) {
        keep_included(f);
        *out = f;
    } else {
        archai_network_file_destroy(f);
    }
    return rc;
}

static void forget_saved(archai_block *b)
{
    free(b->saved);
    archai_hash_clear(&b->saved_names);
}

void archai_network_file_destroy(archai_network_file *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->n_expressions; i++)
        archai_expression_destroy(f->expressions[i]);
    for (size_t i = 0; i < f->n_blocks; i++)
        forget_saved(f->blocks[i]);
    forget_saved(&f->network);
    free(f->expressions);
    free(f->blocks);
    free(f->uses);
    archai_hash_clear(&f->block_names);
    archai_hash_clear(&f->use_paths);
    archai_arena_free(&f->arena);
    json_decref(f->documents);
    json_decref(f->included);
    free(f);
}

json_t *archai_network_file_included(const archai_network_file *f)
{
    return json_incref(f->included);
}
