#include "io/wire/index_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/config/config.h"

static const char *const states[] = {"running", "complete", "interrupted", "failed"};

/* Take over `root` (NULL: out of memory) and print it as one line. */
static int print_line(json_t *root, char **line, archai_err *err)
{
    char *text = NULL;
    char *grown;
    size_t n;

    if (root == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an index request");
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL) /* json_dumps refuses strings that are not UTF-8 when they are made */
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an index request");
    n = strlen(text);
    grown = realloc(text, n + 2);
    if (grown == NULL) {
        free(text);
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an index request");
    }
    memcpy(grown + n, "\n", 2);
    *line = grown;
    return ARCHAI_OK;
}

static int parse_line(const char *line, size_t size, json_t **out, archai_err *err)
{
    json_error_t e;
    json_t *root;

    if (size > ARCHAI_INDEX_LINE_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "index line of %zu bytes is too long", size);
    root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &e);
    if (root == NULL)
        return archai_fail(err, ARCHAI_EFORMAT, "index line is not JSON: %s", e.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return archai_fail(err, ARCHAI_EFORMAT, "index line is not a JSON object");
    }
    *out = root;
    return ARCHAI_OK;
}

/* JSON has no infinity, and a bound of a constraint may be infinite: numbers travel as text. */
static json_t *constraint_json(const archai_doubles *d)
{
    json_t *list = json_array();
    char text[32];
    size_t i;

    for (i = 0; list != NULL && i < d->n; i++) {
        (void)snprintf(text, sizeof text, "%.17g", d->at[i]);
        if (json_array_append_new(list, json_string(text)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *objectives_json(const archai_objectives *o)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; list != NULL && i < o->n; i++) {
        const archai_objective *x = &o->at[i];
        json_t *one = json_pack("{s:s, s:s, s:i, s:i, s:s, s:o}", "name", x->name, "source",
                                x->source, "direction", x->direction, "expensive", x->expensive,
                                "unit", x->unit != NULL ? x->unit : "", "constraint",
                                constraint_json(&x->constraint));

        if (one == NULL || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* A configuration may hold bytes that are no UTF-8 (a path, a comment); they must not stop the
 * index. Each such byte becomes '?'. */
static json_t *utf8_json(const char *text)
{
    json_t *s = json_string(text);
    char *clean;
    size_t i;

    if (s != NULL || (clean = strdup(text)) == NULL)
        return s;
    for (i = 0; clean[i] != '\0'; i++)
        if ((unsigned char)clean[i] >= 0x80)
            clean[i] = '?';
    s = json_string(clean);
    free(clean);
    return s;
}

int archai_index_open_format(const archai_index_run *run, char **line, archai_err *err)
{
    json_t *directory = json_string(run->directory);
    json_t *root;

    if (directory == NULL)
        return archai_fail(err, ARCHAI_EINVAL,
                           "output.directory: its name is no UTF-8, which results.h5 needs");
    root = json_pack(
        "{s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:b, s:o}", "directory", directory,
        "config", utf8_json(run->config_text), "space", run->space, "algorithm", run->algorithm,
        "schedule", run->schedule, "software", run->software, "started", run->started, "seed",
        (json_int_t)run->seed, "ranks", run->ranks, "weights", run->weights, "resume",
        (int)run->is_resume, "objectives", objectives_json(run->objectives));

    return print_line(root, line, err);
}

int archai_index_refresh_format(const char *state, int64_t rejected, char **line,
                                archai_err *err)
{
    return print_line(
        json_pack("{s:s, s:I}", "refresh", state, "rejected", (json_int_t)rejected), line, err);
}

int archai_index_reply_format(const archai_index_reply *reply, char **line, archai_err *err)
{
    json_t *root;

    if (reply->error.code != ARCHAI_OK)
        root = json_pack("{s:{s:i, s:o}}", "error", "code", reply->error.code, "text",
                         utf8_json(reply->error.text));
    else
        root =
            json_pack("{s:I, s:f}", "rows", (json_int_t)reply->rows, "seconds", reply->seconds);
    return print_line(root, line, err);
}

int archai_index_reply_parse(const char *line, size_t size, archai_index_reply *out,
                             archai_err *err)
{
    json_t *root = NULL;
    json_t *rows, *seconds, *code, *text;
    json_t *error;
    archai_index_reply reply = {.error = ARCHAI_ERR_INIT};
    int rc = ARCHAI_OK;

    ARCHAI_TRY(parse_line(line, size, &root, err));
    rows = json_object_get(root, "rows");
    seconds = json_object_get(root, "seconds");
    error = json_object_get(root, "error");
    code = json_object_get(error, "code");
    text = json_object_get(error, "text");
    if (json_is_integer(rows) && json_is_number(seconds)) {
        reply.rows = json_integer_value(rows);
        reply.seconds = json_number_value(seconds);
    } else if (json_is_integer(code) && json_is_string(text) &&
               json_integer_value(code) > ARCHAI_OK &&
               json_integer_value(code) <= ARCHAI_EINTERNAL) {
        (void)archai_fail(&reply.error, (int)json_integer_value(code), "%s",
                          json_string_value(text));
    } else {
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "index reply has neither rows and seconds nor an error");
    }
    json_decref(root);
    if (rc == ARCHAI_OK)
        *out = reply;
    return rc;
}

int archai_index_refresh_parse(const char *line, size_t size, archai_index_refresh_request *out,
                               archai_err *err)
{
    json_t *root = NULL;
    json_t *rejected;
    const char *state;
    const char *known = NULL;
    size_t i;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(parse_line(line, size, &root, err));
    state = json_string_value(json_object_get(root, "refresh"));
    rejected = json_object_get(root, "rejected");
    for (i = 0; state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i], state) == 0)
            known = states[i];
    if (known == NULL || !json_is_integer(rejected)) {
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "index request: refresh must be one of running, "
                         "complete, interrupted, failed; rejected a number");
    } else {
        out->state = known;
        out->rejected = json_integer_value(rejected);
    }
    json_decref(root);
    return rc;
}

/* -- the run ------------------------------------------------------------------------------- */

static int string_field(const json_t *root, const char *key, const char **out, archai_err *err)
{
    const char *s = json_string_value(json_object_get(root, key));

    if (s == NULL)
        return archai_fail(err, ARCHAI_EFORMAT, "index request: %s is missing or no text", key);
    *out = s;
    return ARCHAI_OK;
}

static int int_field(const json_t *root, const char *key, int64_t low, int64_t high,
                     int64_t *out, archai_err *err)
{
    const json_t *v = json_object_get(root, key);

    if (!json_is_integer(v) || json_integer_value(v) < low || json_integer_value(v) > high)
        return archai_fail(err, ARCHAI_EFORMAT, "index request: %s is missing or out of range",
                           key);
    *out = json_integer_value(v);
    return ARCHAI_OK;
}

static int parse_objective(const json_t *j, archai_objective *o, archai_err *err)
{
    const char *name = NULL, *source = NULL, *unit = NULL;
    int64_t direction = 0, expensive = 0;
    const json_t *constraint = json_object_get(j, "constraint");
    size_t n = json_array_size(constraint);
    size_t i;

    ARCHAI_TRY(string_field(j, "name", &name, err));
    ARCHAI_TRY(string_field(j, "source", &source, err));
    ARCHAI_TRY(string_field(j, "unit", &unit, err));
    ARCHAI_TRY(int_field(j, "direction", ARCHAI_MAXIMIZE, ARCHAI_CONSTRAIN, &direction, err));
    ARCHAI_TRY(int_field(j, "expensive", 0, 1, &expensive, err));
    if (n != 0 && n != 2)
        return archai_fail(err, ARCHAI_EFORMAT, "index request: constraint is no pair");
    o->direction = (int)direction;
    o->expensive = (int)expensive;
    o->name = strdup(name);
    o->source = strdup(source);
    o->unit = strdup(unit);
    o->constraint.at = n > 0 ? calloc(n, sizeof *o->constraint.at) : NULL;
    if (o->name == NULL || o->source == NULL || o->unit == NULL ||
        (n > 0 && o->constraint.at == NULL))
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an objective");
    o->constraint.n = n;
    for (i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(constraint, i));

        o->constraint.at[i] = text != NULL ? strtod(text, NULL) : (double)NAN;
    }
    return ARCHAI_OK;
}

