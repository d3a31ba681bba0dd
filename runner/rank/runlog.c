#include "runner/rank/runlog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"

void archai_runlog_time(double unix_s, char *out, size_t size)
{
    time_t whole = (time_t)unix_s;
    unsigned ms = (unsigned)((unix_s - (double)whole) * 1e3) % 1000;
    struct tm tm;
    char date[32];

    (void)gmtime_r(&whole, &tm);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out, size, "%s.%03uZ", date, ms);
}

int archai_runlog_open(archai_runlog *log, const char *directory, archai_err *err)
{
    char *path = archai_printf("%s/run.log", directory);
    int rc = ARCHAI_OK;

    log->file = fopen(path, "ae");
    if (log->file == NULL)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    free(path);
    return rc;
}

static void note(archai_runlog *log, int rank, const char *fmt, va_list ap)
{
    char time_text[40];

    if (log->file == NULL)
        return;
    archai_runlog_time(archai_clock_unix(), time_text, sizeof time_text);
    (void)fprintf(log->file, "%s rank %d: ", time_text, rank);
    (void)vfprintf(log->file, fmt, ap);
    (void)fputc('\n', log->file);
    (void)fflush(log->file); /* a killed run keeps its last lines; a full disk costs only lines */
}

void archai_runlog_note(archai_runlog *log, int rank, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(log, rank, fmt, ap);
    va_end(ap);
}

/* Once a second is over: how many of its lines were left out. */
static void tell_left_out(archai_runlog *log)
{
    if (log->left_out > 0)
        archai_runlog_note(log, 0, "%ld more lines about candidates in that second were left out; "
                           "results.h5 has the rows", log->left_out);
    log->lines = log->left_out = 0;
}

void archai_runlog_candidate(archai_runlog *log, int rank, const char *fmt, ...)
{
    enum { LINES_MAX = 200 };
    const time_t now = time(NULL);
    va_list ap;

    if (now != log->second)
        tell_left_out(log);
    log->second = now;
    if (log->lines == LINES_MAX) {
        log->left_out++;
        return;
    }
    log->lines++;
    va_start(ap, fmt);
    note(log, rank, fmt, ap);
    va_end(ap);
}

void archai_runlog_say(archai_runlog *log, int rank, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(log, rank, fmt, ap);
    va_end(ap);
    (void)fputs("archai-run: ", stderr);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
}

void archai_runlog_say_lines(archai_runlog *log, int rank, const char *text)
{
    for (size_t n; text != NULL && *text != '\0'; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        archai_runlog_say(log, rank, "%.*s", (int)n, text);
    }
}

void archai_runlog_close(archai_runlog *log)
{
    if (log->file == NULL)
        return;
    tell_left_out(log);
    (void)fclose(log->file);
    log->file = NULL;
}
