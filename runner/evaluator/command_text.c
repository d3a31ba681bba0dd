#include "runner/evaluator/command_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "core/base/yaml.h"

enum { NAME_MAX_BYTES = 200, CURVE_MAX = 1000000 };

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

int archai_command_request(archai_space *space, const archai_trial *c, char **out,
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
        line = archai_python_json(request, false);
        *out = archai_printf("%s\n", line);
        free(line);
    }
    json_decref(request);
    json_decref(arch);
    return rc;
}

/* -- the result ---------------------------------------------------------------------------- */

static const char *const tokens[] = {"NaN", "-Infinity", "Infinity"};

/* Length of the token that begins here, or 0. */
static size_t token_at(const char *p)
{
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        size_t n = strlen(tokens[i]);

        if (strncmp(p, tokens[i], n) == 0 && !isalnum((unsigned char)p[n]))
            return n;
    }
    return 0;
}

/* A copy with Python's tokens, which are not JSON, in quotes. */
static char *quote_tokens(const char *line)
{
    char *copy = archai_malloc(2 * strlen(line) + 1), *to = copy;
    bool in_string = false;

    while (*line != '\0') {
        size_t n = in_string ? 0 : token_at(line);

        if (n > 0) {
            *to++ = '"';
            to = mempcpy(to, line, n);
            *to++ = '"';
            line += n;
            continue;
        }
        if (in_string && *line == '\\' && line[1] != '\0')
            *to++ = *line++;
        else if (*line == '"')
            in_string = !in_string;
        *to++ = *line++;
    }
    *to = '\0';
    return copy;
}

static bool read_number(const json_t *v, double *out)
{
    const char *text = json_string_value(v);

    if (json_is_number(v) || json_is_boolean(v)) {
        *out = json_is_boolean(v) ? (double)json_is_true(v) : json_number_value(v);
        return true;
    }
    if (text == NULL || *text == '\0' || token_at(text) != strlen(text))
        return false;
    *out = strtod(text, NULL); /* which reads the tokens */
    return true;
}

static int add_curve(const char *name, const json_t *list, archai_trial *e, archai_err *err)
{
    const size_t n = json_array_size(list);
    archai_curve *c;
    double value;

    if (n == 0)
        return ARCHAI_OK;
    if (n > CURVE_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: more than %d values", name, CURVE_MAX);
    e->curves = archai_realloc(e->curves, e->n_curves + 1, sizeof *e->curves);
    c = &e->curves[e->n_curves++]; /* released with the evaluation from here on */
    *c = (archai_curve){.name = archai_strdup(name),
                        .values = archai_calloc(n, sizeof *c->values),
                        .n = n};
    for (size_t i = 0; i < n; i++) {
        if (!read_number(json_array_get(list, i), &value))
            return archai_fail(err, ARCHAI_EFORMAT, "%s: value %zu of the curve is not a number",
                               name, i + 1);
        c->values[i] = (float)value;
    }
    return ARCHAI_OK;
}

/* Names become names of data sets. */
static int check_name(const char *name, archai_err *err)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (name[i] == '/' || (unsigned char)name[i] < ' ')
            return archai_fail(err, ARCHAI_EFORMAT,
                               "a measure's name contains a slash or a control character");
    if (n == 0 || n > NAME_MAX_BYTES || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return archai_fail(err, ARCHAI_EFORMAT, "'%.40s' cannot be the name of a measure", name);
    return ARCHAI_OK;
}

static int add_measures(const json_t *object, archai_trial *e, archai_err *err)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)object, name, v)
    {
        double value;

        ARCHAI_TRY(check_name(name, err));
        if (json_is_null(v))
            continue;
        if (json_is_array(v))
            ARCHAI_TRY(add_curve(name, v, e, err));
        else if (read_number(v, &value))
            archai_trial_set_measure(e, name, value);
        else
            return archai_fail(err, ARCHAI_EFORMAT, "%s: expected a number", name);
    }
    return ARCHAI_OK;
}

int archai_command_result(const char *line, archai_trial *out, archai_err *err)
{
    char *text = quote_tokens(line);
    json_error_t where;
    json_t *object;
    int rc;

    object = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!json_is_object(object))
        rc = archai_fail(err, ARCHAI_EFORMAT, "not a JSON object of measures (%s)",
                         object == NULL ? where.text : "it is a list");
    else
        rc = add_measures(object, out, err);
    json_decref(object);
    return rc;
}
