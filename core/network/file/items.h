/* core/network/file/items.h - a network's file as it is kept: bodies of items, blocks, names.
 *
 * Everything lives in the file's arena; expressions are in its list. Nothing changes once the file
 * is read.
 */
#ifndef ARCHAI_CORE_NETWORK_FILE_ITEMS_H
#define ARCHAI_CORE_NETWORK_FILE_ITEMS_H
#include "core/base/hash.h"
#include "core/network/file/expression.h"
#include "core/network/file/network_file.h"

typedef struct archai_item archai_item;
typedef struct archai_block archai_block;

/* Text with expressions in braces: "layer{index + 1}". One piece and no expression: as it is. */
typedef struct archai_template_piece {
    const char *text;
    const archai_expression *value; /* after the text; NULL: none */
} archai_template_piece;
typedef struct archai_template {
    const archai_template_piece *pieces;
    size_t n; /* 0: there is none */
} archai_template;

typedef struct archai_body {
    const archai_item *items;
    size_t n;
    bool listed; /* written as a list: under a name it is a Sequential */
} archai_body;

/* What is written for one argument: a word, an expression or (of blocks) a body. */
typedef struct archai_given {
    const char *name;               /* NULL: by position */
    const json_t *at;               /* where it stands */
    const char *word;               /* if it is a text */
    const archai_expression *value; /* NULL: a word that is no expression, or a body */
    const archai_body *body;        /* {do: BODY}; else NULL */
} archai_given;
typedef struct archai_arguments {
    const archai_given *given;
    size_t n;
} archai_arguments;

/* What a loop goes through, as `parameters` declares it: a group, a list of groups or a parameter.
 * NULL: it is not known before a network is built. */
typedef struct archai_declared {
    const json_t *node;
    const char *path; /* "stages" */
} archai_declared;

typedef struct archai_case {
    const char *value;
    archai_body body;
} archai_case;

typedef enum archai_item_type {
    ARCHAI_ITEM_LAYER,     /* kind, arguments */
    ARCHAI_ITEM_STEP,      /* kind, arguments; body: its operands, if it takes several */
    ARCHAI_ITEM_BLOCK,     /* block, arguments */
    ARCHAI_ITEM_INLINE,    /* block, arguments */
    ARCHAI_ITEM_SEQUENCE,  /* body */
    ARCHAI_ITEM_CHILD,     /* name, body */
    ARCHAI_ITEM_FOR,       /* value, names, declared, body */
    ARCHAI_ITEM_IF,        /* value, body, other */
    ARCHAI_ITEM_CHOOSE,    /* value, cases, other: the default */
    ARCHAI_ITEM_RESIDUAL,  /* body, other: the shortcut */
    ARCHAI_ITEM_SAVE,      /* name */
    ARCHAI_ITEM_USE,       /* name */
    ARCHAI_ITEM_CALL,      /* name: the path */
    ARCHAI_ITEM_PARAMETER, /* arguments */
    ARCHAI_ITEM_MAKE       /* value, arguments */
} archai_item_type;

struct archai_item {
    archai_item_type type;
    bool has_other;     /* `other` is written */
    bool with_x;        /* STEP: the current value is the first operand */
    const json_t *at;   /* where it stands, and in what */
    const json_t *in;
    const archai_module_kind *kind;
    const archai_block *block;
    archai_template name;
    const archai_expression *value;
    archai_arguments arguments;
    const char *const *names; /* of a loop's element: one, or one each of what it is made of */
    size_t n_names;
    bool apart; /* FOR: several names */
    archai_declared declared;
    const archai_case *cases;
    size_t n_cases;
    archai_body body, other;
};

typedef struct archai_parameter_of_block {
    const char *name;
    const archai_expression *value; /* default; NULL: must be given */
} archai_parameter_of_block;

struct archai_block {
    const char *name;
    const json_t *at; /* its body in the document */
    const archai_parameter_of_block *parameters;
    size_t n_parameters;
    archai_body body;
    const char *const *saved; /* names of its values; templates are left out */
    size_t n_saved;
    bool saves_templates;
};

/* A parameter that is mentioned. */
typedef struct archai_use {
    const char *path;
    bool whole; /* with all that is in it */
} archai_use;

struct archai_network_file {
    const char *path;
    const json_t *document;   /* borrowed */
    archai_lines *lines;      /* borrowed */
    const json_t *parameters; /* borrowed; NULL: none */
    archai_arena arena;
    archai_expression **expressions; /* owned */
    size_t n_expressions, expressions_capacity;
    archai_block **blocks; /* owned array */
    size_t n_blocks, blocks_capacity;
    archai_hash_table block_names;
    archai_use *uses; /* owned array */
    size_t n_uses, uses_capacity;
    json_t *included; /* owned: blocks by heading; NULL: none */
    archai_block network;
    const char *class_name;
    archai_data_shape input; /* zeros: not given */
};

/* ARCHAI_EINVAL, "FILE:LINE: WHERE: " in front of an error; `at` may be a value without a line of
 * its own (true, null), then `in` is asked. */
int archai_network_file_at(const archai_network_file *f, const json_t *at, const json_t *in,
                           const char *where, int rc, archai_err *err);
const archai_block *archai_network_file_block(const archai_network_file *f, const char *name);
#endif
