/* io/wire/index_request.h - the lines that rank 0 and archai-indexer exchange.
 *
 * The indexer (runner/indexer/archai_indexer.c) reads requests from descriptor 3 and answers on
 * descriptor 4, one JSON object a line, strictly one answer per request, in order:
 *
 *   -> {"directory": "runs/x", "config": "...", "objectives": [...], ...}    first: the run
 *   <- {"rows": 0, "seconds": 0.0}                                           opened (rows so
 * far)
 *   -> {"refresh": "running", "rejected": 0}                                 as often as wanted
 *   <- {"rows": 128, "seconds": 0.021}
 *   <- {"error": {"code": 6, "text": "..."}}                                 instead, on
 * failure
 *
 * End of file on 3 ends the indexer. A refresh that failed may be asked for again. Rank 0 makes
 * lines with the *_format functions, sends them whole, collects bytes up to a newline and hands
 * the line to archai_index_reply_parse. Nothing here does I/O; nothing is collective.
 */
#ifndef ARCHAI_IO_WIRE_INDEX_REQUEST_H
#define ARCHAI_IO_WIRE_INDEX_REQUEST_H
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "core/base/err.h"
#include "core/search/objective.h"
#include "io/results/index.h"

enum {
    ARCHAI_INDEX_LINE_MAX = 64 * 1024 * 1024
}; /* bytes, newline included; longer: foreign */

/* -- rank 0's side ------------------------------------------------------------------------- */

/* Lines end with '\n' and NUL; the caller frees them. */
int archai_index_open_format(const archai_index_run *run, char **line, archai_err *err);
int archai_index_refresh_format(const char *state, int64_t rejected, char **line,
                                archai_err *err);

typedef struct archai_index_reply {
    int64_t rows;   /* rows in results.h5 */
    double seconds; /* the refresh took; the pause before the next is at least 20 times this */
    archai_err error; /* error.code is ARCHAI_OK unless the request failed */
} archai_index_reply;

/* `line` [size] without or with its newline. The function's own failure (ARCHAI_EFORMAT) means
 * that the line is no reply at all; a failed refresh is success here with out->error set. */
int archai_index_reply_parse(const char *line, size_t size, archai_index_reply *out,
                             archai_err *err);

/* -- the indexer's side -------------------------------------------------------------------- */

/* An archai_index_run whose strings live in `json` and whose objectives are its own. */
typedef struct archai_index_run_parsed {
    archai_index_run run;         /* borrows from the two below */
    archai_objectives objectives; /* owned */
    json_t *json;                 /* owned reference */
} archai_index_run_parsed;
/* `out` must stay where it is (run.objectives points into it). */
int archai_index_open_parse(const char *line, size_t size, archai_index_run_parsed *out,
                            archai_err *err);
void archai_index_run_parsed_fini(archai_index_run_parsed *p); /* safe on a zeroed struct */

typedef struct archai_index_refresh_request {
    const char *state; /* static storage: one of running complete interrupted failed */
    int64_t rejected;
} archai_index_refresh_request;
int archai_index_refresh_parse(const char *line, size_t size, archai_index_refresh_request *out,
                               archai_err *err);
int archai_index_reply_format(const archai_index_reply *reply, char **line, archai_err *err);
#endif
