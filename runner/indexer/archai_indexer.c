/* archai-indexer - the helper process that writes results.h5, so that rank 0 never waits for
 * HDF5.
 *
 * Rank 0 starts it (runner/process/child.h) with two descriptors: 3 requests, 4 replies; one JSON
 * object a line, as io/wire/index_request.h says:
 *
 *   -> the run (directory, configuration, objectives, ...)   <- {"rows": 0, "seconds": 0.01}
 *   -> {"refresh": "running", "rejected": 0}                  <- {"rows": 128, "seconds": 0.02}
 *                                                            or {"error": {"code": 6, "text":
 * ...}}
 *
 * End of file on 3 ends it with status 0. A failed refresh leaves the last results.h5 in place
 * and may be asked for again; a failed first line ends the process after its reply.
 *
 * archai-indexer --read DIRECTORY reads what earlier starts left instead (archai_indexer_read.c).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io/wire/index_request.h"
#include "runner/indexer/archai_indexer.h"
#include "runner/process/clock.h"
#include "runner/process/out_of_memory.h"

enum { REQUESTS = 3, REPLIES = 4 };

/* The next line; *n is 0 at the end of the file. */
static int read_line(FILE *in, char **line, size_t *room, size_t *n, archai_err *err)
{
    ssize_t got = getline(line, room, in);

    *n = got > 0 ? (size_t)got : 0;
    if (got < 0 && ferror(in))
        return archai_fail(err, ARCHAI_EIO, "cannot read a request: %s", strerror(errno));
    return ARCHAI_OK;
}

static int answer(int rc, int64_t rows, double seconds, const archai_err *why, archai_err *err)
{
    archai_index_reply reply = {.rows = rows, .seconds = seconds, .error = ARCHAI_ERR_INIT};
    char *line = NULL;
    size_t n, at;

    if (rc != ARCHAI_OK)
        reply.error = *why;
    ARCHAI_TRY(archai_index_reply_format(&reply, &line, err));
    n = strlen(line);
    for (at = 0; at < n;) {
        ssize_t done = write(REPLIES, line + at, n - at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            break;
        at += (size_t)done;
    }
    free(line);
    return at == n ? ARCHAI_OK
                   : archai_fail(err, ARCHAI_EIO, "cannot reply: %s", strerror(errno));
}

static int serve(FILE *in, archai_index *x, archai_err *err)
{
    char *line = NULL;
    size_t room = 0, n = 0;
    int rc;

    for (;;) {
        archai_index_refresh_request request;
        archai_err why = ARCHAI_ERR_INIT;
        double began = archai_clock_s();
        int64_t rows = 0;
        int outcome;

        ARCHAI_TRY_GOTO(rc, read_line(in, &line, &room, &n, err), out);
        if (n == 0)
            break;
        began = archai_clock_s();
        outcome = archai_index_refresh_parse(line, n, &request, &why);
        if (outcome == ARCHAI_OK)
            outcome = archai_index_refresh(x, request.state, request.rejected, &rows, &why);
        ARCHAI_TRY_GOTO(rc, answer(outcome, rows, archai_clock_s() - began, &why, err), out);
    }
out:
    free(line);
    return rc;
}

static int run(archai_err *err)
{
    archai_index_run_parsed parsed = {.json = NULL};
    archai_index *x = NULL;
    FILE *in = fdopen(REQUESTS, "r");
    char *line = NULL;
    size_t room = 0, n = 0;
    double began = archai_clock_s();
    int rc;

    if (in == NULL)
        return archai_fail(err, ARCHAI_EINVAL,
                           "descriptor %d is not open: archai-run starts this "
                           "program, people do not",
                           REQUESTS);
    rc = read_line(in, &line, &room, &n, err);
    if (rc == ARCHAI_OK && n > 0) {
        archai_err why = ARCHAI_ERR_INIT;

        rc = archai_index_open_parse(line, n, &parsed, &why);
        if (rc == ARCHAI_OK)
            rc = archai_index_open(&x, &parsed.run, &why);
        if (rc != ARCHAI_OK && err != NULL)
            *err = why;
        if (answer(rc, 0, archai_clock_s() - began, &why, NULL) == ARCHAI_OK && rc == ARCHAI_OK)
            rc = serve(in, x, err);
    }
    archai_index_close(x);
    archai_index_run_parsed_fini(&parsed);
    free(line);
    (void)fclose(in);
    return rc;
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;
    int rc;

    archai_out_of_memory_ends("archai-indexer", "");
    if (argc > 1 && (argc != 3 || strcmp(argv[1], "--read") != 0)) {
        (void)fprintf(stderr, "%s is started by archai-run; it takes no arguments\n", argv[0]);
        return 2;
    }
    /* A vanished rank 0 is an error of write(2) here, a file size limit one of the disk. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    /* Schedulers signal every process of a job. The last index is still to be written then:
     * rank 0 decides when this process ends, and the guard ends it with rank 0. */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    rc = argc > 1 ? archai_indexer_read(argv[2], &err) : run(&err);
    if (rc != ARCHAI_OK)
        (void)fprintf(stderr, "archai-indexer: %s\n", err.text);
    return archai_rc_exit_status(rc);
}
