/* runner/ask_tell/session.h - a search whose loop belongs to somebody else: ask, tell, front, as lines of JSON.
 *
 * The search is that of archai-run with the same configuration: with one candidate at a time the same candidates in
 * the same order. No MPI, no results directory. runner/space_tool/README.md has the requests and answers.
 */
#ifndef ARCHAI_RUNNER_ASK_TELL_SESSION_H
#define ARCHAI_RUNNER_ASK_TELL_SESSION_H
#include "core/config/config.h"
#include "core/search/space.h"

typedef struct archai_session archai_session; /* opaque */

/* `space` is borrowed; keys that are used are marked so in `ini`. `history`: a file (runner/ask_tell/history.h) that
 * what is asked and told goes into, and from which the session goes on where it is there; NULL: none. What it
 * has is told again first. *notes: lines for the user (caller frees). ARCHAI_EINVAL, ARCHAI_EFORMAT: the configuration
 * or the history is wrong; the error says where. */
int archai_session_open(archai_session **out, archai_ini *ini, archai_space *space, const char *history, char **notes,
                        archai_err *err);
/* The answer to a request: an object on one line, without a newline (caller frees). A request that is wrong in any way
 * changes nothing, and its answer is {"error": "..."}. */
char *archai_session_answer(archai_session *s, const char *request);
void archai_session_close(archai_session *s); /* NULL is allowed */
#endif
