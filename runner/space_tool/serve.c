/* runner/space_tool/serve.c - ask and tell over standard input and output, a line of JSON each way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/ask_tell/session.h"
#include "runner/space_tool/space_tool.h"

enum { REQUEST_MOST = 16 << 20 }; /* bytes */

/* The next line without its newline; *too_long: it was passed over. False: the end. */
static bool read_line(char **line, size_t *capacity, bool *too_long, bool *odd)
{
    size_t n = 0;
    int c;

    *too_long = *odd = false;
    while ((c = getc_unlocked(stdin)) != EOF && c != '\n') {
        *too_long = *too_long || n >= REQUEST_MOST;
        *odd = *odd || c == '\0';
        if (*too_long)
            continue;
        ARCHAI_RESERVE(*line, *capacity, n + 2);
        (*line)[n++] = (char)c;
    }
    ARCHAI_RESERVE(*line, *capacity, n + 1);
    (*line)[n] = '\0';
    return c != EOF || n > 0 || *too_long;
}

static int say(const char *text, archai_err *err)
{
    return puts(text) >= 0 && fflush(stdout) == 0
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EIO, "standard output: %s", strerror(errno));
}

int space_serve(space_tool *t, archai_err *err)
{
    archai_session *session = NULL;
    char *line = NULL, *notes = NULL;
    size_t capacity = 0;
    bool too_long, odd;
    int rc = archai_session_open(&session, &t->ini, t->space, t->history, &notes, err);

    if (rc == ARCHAI_OK && notes != NULL)
        (void)fprintf(stderr, "archai-space: %s\n", notes);
    while (rc == ARCHAI_OK && read_line(&line, &capacity, &too_long, &odd)) {
        char *out;

        if (too_long)
            out = archai_strdup("{\"error\": \"a request of more than 16 MiB\"}");
        else if (odd)
            out = archai_strdup("{\"error\": \"a request with a NUL byte\"}");
        else if (line[strspn(line, " \t\r")] == '\0')
            continue;
        else
            out = archai_session_answer(session, line);
        rc = say(out, err);
        free(out);
    }
    archai_session_close(session);
    free(notes);
    free(line);
    return rc;
}
