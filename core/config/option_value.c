#include "core/config/option_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

const archai_option_kind_info archai_option_kinds[] = {
    [ARCHAI_OPT_INT] = {"integer", sizeof(int64_t)},
    [ARCHAI_OPT_DOUBLE] = {"number", sizeof(double)},
    [ARCHAI_OPT_BOOL] = {"yes/no", sizeof(bool)},
    [ARCHAI_OPT_STRING] = {"text", sizeof(char *)},
    [ARCHAI_OPT_CHOICE] = {"choice", sizeof(int)},
    [ARCHAI_OPT_SECONDS] = {"time", sizeof(double)},
    [ARCHAI_OPT_BYTES] = {"size", sizeof(int64_t)},
    [ARCHAI_OPT_INTS] = {"integers", sizeof(archai_ints)},
    [ARCHAI_OPT_DOUBLES] = {"numbers", sizeof(archai_doubles)},
    [ARCHAI_OPT_STRINGS] = {"words", sizeof(archai_strings)},
};

static const char blanks[] = " \t";

static int parse_int(const char *text, int64_t *out, archai_err *err)
{
    char *end;
    long long v;
    double d;

    errno = 0;
    v = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0 && strspn(text, blanks) == 0) {
        *out = v;
        return ARCHAI_OK;
    }
    errno = 0;
    d = strtod(text, &end); /* 1e6 */
    if (end == text || *end != '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
        return archai_fail(err, ARCHAI_EINVAL,
                           "'%.100s' is not a number, expected a whole number", text);
    if (fabs(d) > 9007199254740992.0)
        return archai_fail(err, ARCHAI_EINVAL, "%.100s is too large for a whole number", text);
    if (d != floor(d))
        return archai_fail(err, ARCHAI_EINVAL, "%.100s is not a whole number", text);
    *out = (int64_t)d;
    return ARCHAI_OK;
}

static int parse_double(const char *text, double *out, archai_err *err)
{
    char *end;

    if (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0) {
        *out = text[0] == '-' ? -INFINITY : INFINITY;
        return ARCHAI_OK;
    }
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
        return archai_fail(err, ARCHAI_EINVAL, "'%.100s' is not a number", text);
    if (isinf(*out))
        return archai_fail(err, ARCHAI_EINVAL, "%.100s is too large", text);
    return ARCHAI_OK;
}

static int parse_bool(const char *text, bool *out, archai_err *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return ARCHAI_OK;
        }
    return archai_fail(err, ARCHAI_EINVAL, "'%.100s' is neither yes nor no", text);
}

static int parse_choice(const char *choices, const char *text, int *out, archai_err *err)
{
    size_t n = strlen(text);
    int i = 0;

    for (const char *p = choices; *p != '\0'; i++) {
        size_t w = strcspn(p, " ");

        if (w == n && n > 0 && memcmp(p, text, n) == 0) {
            *out = i;
            return ARCHAI_OK;
        }
        p += w + strspn(p + w, " ");
    }
    return archai_fail(err, ARCHAI_EINVAL, "unknown '%.100s', expected one of: %s", text,
                       choices);
}

/* The bounds are doubles; near 2^63 the comparison is made in int64_t. */
static int check_int(const archai_option *opt, int64_t v, archai_err *err)
{
    char lo[32], hi[32];

    if ((opt->min < -0x1p63 || v >= (int64_t)opt->min) &&
        (opt->max >= 0x1p63 || v <= (int64_t)opt->max))
        return ARCHAI_OK;
    (void)snprintf(lo, sizeof lo, "%.0f", opt->min);
    (void)snprintf(hi, sizeof hi, "%.0f", opt->max);
    if (opt->max >= 0x1p53)
        return archai_fail(err, ARCHAI_EINVAL, "%lld is below the least value %s", (long long)v,
                           lo);
    return archai_fail(err, ARCHAI_EINVAL, "%lld is outside %s..%s", (long long)v, lo, hi);
}

static int check_double(const archai_option *opt, double v, archai_err *err)
{
    if (v >= opt->min && v <= opt->max)
        return ARCHAI_OK;
    if (isinf(opt->max) && v < opt->min)
        return archai_fail(err, ARCHAI_EINVAL, "%g is below the least value %g", v, opt->min);
    return archai_fail(err, ARCHAI_EINVAL, "%g is outside %g..%g", v, opt->min, opt->max);
}

/* -- lists ----------------------------------------------------------------------------- */

static const char separators[] = " \t,";

static size_t element_size(const archai_option *opt)
{
    return opt->kind == ARCHAI_OPT_STRINGS ? sizeof(char *)
           : opt->kind == ARCHAI_OPT_INTS  ? sizeof(int64_t)
                                           : sizeof(double);
}