int archai_index_open_parse(const char *line, size_t size, archai_index_run_parsed *out,
                            archai_err *err)
{
    archai_index_run *run = &out->run;
    const json_t *objectives;
    int64_t ranks = 0, weights = 0;
    size_t i;
    int rc;

    memset(out, 0, sizeof *out);
    ARCHAI_TRY(parse_line(line, size, &out->json, err));
    ARCHAI_TRY_GOTO(rc, string_field(out->json, "directory", &run->directory, err), fail);
    ARCHAI_TRY_GOTO(rc, string_field(out->json, "config", &run->config_text, err), fail);
    ARCHAI_TRY_GOTO(rc, string_field(out->json, "space", &run->space, err), fail);
    ARCHAI_TRY_GOTO(rc, string_field(out->json, "algorithm", &run->algorithm, err), fail);
    ARCHAI_TRY_GOTO(rc, string_field(out->json, "schedule", &run->schedule, err), fail);
    ARCHAI_TRY_GOTO(rc, string_field(out->json, "software", &run->software, err), fail);
    ARCHAI_TRY_GOTO(rc, string_field(out->json, "started", &run->started, err), fail);
    ARCHAI_TRY_GOTO(rc, int_field(out->json, "seed", INT64_MIN, INT64_MAX, &run->seed, err),
                    fail);
    ARCHAI_TRY_GOTO(rc, int_field(out->json, "ranks", 1, INT32_MAX, &ranks, err), fail);
    ARCHAI_TRY_GOTO(rc, int_field(out->json, "weights", 0, ARCHAI_WEIGHTS_NONE, &weights, err),
                    fail);
    run->ranks = (int)ranks;
    run->weights = (int)weights;
    run->is_resume = json_is_true(json_object_get(out->json, "resume"));
    run->objectives = &out->objectives;
    objectives = json_object_get(out->json, "objectives");
    if (!json_is_array(objectives) || json_array_size(objectives) > ARCHAI_MAX_OBJECTIVES) {
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "index request: objectives are no list of at most %d",
                         ARCHAI_MAX_OBJECTIVES);
        goto fail;
    }
    for (i = 0; i < json_array_size(objectives); i++) {
        archai_objective *o = &out->objectives.at[i];

        out->objectives.n = i + 1;
        ARCHAI_TRY_GOTO(rc, parse_objective(json_array_get(objectives, i), o, err), fail);
        out->objectives.n_optimised += o->direction != ARCHAI_CONSTRAIN;
    }
    return ARCHAI_OK;
fail:
    archai_index_run_parsed_fini(out);
    return rc;
}

void archai_index_run_parsed_fini(archai_index_run_parsed *p)
{
    archai_objectives_free(&p->objectives);
    json_decref(p->json);
    memset(p, 0, sizeof *p);
}
