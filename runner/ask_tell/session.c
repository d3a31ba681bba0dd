#include "runner/ask_tell/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/base/python_text.h"
#include "core/base/yaml.h"
#include "core/registries.h"
#include "runner/ask_tell/session_private.h"
#include "runner/evaluator/command_text.h"

int session_whole(const json_t *v, const char *key, int64_t low, int64_t high, int64_t *out, archai_err *err)
{
    double value;

    if (json_is_string(v) && *json_string_value(v) == '\1' && archai_command_number(v, &value) && value == floor(value) &&
        value >= (double)low && value <= (double)high && value < 0x1p53) {
        *out = (int64_t)value;
        return ARCHAI_OK;
    }
    return high < INT64_MAX ? archai_fail(err, ARCHAI_EINVAL, "%s: expected a whole number from %lld to %lld", key,
                                          (long long)low, (long long)high)
                            : archai_fail(err, ARCHAI_EINVAL, "%s: expected a candidate's id", key);
}

int session_record(archai_session *s, const char *line, bool sync, archai_err *err)
{
    int rc = ARCHAI_OK;

    if (s->unwritten != NULL)
        rc = archai_history_add(&s->history, s->unwritten, sync, err);
    if (rc == ARCHAI_OK) {
        free(s->unwritten);
        s->unwritten = NULL;
        rc = line != NULL ? archai_history_add(&s->history, line, sync, err) : ARCHAI_OK;
        if (rc != ARCHAI_OK && !sync) /* it has happened: nothing may come before it */
            s->unwritten = archai_strdup(line);
    }
    return rc;
}

/* -- requests ------------------------------------------------------------------------------------ */

static int say_member(const archai_session *s, const archai_record *r, json_t *list, archai_err *err)
{
    const archai_objectives *o = &s->objectives;
    json_t *arch = NULL, *values, *member;

    ARCHAI_TRY(archai_document_parse(r->arch, strlen(r->arch), &arch, err));
    values = archai_there(json_object());
    for (size_t i = 0; i < o->n; i++)
        if (isfinite(r->values[i]))
            archai_must_have(json_object_set_new(values, o->at[i].name, json_real(r->values[i])) == 0);
    member = archai_there(json_pack("{s:I, s:s, s:o, s:f, s:o}", "id", (json_int_t)r->id, "archid", r->archid, "arch", arch,
                                    "budget", r->budget, "objectives", values));
    archai_must_have(json_array_append_new(list, member) == 0);
    return ARCHAI_OK;
}

static int say_front(const archai_session *s, json_t **out, archai_err *err)
{
    json_t *list = archai_there(json_array());
    size_t n, *at;
    int rc = ARCHAI_OK;

    archai_search_front(&s->search, &at, &n);
    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++)
        rc = say_member(s, &s->search.records[at[i]], list, err);
    free(at);
    *out = archai_there(json_pack("{s:o}", "front", list));
    return rc;
}

/* A request has one key that says what it is. */
static int answer(archai_session *s, const char *line, char **out, archai_err *err)
{
    static const char *const asking[] = {"ask"}, *const front[] = {"front"};
    json_t *request = NULL, *said = NULL;
    int rc = archai_command_object(line, &request, err);

    if (rc != ARCHAI_OK)
        return archai_fail(err, ARCHAI_EFORMAT, "not a JSON object; expected {\"ask\": N}, {\"tell\": ID, \"measures\": "
                                                "{...}} or {\"front\": true}");
    if (s->unwritten != NULL)
        rc = session_record(s, NULL, true, err);
    if (rc == ARCHAI_OK && json_object_get(request, "ask") != NULL) {
        rc = archai_json_check_keys(request, asking, 1, err);
        rc = rc == ARCHAI_OK ? session_ask(s, request, out, err) : rc;
    } else if (rc == ARCHAI_OK && json_object_get(request, "tell") != NULL) {
        rc = session_tell(s, line, request, &said, err);
    } else if (rc == ARCHAI_OK && json_object_get(request, "front") != NULL) {
        rc = archai_json_check_keys(request, front, 1, err);
        rc = rc == ARCHAI_OK ? say_front(s, &said, err) : rc;
    } else if (rc == ARCHAI_OK) {
        rc = archai_fail(err, ARCHAI_EINVAL, "expected one of the keys ask, tell, front");
    }
    if (rc == ARCHAI_OK && said != NULL)
        *out = archai_python_json(said, false);
    json_decref(said);
    json_decref(request);
    return rc;
}

char *archai_session_answer(archai_session *s, const char *request)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *out = NULL;
    json_t *text, *error;

    if (answer(s, request, &out, &err) == ARCHAI_OK)
        return out;
    text = json_string(err.text);
    error = archai_there(json_pack("{s:o}", "error", text != NULL ? text : json_string("?")));
    out = archai_python_json(error, false);
    json_decref(error);
    return out;
}

/* -- opening ------------------------------------------------------------------------------------- */

static bool decides_candidates(const archai_ini_entry *e)
{
    if (e->key == NULL || (strcmp(e->section, "space") != 0 && strcmp(e->section, "search") != 0 &&
                           strncmp(e->section, "objective.", 10) != 0))
        return false;
    return strcmp(e->section, "search") != 0 ||
           (strcmp(e->key, "max_evaluations") != 0 && strcmp(e->key, "max_time") != 0 &&
            strcmp(e->key, "max_infeasible") != 0);
}

