/* Requests to `archai-space CONFIG serve`, a line each: every one has an answer, one JSON object on one line; and
 * a session that goes on from the history stands where this one stood. */
#include "fuzz.h"
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "runner/ask_tell/session.h"

static const char *const configurations[] = {
    "[search]\nalgorithm = evolution_pareto\nmax_evaluations = 9\ninit_num_models = 2\n[space]\nname = cnn\n"
    "[objective.accuracy]\ndirection = maximize\n[objective.params]\ndirection = minimize\nconstraint = 0 900000\n",
    "[search]\nalgorithm = regularized_evolution\nschedule = generational\nnum_iters = 3\ninit_num_models = 3\n[space]\n"
    "name = cnn\nmax_layers = 2\n[objective.accuracy]\ndirection = maximize\n",
};

typedef struct opened {
    archai_ini ini;
    archai_space *space;
    archai_session *session;
} opened;

static void open_session(opened *o, const char *text, const char *history)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *notes = NULL;

    FUZZ_CHECK(archai_ini_parse(&o->ini, "fuzz.ini", text, strlen(text), &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_space_create(&o->space, &o->ini, NULL, &err) == ARCHAI_OK);
    if (archai_session_open(&o->session, &o->ini, o->space, history, &notes, &err) != ARCHAI_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    free(notes);
}

static void close_session(opened *o)
{
    archai_session_close(o->session);
    archai_space_destroy(o->space);
    archai_ini_free(&o->ini);
}

/* The answer, whatever the request; a new reference. */
static json_t *ask(const opened *o, const char *request)
{
    char *text = archai_session_answer(o->session, request);
    json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    FUZZ_CHECK(strchr(text, '\n') == NULL && json_is_object(answer));
    free(text);
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = configurations[size % 2];
    const int fd = memfd_create("history", MFD_CLOEXEC);
    opened first = {0}, second = {0};
    char history[64], *requests, *rest, *line;
    json_t *before, *after;

    FUZZ_CHECK(fd >= 0);
    (void)snprintf(history, sizeof history, "/proc/self/fd/%d", fd);
    open_session(&first, text, history);
    requests = rest = strndup((const char *)data, size);
    while ((line = strsep(&rest, "\n")) != NULL)
        json_decref(ask(&first, line));
    free(requests);
    before = ask(&first, "{\"front\": true}");
    close_session(&first);
    open_session(&second, text, history);
    after = ask(&second, "{\"front\": true}");
    FUZZ_CHECK(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    json_decref(ask(&second, "{\"ask\": 3}"));
    close_session(&second);
    (void)close(fd);
    return 0;
}
