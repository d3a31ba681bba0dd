/* Arithmetic, comparisons and functions of expressions, as Python's. */
#include <math.h>
#include <string.h>

#include "core/network/file/expression/terms.h"

/* -- results ------------------------------------------------------------------------------- */

int archai_expression_real(double v, archai_datum *out, archai_err *err)
{
    if (!isfinite(v))
        return archai_fail(err, ARCHAI_EINVAL, "the result is too large");
    *out = (archai_datum){.type = ARCHAI_DATUM_REAL, .real = v};
    return ARCHAI_OK;
}

static int whole(bool overflow, int64_t v, archai_datum *out, archai_err *err)
{
    if (overflow)
        return archai_fail(err, ARCHAI_EINVAL, "the result is too large");
    *out = archai_datum_whole(v);
    return ARCHAI_OK;
}

/* A real number without a fraction as a whole one. 2^63 itself is too large. */
static int whole_of_real(double v, archai_datum *out, archai_err *err)
{
    const bool fits = v >= -0x1p63 && v < 0x1p63;

    return whole(!fits, fits ? (int64_t)v : 0, out, err);
}

static int negative(int64_t v, archai_datum *out, archai_err *err)
{
    int64_t r = 0;
    const bool overflow = __builtin_sub_overflow((int64_t)0, v, &r);

    return whole(overflow, r, out, err);
}

static int64_t whole_value(const archai_datum *v)
{
    return v->type == ARCHAI_DATUM_FLAG ? v->flag : v->whole;
}

/* -- arithmetic ---------------------------------------------------------------------------- */

static int no_operation(const archai_datum *a, const archai_datum *b, archai_err *err)
{
    const archai_datum *wrong = archai_datum_is_number(a) ? b : a;

    return archai_fail(err, ARCHAI_EINVAL, "%s is not a number",
                       archai_datum_describe(wrong).text);
}

static int joined(const archai_datum *a, const archai_datum *b, archai_expression_scope *s,
                  archai_datum *out, archai_err *err)
{
    archai_datum *items;
    const size_t n = a->list.n + b->list.n;

    ARCHAI_TRY(archai_expression_work(s, n, err));
    items = archai_arena_take(s->arena, n * sizeof *items);
    for (size_t i = 0; i < n; i++)
        items[i] = i < a->list.n ? a->list.items[i] : b->list.items[i - a->list.n];
    *out = (archai_datum){.type = ARCHAI_DATUM_LIST, .list = {items, n, 0}};
    return ARCHAI_OK;
}

static int concatenated(const archai_datum *a, const archai_datum *b,
                        archai_expression_scope *s, archai_datum *out, archai_err *err)
{
    if (strlen(a->text) + strlen(b->text) > ARCHAI_EXPRESSION_CHARS)
        return archai_fail(err, ARCHAI_EINVAL, "a text of more than %d characters",
                           ARCHAI_EXPRESSION_CHARS);
    ARCHAI_TRY(archai_expression_work(s, 1 + strlen(a->text) / 64 + strlen(b->text) / 64, err));
    *out = archai_datum_text(archai_arena_printf(s->arena, "%s%s", a->text, b->text));
    return ARCHAI_OK;
}

/* Python's floor division; b is not 0. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int whole_power(int64_t a, int64_t b, archai_datum *out, archai_err *err)
{
    int64_t r = 1;
    bool overflow = false;

    if (b < 0 && a == 0)
        return archai_fail(err, ARCHAI_EINVAL, "division by zero");
    if (b < 0)
        return archai_expression_real(pow((double)a, (double)b), out, err);
    if (a == 0 || a == 1 || a == -1) /* the only ones that may be raised to a large power */
        return whole(false, b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a, out, err);
    for (int64_t i = 0; i < b && !overflow; i++)
        overflow = __builtin_mul_overflow(r, a, &r);
    return whole(overflow, r, out, err);
}