/* The resolved keys that decide what is proposed: {"search.seed": "1"}. */
static int fingerprint(const archai_session *s, json_t **out, archai_err *err)
{
    archai_space_common common;
    const archai_choice choices[] = {archai_space_choice(s->space, &common),
                                     archai_algorithm_choice(s->search.algorithm),
                                     {.registry = NULL}};
    archai_ini ini = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *to = archai_there(open_memstream(&text, &size));
    int rc = archai_config_write(&s->config, choices, &s->objectives, to, err);

    (void)fclose(to);
    if (rc == ARCHAI_OK)
        rc = archai_ini_parse(&ini, "configuration", text, size, err);
    *out = archai_there(json_object());
    for (size_t i = 0; rc == ARCHAI_OK && i < ini.n; i++) {
        char *name;

        if (!decides_candidates(&ini.at[i]))
            continue;
        name = archai_printf("%s.%s", ini.at[i].section, ini.at[i].key);
        if (json_object_set_new(*out, name, json_string(ini.at[i].value)) != 0)
            rc = archai_fail(err, ARCHAI_EINVAL, "%s: is not UTF-8", name);
        free(name);
    }
    archai_ini_free(&ini);
    free(text);
    return rc;
}

static int check_objective_keys(const archai_ini *ini, archai_err *err)
{
    for (size_t i = 0; i < ini->n; i++) {
        const archai_ini_entry *e = &ini->at[i];

        if (e->key == NULL || e->used || strncmp(e->section, "objective.", 10) != 0)
            continue;
        (void)archai_fail(err, ARCHAI_EINVAL, "%s.%s: unknown key", e->section, e->key);
        return archai_ini_wrap(e, ARCHAI_EINVAL, err);
    }
    return ARCHAI_OK;
}

static int make_search(archai_session *s, archai_ini *ini, archai_err *err)
{
    archai_search_settings settings;
    archai_choice choice;

    ARCHAI_TRY(archai_config_load(&s->config, ini, err));
    archai_algorithm_fit_schedule(&s->config, ini);
    ARCHAI_TRY(archai_objectives_create(&s->objectives, ini, err));
    ARCHAI_TRY(check_objective_keys(ini, err));
    settings = (archai_search_settings){
        .algorithm = s->config.search.algorithm,
        .schedule = (archai_schedule)s->config.search.schedule,
        .seed = (uint64_t)s->config.search.seed,
        .max_infeasible = s->config.search.max_infeasible,
    };
    ARCHAI_TRY(archai_search_init(&s->search, s->space, &s->objectives, &settings, ini, err));
    choice = archai_algorithm_choice(s->search.algorithm);
    return archai_config_check_section(ini, &choice, err);
}

/* Everything that was asked and told, once more: the search is deterministic. */
static int replay(archai_session *s, archai_err *err)
{
    char *line = NULL;
    int rc = ARCHAI_OK;

    while (rc == ARCHAI_OK) {
        json_t *object = NULL, *said = NULL;

        ARCHAI_TRY(archai_history_next(&s->history, &line, err));
        if (line == NULL)
            return ARCHAI_OK;
        rc = archai_command_object(line, &object, err);
        if (rc == ARCHAI_OK && json_object_get(object, "tell") != NULL)
            rc = session_tell(s, NULL, object, &said, err);
        else if (rc == ARCHAI_OK)
            rc = session_ask_again(s, object, err);
        rc = archai_err_wrap(err, rc == ARCHAI_EINVAL ? ARCHAI_EFORMAT : rc, "%s:%d: ", s->history.path, s->history.line);
        json_decref(said);
        json_decref(object);
        free(line);
    }
    return rc;
}

static int open_history(archai_session *s, const char *path, char **notes, archai_err *err)
{
    json_t *search = NULL;
    int rc = fingerprint(s, &search, err);

    if (rc == ARCHAI_OK)
        rc = archai_history_open(&s->history, path, search, err);
    json_decref(search);
    ARCHAI_TRY(rc);
    ARCHAI_TRY(replay(s, err));
    if (s->search.n_records > 0)
        *notes = archai_printf("goes on from %s: %zu candidates, %zu of them not told yet", path, s->search.n_records,
                               s->n_open);
    return ARCHAI_OK;
}

int archai_session_open(archai_session **out, archai_ini *ini, archai_space *space, const char *history, char **notes,
                        archai_err *err)
{
    archai_session *s = archai_calloc(1, sizeof *s);
    int rc;

    s->space = space;
    s->fit = (archai_fit)ARCHAI_FIT_INIT;
    s->history = (archai_history)ARCHAI_HISTORY_INIT;
    *notes = NULL;
    rc = make_search(s, ini, err);
    if (rc == ARCHAI_OK && history != NULL)
        rc = open_history(s, history, notes, err);
    if (rc == ARCHAI_OK)
        *out = s;
    else
        archai_session_close(s);
    return rc;
}

void archai_session_close(archai_session *s)
{
    if (s == NULL)
        return;
    archai_fit_close(&s->fit);
    archai_history_close(&s->history);
    archai_search_fini(&s->search);
    archai_objectives_free(&s->objectives);
    archai_config_free(&s->config);
    for (size_t i = 0; i < s->n_open; i++)
        free(s->open[i].text);
    free(s->open);
    free(s->unwritten);
    free(s);
}
