/* Calls of blocks, and of items that a block was given. */
#include <string.h>

#include "core/base/number.h"
#include "core/network/file/build.h"

static int argument_of(const archai_block *block, const archai_given *given, size_t index,
                       archai_err *err, size_t *out)
{
    const char *names[64];
    size_t n = 0;

    *out = index;
    for (size_t i = 0; i < block->n_arguments && given->name != NULL; i++) {
        *out = i;
        if (strcmp(block->arguments[i].name, given->name) == 0)
            return ARCHAI_OK;
        names[n++] = block->arguments[i].name;
    }
    if (given->name != NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%s: there is no argument '%.60s'%s",
                           block->name, given->name,
                           archai_suggest(given->name, names, n).text);
    if (index >= block->n_arguments)
        return archai_fail(err, ARCHAI_EINVAL, "%s: takes %zu argument%s", block->name,
                           block->n_arguments, block->n_arguments == 1 ? "" : "s");
    return ARCHAI_OK;
}

static int evaluate_given(archai_build *b, const archai_given *given, archai_datum *out)
{
    archai_closure *closure;

    if (given->body == NULL)
        return archai_build_evaluate(b, given->value, out);
    closure = archai_arena_take(&b->arena, sizeof *closure);
    *closure = (archai_closure){given->body, b->frame};
    *out = (archai_datum){.type = ARCHAI_DATUM_BODY, .body = closure};
    return ARCHAI_OK;
}

/* What is given is computed where the block is called, defaults in the block. */
static int bind(archai_build *b, const archai_item *item, archai_frame *frame)
{
    const archai_block *block = frame->block;
    archai_frame *caller = b->frame;
    bool is_given[64] = {false};
    size_t k;

    frame->arguments = archai_arena_take(&b->arena, block->n_arguments * sizeof(archai_datum));
    for (size_t i = 0; i < item->arguments.n; i++) {
        const archai_given *given = &item->arguments.given[i];
        int rc = argument_of(block, given, i, b->err, &k);

        if (rc == ARCHAI_OK)
            rc = archai_err_wrap(b->err, evaluate_given(b, given, &frame->arguments[k]),
                                 "%s: %s: ", block->name, block->arguments[k].name);
        ARCHAI_TRY(archai_build_at(b, given->at, item->at, NULL, rc));
        is_given[k] = true;
    }
    b->frame = frame;
    for (k = 0; k < block->n_arguments; k++, frame->n_arguments++) {
        int rc = ARCHAI_OK;

        if (!is_given[k] && block->arguments[k].standard == NULL)
            rc = archai_fail(b->err, ARCHAI_EINVAL, "%s: needs '%s'", block->name,
                             block->arguments[k].name);
        else if (!is_given[k])
            rc = archai_err_wrap(
                b->err,
                archai_build_evaluate(b, block->arguments[k].standard, &frame->arguments[k]),
                "%s: %s: ", block->name, block->arguments[k].name);
        ARCHAI_TRY(archai_build_item_at(b, item, NULL, rc));
    }
    b->frame = caller;
    return ARCHAI_OK;
}

int archai_build_block(archai_build *b, const archai_item *item, const archai_block *block,
                       bool inlined, const char *name)
{
    archai_frame frame = {.block = block, .entered = b->shapes[b->x]};
    archai_frame *caller = b->frame;

    ARCHAI_TRY(bind(b, item, &frame));
    b->frame = &frame;
    ARCHAI_TRY(inlined ? archai_build_body(b, &block->body)
                       : archai_build_container(b, item, &block->body, name, block->name));
    b->frame = caller;
    return ARCHAI_OK;
}

int archai_build_closure(archai_build *b, const archai_item *item, const archai_closure *c,
                         const char *name)
{
    archai_frame *here = b->frame;

    b->frame = c->frame;
    ARCHAI_TRY(archai_build_part(b, c->body, name, item));
    b->frame = here;
    return ARCHAI_OK;
}
