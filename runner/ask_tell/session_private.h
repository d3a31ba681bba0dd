/* runner/ask_tell/session_private.h - what the files of a session share.
 *
 * session.c       opening, requests, the front
 * session_ask.c   candidates
 * session_tell.c  results
 */
#ifndef ARCHAI_RUNNER_ASK_TELL_SESSION_PRIVATE_H
#define ARCHAI_RUNNER_ASK_TELL_SESSION_PRIVATE_H
#include "core/search/search.h"
#include "runner/ask_tell/fit.h"
#include "runner/ask_tell/history.h"
#include "runner/ask_tell/session.h"

/* A candidate that was asked for and not told. */
struct handed {
    int64_t id;
    char *text;   /* owned; as it is in an answer */
    bool earlier; /* it was asked for, but nobody here has it: it comes first, once more */
};

struct archai_session {
    archai_config config;
    archai_objectives objectives;
    archai_search search;
    archai_space *space; /* borrowed */
    archai_fit fit;
    archai_history history;
    char *unwritten;     /* owned; a line that the history did not take; NULL: none. Before it nothing goes on */
    struct handed *open; /* owned; in order of id */
    size_t n_open, capacity;
    bool waits; /* the search has nothing until something is told */
};

/* {"ask": n}. */
int session_ask(archai_session *s, const json_t *request, char **out, archai_err *err);
/* {"tell": id, ...}, checked as a whole before anything changes; `line` is the request, which goes into the history
 * unless it comes from there (NULL). */
int session_tell(archai_session *s, const char *line, const json_t *request, json_t **out, archai_err *err);
/* A line of the history that says what was asked: ask again. ARCHAI_EFORMAT: the search comes to something else. */
int session_ask_again(archai_session *s, const json_t *line, archai_err *err);
/* Where a number is a whole one from `low` to `high`; NULL `v` or another value: ARCHAI_EINVAL, "<key>: ...". */
int session_whole(const json_t *v, const char *key, int64_t low, int64_t high, int64_t *out, archai_err *err);
/* Write a line, after what was not written before. */
int session_record(archai_session *s, const char *line, bool sync, archai_err *err);
#endif
