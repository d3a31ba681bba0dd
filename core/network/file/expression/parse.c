/* Texts and documents' values to terms: recursive descent in the order of Python's precedence.
 */
#include <string.h>

#include "core/network/file/expression/parse.h"

typedef archai_expression_parser parser;

/* -- operations ---------------------------------------------------------------------------- */

static int parse_negation(parser *p, int *out);

/* Binds tighter than a sign before it, looser than one after it: -2 ** -2 is -(2 ** (-2)). */
static int parse_power(parser *p, int *out)
{
    int exponent = 0;

    ARCHAI_TRY(archai_parse_operand(p, out));
    if (!archai_parse_sign(p, "**"))
        return ARCHAI_OK;
    ARCHAI_TRY(parse_negation(p, &exponent));
    return archai_parse_operation(p, ARCHAI_TERM_POWER, *out, exponent, out);
}

static int parse_negation(parser *p, int *out)
{
    const bool minus = archai_parse_sign(p, "-"), sign = minus || archai_parse_sign(p, "+");

    if (!sign)
        return parse_power(p, out);
    if (++p->depth > ARCHAI_EXPRESSION_DEPTH)
        return archai_fail(p->err, ARCHAI_EINVAL, "nested too deeply");
    ARCHAI_TRY(parse_negation(p, out));
    p->depth--;
    return minus ? archai_parse_operation(p, ARCHAI_TERM_NEGATE, *out, ARCHAI_NO_TERM, out)
                 : ARCHAI_OK;
}

typedef struct operation {
    const char *sign;
    archai_term_type type;
} operation;

static bool take_operation(parser *p, const operation *table, archai_term_type *type)
{
    for (; table->sign != NULL; table++)
        if (archai_parse_sign(p, table->sign)) {
            *type = table->type;
            return true;
        }
    return false;
}

static int parse_product(parser *p, int *out)
{
    static const operation signs[] = {{"*", ARCHAI_TERM_MULTIPLY},
                                      {"//", ARCHAI_TERM_FLOOR_DIVIDE},
                                      {"/", ARCHAI_TERM_DIVIDE},
                                      {"%", ARCHAI_TERM_REMAINDER},
                                      {NULL, 0}};
    archai_term_type type;
    int second = 0;

    ARCHAI_TRY(parse_negation(p, out));
    while (take_operation(p, signs, &type)) {
        ARCHAI_TRY(parse_negation(p, &second));
        ARCHAI_TRY(archai_parse_operation(p, type, *out, second, out));
    }
    return ARCHAI_OK;
}

static int parse_sum(parser *p, int *out)
{
    static const operation signs[] = {
        {"+", ARCHAI_TERM_ADD}, {"-", ARCHAI_TERM_SUBTRACT}, {NULL, 0}};
    archai_term_type type;
    int second = 0;

    ARCHAI_TRY(parse_product(p, out));
    while (take_operation(p, signs, &type)) {
        ARCHAI_TRY(parse_product(p, &second));
        ARCHAI_TRY(archai_parse_operation(p, type, *out, second, out));
    }
    return ARCHAI_OK;
}

static int parse_comparison(parser *p, int *out)
{
    static const operation signs[] = {{"==", ARCHAI_TERM_EQUAL},
                                      {"!=", ARCHAI_TERM_UNEQUAL},
                                      {"<=", ARCHAI_TERM_LESS_EQUAL},
                                      {">=", ARCHAI_TERM_GREATER_EQUAL},
                                      {"<", ARCHAI_TERM_LESS},
                                      {">", ARCHAI_TERM_GREATER},
                                      {NULL, 0}};
    archai_term_type type;
    int second = 0;

    ARCHAI_TRY(parse_sum(p, out));
    if (!take_operation(p, signs, &type))
        return ARCHAI_OK;
    ARCHAI_TRY(parse_sum(p, &second));
    ARCHAI_TRY(archai_parse_operation(p, type, *out, second, out));
    if (take_operation(p, signs, &type))
        return archai_fail(p->err, ARCHAI_EINVAL,
                           "a comparison of a comparison; join two with 'and'");
    return ARCHAI_OK;
}

