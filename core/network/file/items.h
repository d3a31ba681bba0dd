/* core/network/file/items.h - a network's file as it is kept: blocks, bodies, items.
 *
 * Everything lives in the file's arena but the expressions, which are in its list. Nothing
 * changes once the file is read.
 */
#ifndef ARCHAI_CORE_NETWORK_FILE_ITEMS_H
#define ARCHAI_CORE_NETWORK_FILE_ITEMS_H
#include "core/base/hash.h"
#include "core/network/file/expression/expression.h"
#include "core/network/file/network_file.h"

typedef struct archai_item archai_item;
typedef struct archai_block archai_block;

/* Text with expressions in braces, "layer{index + 1}": pieces of text, each with the value
 * after it. */
typedef struct archai_template {
    const struct archai_template_piece {
        const char *text;
        const archai_expression *value; /* NULL: none */
    } * pieces;
    size_t n;
} archai_template;

typedef struct archai_body {
    const archai_item *items;
    size_t n;
    bool listed; /* written as a list or as members: under a name it is a Sequential */
} archai_body;

/* What is written for an argument: a word, an expression or (of blocks) a body. */
typedef struct archai_given {
    const char *name;               /* NULL: by position */
    const json_t *at;               /* where it stands */
    const char *word;               /* it, where it is a text */
    const archai_expression *value; /* NULL: a word that is no expression, or a body */
    const archai_body *body;        /* {do: BODY}; else NULL */
} archai_given;

typedef struct archai_arguments {
    const archai_given *given;
    size_t n;
    const archai_given
        *list; /* a list that may be one argument or several: all of it; else NULL */
} archai_arguments;

/* What `parameters` declares: a group, a list of groups or a parameter. NULL: it is not known.
 */
typedef struct archai_declared {
    const json_t *node;
    const char *path; /* "stages" */
} archai_declared;

typedef struct archai_case {
    const char *value;
    archai_body body;
} archai_case;

typedef enum archai_item_type {
    ARCHAI_ITEM_KIND,     /* kind, arguments; body: its operands, if it takes several */
    ARCHAI_ITEM_BLOCK,    /* block, arguments */
    ARCHAI_ITEM_INLINE,   /* block, arguments */
    ARCHAI_ITEM_SEQUENCE, /* body */
    ARCHAI_ITEM_BODY,     /* body: items in a row that are one operand */
    ARCHAI_ITEM_CHILD,    /* name, body */
    ARCHAI_ITEM_FOR,      /* value, names, declared, body */
    ARCHAI_ITEM_IF,       /* value, body, other */
    ARCHAI_ITEM_CHOOSE,   /* value, cases, other: the default */
    ARCHAI_ITEM_RESIDUAL, /* body, other: the shortcut */
    ARCHAI_ITEM_LET,      /* names, values */
    ARCHAI_ITEM_SAVE,     /* name */
    ARCHAI_ITEM_USE,      /* name */
    ARCHAI_ITEM_CALL,     /* name: the path */
    ARCHAI_ITEM_MAKE      /* value, arguments */
} archai_item_type;

struct archai_item {
    archai_item_type type;
    bool has_other;        /* `other` is written */
    bool with_x;           /* KIND: the current value is the first operand */
    bool apart;            /* FOR: elements are lists that `names` take apart */
    const json_t *at, *in; /* where it stands: itself, and what it is in */
    const archai_module_kind *kind;
    const archai_block *block;
    archai_template name;
    archai_template tie; /* KIND: the path of the layer whose weight is this one's */
    const archai_expression *value;
    archai_arguments arguments;
    const char *const *names;
    const archai_expression *const *values;
    size_t n_names;
    archai_declared declared;
    const archai_case *cases;
    size_t n_cases;
    archai_body body, other;
};

typedef struct archai_block_argument {
    const char *name;
    const archai_expression *standard; /* NULL: must be given */
    bool used;                         /* the block or a later default mentions it */
} archai_block_argument;

struct archai_block {
    const char *name;
    const json_t *heading; /* its body in the document, for its line */
    archai_block_argument *arguments;
    size_t n_arguments;
    archai_body body;
    const char **saved; /* owned: names of values in it, templates left out */
    size_t n_saved, saved_capacity;
    archai_hash_table saved_names;
    bool saves_templates;
    bool uses_templates; /* a value's name is computed: it may be any argument's */
};

/* A parameter that is mentioned; `whole`: with all that is in it. */
typedef struct archai_use {
    const char *path;
    bool whole;
} archai_use;

struct archai_network_file {
    const char *path;
    archai_lines *lines;      /* borrowed */
    const json_t *parameters; /* borrowed; NULL: none */
    archai_arena arena;
    archai_expression **expressions; /* owned, as is each */
    size_t n_expressions, expressions_capacity;
    archai_block **blocks; /* owned array */
    size_t n_blocks, blocks_capacity;
    archai_hash_table block_names;
    archai_use *uses; /* owned array */
    size_t n_uses, uses_capacity;
    archai_hash_table use_paths;
    json_t *documents; /* owned: those of the included files */
    json_t *included;  /* owned: their blocks by heading; NULL: none */
    archai_block network;
    const char *class_name;
    archai_data_shape input; /* zeros: not given */
};

/* "FILE:LINE: WHERE: " in front of an error; `at` may be a value without a line of its own
 * (true, null), then `in` is asked. */
int archai_network_file_at(const archai_network_file *f, const json_t *at, const json_t *in,
                           const char *where, int rc, archai_err *err);
const archai_block *archai_network_file_block(const archai_network_file *f, const char *name);

/* A group of parameters, or a list: the member of that name, NULL: none. */
const json_t *archai_declared_member(const json_t *node, const char *name);
#endif
