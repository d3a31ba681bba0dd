/* watch: the summary, again whenever something has changed, until the run ends.
 *
 * On a terminal it stays in place: each line is cut at the terminal's width, since one that wraps would move the
 * others, and the screen is not cleared first, so nothing flickers. Elsewhere each summary follows the one before,
 * whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "runner/directory/rundir.h"
#include "runner/inspect/report/facts.h"
#include "runner/process/limit.h"

enum { WATCH_S = 2, COLUMNS = 80, LINES = 24 }; /* of a terminal that does not say */

/* Asked each time, because windows are resized. */
static struct winsize size_of_terminal(void)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    size.ws_col = size.ws_col > 0 ? size.ws_col : COLUMNS;
    size.ws_row = size.ws_row > 0 ? size.ws_row : LINES;
    return size;
}

/* Bytes of the line that fit into so many columns: continuation bytes of UTF-8 have no width. */
static size_t fitting(const char *line, size_t n, size_t columns)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++) {
        width += ((unsigned char)line[i] & 0xC0U) != 0x80U;
        if (width > columns)
            return i;
    }
    return n;
}

/* "\033[K": clear what an earlier, longer line left. The last line stays free for the cursor. */
static void redraw(const char *text)
{
    const struct winsize size = size_of_terminal();
    int lines = 1;

    (void)fputs("\033[H", stdout); /* home */
    for (const char *line = text; *line != '\0' && lines < size.ws_row; lines++) {
        const size_t n = strcspn(line, "\n");

        (void)printf("%.*s\033[K\n", (int)fitting(line, n, size.ws_col), line);
        line += n + (line[n] != '\0');
    }
    (void)fputs("\033[J", stdout); /* clear what is below */
}

static char *summary_of(inspect *t, archai_err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&text, &size));
    const int rc = inspect_summary_text(t, out, err);

    (void)fclose(out);
    if (rc == ARCHAI_OK)
        return archai_there(text);
    free(text);
    return NULL;
}

typedef struct shown {
    char *text, *running; /* owned; NULL: nothing yet */
    char updated[96];     /* of results.h5: its time, a whole second, its rows and its state */
} shown;

static void mark_of(const archai_results *r, char mark[96])
{
    (void)snprintf(mark, 96, "%.40s %zu %.20s", r->updated, r->n, r->state);
}

static void keep(shown *before, char *text, char *running, const char *updated)
{
    free(before->text);
    free(before->running);
    before->text = text;
    before->running = running;
    (void)snprintf(before->updated, sizeof before->updated, "%s", updated);
}

/* What has changed. In a pipe the whole summary comes with new rows only, in between what the candidates report. */
static int show(inspect *t, bool terminal, shown *before, archai_err *err)
{
    char *text = summary_of(t, err), *running, mark[96];
    bool updated;
    int rc = ARCHAI_OK;

    if (text == NULL)
        return err->code;
    running = inspect_running_text(t->directory);
    mark_of(&t->r, mark);
    updated = before->text == NULL || strcmp(before->updated, mark) != 0;
    if (t->json)
        rc = updated || strcmp(before->running, running) != 0 ? inspect_summary_json(t, err) : ARCHAI_OK;
    else if (terminal && (updated || strcmp(before->text, text) != 0))
        redraw(text);
    else if (!terminal && updated)
        (void)printf("%s\n", text);
    else if (!terminal && strcmp(before->running, running) != 0)
        (void)printf("%s\n", running);
    keep(before, text, running, mark);
    if (rc == ARCHAI_OK && fflush(stdout) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "standard output: write failed");
    return rc;
}

int inspect_watch(inspect *t, archai_err *err)
{
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    shown before = {0};
    char who[512];
    int rc;

    if (terminal && !t->json)
        (void)fputs("\033[2J", stdout); /* clear */
    for (;;) {
        bool alive = archai_rundir_owner_alive(t->directory, who);
        archai_err why = ARCHAI_ERR_INIT;

        archai_limit_reading(&t->path, 1);
        rc = archai_results_read(&t->r, t->path, &why);
        if (rc == ARCHAI_ENOTFOUND && alive) { /* not published yet */
            (void)sleep(WATCH_S);
            continue;
        }
        if (rc != ARCHAI_OK) {
            rc = archai_fail(err, rc, "%s", why.text);
            break;
        }
        alive = alive && strcmp(t->r.state, "running") == 0;
        rc = show(t, terminal, &before, err);
        if (rc != ARCHAI_OK || !alive)
            break;
        inspect_names_free(t);
        archai_results_free(&t->r);
        (void)sleep(WATCH_S);
    }
    keep(&before, NULL, NULL, "");
    return rc;
}
