/* Candidates: those of an earlier session that nobody told, then those of the search. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "runner/ask_tell/session_private.h"
#include "runner/evaluator/command_text.h"

enum { ASK_MOST = 10000 };

/* What follows from the architecture alone. */
static json_t *known_measures(const archai_trial *c)
{
    json_t *all = archai_there(json_object());

    for (size_t i = 0; i < c->n_measures; i++)
        if (isfinite(c->measures[i].value))
            archai_must_have(json_object_set_new(all, c->measures[i].name, json_real(c->measures[i].value)) == 0);
    return all;
}

/* An object on one line. Caller frees. */
static int text_of(const archai_session *s, archai_trial *c, char **out, archai_err *err)
{
    json_t *more, *parents = c->parents != NULL ? json_loads(c->parents, 0, NULL) : NULL;
    int rc = archai_search_know(c, s->space, &s->objectives, err);

    more = archai_there(json_pack("{s:i, s:s, s:o, s:o}", "generation", c->generation, "operator", c->operator_,
                                  "parents", parents != NULL ? parents : json_array(), "measures", known_measures(c)));
    if (rc == ARCHAI_OK)
        rc = archai_command_request(s->space, c, more, out, err);
    if (rc == ARCHAI_OK)
        (*out)[strcspn(*out, "\n")] = '\0';
    json_decref(more);
    return rc;
}

/* The next candidate of the search, borrowed, or NULL: then s->waits, or the search is over. */
static int step(archai_session *s, archai_trial **out, archai_err *err)
{
    archai_ask what = ARCHAI_ASK_CACHED;
    bool fitted = false;

    *out = NULL;
    /* Repetitions: nothing to evaluate. It may wait for a job alone, too, which it has made now. */
    while (what == ARCHAI_ASK_CACHED || (what == ARCHAI_ASK_WAIT && fitted)) {
        archai_trial repeated = {.id = 0};

        ARCHAI_TRY(archai_fit_jobs(&s->fit, &s->search, &fitted, err));
        ARCHAI_TRY(archai_search_ask(&s->search, &what, out, &repeated, err));
        archai_trial_fini(&repeated);
        if (what == ARCHAI_ASK_WAIT)
            ARCHAI_TRY(archai_fit_jobs(&s->fit, &s->search, &fitted, err));
    }
    s->waits = what == ARCHAI_ASK_WAIT;
    return ARCHAI_OK;
}

/* A candidate of the search becomes one that is open. */
static int open_next(archai_session *s, archai_trial **out, archai_err *err)
{
    char *text;

    ARCHAI_TRY(step(s, out, err));
    if (*out == NULL)
        return ARCHAI_OK;
    ARCHAI_TRY(text_of(s, *out, &text, err));
    ARCHAI_RESERVE(s->open, s->capacity, s->n_open + 1);
    s->open[s->n_open++] = (struct handed){.id = (*out)->id, .text = text, .earlier = true};
    return ARCHAI_OK;
}

static struct handed *find_earlier(const archai_session *s)
{
    for (size_t i = 0; i < s->n_open; i++)
        if (s->open[i].earlier)
            return &s->open[i];
    return NULL;
}

static bool is_spent(const archai_session *s)
{
    return (int64_t)(s->search.n_finished + s->n_open) >= s->config.search.max_evaluations;
}

/* Ask the search for one more, and write down what came of it. */
static int ask_search(archai_session *s, archai_err *err)
{
    archai_trial *c;
    json_t *asked;
    char *line;
    int rc;

    ARCHAI_TRY(open_next(s, &c, err));
    if (c == NULL && !s->waits)
        return ARCHAI_OK; /* it is over, and says so whenever it is asked */
    asked = c != NULL ? json_pack("{s:I, s:s}", "asked", (json_int_t)c->id, "archid", c->model.archid)
                      : json_pack("{s:n}", "asked");
    line = archai_python_json(archai_there(asked), false);
    rc = session_record(s, line, false, err);
    free(line);
    json_decref(asked);
    return rc;
}

static const char *why_over(const archai_session *s)
{
    if (is_spent(s) && s->n_open == 0)
        return "search.max_evaluations is reached";
    return !is_spent(s) && s->search.done[0] != '\0' ? s->search.done : NULL;
}

int session_ask(archai_session *s, const json_t *request, char **out, archai_err *err)
{
    int64_t wanted, n = 0;
    struct handed *next;
    size_t size;
    json_t *done;
    FILE *to;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(session_whole(json_object_get(request, "ask"), "ask", 1, ASK_MOST, &wanted, err));
    to = archai_there(open_memstream(out, &size));
    (void)fputs("{\"candidates\": [", to);
    while (n < wanted && rc == ARCHAI_OK) {
        if (find_earlier(s) == NULL && !s->waits && !is_spent(s))
            rc = ask_search(s, err);
        next = find_earlier(s);
        if (rc != ARCHAI_OK || next == NULL)
            break;
        (void)fprintf(to, "%s%s", n++ > 0 ? ", " : "", next->text);
        next->earlier = false;
    }
    (void)fputs("]", to);
    if (n == 0 && rc == ARCHAI_OK && why_over(s) != NULL) {
        done = archai_there(json_string(why_over(s)));
        char *text = archai_there(json_dumps(done, JSON_ENCODE_ANY));

        (void)fprintf(to, ", \"done\": %s", text);
        free(text);
        json_decref(done);
    } else if (n < wanted) {
        (void)fputs(", \"wait\": true", to);
    }
    (void)fputs("}", to);
    (void)fclose(to);
    if (rc == ARCHAI_OK || n > 0) /* what was handed out must arrive; the next request says what is wrong */
        return ARCHAI_OK;
    free(*out);
    *out = NULL;
    return rc;
}

int session_ask_again(archai_session *s, const json_t *line, archai_err *err)
{
    const json_t *asked = json_object_get(line, "asked");
    const char *archid = json_string_value(json_object_get(line, "archid"));
    archai_trial *c;
    int64_t id = -1;

    if (!json_is_null(asked))
        ARCHAI_TRY(session_whole(asked, "asked", 0, INT64_MAX, &id, err));
    ARCHAI_TRY(open_next(s, &c, err));
    if (c != NULL ? c->id == id && archid != NULL && strcmp(c->model.archid, archid) == 0
                  : json_is_null(asked) && s->waits)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EFORMAT,
                       "candidate %lld was '%s', but the search comes to '%s' there: the configuration or the program has "
                       "changed since",
                       (long long)id, archid != NULL ? archid : "none", c != NULL ? c->model.archid : "none");
}
