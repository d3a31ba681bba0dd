/* runner/process/watch/output_log.h - what a program printed during one candidate: its first and its last bytes.
 *
 * In memory until it is known whether it is wanted, and bounded, however much is printed. Standard output
 * and error are one text, in the order in which they were read.
 */
#ifndef ARCHAI_RUNNER_PROCESS_WATCH_OUTPUT_LOG_H
#define ARCHAI_RUNNER_PROCESS_WATCH_OUTPUT_LOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARCHAI_LOG_FIRST = 64 << 10, ARCHAI_LOG_LAST = 192 << 10 }; /* bytes that are kept */

typedef struct archai_output_log {
    char *first; /* owned; room grows to ARCHAI_LOG_FIRST */
    size_t n_first, first_capacity;
    char *last; /* owned; a ring of ARCHAI_LOG_LAST, NULL until it is needed */
    uint64_t n_rest; /* bytes after the first; the last of them are in the ring */
} archai_output_log;

void archai_output_log_fini(archai_output_log *l); /* safe on a zeroed struct */
void archai_output_log_clear(archai_output_log *l);
void archai_output_log_add(archai_output_log *l, const char *data, size_t n);
bool archai_output_log_is_empty(const archai_output_log *l);
/* <directory>/logs/<id>.log, and "logs/<id>.log" as its name in a row (caller frees). NULL: it cannot be
 * written; a log is no result, so that this is nobody's failure. Replaces what is there; not synced. */
char *archai_output_log_write(const archai_output_log *l, const char *directory, int64_t id);
/* What an earlier attempt left. */
void archai_output_log_remove(const char *directory, int64_t id);
#endif
