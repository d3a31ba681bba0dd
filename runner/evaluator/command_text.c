#include "runner/evaluator/command_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "core/base/text.h"
#include "core/base/yaml.h"

enum { NAME_MAX_BYTES = 200, CURVE_MAX = 1000000, MEASURES_MAX = 1000 };

/* -- the command line ---------------------------------------------------------------------- */

static const char blanks[] = " \t";

/* One word from *at, unquoted into `word`, which has room. False: a quote is open. */
static bool take_word(const char **at, char *word)
{
    const char *p = *at;
    bool quoted = false;

    for (; *p != '\0' && (quoted || strchr(blanks, *p) == NULL); p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
            *word++ = *++p;
        else
            *word++ = *p;
    }
    *word = '\0';
    *at = p;
    return !quoted;
}

int archai_command_split(const char *text, char ***out, archai_err *err)
{
    char **argv = NULL, *word = archai_malloc(strlen(text) + 1);
    const char *at = text + strspn(text, blanks);
    size_t n = 0, capacity = 0;
    bool closed = true;

    while (closed && *at != '\0') {
        closed = take_word(&at, word);
        ARCHAI_RESERVE(argv, capacity, n + 2);
        argv[n++] = archai_strdup(word);
        argv[n] = NULL;
        at += strspn(at, blanks);
    }
    free(word);
    if (closed && n > 0 && argv[0][0] != '\0') {
        *out = argv;
        return ARCHAI_OK;
    }
    archai_command_free(argv);
    return archai_fail(err, ARCHAI_EINVAL, closed ? "names no program" : "a quote is not closed");
}

void archai_command_free(char **argv)
{
    for (size_t i = 0; argv != NULL && argv[i] != NULL; i++)
        free(argv[i]);
    free(argv);
}

static bool is_program(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISREG(s.st_mode) && access(path, X_OK) == 0;
}

int archai_command_find(const char *program, char **out, archai_err *err)
{
    if (strchr(program, '/') != NULL) {
        *out = archai_strdup(program);
        if (is_program(*out))
            return ARCHAI_OK;
        free(*out);
        return archai_fail(err, ARCHAI_ENOTFOUND, "%.300s: %s", program,
                           access(program, F_OK) != 0 ? strerror(errno)
                                                      : "not a program that may be executed");
    }
    for (const char *at = getenv("PATH"); at != NULL && *at != '\0'; at += *at == ':') {
        const int n = (int)strcspn(at, ":");

        *out = archai_printf("%.*s/%s", n, at, program);
        if (n > 0 && is_program(*out))
            return ARCHAI_OK;
        free(*out);
        at += n;
    }
    return archai_fail(err, ARCHAI_ENOTFOUND, "'%.300s' is not in $PATH", program);
}

/* -- the request --------------------------------------------------------------------------- */

static int add_params(archai_space *space, const json_t *arch, json_t *request, archai_err *err)
{
    archai_model m = {.arch = NULL};
    json_t *params = NULL;
    int rc;

    ARCHAI_TRY(archai_space_load_json(space, arch, &m, err));
    rc = archai_space_params(space, &m, &params, err);
    if (rc == ARCHAI_OK)
        (void)json_object_set_new(request, "params", params);
    archai_model_fini(&m);
    return rc;
}

int archai_command_request(archai_space *space, const archai_trial *c, const json_t *more, char **out,
                           archai_err *err)
{
    json_t *arch = NULL, *request;
    char *line = NULL;
    int rc;

    ARCHAI_TRY(archai_document_parse(c->arch, strlen(c->arch), &arch, err));
    request = json_pack("{s:s, s:O, s:I, s:I, s:f}", "archid", c->model.archid, "arch", arch, "id",
                        (json_int_t)c->id, "seed", (json_int_t)c->seed, "budget", c->budget);
    if (request == NULL) { /* JSON has neither infinite numbers nor other texts than UTF-8 */
        json_decref(arch);
        return archai_fail(err, ARCHAI_EFORMAT,
                           "candidate %lld cannot be written as JSON: its archid is not UTF-8, or its "
                           "budget %g not finite",
                           (long long)c->id, c->budget);
    }
    rc = space != NULL ? add_params(space, arch, request, err) : ARCHAI_OK;
    if (rc == ARCHAI_OK) {
        (void)json_object_update(request, (json_t *)(uintptr_t)more); /* which reads it alone */
        line = archai_python_json(request, false);
        *out = archai_printf("%s\n", line);
        free(line);
    }
    json_decref(request);
    json_decref(arch);
    return rc;
}

