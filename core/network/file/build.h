/* core/network/file/build.h - from items and values to a network: what the files that build
 * share.
 *
 * The network grows step by step, and the shape of every value is known as soon as it is there.
 * Errors get their place where they are first known (archai_build_at).
 */
#ifndef ARCHAI_CORE_NETWORK_FILE_BUILD_H
#define ARCHAI_CORE_NETWORK_FILE_BUILD_H
#include "core/network/file/items.h"
#include "core/network/kind/kind.h"

/* Names of a loop's element or of `let`, innermost first. */
typedef struct archai_binding archai_binding;
struct archai_binding {
    const archai_item *item; /* FOR or LET */
    archai_datum element;    /* FOR */
    archai_datum_place place;
    const archai_datum *values; /* LET: [n], in the order of the item's names */
    size_t n;
    const archai_binding *outer;
};

/* A value that was saved. */
typedef struct archai_saved {
    const char *name;
    int value; /* a register */
    struct archai_saved *next;
} archai_saved;

/* One call of a block, or the network itself. */
typedef struct archai_frame {
    const archai_block *block;
    archai_datum *arguments; /* [n_arguments] of them are set */
    size_t n_arguments;
    archai_shape entered;
    archai_saved *saved;
    const archai_binding *bindings;
} archai_frame;

/* Items that a block was given: they are built in the caller's frame, which waits for the
 * block. */
typedef struct archai_closure {
    const archai_body *body;
    archai_frame *frame;
} archai_closure;

/* A container that is being filled. */
typedef struct archai_level {
    archai_module *container;
    int64_t next; /* number of the next child without a name */
    const struct archai_level *outer;
} archai_level;

/* A child that was made: where, and by which steps. */
typedef struct archai_made {
    const archai_module *parent;
    archai_module *module;
    size_t from, to; /* steps */
    int in, out;     /* registers */
    bool complete;
} archai_made;

typedef struct archai_build {
    archai_expression_scope scope; /* first: names are found from it */
    const archai_network_file *f;
    const json_t *params; /* borrowed */
    archai_data_shape data;
    archai_network *net;
    archai_shape *shapes; /* owned; of each register */
    size_t shapes_capacity;
    archai_made *made; /* owned */
    size_t n_made, made_capacity;
    archai_hash_table made_names;
    archai_arena arena;
    archai_frame *frame;
    archai_level *level;
    int x; /* the current value: a register */
    int depth;
    archai_err *err;
} archai_build;

/* -- scope.c ------------------------------------------------------------------------------- */
int archai_build_find(archai_expression_scope *s, const char *name, archai_datum *out,
                      archai_err *err);
int archai_build_evaluate(archai_build *b, const archai_expression *e, archai_datum *out);
/* The text with its expressions computed; in the arena. */
int archai_build_text(archai_build *b, const archai_template *t, const char **out);
const archai_saved *archai_build_saved(archai_build *b, const char *name);
/* "FILE:LINE: features.0.conv: " in front of an error; `name` is that of a child that is not
 * there yet, or NULL. */
int archai_build_at(archai_build *b, const json_t *at, const json_t *in, const char *name,
                    int rc);
int archai_build_item_at(archai_build *b, const archai_item *item, const char *name, int rc);

/* -- expand.c ------------------------------------------------------------------------------ */
/* Items in a row, in the current container. */
int archai_build_body(archai_build *b, const archai_body *body);
/* One item; with a name it makes one child of that name. */
int archai_build_item(archai_build *b, const archai_item *item, const char *name);
/* A body under a name, or (NULL) where it stands. */
int archai_build_part(archai_build *b, const archai_body *body, const char *name,
                      const archai_item *item);
/* A container of that class around a body. */
int archai_build_container(archai_build *b, const archai_item *item, const archai_body *body,
                           const char *name, const char *class_name);
/* A child of the current container, checked and counted. NULL name: the next number. */
int archai_build_name(archai_build *b, const archai_item *item, const char **name);
/* Enter it; what is not known yet is filled in later. Returns its index. */
size_t archai_build_made(archai_build *b, archai_module *module);
const archai_made *archai_build_child(const archai_build *b, const archai_module *parent,
                                      const char *name);

/* -- call.c -------------------------------------------------------------------------------- */
/* A block with the item's arguments; inlined: its items as if they stood here. */
int archai_build_block(archai_build *b, const archai_item *item, const archai_block *block,
                       bool inlined, const char *name);
int archai_build_closure(archai_build *b, const archai_item *item, const archai_closure *c,
                         const char *name);

/* -- layers.c ------------------------------------------------------------------------------ */
/* Apply a class or step to registers; the current value is what it makes of them. */
int archai_build_kind(archai_build *b, const archai_item *item, const archai_module_kind *kind,
                      const int *inputs, size_t n, const char *name);
/* The layers of the child at item's path once more. */
int archai_build_again(archai_build *b, const archai_item *item);
/* A step that takes operands. */
int archai_build_operands(archai_build *b, const archai_item *item, const char *name);

/* -- control.c ----------------------------------------------------------------------------- */
typedef int archai_build_part_of(archai_build *b, const archai_body *body, void *data);
int archai_build_for(archai_build *b, const archai_item *item, archai_build_part_of *part,
                     void *data);
/* Which body of `if` or `choose` it is; NULL: none. */
int archai_build_choice(archai_build *b, const archai_item *item, const archai_body **out);
int archai_build_let(archai_build *b, const archai_item *item);
int archai_build_residual(archai_build *b, const archai_item *item);
#endif
