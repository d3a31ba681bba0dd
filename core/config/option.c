#include "core/config/option.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/option_value.h"

const archai_option archai_no_options[] = {ARCHAI_OPTION_END};

static void *field_of(const archai_option *opt, void *obj)
{
    return (char *)obj + opt->offset;
}

/* Parsed into scratch space first, so that a bad value leaves the field as it was. */
static int store(const archai_option *opt, void *obj, const char *text, archai_err *err)
{
    archai_option_scratch value = {.i = 0};

    ARCHAI_TRY(archai_option_value_parse(opt, text, &value, err));
    archai_option_value_free(opt, field_of(opt, obj));
    memcpy(field_of(opt, obj), &value, archai_option_kinds[opt->kind].size);
    return ARCHAI_OK;
}

void archai_strings_free(archai_strings *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->at[i]);
    free(s->at);
    memset(s, 0, sizeof *s);
}

int archai_option_defaults(const archai_option *table, void *obj, archai_err *err)
{
    archai_err inner = ARCHAI_ERR_INIT;

    for (const archai_option *o = table; o->key != NULL; o++) {
        const char *text = o->def == NULL && o->kind == ARCHAI_OPT_STRING ? "" : o->def;

        if (text != NULL && store(o, obj, text, &inner) != ARCHAI_OK)
            return archai_fail(err, ARCHAI_EINTERNAL, "default of %s: %s", o->key, inner.text);
    }
    return ARCHAI_OK;
}

const archai_option *archai_option_find(const archai_option *table, const char *key)
{
    for (const archai_option *o = table; o->key != NULL; o++)
        if (strcmp(o->key, key) == 0)
            return o;
    return NULL;
}

int archai_option_set(const archai_option *opt, void *obj, const char *text, archai_err *err)
{
    return archai_err_wrap(err, store(opt, obj, text, err), "%s: ", opt->key);
}

void archai_option_free(const archai_option *table, void *obj)
{
    for (const archai_option *o = table; o->key != NULL; o++)
        archai_option_value_free(o, field_of(o, obj));
}

/* -- values as text -------------------------------------------------------------------- */

static void put_double(FILE *out, double v)
{
    char text[32];

    archai_format_double(v, text);
    (void)fputs(text, out);
}

/* Whole numbers without the ".0". */
static void put_short(FILE *out, double v)
{
    if (v == floor(v) && fabs(v) < 1e15)
        (void)fprintf(out, "%.0f", v);
    else
        put_double(out, v);
}

static void put_seconds(FILE *out, double v)
{
    static const struct {
        double seconds;
        char name;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};

    for (size_t i = 0; v > 0 && v < 1e12 && i < sizeof units / sizeof units[0]; i++) {
        double count = v / units[i].seconds;

        if (count == floor(count) && count * units[i].seconds == v) {
            (void)fprintf(out, "%.0f%c", count, units[i].name);
            return;
        }
    }
    put_short(out, v);
    (void)fputc('s', out);
}

static void put_bytes(FILE *out, int64_t v)
{
    static const char names[] = "KMGT";
    int unit = -1;

    while (v != 0 && v % 1024 == 0 && unit < 3) {
        v /= 1024;
        unit++;
    }
    (void)fprintf(out, "%" PRId64, v);
    if (unit >= 0)
        (void)fputc(names[unit], out);
}

static void put_choice(FILE *out, const char *choices, int index)
{
    const char *p = choices;

    for (int i = 0; i < index && *p != '\0'; i++) {
        p += strcspn(p, " ");
        p += strspn(p, " ");
    }
    (void)fprintf(out, "%.*s", (int)strcspn(p, " "), p);
}

/* The word of "auto=0" when the field has just this value. */
static bool put_alias(FILE *out, const archai_option *opt, const void *field)
{
    const char *equals = opt->choices != NULL ? strchr(opt->choices, '=') : NULL;
    double d;
    bool same;

    if (equals == NULL || opt->kind == ARCHAI_OPT_CHOICE)
        return false;
    if (opt->kind == ARCHAI_OPT_INT || opt->kind == ARCHAI_OPT_BYTES) {
        same = *(const int64_t *)field == strtoll(equals + 1, NULL, 10);
    } else {
        d = strtod(equals + 1, NULL);
        same = *(const double *)field == d;
    }
    if (same)
        (void)fprintf(out, "%.*s", (int)(equals - opt->choices), opt->choices);
    return same;
}

/* As a list reads it back. */
static void put_word(FILE *out, const char *word)
{
    if (word[0] != '\0' && strpbrk(word, " \t,\"") == NULL) {
        (void)fputs(word, out);
        return;
    }
    (void)fputc('"', out);
    for (; *word != '\0'; word++) {
        if (*word == '"' || *word == '\\')
            (void)fputc('\\', out);
        (void)fputc(*word, out);
    }
    (void)fputc('"', out);
}

static void put_list(FILE *out, const archai_option *opt, const void *field)
{
    const archai_ints *ints = field;
    const archai_doubles *doubles = field;
    const archai_strings *strings = field;

    if (opt->kind == ARCHAI_OPT_INTS) {
        for (size_t i = 0; i < ints->n; i++)
            (void)fprintf(out, "%s%" PRId64, i > 0 ? " " : "", ints->at[i]);
    } else if (opt->kind == ARCHAI_OPT_DOUBLES) {
        for (size_t i = 0; i < doubles->n; i++) {
            (void)fputs(i > 0 ? " " : "", out);
            put_double(out, doubles->at[i]);
        }
    } else {
        for (size_t i = 0; i < strings->n; i++) {
            (void)fputs(i > 0 ? " " : "", out);
            put_word(out, strings->at[i]);
        }
    }
}