static int whole_arithmetic(archai_term_type op, int64_t a, int64_t b, archai_datum *out,
                            archai_err *err)
{
    const bool divides = op == ARCHAI_TERM_FLOOR_DIVIDE || op == ARCHAI_TERM_REMAINDER;
    int64_t r = 0;
    bool overflow = false;

    if (divides && b == 0)
        return archai_fail(err, ARCHAI_EINVAL, "division by zero");
    if (divides && b == -1) /* INT64_MIN / -1 */
        return op == ARCHAI_TERM_REMAINDER ? whole(false, 0, out, err) : negative(a, out, err);
    if (op == ARCHAI_TERM_POWER)
        return whole_power(a, b, out, err);
    if (op == ARCHAI_TERM_ADD)
        overflow = __builtin_add_overflow(a, b, &r);
    else if (op == ARCHAI_TERM_SUBTRACT)
        overflow = __builtin_sub_overflow(a, b, &r);
    else if (op == ARCHAI_TERM_NEGATE)
        return negative(a, out, err);
    else if (op == ARCHAI_TERM_MULTIPLY)
        overflow = __builtin_mul_overflow(a, b, &r);
    else if (op == ARCHAI_TERM_FLOOR_DIVIDE)
        r = floor_divide(a, b);
    else
        r = a - floor_divide(a, b) * b;
    return whole(overflow, r, out, err);
}

static int real_arithmetic(archai_term_type op, double a, double b, archai_datum *out,
                           archai_err *err)
{
    const bool divides = op == ARCHAI_TERM_DIVIDE || op == ARCHAI_TERM_FLOOR_DIVIDE ||
                         op == ARCHAI_TERM_REMAINDER;
    double r;

    if (divides && !(b < 0) && !(b > 0))
        return archai_fail(err, ARCHAI_EINVAL, "division by zero");
    switch (op) {
    case ARCHAI_TERM_ADD:
        r = a + b;
        break;
    case ARCHAI_TERM_SUBTRACT:
        r = a - b;
        break;
    case ARCHAI_TERM_NEGATE:
        r = -a;
        break;
    case ARCHAI_TERM_MULTIPLY:
        r = a * b;
        break;
    case ARCHAI_TERM_DIVIDE:
        r = a / b;
        break;
    case ARCHAI_TERM_FLOOR_DIVIDE:
        r = floor(a / b);
        break;
    case ARCHAI_TERM_REMAINDER:
        r = fmod(a, b);
        if ((r < 0 && b > 0) || (r > 0 && b < 0))
            r += b;
        break;
    default:
        r = pow(a, b);
        if (isnan(r))
            return archai_fail(err, ARCHAI_EINVAL, "a root of a negative number");
    }
    return archai_expression_real(r, out, err);
}

int archai_expression_arithmetic(archai_term_type op, const archai_datum *a,
                                 const archai_datum *b, archai_expression_scope *s,
                                 archai_datum *out, archai_err *err)
{
    if (op == ARCHAI_TERM_ADD && a->type == ARCHAI_DATUM_TEXT && b->type == ARCHAI_DATUM_TEXT)
        return concatenated(a, b, s, out, err);
    if (op == ARCHAI_TERM_ADD && a->type == ARCHAI_DATUM_LIST && b->type == ARCHAI_DATUM_LIST)
        return joined(a, b, s, out, err);
    if (!archai_datum_is_number(a) || !archai_datum_is_number(b))
        return no_operation(a, b, err);
    if (op == ARCHAI_TERM_DIVIDE || a->type == ARCHAI_DATUM_REAL ||
        b->type == ARCHAI_DATUM_REAL)
        return real_arithmetic(op, archai_datum_real(a), archai_datum_real(b), out, err);
    return whole_arithmetic(op, whole_value(a), whole_value(b), out, err);
}

