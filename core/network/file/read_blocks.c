/* Blocks: their headings and bodies. */
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/file/reader.h"
#include "core/network/file/vocabulary.h"

enum { BLOCK_ARGUMENTS = 64 };

static bool same_block(const void *items, size_t index, const void *key)
{
    return strcmp(((archai_block *const *)items)[index]->name, key) == 0;
}

const archai_block *archai_network_file_block(const archai_network_file *f, const char *name)
{
    const size_t i =
        archai_hash_find(&f->block_names, archai_hash(name), same_block, f->blocks, name);

    return i != SIZE_MAX ? f->blocks[i] : NULL;
}

/* The name in "mbconv(out, kernel=3)"; *arguments are behind its parenthesis, NULL: none. */
static int split_heading(archai_reader *r, const char *heading, char **name, char **arguments)
{
    const char *open = strchr(heading, '(');
    const size_t n = open != NULL ? (size_t)(open - heading) : strlen(heading);
    char *end;

    if (strlen(heading) > ARCHAI_EXPRESSION_CHARS)
        return archai_fail(r->err, ARCHAI_EINVAL, "more than %d characters",
                           ARCHAI_EXPRESSION_CHARS);
    *name = archai_arena_printf(&r->f->arena, "%.*s", (int)n, heading);
    end = *name + n;
    while (end > *name && end[-1] == ' ')
        *--end = '\0';
    *arguments = open != NULL ? archai_arena_printf(&r->f->arena, "%s", open + 1) : NULL;
    if (open == NULL)
        return ARCHAI_OK;
    end = *arguments + strlen(*arguments);
    while (end > *arguments && end[-1] == ' ')
        *--end = '\0';
    if (end == *arguments || end[-1] != ')')
        return archai_fail(r->err, ARCHAI_EINVAL, "expected NAME(argument, argument=default)");
    end[-1] = '\0';
    return ARCHAI_OK;
}

static int add_block(archai_reader *r, const char *heading, const json_t *body)
{
    archai_network_file *f = r->f;
    archai_block *b = archai_arena_take(&f->arena, sizeof *b);
    char *name, *arguments;

    ARCHAI_TRY(split_heading(r, heading, &name, &arguments));
    ARCHAI_TRY(archai_check_name(name, r->err));
    if (archai_module_kind_find(name) != NULL)
        return archai_fail(r->err, ARCHAI_EINVAL,
                           "'%s' is a class or step and cannot be a block", name);
    if (f->n_blocks == ARCHAI_NETWORK_FILE_BLOCKS)
        return archai_fail(r->err, ARCHAI_EINVAL, "more than %d blocks",
                           ARCHAI_NETWORK_FILE_BLOCKS);
    if (archai_network_file_block(f, name) != NULL)
        return archai_fail(r->err, ARCHAI_EINVAL, "the block '%s' is defined twice", name);
    b->name = name;
    b->heading = body;
    ARCHAI_RESERVE(f->blocks, f->blocks_capacity, f->n_blocks + 1);
    f->blocks[f->n_blocks] = b;
    archai_hash_add(&f->block_names, archai_hash(name), f->n_blocks++);
    return ARCHAI_OK;
}

int archai_read_block_names(archai_reader *r, const json_t *blocks)
{
    const char *heading;
    json_t *body;

    json_object_foreach((json_t *)blocks, heading, body)
    {
        const int rc = archai_err_wrap(r->err, add_block(r, heading, body), "blocks: ");

        ARCHAI_TRY(archai_reader_at(r, body, blocks, rc));
    }
    return ARCHAI_OK;
}

/* The end of an argument: the next comma that is in no brackets and no quotes. */
static char *argument_end(char *at)
{
    int depth = 0;
    char quote = '\0';

    for (; *at != '\0' && !(depth == 0 && quote == '\0' && *at == ','); at++) {
        if (quote != '\0')
            quote = *at == quote ? '\0' : quote;
        else if (*at == '\'' || *at == '"')
            quote = *at;
        else
            depth += (strchr("([", *at) != NULL) - (strchr(")]", *at) != NULL);
    }
    return at;
}

static char *trimmed(char *text)
{
    char *end = text + strlen(text);

    while (end > text && strchr(" \n\t", end[-1]) != NULL)
        *--end = '\0';
    return text + strspn(text, " \n\t");
}

