/* Terms, tokens and operands of expressions. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/network/file/expression/parse.h"

typedef archai_expression_parser parser;

/* -- terms --------------------------------------------------------------------------------- */

int archai_parse_add(parser *p, archai_term t, int *out)
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

int archai_parse_constant(parser *p, archai_datum v, int *out)
{
    return archai_parse_add(
        p, (archai_term){.type = ARCHAI_TERM_CONSTANT, .first = ARCHAI_NO_TERM, .constant = v},
        out);
}

/* An operation of one (second: ARCHAI_NO_TERM) or two operands. */
int archai_parse_operation(parser *p, archai_term_type type, int first, int second, int *out)
{
    p->e->terms[first].next = second;
    return archai_parse_add(p, (archai_term){.type = type, .first = first}, out);
}

/* -- tokens -------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void archai_parse_spaces(parser *p)
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
bool archai_parse_sign(parser *p, const char *sign)
{
    const size_t n = strlen(sign);
    bool longer;

    archai_parse_spaces(p);
    if (strncmp(p->at, sign, n) != 0)
        return false;
    longer = n == 1 && ((strchr("*/", sign[0]) != NULL && p->at[1] == sign[0]) ||
                        (strchr("<>", sign[0]) != NULL && p->at[1] == '='));
    if (!longer)
        p->at += n;
    return !longer;
}

bool archai_parse_word(parser *p, const char *word)
{
    archai_parse_spaces(p);
    if (name_length(p->at) != strlen(word) || strncmp(p->at, word, strlen(word)) != 0)
        return false;
    p->at += strlen(word);
    return true;
}

int archai_parse_expected(parser *p, const char *what)
{
    archai_parse_spaces(p);
    if (*p->at == '\0')
        return archai_fail(p->err, ARCHAI_EINVAL, "it ends where %s is expected", what);
    return archai_fail(p->err, ARCHAI_EINVAL, "expected %s at '%.20s'", what, p->at);
}

/* -- operands ------------------------------------------------------------------------------ */

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
        return archai_fail(p->err, ARCHAI_EINVAL, "'%.20s' is neither a number nor a name",
                           from);
    p->at = at;
    errno = 0;
    if (real)
        ARCHAI_TRY(archai_expression_real(strtod(from, NULL), &v, p->err));
    else
        v.whole = strtoll(from, NULL, 10);
    if (!real && errno == ERANGE)
        return archai_fail(p->err, ARCHAI_EINVAL, "%.30s is too large", from);
    return archai_parse_constant(p, v, out);
}

static int parse_text(parser *p, int *out)
{
    const char quote = *p->at, *from = p->at + 1, *end = strchr(from, quote);

    if (end == NULL)
        return archai_fail(p->err, ARCHAI_EINVAL, "a text without its closing %c", quote);
    if (memchr(from, '\\', (size_t)(end - from)) != NULL)
        return archai_fail(p->err, ARCHAI_EINVAL, "a backslash in a text");
    p->at = end + 1;
    return archai_parse_constant(
        p,
        archai_datum_text(archai_arena_printf(&p->e->arena, "%.*s", (int)(end - from), from)),
        out);
}

/* Most often YAML has cut the text at its comma. */
static int unclosed(parser *p, const char *close)
{
    if (*p->at != '\0')
        return archai_parse_expected(p, close[0] == ']' ? "',' or ']'" : "',' or ')'");
    return archai_fail(
        p->err, ARCHAI_EINVAL,
        "it ends where ',' or '%s' is expected: between {} or [] YAML wants quotes "
        "around a text with a comma",
        close);
}

/* Items up to the closing sign, as a chain. */
static int parse_items(parser *p, const char *close, int *first, size_t *n)
{
    int last = ARCHAI_NO_TERM, item = ARCHAI_NO_TERM;

    *first = ARCHAI_NO_TERM;
    *n = 0;
    while (!archai_parse_sign(p, close)) {
        if (*n > 0 && !archai_parse_sign(p, ","))
            return unclosed(p, close);
        if (*n > 0 && archai_parse_sign(p, close))
            break;
        ARCHAI_TRY(archai_parse_expression(p, &item));
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
    return archai_parse_add(p, call, out);
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
        if (archai_parse_word(p, words[i].word))
            return archai_parse_constant(p, words[i].v, out);
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; i++)
        if (length == strlen(joins[i]) && strncmp(name, joins[i], length) == 0)
            return archai_parse_expected(p, "a value");
    p->at += length;
    if (archai_parse_sign(p, "("))
        return parse_call(p, name, length, out);
    return archai_parse_add(
        p,
        (archai_term){.type = ARCHAI_TERM_NAME,
                      .first = ARCHAI_NO_TERM,
                      .name = archai_arena_printf(&p->e->arena, "%.*s", (int)length, name)},
        out);
}

static int parse_atom(parser *p, int *out)
{
    archai_term list = {.type = ARCHAI_TERM_LIST};
    size_t n;

    archai_parse_spaces(p);
    if (is_digit(*p->at) || (*p->at == '.' && is_digit(p->at[1])))
        return parse_number(p, out);
    if (is_letter(*p->at))
        return parse_name(p, out);
    if (*p->at == '\'' || *p->at == '"')
        return parse_text(p, out);
    if (archai_parse_sign(p, "[")) {
        ARCHAI_TRY(parse_items(p, "]", &list.first, &n));
        return archai_parse_add(p, list, out);
    }
    if (!archai_parse_sign(p, "("))
        return archai_parse_expected(p, "a value");
    ARCHAI_TRY(archai_parse_expression(p, out));
    if (archai_parse_sign(p, ")"))
        return ARCHAI_OK;
    archai_parse_spaces(p);
    return archai_parse_expected(p, *p->at == '\0' || *p->at == ',' ? "')' (a list is [3, 3])"
                                                                    : "')'");
}

/* a.b and a[i] */
int archai_parse_operand(parser *p, int *out)
{
    ARCHAI_TRY(parse_atom(p, out));
    for (;;) {
        if (archai_parse_sign(p, ".")) {
            const size_t n = (archai_parse_spaces(p), name_length(p->at));
            archai_term member = {.type = ARCHAI_TERM_MEMBER, .first = *out};

            if (n == 0)
                return archai_parse_expected(p, "a name");
            member.name = archai_arena_printf(&p->e->arena, "%.*s", (int)n, p->at);
            p->at += n;
            ARCHAI_TRY(archai_parse_add(p, member, out));
        } else if (archai_parse_sign(p, "[")) {
            int index = 0;

            ARCHAI_TRY(archai_parse_expression(p, &index));
            if (!archai_parse_sign(p, "]"))
                return archai_parse_expected(p, "']'");
            ARCHAI_TRY(archai_parse_operation(p, ARCHAI_TERM_ITEM, *out, index, out));
        } else {
            return ARCHAI_OK;
        }
    }
}
