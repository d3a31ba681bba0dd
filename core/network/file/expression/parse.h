/* core/network/file/expression/parse.h - what the two files of the parser share. */
#ifndef ARCHAI_CORE_NETWORK_FILE_EXPRESSION_PARSE_H
#define ARCHAI_CORE_NETWORK_FILE_EXPRESSION_PARSE_H
#include "core/network/file/expression/terms.h"

typedef struct archai_expression_parser {
    archai_expression *e;
    const char *at; /* the next character */
    int depth;
    archai_err *err;
} archai_expression_parser;

/* -- parse_operands.c ---------------------------------------------------------------------- */
/* Append a term, whose operands are a chain from its `first`. */
int archai_parse_add(archai_expression_parser *p, archai_term t, int *out);
int archai_parse_constant(archai_expression_parser *p, archai_datum v, int *out);
/* An operation of one (second: ARCHAI_NO_TERM) or two operands. */
int archai_parse_operation(archai_expression_parser *p, archai_term_type type, int first,
                           int second, int *out);
void archai_parse_spaces(archai_expression_parser *p);
/* Go past the next token, if it is this one. "*" is not where "**" stands, and so on. */
bool archai_parse_sign(archai_expression_parser *p, const char *sign);
bool archai_parse_word(archai_expression_parser *p, const char *word);
/* ARCHAI_EINVAL: "expected WHAT at '...'" */
int archai_parse_expected(archai_expression_parser *p, const char *what);
/* A number, text, name, list, call or parenthesis, with the members and items behind it. */
int archai_parse_operand(archai_expression_parser *p, int *out);

/* -- parse.c ------------------------------------------------------------------------------- */
int archai_parse_expression(archai_expression_parser *p, int *out);
#endif
