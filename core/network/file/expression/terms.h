/* core/network/file/expression/terms.h - a parsed expression, and what its files share. */
#ifndef ARCHAI_CORE_NETWORK_FILE_EXPRESSION_TERMS_H
#define ARCHAI_CORE_NETWORK_FILE_EXPRESSION_TERMS_H
#include "core/network/file/expression/expression.h"

typedef enum archai_term_type {
    ARCHAI_TERM_CONSTANT,
    ARCHAI_TERM_NAME,
    ARCHAI_TERM_MEMBER, /* first.name */
    ARCHAI_TERM_ITEM,   /* first[second] */
    ARCHAI_TERM_LIST,   /* [first, ...] */
    ARCHAI_TERM_CALL,   /* function(first, ...) */
    ARCHAI_TERM_NEGATE,
    ARCHAI_TERM_NOT,
    ARCHAI_TERM_AND,
    ARCHAI_TERM_OR,
    ARCHAI_TERM_IF, /* first: the condition, then both outcomes */
    ARCHAI_TERM_ADD,
    ARCHAI_TERM_SUBTRACT,
    ARCHAI_TERM_MULTIPLY,
    ARCHAI_TERM_DIVIDE,
    ARCHAI_TERM_FLOOR_DIVIDE,
    ARCHAI_TERM_REMAINDER,
    ARCHAI_TERM_POWER,
    /* comparisons of first and second */
    ARCHAI_TERM_EQUAL,
    ARCHAI_TERM_UNEQUAL,
    ARCHAI_TERM_LESS,
    ARCHAI_TERM_LESS_EQUAL,
    ARCHAI_TERM_GREATER,
    ARCHAI_TERM_GREATER_EQUAL
} archai_term_type;

enum { ARCHAI_NO_TERM = -1 };

/* Operands are a chain: `first`, then `next` of each. */
typedef struct archai_term {
    archai_term_type type;
    int first, next;
    int height;            /* operations in operations */
    int function;          /* CALL: index */
    const char *name;      /* NAME, MEMBER; in the expression's arena */
    archai_datum constant; /* CONSTANT */
} archai_term;

struct archai_expression {
    char *text;         /* owned; for messages */
    archai_term *terms; /* owned */
    size_t n, capacity;
    int root;
    archai_arena arena; /* owned: names, texts, the value */
    bool is_constant;
    archai_datum constant;
};

/* A document's value to terms; fills all but `text` and the constant. */
int archai_expression_read(archai_expression *e, const json_t *document, archai_err *err);

/* The functions: index by name, -1: none; and a call. `values` are as many as given. */
extern const char *const archai_expression_functions[];
int archai_expression_function(const char *name, size_t length);
size_t archai_expression_function_count(void);
/* Is this number of arguments right? */
int archai_expression_function_takes(int function, size_t n, archai_err *err);
int archai_expression_call(int function, const archai_datum *values, size_t n,
                           archai_expression_scope *s, archai_datum *out, archai_err *err);
/* first OP second, of numbers, texts and lists. */
int archai_expression_arithmetic(archai_term_type op, const archai_datum *a,
                                 const archai_datum *b, archai_expression_scope *s,
                                 archai_datum *out, archai_err *err);
int archai_expression_compare(archai_term_type op, const archai_datum *a, const archai_datum *b,
                              archai_expression_scope *s, bool *out, archai_err *err);
/* A finite real number, or an error. */
int archai_expression_real(double v, archai_datum *out, archai_err *err);
#endif
