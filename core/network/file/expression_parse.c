/* Texts and documents' values to terms: recursive descent in the order of Python's precedence. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/network/file/expression_private.h"

typedef struct parser {
    archai_expression *e;
    const char *at; /* the next character */
    int depth;
    archai_err *err;
} parser;

/* -- terms ------------------------------------------------------------------------------- */

static int add_term(parser *p, archai_term t, int *out)
{
    archai_expression *e = p->e;

    for (int i = t.first; i != ARCHAI_NO_TERM; i = e->terms[i].next)
        if (e->terms[i].height >= t.height)
            t.height = e->terms[i].height + 1;
    if (t.height > ARCHAI_EXPRESSION_DEPTH || e->n >= ARCHAI_EXPRESSION_TERMS)
        return archai_fail(p->err, ARCHAI_EINVAL, "too long or nested too deeply");
    t.next = ARCHAI_NO_TERM;
    ARCHAI_RESERVE(e->terms, e->capacity, e->n + 1);
    *out = (int)e->n;
    e->terms[e->n++] = t;
    return ARCHAI_OK;
}

static int add_constant(parser *p, archai_datum v, int *out)
{
    return add_term(
        p, (archai_term){.type = ARCHAI_TERM_CONSTANT, .first = ARCHAI_NO_TERM, .constant = v}, out);
}

/* An operation of one (second: ARCHAI_NO_TERM) or two operands. */
static int add_operation(parser *p, archai_term_type type, int first, int second, int *out)
{
    p->e->terms[first].next = second;
    return add_term(p, (archai_term){.type = type, .first = first}, out);
}

/* -- tokens ------------------------------------------------------------------------------ */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_spaces(parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')
        p->at++;
}

static size_t name_length(const char *s)
{
    size_t n = 0;

    if (is_letter(s[0]))
        while (is_letter(s[n]) || is_digit(s[n]))
            n++;
    return n;
}

/* Is the next token this sign? "*" is not where "**" stands, and so on. */
static bool take_sign(parser *p, const char *sign)
{
    const size_t n = strlen(sign);
    bool longer;

    skip_spaces(p);
    if (strncmp(p->at, sign, n) != 0)
        return false;
    longer = n == 1 && ((strchr("*/", sign[0]) != NULL && p->at[1] == sign[0]) ||
                        (strchr("<>", sign[0]) != NULL && p->at[1] == '='));
    if (!longer)
        p->at += n;
    return !longer;
}

static bool take_word(parser *p, const char *word)
{
    skip_spaces(p);
    if (name_length(p->at) != strlen(word) || strncmp(p->at, word, strlen(word)) != 0)
        return false;
    p->at += strlen(word);
    return true;
}

static int expected(parser *p, const char *what)
{
    skip_spaces(p);
    if (*p->at == '\0')
        return archai_fail(p->err, ARCHAI_EINVAL, "it ends where %s is expected", what);
    return archai_fail(p->err, ARCHAI_EINVAL, "expected %s at '%.20s'", what, p->at);
}

/* -- operands ---------------------------------------------------------------------------- */

static int parse_if(parser *p, int *out);

static int parse_number(parser *p, int *out)
{
    const char *from = p->at, *at = from;
    bool real = false;
    archai_datum v = {.type = ARCHAI_DATUM_WHOLE};

    while (is_digit(*at))
        at++;
    if (*at == '.') {
        real = true;
        at++;
        while (is_digit(*at))
            at++;
    }
    if ((*at == 'e' || *at == 'E') &&
        (is_digit(at[1]) || ((at[1] == '-' || at[1] == '+') && is_digit(at[2])))) {
        real = true;
        at += 2;
        while (is_digit(*at))
            at++;
    }
    if (is_letter(*at) || is_digit(*at))
        return archai_fail(p->err, ARCHAI_EINVAL, "'%.20s' is neither a number nor a name", from);
    p->at = at;
    errno = 0;
    if (real)
        ARCHAI_TRY(archai_expression_real(strtod(from, NULL), &v, p->err));
    else
        v.whole = strtoll(from, NULL, 10);
    if (!real && errno == ERANGE)
        return archai_fail(p->err, ARCHAI_EINVAL, "%.30s is too large", from);
    return add_constant(p, v, out);
}

static int parse_text(parser *p, int *out)
{
    const char quote = *p->at, *from = p->at + 1, *end = strchr(from, quote);

    if (end == NULL)
        return archai_fail(p->err, ARCHAI_EINVAL, "a text without its closing %c", quote);
    if (memchr(from, '\\', (size_t)(end - from)) != NULL)
        return archai_fail(p->err, ARCHAI_EINVAL, "a backslash in a text");
    p->at = end + 1;
    return add_constant(
        p, archai_datum_text(archai_arena_printf(&p->e->arena, "%.*s", (int)(end - from), from)),
        out);
}

