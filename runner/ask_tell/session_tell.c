/* Results: what was measured of a candidate, or why nothing was. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/base/text.h"
#include "runner/ask_tell/session_private.h"
#include "runner/evaluator/command_text.h"

static size_t find_open(const archai_session *s, int64_t id)
{
    size_t i = 0;

    while (i < s->n_open && s->open[i].id != id)
        i++;
    return i;
}

static int check_id(const archai_session *s, const json_t *request, size_t *at, int64_t *id, archai_err *err)
{
    ARCHAI_TRY(session_whole(json_object_get(request, "tell"), "tell", 0, INT64_MAX, id, err));
    *at = find_open(s, *id);
    if (*at < s->n_open)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL, "tell: candidate %lld %s", (long long)*id,
                       *archai_search_archid(&s->search, *id) != '\0' ? "is told already" : "was not asked for");
}

/* A text may be marked as a number was (command_text.h): then it was no text. */
static int read_request(const json_t *request, archai_trial *e, char **note, archai_err *err)
{
    static const char *const keys[] = {"tell", "measures", "error"};
    const json_t *measures = json_object_get(request, "measures"), *error = json_object_get(request, "error");
    char *text;

    ARCHAI_TRY(archai_json_check_keys(request, keys, sizeof keys / sizeof keys[0], err));
    if ((measures == NULL) == (error == NULL))
        return archai_fail(err, ARCHAI_EINVAL, "expected {\"tell\": ID, \"measures\": {...}} or {\"tell\": ID, \"error\": "
                                               "\"...\"}");
    if (error != NULL && (!json_is_string(error) || *json_string_value(error) == '\1'))
        return archai_fail(err, ARCHAI_EINVAL, "error: expected a text");
    if (measures != NULL && !json_is_object(measures))
        return archai_fail(err, ARCHAI_EINVAL, "measures: expected an object");
    e->status = ARCHAI_STATUS_OK;
    if (measures != NULL) {
        archai_command_measures(measures, e);
        *note = e->error; /* what was left out */
        e->error = NULL;
        return ARCHAI_OK;
    }
    text = archai_strdup(*json_string_value(error) != '\0' ? json_string_value(error) : "no reason was given");
    archai_trial_set_error(e, ARCHAI_STATUS_FAILED, text);
    free(text);
    return ARCHAI_OK;
}

static void put_text(json_t *object, const char *key, const char *text)
{
    json_t *value;

    if (text == NULL || *text == '\0')
        return;
    value = json_string(text);
    archai_must_have(json_object_set_new(object, key, value != NULL ? value : json_string("?")) == 0);
}

int session_tell(archai_session *s, const char *line, const json_t *request, json_t **out, archai_err *err)
{
    archai_trial e = {.id = -1};
    bool on_front = false;
    char *note = NULL;
    size_t at;
    int rc;

    ARCHAI_TRY(check_id(s, request, &at, &e.id, err));
    rc = read_request(request, &e, &note, err);
    if (rc == ARCHAI_OK && line != NULL)
        rc = session_record(s, line, true, err);
    if (rc == ARCHAI_OK)
        rc = archai_search_tell(&s->search, &e, &on_front, err);
    if (rc == ARCHAI_OK) {
        free(s->open[at].text);
        memmove(&s->open[at], &s->open[at + 1], (--s->n_open - at) * sizeof *s->open);
        s->waits = false;
        *out = archai_there(json_pack("{s:I, s:s, s:b}", "told", (json_int_t)e.id, "status",
                                      archai_status_name(e.status), "on_front", (int)on_front));
        put_text(*out, "error", e.error);
        put_text(*out, "note", note);
    }
    free(note);
    archai_trial_fini(&e);
    return rc;
}