static int parse_element(const archai_option *opt, char **word, void *at, archai_err *err)
{
    if (opt->kind == ARCHAI_OPT_INTS) {
        ARCHAI_TRY(parse_int(*word, at, err));
        return check_int(opt, *(int64_t *)at, err);
    }
    if (opt->kind == ARCHAI_OPT_DOUBLES) {
        ARCHAI_TRY(parse_double(*word, at, err));
        return check_double(opt, *(double *)at, err);
    }
    *(char **)at = *word;
    *word = NULL;
    return ARCHAI_OK;
}

/* The three list types share one layout, a pointer and a count; it is copied, never aliased. */
typedef struct list {
    void *at;
    size_t n;
} list;

static void free_list(archai_option_kind kind, list *l)
{
    for (size_t i = 0; kind == ARCHAI_OPT_STRINGS && i < l->n; i++)
        free(((char **)l->at)[i]);
    free(l->at);
}

/* The next word of a list, and where it ends. A quote that begins a word of texts is ended by the next one. */
static char *next_word(const archai_option *opt, const char **at)
{
    const char *p = *at;
    size_t n = strcspn(p, separators);
    char *word, *to;

    if (opt->kind != ARCHAI_OPT_STRINGS || *p != '"') {
        *at = p + n;
        return archai_strndup(p, n);
    }
    to = word = archai_malloc(strlen(p) + 1);
    for (p++; *p != '\0' && *p != '"'; p++) {
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        *to++ = *p;
    }
    *to = '\0';
    *at = *p == '"' ? p + 1 : p;
    return word;
}

static int parse_list(const archai_option *opt, const char *text, void *field, archai_err *err)
{
    const size_t size = element_size(opt);
    list made = {.at = archai_malloc((strlen(text) / 2 + 1) * size)}; /* elements are separated */
    int rc = ARCHAI_OK;

    for (const char *p = text + strspn(text, separators); rc == ARCHAI_OK && *p != '\0';) {
        char *word = next_word(opt, &p);

        rc = parse_element(opt, &word, (char *)made.at + made.n * size, err);
        made.n += rc == ARCHAI_OK;
        free(word);
        p += strspn(p, separators);
    }
    if (rc != ARCHAI_OK)
        free_list(opt->kind, &made);
    else
        memcpy(field, &made, sizeof made);
    return rc;
}

/* -- all kinds ------------------------------------------------------------------------- */

/* A word that stands for a number: choices "auto=0". */
static const char *alias_value(const archai_option *opt, const char *text)
{
    size_t n = strlen(text);

    if (opt->choices == NULL || strncmp(opt->choices, text, n) != 0 || opt->choices[n] != '=')
        return NULL;
    return opt->choices + n + 1;
}

/* A word's value may lie outside the range. */
static int parse_whole(const archai_option *opt, const char *text, int64_t *out, archai_err *err)
{
    const char *alias = alias_value(opt, text);

    if (alias != NULL)
        return parse_int(alias, out, err);
    if (opt->kind == ARCHAI_OPT_INT)
        ARCHAI_TRY(parse_int(text, out, err));
    else
        ARCHAI_TRY(archai_parse_bytes(text, out, err));
    return check_int(opt, *out, err);
}

static int parse_real(const archai_option *opt, const char *text, double *out, archai_err *err)
{
    const char *alias = alias_value(opt, text);

    if (alias != NULL)
        return parse_double(alias, out, err);
    if (opt->kind == ARCHAI_OPT_DOUBLE)
        ARCHAI_TRY(parse_double(text, out, err));
    else
        ARCHAI_TRY(archai_parse_seconds(text, out, err));
    return check_double(opt, *out, err);
}

int archai_option_value_parse(const archai_option *opt, const char *text, void *field,
                              archai_err *err)
{
    switch (opt->kind) {
    case ARCHAI_OPT_INT:
    case ARCHAI_OPT_BYTES:
        return parse_whole(opt, text, field, err);
    case ARCHAI_OPT_DOUBLE:
    case ARCHAI_OPT_SECONDS:
        return parse_real(opt, text, field, err);
    case ARCHAI_OPT_BOOL:
        return parse_bool(text, field, err);
    case ARCHAI_OPT_CHOICE:
        return parse_choice(opt->choices, text, field, err);
    case ARCHAI_OPT_STRING:
        *(char **)field = archai_strdup(text);
        return ARCHAI_OK;
    case ARCHAI_OPT_INTS:
    case ARCHAI_OPT_DOUBLES:
    case ARCHAI_OPT_STRINGS:
        return parse_list(opt, text, field, err);
    }
    return archai_fail(err, ARCHAI_EINTERNAL, "option kind %d", (int)opt->kind);
}

void archai_option_value_free(const archai_option *opt, void *field)
{
    list l;

    switch (opt->kind) {
    case ARCHAI_OPT_STRING:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case ARCHAI_OPT_INTS:
    case ARCHAI_OPT_DOUBLES:
    case ARCHAI_OPT_STRINGS:
        memcpy(&l, field, sizeof l);
        free_list(opt->kind, &l);
        memset(field, 0, sizeof l);
        break;
    default:
        break;
    }
}