/* Items up to the closing sign, as a chain. */
static int parse_items(parser *p, const char *close, int *first, size_t *n)
{
    int last = ARCHAI_NO_TERM, item = ARCHAI_NO_TERM;

    *first = ARCHAI_NO_TERM;
    *n = 0;
    while (!take_sign(p, close)) {
        if (*n > 0 && !take_sign(p, ","))
            return expected(p, close[0] == ']' ? "',' or ']'" : "',' or ')'");
        if (*n > 0 && take_sign(p, close))
            break;
        ARCHAI_TRY(parse_if(p, &item));
        if (last == ARCHAI_NO_TERM)
            *first = item;
        else
            p->e->terms[last].next = item;
        last = item;
        (*n)++;
    }
    return ARCHAI_OK;
}

static int parse_call(parser *p, const char *name, size_t length, int *out)
{
    archai_term call = {.type = ARCHAI_TERM_CALL,
                        .function = archai_expression_function(name, length)};
    char word[32];
    size_t n;

    (void)snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), name);
    if (call.function < 0)
        return archai_fail(p->err, ARCHAI_EINVAL, "there is no function '%s'%s", word,
                           archai_suggest(word, archai_expression_functions,
                                          archai_expression_function_count())
                               .text);
    ARCHAI_TRY(parse_items(p, ")", &call.first, &n));
    ARCHAI_TRY(archai_expression_function_takes(call.function, n, p->err));
    return add_term(p, call, out);
}

static int parse_name(parser *p, int *out)
{
    static const struct {
        const char *word;
        archai_datum v;
    } words[] = {
        {"true", {.type = ARCHAI_DATUM_FLAG, .flag = true}},
        {"True", {.type = ARCHAI_DATUM_FLAG, .flag = true}},
        {"false", {.type = ARCHAI_DATUM_FLAG}},
        {"False", {.type = ARCHAI_DATUM_FLAG}},
        {"null", {.type = ARCHAI_DATUM_NULL}},
        {"None", {.type = ARCHAI_DATUM_NULL}},
    };
    static const char *const joins[] = {"and", "or", "not", "if", "else"};
    const char *name = p->at;
    const size_t length = name_length(name);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (take_word(p, words[i].word))
            return add_constant(p, words[i].v, out);
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; i++)
        if (length == strlen(joins[i]) && strncmp(name, joins[i], length) == 0)
            return expected(p, "a value");
    p->at += length;
    if (take_sign(p, "("))
        return parse_call(p, name, length, out);
    return add_term(p,
                    (archai_term){.type = ARCHAI_TERM_NAME,
                                  .first = ARCHAI_NO_TERM,
                                  .name = archai_arena_printf(&p->e->arena, "%.*s", (int)length,
                                                              name)},
                    out);
}

static int parse_atom(parser *p, int *out)
{
    archai_term list = {.type = ARCHAI_TERM_LIST};
    size_t n;

    skip_spaces(p);
    if (is_digit(*p->at) || (*p->at == '.' && is_digit(p->at[1])))
        return parse_number(p, out);
    if (is_letter(*p->at))
        return parse_name(p, out);
    if (*p->at == '\'' || *p->at == '"')
        return parse_text(p, out);
    if (take_sign(p, "[")) {
        ARCHAI_TRY(parse_items(p, "]", &list.first, &n));
        return add_term(p, list, out);
    }
    if (!take_sign(p, "("))
        return expected(p, "a value");
    ARCHAI_TRY(parse_if(p, out));
    return take_sign(p, ")") ? ARCHAI_OK : expected(p, "')'");
}

/* a.b and a[i] */
static int parse_access(parser *p, int *out)
{
    ARCHAI_TRY(parse_atom(p, out));
    for (;;) {
        if (take_sign(p, ".")) {
            const size_t n = (skip_spaces(p), name_length(p->at));
            archai_term member = {.type = ARCHAI_TERM_MEMBER, .first = *out};

            if (n == 0)
                return expected(p, "a name");
            member.name = archai_arena_printf(&p->e->arena, "%.*s", (int)n, p->at);
            p->at += n;
            ARCHAI_TRY(add_term(p, member, out));
        } else if (take_sign(p, "[")) {
            int index = 0;

            ARCHAI_TRY(parse_if(p, &index));
            if (!take_sign(p, "]"))
                return expected(p, "']'");
            ARCHAI_TRY(add_operation(p, ARCHAI_TERM_ITEM, *out, index, out));
        } else {
            return ARCHAI_OK;
        }
    }
}

/* -- operations -------------------------------------------------------------------------- */

