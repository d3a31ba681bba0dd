#include "core/base/number.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Divided, not multiplied by a fraction: 60ms is exactly the double 0.06. */
typedef struct unit {
    const char *name;
    double factor, divisor;
} unit;

/* Decimal only: strtod alone would also take hexadecimal, "nan" and leading blanks. */
static bool decimal(const char *text, double *v, const char **end)
{
    const char *p = text;
    char *e;

    if (*p == '+' || *p == '-')
        p++;
    if (!isdigit((unsigned char)p[0]) && !(p[0] == '.' && isdigit((unsigned char)p[1])))
        return false;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
        return false;
    errno = 0;
    *v = strtod(text, &e);
    *end = e;
    return !(errno == ERANGE && fabs(*v) > 1.0);
}

static int parse_with_unit(const char *text, const char *expected, const char *names,
                           const unit *units, double *out, archai_err *err)
{
    const char *end;
    double v;

    if (!decimal(text, &v, &end))
        return archai_fail(err, ARCHAI_EINVAL, "'%.100s' is not a %s", text, expected);
    for (; units->name != NULL; units++)
        if (strcmp(end, units->name) == 0) {
            *out = v * units->factor / units->divisor;
            return ARCHAI_OK;
        }
    return archai_fail(err, ARCHAI_EINVAL, "'%.100s' has an unknown unit, expected %s", text, names);
}

int archai_parse_seconds(const char *text, double *out, archai_err *err)
{
    static const unit units[] = {{"", 1, 1},   {"ms", 1, 1000}, {"s", 1, 1},
                                 {"m", 60, 1}, {"h", 3600, 1},  {"d", 86400, 1}, {NULL, 0, 0}};

    return parse_with_unit(text, "duration, expected for example 250ms, 30s, 5m, 2h, 1d",
                           "ms, s, m, h or d", units, out, err);
}

int archai_parse_bytes(const char *text, int64_t *out, archai_err *err)
{
    static const unit units[] = {{"", 1, 1},         {"K", 1024, 1},          {"M", 1048576, 1},
                                 {"G", 1073741824, 1}, {"T", 1099511627776, 1}, {NULL, 0, 0}};
    double v;

    ARCHAI_TRY(parse_with_unit(text, "size, expected for example 512, 4K, 1M, 2G", "K, M, G or T",
                               units, &v, err));
    if (v != floor(v) || fabs(v) > 9007199254740992.0)
        return archai_fail(err, ARCHAI_EINVAL, "'%.100s' is not a whole number of bytes", text);
    *out = (int64_t)v;
    return ARCHAI_OK;
}

/* -- Python's repr(float) ------------------------------------------------------------- */

/* Add one unit in the last place to n digits; a carry out of the front makes 99 into 10 and
 * raises the exponent. */
static void increment(char *digits, int n, int *exponent)
{
    int i = n - 1;

    while (i >= 0 && digits[i] == '9')
        digits[i--] = '0';
    if (i >= 0) {
        digits[i]++;
    } else {
        digits[0] = '1';
        (*exponent)++;
    }
}

static double value_of(const char *digits, int exponent)
{
    char text[48];

    (void)snprintf(text, sizeof text, "%c.%se%d", digits[0], digits + 1, exponent);
    return strtod(text, NULL);
}

/* The shortest digits d.ddd x 10^exponent that read back as v > 0. For each length the nearest
 * decimal is tried, then its upper neighbour: doubles are denser below a power of two, so only the
 * neighbour may read back. There may be zeros at the end. */
static void shortest(double v, char digits[20], int *exponent)
{
    /* A decimal of up to 15 digits that reads back as a normal v is what v is written as with 15 digits, zeros
     * behind it: where that does not read back, no shorter one does. The caller takes the zeros away. */
    for (int n = v >= DBL_MIN ? DBL_DIG : 1; n <= 17; n++) {
        char text[40];

        (void)snprintf(text, sizeof text, "%.*e", n - 1, v);
        digits[0] = text[0];
        if (n > 1)
            memcpy(digits + 1, text + 2, (size_t)n - 1);
        digits[n] = '\0';
        *exponent = atoi(strchr(text, 'e') + 1);
        if (value_of(digits, *exponent) == v)
            return;
        increment(digits, n, exponent);
        if (value_of(digits, *exponent) == v)
            return;
    }
}

void archai_format_bytes(double bytes, char out[ARCHAI_BYTES_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t i = 0;

    /* Three digits: 999.5 would be written 1e+03. */
    for (bytes /= 1024; bytes >= 999.5 && i + 1 < sizeof units / sizeof units[0]; i++)
        bytes /= 1024;
    (void)snprintf(out, ARCHAI_BYTES_TEXT, "%.3g %s", bytes, units[i]);
}

void archai_format_double(double v, char out[32])
{
    char digits[20], *p = out;
    int e, n;

    if (isnan(v) || isinf(v)) {
        (void)snprintf(out, 32, "%s", isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
        return;
    }
    if (signbit(v))
        *p++ = '-';
    if (v == 0.0) {
        memcpy(p, "0.0", 4);
        return;
    }
    shortest(fabs(v), digits, &e);
    n = (int)strlen(digits);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (e < -4 || e >= 16) {
        *p++ = digits[0];
        if (n > 1)
            *p++ = '.';
        memcpy(p, digits + 1, (size_t)n - 1);
        (void)snprintf(p + n - 1, (size_t)(out + 32 - (p + n - 1)), "e%c%02d", e < 0 ? '-' : '+',
                       abs(e));
        return;
    }
    if (e < 0) { /* 0.000ddd */
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > e; i--)
            *p++ = '0';
    }
    for (int i = 0; i < n || i <= e; i++) {
        if (i == e + 1 && e >= 0)
            *p++ = '.';
        *p++ = i < n ? digits[i] : '0';
    }
    if (e >= 0 && n <= e + 1) {
        *p++ = '.';
        *p++ = '0';
    }
    *p = '\0';
}

/* -- the nearest word ------------------------------------------------------------------ */

enum { WORD_MAX = 64 };

/* Levenshtein distance of words up to WORD_MAX bytes; longer ones are far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], na = strlen(a), nb = strlen(b);

    if (na > WORD_MAX || nb > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[nb];
}

const char *archai_nearest(const char *word, const char *const *names, size_t n)
{
    size_t length = strlen(word), best = length <= 3 ? 2 : length / 3 + 2;
    const char *near = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);

        /* "epoch" for "num_epochs", "lr_schedule" for "learning_rate_schedule" */
        if (length >= 4 && strstr(names[i], word) != NULL && d > 1)
            d = 1;
        if (d > 1 && strlen(names[i]) <= 3 && strstr(word, names[i]) == NULL)
            continue; /* "sin" is not like "skip", but "10" like "10.5" */
        if (d < best) {
            best = d;
            near = names[i];
        }
    }
    return near;
}

archai_suggestion archai_suggest(const char *word, const char *const *names, size_t n)
{
    const char *near = archai_nearest(word, names, n);
    archai_suggestion s = {""};

    if (near != NULL)
        (void)snprintf(s.text, sizeof s.text, "; did you mean '%.100s'?", near);
    return s;
}