/* -- the result ---------------------------------------------------------------------------- */

static const char byte_order_mark[] = "\xef\xbb\xbf"; /* as PowerShell and utf-8-sig write it */
/* Python's, and those of printf in C. */
static const char *const tokens[] = {"nan", "infinity", "inf"};

/* Length of the token that begins here, with its sign, or 0. */
static size_t token_at(const char *p)
{
    const char *at = p + (*p == '-');

    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        const size_t n = strlen(tokens[i]);

        if (strncasecmp(at, tokens[i], n) == 0 && !isalnum((unsigned char)at[n]))
            return (size_t)(at - p) + n;
    }
    return 0;
}

static size_t digits(const char *p)
{
    return strspn(p, "0123456789");
}

/* Length of the number, as JSON spells it, that begins here; 0: none, or one that goes on in another way. */
static size_t number_at(const char *p)
{
    const char *at = p + (*p == '-');
    size_t n = *at == '0' ? 1 : digits(at);

    if (n == 0)
        return 0;
    at += n;
    if (*at == '.') {
        n = digits(at + 1);
        if (n == 0)
            return 0;
        at += 1 + n;
    }
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1 + (at[1] == '+' || at[1] == '-');

        n = digits(exponent);
        if (n == 0)
            return 0;
        at = exponent + n;
    }
    return isalnum((unsigned char)*at) || *at == '.' ? 0 : (size_t)(at - p);
}

/* The code unit of \uXXXX; -1: there is none here. */
static long escaped_at(const char *p)
{
    char hex[5] = "";

    if (p[0] != '\\' || p[1] != 'u')
        return -1;
    for (size_t i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)p[2 + i]))
            return -1;
        hex[i] = p[2 + i];
    }
    return strtol(hex, NULL, 16);
}

/* One character of a string, with its escape. What jansson refuses, a NUL and half a surrogate pair, becomes U+FFFD. */
static char *copy_character(char *to, const char **line)
{
    const long unit = escaped_at(*line);
    const bool is_pair = unit >= 0xd800 && unit < 0xdc00 && escaped_at(*line + 6) >= 0xdc00 && escaped_at(*line + 6) < 0xe000;
    const size_t n = is_pair ? 12 : unit >= 0 ? 6 : (*line)[0] == '\\' && (*line)[1] != '\0' ? 2 : 1;

    to = mempcpy(to, unit == 0 || (unit >= 0xd800 && unit < 0xe000 && !is_pair) ? "\\ufffd" : *line, n);
    *line += n;
    return to;
}

/* A copy with two things in quotes that jansson does not take: tokens that are not JSON, and
 * numbers that are too large for its integers or for a double. Those get a mark, which tells them from texts. */
static const char mark[] = "\\u0001";

static char *quote_tokens(const char *line)
{
    char *copy = archai_malloc((sizeof mark + 2) * strlen(line) + 1), *to = copy;
    bool in_string = false;

    while (*line != '\0') {
        const size_t number = in_string ? 0 : number_at(line);
        const size_t n = in_string ? 0 : number > 0 ? number : token_at(line);

        if (n > 0) {
            *to++ = '"';
            if (number > 0)
                to = mempcpy(to, mark, sizeof mark - 1);
            to = mempcpy(to, line, n);
            *to++ = '"';
            line += n;
        } else if (in_string && *line != '"') {
            to = copy_character(to, &line);
        } else {
            in_string ^= *line == '"';
            do /* a word that is neither is passed over at once: each of its digits would be looked at once more */
                *to++ = *line++;
            while (!in_string && isalnum((unsigned char)line[-1]) && (isalnum((unsigned char)*line) || *line == '.'));
        }
    }
    *to = '\0';
    return copy;
}

