#include "runner/rank/runlog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void archai_iso_time(double unix_s, char *out, size_t size)
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
    char *path = NULL;
    int rc = ARCHAI_OK;

    if (asprintf(&path, "%s/run.log", directory) < 0)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
    log->file = fopen(path, "ae");
    if (log->file == NULL)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    free(path);
    return rc;
}

static void note(archai_runlog *log, int rank, const char *fmt, va_list ap)
{
    struct timespec t;
    char time_text[40];

    if (log->file == NULL)
        return;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    archai_iso_time((double)t.tv_sec + 1e-9 * (double)t.tv_nsec, time_text, sizeof time_text);
    (void)fprintf(log->file, "%s rank %d: ", time_text, rank);
    (void)vfprintf(log->file, fmt, ap);
    (void)fputc('\n', log->file);
    (void)fflush(log->file); /* a killed run must leave its last words; a full disk costs only them */
}

void archai_runlog_note(archai_runlog *log, int rank, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(log, rank, fmt, ap);
    va_end(ap);
}

/* A line for what was left out, once its second is over. */
static void tell_left_out(archai_runlog *log)
{
    if (log->left_out > 0)
        archai_runlog_note(log, 0, "%ld more lines about candidates in that second are left out; "
                           "rows stand in results.h5", log->left_out);
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

void archai_runlog_close(archai_runlog *log)
{
    if (log->file == NULL)
        return;
    tell_left_out(log);
    (void)fclose(log->file);
    log->file = NULL;
}