static int parse_not(parser *p, int *out)
{
    if (!archai_parse_word(p, "not"))
        return parse_comparison(p, out);
    if (++p->depth > ARCHAI_EXPRESSION_DEPTH)
        return archai_fail(p->err, ARCHAI_EINVAL, "nested too deeply");
    ARCHAI_TRY(parse_not(p, out));
    p->depth--;
    return archai_parse_operation(p, ARCHAI_TERM_NOT, *out, ARCHAI_NO_TERM, out);
}

static int parse_and(parser *p, int *out)
{
    int second = 0;

    ARCHAI_TRY(parse_not(p, out));
    while (archai_parse_word(p, "and")) {
        ARCHAI_TRY(parse_not(p, &second));
        ARCHAI_TRY(archai_parse_operation(p, ARCHAI_TERM_AND, *out, second, out));
    }
    return ARCHAI_OK;
}

static int parse_or(parser *p, int *out)
{
    int second = 0;

    ARCHAI_TRY(parse_and(p, out));
    while (archai_parse_word(p, "or")) {
        ARCHAI_TRY(parse_and(p, &second));
        ARCHAI_TRY(archai_parse_operation(p, ARCHAI_TERM_OR, *out, second, out));
    }
    return ARCHAI_OK;
}

/* a if c else b */
int archai_parse_expression(parser *p, int *out)
{
    int condition = 0, otherwise = 0;

    if (++p->depth > ARCHAI_EXPRESSION_DEPTH)
        return archai_fail(p->err, ARCHAI_EINVAL, "nested too deeply");
    ARCHAI_TRY(parse_or(p, out));
    if (archai_parse_word(p, "if")) {
        ARCHAI_TRY(parse_or(p, &condition));
        if (!archai_parse_word(p, "else"))
            return archai_parse_expected(p, "'else'");
        ARCHAI_TRY(archai_parse_expression(p, &otherwise));
        p->e->terms[condition].next = *out;
        p->e->terms[*out].next = otherwise;
        ARCHAI_TRY(archai_parse_add(
            p, (archai_term){.type = ARCHAI_TERM_IF, .first = condition}, out));
    }
    p->depth--;
    return ARCHAI_OK;
}

static int parse_whole(parser *p, const char *text, int *out)
{
    if (strlen(text) > ARCHAI_EXPRESSION_CHARS)
        return archai_fail(p->err, ARCHAI_EINVAL, "more than %d characters",
                           ARCHAI_EXPRESSION_CHARS);
    p->at = text;
    ARCHAI_TRY(archai_parse_expression(p, out));
    archai_parse_spaces(p);
    return *p->at == '\0' ? ARCHAI_OK : archai_parse_expected(p, "an operation or the end");
}

/* -- documents ----------------------------------------------------------------------------- */

static int read_value(parser *p, const json_t *v, int depth, int *out)
{
    int64_t none = 0;
    archai_datum constant;
    archai_term list = {.type = ARCHAI_TERM_LIST, .first = ARCHAI_NO_TERM};

    if (json_is_string(v))
        return parse_whole(p, json_string_value(v), out);
    if (json_is_object(v) || depth > ARCHAI_EXPRESSION_DEPTH)
        return archai_fail(p->err, ARCHAI_EINVAL, "expected a number, a text or a list");
    if (!json_is_array(v)) {
        (void)archai_datum_from_json(v, &p->e->arena, &none, &constant);
        return archai_parse_constant(p, constant, out);
    }
    for (size_t i = json_array_size(v); i > 0; i--) {
        int item = 0;

        ARCHAI_TRY(read_value(p, json_array_get(v, i - 1), depth + 1, &item));
        p->e->terms[item].next = list.first;
        list.first = item;
    }
    return archai_parse_add(p, list, out);
}

int archai_expression_read(archai_expression *e, const json_t *document, archai_err *err)
{
    parser p = {.e = e, .err = err};

    return read_value(&p, document, 0, &e->root);
}
