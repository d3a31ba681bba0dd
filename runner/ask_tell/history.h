/* runner/ask_tell/history.h - what a session asked and was told, as a file of JSON lines.
 *
 *   {"format": "archai-history", "version": 1, "search": {"search.seed": "1", ...}}
 *   {"asked": 0, "archid": "..."}        a candidate was handed out; null: there was none to be had
 *   {"tell": 0, "measures": {...}}       the request as it came
 *
 * Lines are only added. One that a kill cut off at the end of the file does not count. One process holds the file
 * (flock, where there are locks). Not collective.
 */
#ifndef ARCHAI_RUNNER_ASK_TELL_HISTORY_H
#define ARCHAI_RUNNER_ASK_TELL_HISTORY_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "core/base/err.h"

typedef struct archai_history {
    int fd;        /* owned; -1: there is no file */
    char *path;    /* owned */
    uint64_t size; /* of whole lines */
    FILE *reading; /* owned; what an earlier session left; NULL: read */
    int line;      /* the number of the last line that was read */
} archai_history;
#define ARCHAI_HISTORY_INIT                                                                        \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Begin or go on with a file. `search`: keys and values that decide what is proposed. ARCHAI_EFORMAT: not such a
 * file; ARCHAI_EINVAL: it is of another search, or held by another process; ARCHAI_EIO. */
int archai_history_open(archai_history *h, const char *path, const json_t *search, archai_err *err);
/* The next line of an earlier session (caller frees); NULL: that was all. */
int archai_history_next(archai_history *h, char **line, archai_err *err);
/* Add a line, on the disk where `sync`. After a failure the file is as it was. Nothing without a file. */
int archai_history_add(archai_history *h, const char *line, bool sync, archai_err *err);
void archai_history_close(archai_history *h); /* idempotent */
#endif
