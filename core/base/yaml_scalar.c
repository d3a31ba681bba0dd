#include "core/base/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

static const char digits[] = "0123456789";

static bool one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const trues[] = {"yes",  "Yes", "YES", "true", "True",
                                    "TRUE", "on",  "On",  "ON",   NULL};
static const char *const falses[] = {"no",    "No",  "NO",  "false", "False",
                                     "FALSE", "off", "Off", "OFF",   NULL};
/* YAML's, and those that Python's json module writes. */
static const char *const specials[] = {".inf", ".Inf", ".INF",     ".nan", ".NaN",
                                       ".NAN", "NaN",  "Infinity", NULL};

static const char *unsigned_part(const char *text)
{
    return text + (*text == '-' || *text == '+');
}

/* 0 or a number without leading zeros. */
static bool is_decimal(const char *text)
{
    const char *p = unsigned_part(text);
    size_t n = strspn(p, digits);

    return n > 0 && p[n] == '\0' && (p[0] != '0' || n == 1);
}

static bool is_hexadecimal(const char *text)
{
    const char *p = unsigned_part(text);
    size_t n = p[0] == '0' && p[1] == 'x' ? strspn(p + 2, "0123456789abcdefABCDEF") : 0;

    return n > 0 && p[2 + n] == '\0';
}

/* [-+] (digits [. [digits]] | . digits) [e [-+] digits] with a point or an exponent. */
static bool is_real(const char *text)
{
    const char *p = unsigned_part(text);
    size_t whole = strspn(p, digits), part = 0;
    bool marked = false;

    p += whole;
    if (*p == '.') {
        part = strspn(++p, digits);
        p += part;
        marked = true;
    }
    if (whole + part == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        size_t n;

        p = unsigned_part(p + 1);
        n = strspn(p, digits);
        if (n == 0)
            return false;
        p += n;
        marked = true;
    }
    return marked && *p == '\0';
}

static const char *to_integer(const char *text, int base, json_t **out)
{
    long long v;

    errno = 0;
    v = strtoll(text, NULL, base);
    if (errno != 0)
        return "a number beyond 64 bits";
    *out = archai_there(json_integer(v));
    return NULL;
}

static const char *to_real(const char *text, json_t **out)
{
    double v = strtod(text, NULL);

    if (!isfinite(v))
        return "a number too large";
    *out = archai_there(json_real(v));
    return NULL;
}

const char *archai_yaml_plain_scalar(const char *text, json_t **out)
{
    if (one_of(unsigned_part(text), specials))
        return "infinity and NaN are not supported";
    if (is_decimal(text))
        return to_integer(text, 10, out);
    if (is_hexadecimal(text))
        return to_integer(text, 16, out);
    if (is_real(text))
        return to_real(text, out);
    if (one_of(text, nulls))
        *out = json_null();
    else if (one_of(text, trues))
        *out = json_true();
    else if (one_of(text, falses))
        *out = json_false();
    else
        *out = archai_there(json_string(text));
    return NULL;
}

/* In every version of YAML, numbers, dates and times begin with a digit, a sign or a point. */
bool archai_yaml_needs_quotes(const char *text)
{
    static const char *const others[] = {"=", "<<", NULL};

    return one_of(text, nulls) || one_of(text, trues) || one_of(text, falses) ||
           one_of(text, others) || one_of(text, specials) ||
           strchr("0123456789-+.", text[0]) != NULL;
}