static void put_value(FILE *out, const archai_option *opt, const void *field)
{
    const char *text;

    if (put_alias(out, opt, field))
        return;
    switch (opt->kind) {
    case ARCHAI_OPT_INT:
        (void)fprintf(out, "%" PRId64, *(const int64_t *)field);
        break;
    case ARCHAI_OPT_DOUBLE:
        /* Epochs are counted: 3, or 2.5. */
        if (strcmp(opt->unit, "epochs") == 0 && *(const double *)field == trunc(*(const double *)field))
            (void)fprintf(out, "%.0f", *(const double *)field);
        else
            put_double(out, *(const double *)field);
        break;
    case ARCHAI_OPT_BOOL:
        (void)fputs(*(const bool *)field ? "yes" : "no", out);
        break;
    case ARCHAI_OPT_STRING:
        text = *(char *const *)field;
        (void)fputs(text != NULL ? text : "", out);
        break;
    case ARCHAI_OPT_CHOICE:
        put_choice(out, opt->choices, *(const int *)field);
        break;
    case ARCHAI_OPT_SECONDS:
        put_seconds(out, *(const double *)field);
        break;
    case ARCHAI_OPT_BYTES:
        put_bytes(out, *(const int64_t *)field);
        break;
    case ARCHAI_OPT_INTS:
    case ARCHAI_OPT_DOUBLES:
    case ARCHAI_OPT_STRINGS:
        put_list(out, opt, field);
        break;
    }
}

static char *format(const archai_option *opt, const void *field)
{
    char *text = NULL;
    size_t size;
    FILE *out = archai_there(open_memstream(&text, &size));

    put_value(out, opt, field);
    (void)fclose(out);
    return archai_there(text);
}

char *archai_option_format(const archai_option *opt, const void *obj)
{
    return format(opt, (const char *)obj + opt->offset);
}

int archai_option_copy(const archai_option *table, void *to, const void *from, archai_err *err)
{
    int rc = ARCHAI_OK;

    for (const archai_option *o = table; o->key != NULL && rc == ARCHAI_OK; o++) {
        char *text = archai_option_format(o, from);

        rc = archai_option_set(o, to, text, err);
        free(text);
    }
    return rc;
}

int archai_option_is_default(const archai_option *opt, const char *text, bool *out, archai_err *err)
{
    archai_option_scratch given = {.i = 0}, usual = {.i = 0};
    char *a, *b;

    ARCHAI_TRY(archai_option_value_parse(opt, text, &given, err));
    *out = opt->def != NULL && archai_option_value_parse(opt, opt->def, &usual, NULL) == ARCHAI_OK;
    if (*out) {
        a = format(opt, &given);
        b = format(opt, &usual);
        *out = strcmp(a, b) == 0;
        free(a);
        free(b);
        archai_option_value_free(opt, &usual);
    }
    archai_option_value_free(opt, &given);
    return ARCHAI_OK;
}

/* -- what a table says about itself ---------------------------------------------------- */

/* Choices that a macro put together end in a blank. */
static int trimmed(const char *choices)
{
    size_t n = strlen(choices);

    while (n > 0 && choices[n - 1] == ' ')
        n--;
    return (int)n;
}

static void put_range(FILE *out, const archai_option *o)
{
    const char *equals = o->choices != NULL ? strchr(o->choices, '=') : NULL;

    switch (o->kind) {
    case ARCHAI_OPT_CHOICE:
        (void)fprintf(out, "%.*s", trimmed(o->choices), o->choices);
        return;
    case ARCHAI_OPT_BOOL:
    case ARCHAI_OPT_STRING:
    case ARCHAI_OPT_STRINGS:
        return;
    default:
        break;
    }
    if (o->min > -0x1p53 && o->max < 0x1p53) {
        put_short(out, o->min);
        (void)fputs("..", out);
        put_short(out, o->max);
    } else if (o->min > -0x1p53) {
        (void)fputs("from ", out);
        put_short(out, o->min);
    } else if (o->max < 0x1p53) {
        (void)fputs("up to ", out);
        put_short(out, o->max);
    }
    if (equals != NULL)
        (void)fprintf(out, " or %.*s", (int)(equals - o->choices), o->choices);
}

static void put_help(FILE *out, const archai_option *o)
{
    bool unit = o->unit != NULL && o->unit[0] != '\0';

    (void)fprintf(out, "%s%s%s%s", o->help, unit ? " (" : "", unit ? o->unit : "",
                  unit ? ")" : "");
}

void archai_option_markdown(const archai_option *table, const char *section, FILE *out)
{
    for (const archai_option *o = table; o->key != NULL; o++) {
        (void)fprintf(out, "| `%s.%s` | %s | ", section, o->key, archai_option_kinds[o->kind].name);
        if (o->def == NULL)
            (void)fputs("required", out);
        else if (o->def[0] != '\0')
            (void)fprintf(out, "`%s`", o->def);
        (void)fputs(" | ", out);
        put_range(out, o);
        (void)fputs(" | ", out);
        put_help(out, o);
        (void)fputs(" |\n", out);
    }
}

void archai_option_help(const archai_option *table, FILE *out)
{
    for (const archai_option *o = table; o->key != NULL; o++) {
        (void)fprintf(out, "  %-24s ", o->key);
        put_help(out, o);
        if (o->def == NULL)
            (void)fputs("; required", out);
        else if (o->def[0] != '\0')
            (void)fprintf(out, "; default %s", o->def);
        if (o->kind != ARCHAI_OPT_BOOL && o->kind != ARCHAI_OPT_STRING &&
            o->kind != ARCHAI_OPT_STRINGS) {
            (void)fputs("; ", out);
            put_range(out, o);
        }
        (void)fputc('\n', out);
    }
}