int archai_expression_compare(archai_term_type op, const archai_datum *a, const archai_datum *b,
                              archai_expression_scope *s, bool *out, archai_err *err)
{
    size_t work = 0;
    int order; /* of a: -1 less, 1 greater */

    if (op == ARCHAI_TERM_EQUAL || op == ARCHAI_TERM_UNEQUAL) {
        *out = archai_datum_same(a, b, &work) == (op == ARCHAI_TERM_EQUAL);
        if (work >= ARCHAI_DATUM_SAME_MAX)
            return archai_fail(err, ARCHAI_EINVAL, "these lists are too large to be compared");
        return archai_expression_work(s, work, err);
    }
    if (a->type == ARCHAI_DATUM_TEXT && b->type == ARCHAI_DATUM_TEXT)
        order = strcmp(a->text, b->text);
    else if (!archai_datum_is_number(a) || !archai_datum_is_number(b))
        return no_operation(a, b, err);
    else if (a->type == ARCHAI_DATUM_REAL || b->type == ARCHAI_DATUM_REAL)
        order = (archai_datum_real(a) > archai_datum_real(b)) -
                (archai_datum_real(a) < archai_datum_real(b));
    else
        order = (whole_value(a) > whole_value(b)) - (whole_value(a) < whole_value(b));
    *out = op == ARCHAI_TERM_LESS         ? order < 0
           : op == ARCHAI_TERM_LESS_EQUAL ? order <= 0
           : op == ARCHAI_TERM_GREATER    ? order > 0
                                          : order >= 0;
    return ARCHAI_OK;
}

/* -- functions ----------------------------------------------------------------------------- */

enum { ABS, CEIL, FLOOR, INT, LEN, MAX, MIN, ROUND, ROUND_TO, SQRT, STR, SUM, FUNCTIONS };

const char *const archai_expression_functions[] = {
    [ABS] = "abs",           [CEIL] = "ceil", [FLOOR] = "floor", [INT] = "int",
    [LEN] = "len",           [MAX] = "max",   [MIN] = "min",     [ROUND] = "round",
    [ROUND_TO] = "round_to", [SQRT] = "sqrt", [STR] = "str",     [SUM] = "sum",
};

size_t archai_expression_function_count(void)
{
    return FUNCTIONS;
}

int archai_expression_function(const char *name, size_t length)
{
    for (int i = 0; i < FUNCTIONS; i++)
        if (strlen(archai_expression_functions[i]) == length &&
            strncmp(archai_expression_functions[i], name, length) == 0)
            return i;
    return -1;
}

int archai_expression_function_takes(int function, size_t n, archai_err *err)
{
    const bool many = function == MAX || function == MIN;
    const size_t wanted = function == ROUND_TO ? 2 : 1;

    if (many ? n >= 1 : n == wanted)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL, "%s takes %zu argument%s%s, got %zu",
                       archai_expression_functions[function], wanted, wanted > 1 ? "s" : "",
                       many ? " or more" : "", n);
}

/* Source: _make_divisible of torchvision and MobileNet: the nearest multiple, but not less than
 * 90 % of v. */
static int round_to(const archai_datum *v, const archai_datum *multiple, archai_datum *out,
                    archai_err *err)
{
    const double x = archai_datum_real(v), m = archai_datum_real(multiple);
    double r;

    if (!(m >= 1) || m != floor(m))
        return archai_fail(err, ARCHAI_EINVAL,
                           "round_to: expected a multiple of 1 or more, got %s",
                           archai_datum_describe(multiple).text);
    r = floor(trunc(x + m / 2) / m) * m;
    r = r < m ? m : r;
    return whole_of_real(r < 0.9 * x ? r + m : r, out, err);
}

static int extreme(int function, const archai_datum *v, size_t n, archai_expression_scope *s,
                   archai_datum *out, archai_err *err)
{
    bool better = false;

    if (n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "%s of nothing",
                           archai_expression_functions[function]);
    *out = v[0];
    for (size_t i = 1; i < n; i++) {
        ARCHAI_TRY(
            archai_expression_compare(function == MAX ? ARCHAI_TERM_GREATER : ARCHAI_TERM_LESS,
                                      &v[i], out, s, &better, err));
        if (better)
            *out = v[i];
    }
    return n > 1 || archai_datum_is_number(out) ? ARCHAI_OK : no_operation(out, out, err);
}