static int read_argument(archai_reader *r, archai_block *b, char *text,
                         archai_block_argument *out)
{
    char *equals = strchr(text, '='), *standard = NULL;

    if (equals != NULL) {
        *equals = '\0';
        standard = trimmed(equals + 1);
    }
    out->name = trimmed(text);
    ARCHAI_TRY(archai_check_name(out->name, r->err));
    for (size_t i = 0; i < b->n_arguments; i++)
        if (strcmp(b->arguments[i].name, out->name) == 0)
            return archai_fail(r->err, ARCHAI_EINVAL, "the argument '%s' appears twice",
                               out->name);
    if (standard == NULL)
        return ARCHAI_OK;
    return archai_err_wrap(r->err, archai_reader_expression_text(r, standard, &out->standard),
                           "%s: ", out->name);
}

/* Defaults may mention the arguments before them. */
static int read_heading(archai_reader *r, const char *heading, archai_block *b)
{
    char *name, *at;
    archai_block_argument *arguments =
        archai_arena_take(&r->f->arena, BLOCK_ARGUMENTS * sizeof *arguments);

    r->block = b;
    b->arguments = arguments;
    ARCHAI_TRY(split_heading(r, heading, &name, &at));
    if (at == NULL || *trimmed(at) == '\0')
        return ARCHAI_OK;
    for (bool more = true; more;) {
        char *end = argument_end(at);

        more = *end != '\0';
        *end = '\0';
        if (b->n_arguments == BLOCK_ARGUMENTS)
            return archai_fail(r->err, ARCHAI_EINVAL, "more than %d arguments",
                               BLOCK_ARGUMENTS);
        ARCHAI_TRY(read_argument(r, b, at, &arguments[b->n_arguments]));
        b->n_arguments++;
        at = end + 1;
    }
    return ARCHAI_OK;
}

int archai_read_block_headings(archai_reader *r, const json_t *blocks)
{
    const char *heading;
    json_t *body;

    json_object_foreach((json_t *)blocks, heading, body)
    {
        char *name, *arguments;

        ARCHAI_TRY(split_heading(r, heading, &name, &arguments));
        ARCHAI_TRY(archai_reader_at(
            r, body, blocks,
            archai_err_wrap(
                r->err,
                read_heading(r, heading, (archai_block *)archai_network_file_block(r->f, name)),
                "block '%s': ", name)));
    }
    return ARCHAI_OK;
}

/* All names that anything in `v` is saved under. */
void archai_find_saved(archai_block *b, const json_t *v)
{
    const char *key;
    json_t *value;

    for (size_t i = 0; i < json_array_size(v); i++)
        archai_find_saved(b, json_array_get(v, i));
    json_object_foreach((json_t *)v, key, value)
    {
        const char *name = json_string_value(value);

        if (strcmp(key, "save") != 0 || name == NULL) {
            archai_find_saved(b, value);
        } else if (strchr(name, '{') != NULL) {
            b->saves_templates = true;
        } else {
            archai_block_saves(b, name);
        }
    }
}

int archai_read_block(archai_reader *r, archai_block *b, const json_t *body, const json_t *in)
{
    r->block = b;
    (void)snprintf(r->where, sizeof r->where, "%s", b->name);
    archai_find_saved(b, body);
    return archai_read_body(r, body, in, &b->body);
}

int archai_read_block_bodies(archai_reader *r, const json_t *blocks)
{
    const char *heading;
    json_t *body;

    json_object_foreach((json_t *)blocks, heading, body)
    {
        char *name, *arguments;

        ARCHAI_TRY(split_heading(r, heading, &name, &arguments));
        ARCHAI_TRY(archai_read_block(r, (archai_block *)archai_network_file_block(r->f, name),
                                     body, blocks));
    }
    return ARCHAI_OK;
}

int archai_check_block_arguments(archai_reader *r)
{
    for (size_t i = 0; i < r->f->n_blocks; i++) {
        const archai_block *b = r->f->blocks[i];

        (void)snprintf(r->where, sizeof r->where, "%s", b->name);
        for (size_t k = 0; k < b->n_arguments && !b->uses_templates; k++)
            if (!b->arguments[k].used)
                return archai_reader_at(r, b->heading, NULL,
                                        archai_fail(r->err, ARCHAI_EINVAL,
                                                    "the argument '%s' is never used",
                                                    b->arguments[k].name));
    }
    return ARCHAI_OK;
}
