/* core/search/failure.h - failures grouped by kind.
 *
 * Two errors are of one kind if they differ only in numbers and paths: of a hundred candidates that fail with
 * "bad width 17", each with a width of its own, a reader wants one line.
 */
#ifndef ARCHAI_CORE_SEARCH_FAILURE_H
#define ARCHAI_CORE_SEARCH_FAILURE_H
#include <stddef.h>
#include <stdint.h>

/* The kind of an error: its first line that is not blank, numbers as N, paths as PATH. Caller frees. */
char *archai_failure_kind(const char *error);

/* The error of a row that repeats a failed one goes on with the first one's id: no failure of its own, it is
 * not counted. */
#define ARCHAI_FAILURE_REPEATED "the same architecture was candidate "

enum { ARCHAI_FAILURE_KINDS_MAX = 256 }; /* further kinds are counted together */

typedef struct archai_failure {
    char *kind;    /* owned */
    char *example; /* owned; the whole error of the first one that was added */
    int64_t id;    /* its candidate */
    size_t n;
} archai_failure;

typedef struct archai_failures {
    archai_failure *at; /* owned; in the order in which the kinds came */
    size_t n, capacity;
    size_t total, other; /* `other`: of kinds beyond the limit */
} archai_failures;
void archai_failures_add(archai_failures *f, const char *error, int64_t id);
void archai_failures_sort(archai_failures *f); /* the commonest first; equally common ones as they came */
void archai_failures_free(archai_failures *f); /* safe on a zeroed struct */
/* "all 12 candidates failed, 9 of them with: ...", where every candidate of a run did. Caller frees. */
char *archai_failures_all(const archai_failures *f);
/* The commonest kind, or NULL. */
const archai_failure *archai_failures_commonest(const archai_failures *f);
#endif
