#include "core/config/option_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { LIST_MAX = 65536 }; /* elements; a line holds no more */

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

/* Next element of a list, owned; NULL at the end. Advances *p. */
static char *next_element(const char **p)
{
    const char *start = *p + strspn(*p, separators);
    size_t n = strcspn(start, separators);

    *p = start + n;
    return n == 0 ? NULL : archai_strndup(start, n);
}

static size_t count_elements(const char *text)
{
    size_t n = 0;

    for (const char *p = text + strspn(text, separators); *p != '\0'; p += strspn(p, separators)) {
        p += strcspn(p, separators);
        n++;
    }
    return n;
}

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

static int parse_list(const archai_option *opt, const char *text, void *field, archai_err *err)
{
    size_t n = count_elements(text), size = element_size(opt);
    list made = {.n = 0};
    int rc = ARCHAI_OK;

    if (n > LIST_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "%zu elements are more than %d", n, LIST_MAX);
    made.at = archai_calloc(n > 0 ? n : 1, size);
    for (const char *p = text; rc == ARCHAI_OK && made.n < n;) {
        char *word = next_element(&p);

        rc = parse_element(opt, &word, (char *)made.at + made.n * size, err);
        made.n += rc == ARCHAI_OK;
        free(word);
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

static int parse_number(const archai_option *opt, const char *text, void *field,
                        archai_err *err)
{
    const char *alias = alias_value(opt, text);
    int64_t i = 0;
    double d = 0.0;

    switch (opt->kind) {
    case ARCHAI_OPT_INT:
    case ARCHAI_OPT_BYTES:
        if (alias != NULL || opt->kind == ARCHAI_OPT_INT)
            ARCHAI_TRY(parse_int(alias != NULL ? alias : text, &i, err));
        else
            ARCHAI_TRY(archai_parse_bytes(text, &i, err));
        if (alias == NULL)
            ARCHAI_TRY(check_int(opt, i, err));
        *(int64_t *)field = i;
        return ARCHAI_OK;
    default:
        if (alias != NULL || opt->kind == ARCHAI_OPT_DOUBLE)
            ARCHAI_TRY(parse_double(alias != NULL ? alias : text, &d, err));
        else
            ARCHAI_TRY(archai_parse_seconds(text, &d, err));
        if (alias == NULL)
            ARCHAI_TRY(check_double(opt, d, err));
        *(double *)field = d;
        return ARCHAI_OK;
    }
}

int archai_option_value_parse(const archai_option *opt, const char *text, void *field,
                              archai_err *err)
{
    switch (opt->kind) {
    case ARCHAI_OPT_INT:
    case ARCHAI_OPT_BYTES:
    case ARCHAI_OPT_DOUBLE:
    case ARCHAI_OPT_SECONDS:
        return parse_number(opt, text, field, err);
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

size_t archai_option_value_size(const archai_option *opt)
{
    switch (opt->kind) {
    case ARCHAI_OPT_BOOL:
        return sizeof(bool);
    case ARCHAI_OPT_CHOICE:
        return sizeof(int);
    case ARCHAI_OPT_STRING:
        return sizeof(char *);
    case ARCHAI_OPT_INTS:
    case ARCHAI_OPT_DOUBLES:
    case ARCHAI_OPT_STRINGS:
        return sizeof(archai_strings);
    default:
        return sizeof(int64_t); /* and double */
    }
}
