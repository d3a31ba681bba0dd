#include "runner/evaluator/command_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int append_word(char ***argv, size_t *n, const char *word)
{
    char **more = realloc(*argv, (*n + 2) * sizeof *more);

    if (more == NULL)
        return ARCHAI_ENOMEM;
    *argv = more;
    more[*n] = strdup(word);
    more[*n + 1] = NULL;
    return more[(*n)++] != NULL ? ARCHAI_OK : ARCHAI_ENOMEM;
}

int archai_command_split(const char *text, char ***out, archai_err *err)
{
    char **argv = NULL, *word = malloc(strlen(text) + 1);
    const char *at = text + strspn(text, blanks);
    bool closed = true;
    size_t n = 0;
    int rc = word != NULL ? ARCHAI_OK : ARCHAI_ENOMEM;

    while (rc == ARCHAI_OK && closed && *at != '\0') {
        closed = take_word(&at, word);
        rc = append_word(&argv, &n, word);
        at += strspn(at, blanks);
    }
    free(word);
    if (rc != ARCHAI_OK)
        rc = archai_fail(err, rc, "out of memory for a command");
    else if (!closed)
        rc = archai_fail(err, ARCHAI_EINVAL, "a quote is not closed");
    else if (n == 0 || argv[0][0] == '\0')
        rc = archai_fail(err, ARCHAI_EINVAL, "names no program");
    if (rc == ARCHAI_OK)
        *out = argv;
    else
        archai_command_free(argv);
    return rc;
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
    const char *places = getenv("PATH");
    char *path = NULL;

    if (strchr(program, '/') != NULL) {
        path = is_program(program) ? strdup(program) : NULL;
        if (path == NULL)
            return archai_fail(err, ARCHAI_ENOTFOUND, "%.300s: %s", program,
                               access(program, F_OK) != 0
                                   ? strerror(errno)
                                   : "is no program that may be executed");
        *out = path;
        return ARCHAI_OK;
    }
    for (const char *at = places; at != NULL && *at != '\0'; at += *at == ':') {
        int n = (int)strcspn(at, ":");

        if (n > 0 && asprintf(&path, "%.*s/%s", n, at, program) < 0)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a path");
        if (n > 0 && is_program(path)) {
            *out = path;
            return ARCHAI_OK;
        }
        free(path);
        path = NULL;
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
    if (rc == ARCHAI_OK && json_object_set_new(request, "params", params) != 0)
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for a request");
    archai_model_fini(&m);
    return rc;
}

int archai_command_request(archai_space *space, const archai_trial *c, char **out,
                           archai_err *err)
{
    json_t *arch = NULL, *request;
    char *line = NULL, *text;
    int rc;

    ARCHAI_TRY(archai_document_parse(c->arch, strlen(c->arch), &arch, err));
    request =
        json_pack("{s:s, s:O, s:I, s:I, s:f}", "archid", c->model.archid, "arch", arch, "id",
                  (json_int_t)c->id, "seed", (json_int_t)c->seed, "budget", c->budget);
    rc = request != NULL ? ARCHAI_OK
                         : archai_fail(err, ARCHAI_ENOMEM, "out of memory for a request");
    if (rc == ARCHAI_OK && space != NULL)
        rc = add_params(space, arch, request, err);
    if (rc == ARCHAI_OK)
        rc = archai_python_json(request, false, &line, err);
    json_decref(request);
    json_decref(arch);
    if (rc != ARCHAI_OK)
        return rc;
    text = realloc(line, strlen(line) + 2);
    if (text == NULL) {
        free(line);
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a request");
    }
    *out = strcat(text, "\n");
    return ARCHAI_OK;
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

/* A copy in which Python's tokens, which are no JSON, stand in quotes. NULL on ENOMEM. */
static char *quote_tokens(const char *line)
{
    char *copy = malloc(2 * strlen(line) + 1), *to = copy;
    bool in_string = false;

    while (copy != NULL && *line != '\0') {
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
    if (copy != NULL)
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
    if (text == NULL)
        return false;
    *out = strcmp(text, "NaN") == 0         ? NAN
           : strcmp(text, "Infinity") == 0  ? INFINITY
           : strcmp(text, "-Infinity") == 0 ? -INFINITY
                                            : 0.0;
    return !isfinite(*out);
}

static int add_curve(const char *name, const json_t *list, archai_trial *e,
                     archai_err *err)
{
    archai_curve *more = realloc(e->curves, (e->n_curves + 1) * sizeof *more), c = {0};
    double value;

    if (more == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a curve");
    e->curves = more;
    if (json_array_size(list) == 0)
        return ARCHAI_OK;
    if (json_array_size(list) > CURVE_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: more than %d values", name, CURVE_MAX);
    c.name = strdup(name);
    c.values = calloc(json_array_size(list), sizeof *c.values);
    e->curves[e->n_curves++] = c; /* released with the evaluation from here on */
    if (c.name == NULL || c.values == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a curve");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_number(json_array_get(list, i), &value))
            return archai_fail(err, ARCHAI_EFORMAT, "%s: value %zu of the curve is no number",
                               name, i + 1);
        c.values[i] = (float)value;
    }
    e->curves[e->n_curves - 1].n = json_array_size(list);
    return ARCHAI_OK;
}

/* Names become names of data sets. */
static int check_name(const char *name, archai_err *err)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (name[i] == '/' || (unsigned char)name[i] < ' ')
            return archai_fail(err, ARCHAI_EFORMAT,
                               "a measure's name holds a slash or a control character");
    if (n == 0 || n > NAME_MAX_BYTES || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return archai_fail(err, ARCHAI_EFORMAT, "'%.40s' is no name of a measure", name);
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

    if (text == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a result");
    object = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!json_is_object(object))
        rc = archai_fail(err, ARCHAI_EFORMAT, "is no JSON object of measures (%s)",
                         object == NULL ? where.text : "it is a list");
    else
        rc = add_measures(object, out, err);
    json_decref(object);
    return rc;
}