bool archai_command_number(const json_t *v, double *out)
{
    const char *text = json_string_value(v);

    if (json_is_boolean(v)) {
        *out = (double)json_is_true(v);
        return true;
    }
    if (text != NULL && *text == '\1')
        text++;
    else if (text == NULL || *text == '\0' || token_at(text) != strlen(text))
        return false;
    *out = strtod(text, NULL); /* which reads the tokens, too */
    return true;
}

/* What is left out: the first thing, and how many there are. */
typedef struct left_out {
    char first[512];
    size_t n;
} left_out;

static void leave_out(left_out *l, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void leave_out(left_out *l, const char *name, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (l->n++ > 0)
        return;
    n = snprintf(l->first, sizeof l->first, "%.200s: ", name);
    va_start(ap, fmt);
    (void)vsnprintf(l->first + n, sizeof l->first - (size_t)n, fmt, ap);
    va_end(ap);
    archai_text_clean(l->first, false);
}

/* False: not all of its values are numbers, or there are too many. */
static bool add_curve(const char *name, const json_t *list, archai_trial *e)
{
    const size_t n = json_array_size(list);
    float *values;
    double value;

    if (n == 0)
        return true;
    if (n > CURVE_MAX)
        return false;
    values = archai_calloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        if (!archai_command_number(json_array_get(list, i), &value)) {
            free(values);
            return false;
        }
        values[i] = (float)value;
    }
    e->curves = archai_realloc(e->curves, e->n_curves + 1, sizeof *e->curves);
    e->curves[e->n_curves++] = (archai_curve){.name = archai_strdup(name), .values = values, .n = n};
    return true;
}

/* A measure that cannot be taken must not cost the others: it is left out. */
static void add_measure(const char *name, const json_t *v, archai_trial *e, left_out *l)
{
    double value;

    if (json_is_null(v))
        return;
    if (strlen(name) > NAME_MAX_BYTES)
        leave_out(l, name, "the name has %zu bytes, at most %d are taken", strlen(name), NAME_MAX_BYTES);
    else if (e->n_measures + e->n_curves >= MEASURES_MAX)
        leave_out(l, name, "more than %d measures and curves", MEASURES_MAX);
    else if (json_is_array(v) && json_array_size(v) > CURVE_MAX)
        leave_out(l, name, "a curve of more than %d values", CURVE_MAX);
    else if (json_is_array(v) && !add_curve(name, v, e))
        leave_out(l, name, "a value of the curve is not a number");
    else if (!json_is_array(v) && !archai_command_number(v, &value))
        leave_out(l, name, "expected a number");
    else if (!json_is_array(v))
        archai_trial_set_measure(e, name, value);
}

void archai_command_measures(const json_t *object, archai_trial *e)
{
    left_out l = {.n = 0};
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)object, name, v)
    {
        char *shown = archai_strdup(name);

        archai_text_clean(shown, false);
        add_measure(shown, v, e, &l);
        free(shown);
    }
    if (l.n > 1)
        e->error = archai_printf("%s; and %zu more", l.first, l.n - 1);
    else if (l.n == 1)
        e->error = archai_strdup(l.first);
}

int archai_command_object(const char *line, json_t **out, archai_err *err)
{
    const char *begin = strncmp(line, byte_order_mark, strlen(byte_order_mark)) == 0
                            ? line + strlen(byte_order_mark)
                            : line;
    char *clean = archai_strdup(begin), *text;
    json_error_t where;
    json_t *object;

    archai_text_clean(clean, false); /* a byte that is no UTF-8 must not cost the other measures */
    text = quote_tokens(clean);
    free(clean);
    object = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (json_is_object(object)) {
        *out = object;
        return ARCHAI_OK;
    }
    (void)archai_fail(err, ARCHAI_EFORMAT, "not a JSON object of measures (%s)",
                      object == NULL ? where.text : "it is a list");
    json_decref(object);
    return ARCHAI_EFORMAT;
}

int archai_command_result(const char *line, archai_trial *out, archai_err *err)
{
    json_t *object = NULL;

    ARCHAI_TRY(archai_command_object(line, &object, err));
    archai_command_measures(object, out);
    json_decref(object);
    return ARCHAI_OK;
}