static int sum(const archai_datum *v, archai_expression_scope *s, archai_datum *out,
               archai_err *err)
{
    if (v->type != ARCHAI_DATUM_LIST)
        return archai_fail(err, ARCHAI_EINVAL, "sum: expected a list, got %s",
                           archai_datum_describe(v).text);
    *out = archai_datum_whole(0);
    ARCHAI_TRY(archai_expression_work(s, v->list.n, err));
    for (size_t i = 0; i < v->list.n; i++) {
        const archai_datum before = *out;

        ARCHAI_TRY(archai_expression_arithmetic(ARCHAI_TERM_ADD, &before, &v->list.items[i], s,
                                                out, err));
    }
    return ARCHAI_OK;
}

static int length(const archai_datum *v, archai_datum *out, archai_err *err)
{
    if (v->type == ARCHAI_DATUM_LIST)
        *out = archai_datum_whole((int64_t)v->list.n);
    else if (v->type == ARCHAI_DATUM_TEXT)
        *out = archai_datum_whole((int64_t)strlen(v->text));
    else
        return archai_fail(err, ARCHAI_EINVAL, "len: expected a list, got %s",
                           archai_datum_describe(v).text);
    return ARCHAI_OK;
}

/* Functions of one number. */
static int of_number(int function, const archai_datum *v, archai_datum *out, archai_err *err)
{
    const bool real = v->type == ARCHAI_DATUM_REAL;
    const double x = archai_datum_real(v);

    switch (function) {
    case SQRT:
        if (x < 0)
            return archai_fail(err, ARCHAI_EINVAL, "sqrt of a negative number");
        return archai_expression_real(sqrt(x), out, err);
    case ABS:
        if (real)
            return archai_expression_real(fabs(x), out, err);
        return whole_value(v) < 0 ? negative(whole_value(v), out, err)
                                  : whole(false, whole_value(v), out, err);
    case CEIL:
        return real ? whole_of_real(ceil(x), out, err) : whole(false, whole_value(v), out, err);
    case FLOOR:
        return real ? whole_of_real(floor(x), out, err)
                    : whole(false, whole_value(v), out, err);
    case ROUND: /* halves to the even number, as Python and nearbyint by default */
        return real ? whole_of_real(nearbyint(x), out, err)
                    : whole(false, whole_value(v), out, err);
    default:
        return real ? whole_of_real(trunc(x), out, err)
                    : whole(false, whole_value(v), out, err);
    }
}

int archai_expression_call(int function, const archai_datum *values, size_t n,
                           archai_expression_scope *s, archai_datum *out, archai_err *err)
{
    if ((function == MAX || function == MIN) && n == 1 && values[0].type == ARCHAI_DATUM_LIST) {
        ARCHAI_TRY(archai_expression_work(s, values[0].list.n, err));
        return extreme(function, values[0].list.items, values[0].list.n, s, out, err);
    }
    if (function == MAX || function == MIN)
        return extreme(function, values, n, s, out, err);
    if (function == SUM)
        return sum(&values[0], s, out, err);
    if (function == LEN)
        return length(&values[0], out, err);
    if (function == STR) {
        const char *text = archai_datum_name(&values[0], s->arena);

        if (text == NULL)
            return archai_fail(err, ARCHAI_EINVAL, "str: expected a number or a text, got %s",
                               archai_datum_describe(&values[0]).text);
        *out = archai_datum_text(text);
        return ARCHAI_OK;
    }
    for (size_t i = 0; i < n; i++)
        if (!archai_datum_is_number(&values[i]))
            return no_operation(&values[i], &values[i], err);
    if (function == ROUND_TO)
        return round_to(&values[0], &values[1], out, err);
    return of_number(function, &values[0], out, err);
}