static int parse_sign(parser *p, int *out);

/* Binds tighter than a sign before it, looser than one after it: -2 ** -2 is -(2 ** (-2)). */
static int parse_power(parser *p, int *out)
{
    int exponent = 0;

    ARCHAI_TRY(parse_access(p, out));
    if (!take_sign(p, "**"))
        return ARCHAI_OK;
    ARCHAI_TRY(parse_sign(p, &exponent));
    return add_operation(p, ARCHAI_TERM_POWER, *out, exponent, out);
}

static int parse_sign(parser *p, int *out)
{
    const bool minus = take_sign(p, "-"), sign = minus || take_sign(p, "+");

    if (!sign)
        return parse_power(p, out);
    if (++p->depth > ARCHAI_EXPRESSION_DEPTH)
        return archai_fail(p->err, ARCHAI_EINVAL, "nested too deeply");
    ARCHAI_TRY(parse_sign(p, out));
    p->depth--;
    return minus ? add_operation(p, ARCHAI_TERM_NEGATE, *out, ARCHAI_NO_TERM, out) : ARCHAI_OK;
}

typedef struct operation {
    const char *sign;
    archai_term_type type;
} operation;

static bool take_operation(parser *p, const operation *table, archai_term_type *type)
{
    for (; table->sign != NULL; table++)
        if (take_sign(p, table->sign)) {
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

    ARCHAI_TRY(parse_sign(p, out));
    while (take_operation(p, signs, &type)) {
        ARCHAI_TRY(parse_sign(p, &second));
        ARCHAI_TRY(add_operation(p, type, *out, second, out));
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
        ARCHAI_TRY(add_operation(p, type, *out, second, out));
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
    ARCHAI_TRY(add_operation(p, type, *out, second, out));
    if (take_operation(p, signs, &type))
        return archai_fail(p->err, ARCHAI_EINVAL,
                           "a comparison of a comparison; join two with 'and'");
    return ARCHAI_OK;
}

static int parse_not(parser *p, int *out)
{
    if (!take_word(p, "not"))
        return parse_comparison(p, out);
    if (++p->depth > ARCHAI_EXPRESSION_DEPTH)
        return archai_fail(p->err, ARCHAI_EINVAL, "nested too deeply");
    ARCHAI_TRY(parse_not(p, out));
    p->depth--;
    return add_operation(p, ARCHAI_TERM_NOT, *out, ARCHAI_NO_TERM, out);
}

static int parse_and(parser *p, int *out)
{
    int second = 0;

    ARCHAI_TRY(parse_not(p, out));
    while (take_word(p, "and")) {
        ARCHAI_TRY(parse_not(p, &second));
        ARCHAI_TRY(add_operation(p, ARCHAI_TERM_AND, *out, second, out));
    }
    return ARCHAI_OK;
}

static int parse_or(parser *p, int *out)
{
    int second = 0;

    ARCHAI_TRY(parse_and(p, out));
    while (take_word(p, "or")) {
        ARCHAI_TRY(parse_and(p, &second));
        ARCHAI_TRY(add_operation(p, ARCHAI_TERM_OR, *out, second, out));
    }
    return ARCHAI_OK;
}

/* a if c else b */
static int parse_if(parser *p, int *out)
{
    int condition = 0, otherwise = 0;

    if (++p->depth > ARCHAI_EXPRESSION_DEPTH)
        return archai_fail(p->err, ARCHAI_EINVAL, "nested too deeply");
    ARCHAI_TRY(parse_or(p, out));
    if (take_word(p, "if")) {
        ARCHAI_TRY(parse_or(p, &condition));
        if (!take_word(p, "else"))
            return expected(p, "'else'");
        ARCHAI_TRY(parse_if(p, &otherwise));
        p->e->terms[condition].next = *out;
        p->e->terms[*out].next = otherwise;
        ARCHAI_TRY(add_term(p, (archai_term){.type = ARCHAI_TERM_IF, .first = condition}, out));
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
    ARCHAI_TRY(parse_if(p, out));
    skip_spaces(p);
    return *p->at == '\0' ? ARCHAI_OK : expected(p, "an operation or the end");
}

/* -- documents --------------------------------------------------------------------------- */

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
        return add_constant(p, constant, out);
    }
    for (size_t i = json_array_size(v); i > 0; i--) {
        int item = 0;

        ARCHAI_TRY(read_value(p, json_array_get(v, i - 1), depth + 1, &item));
        p->e->terms[item].next = list.first;
        list.first = item;
    }
    return add_term(p, list, out);
}

int archai_expression_read(archai_expression *e, const json_t *document, archai_err *err)
{
    parser p = {.e = e, .err = err};

    return read_value(&p, document, 0, &e->root);
}
