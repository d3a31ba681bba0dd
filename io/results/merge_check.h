/* io/results/merge_check.h - may results be merged? (merge.c only) */
#ifndef ARCHAI_IO_RESULTS_MERGE_CHECK_H
#define ARCHAI_IO_RESULTS_MERGE_CHECK_H
#include "io/results/results.h"

/* The same space and objectives, as their configurations say. ARCHAI_EINVAL: names the first key that differs. */
int archai_merge_check(const archai_results *heads, const char *const *from, size_t n, archai_err *err);
/* The text of the first run, with `to` as output.directory, so that whoever resumes it goes on here, and the
 * evaluations of all of them. The caller's to free. */
char *archai_merge_config(const archai_results *heads, size_t n, const char *to);
/* Are the weights that results.h5 shows those of rows with weights? archids [n], sorted here: of the rows that have some.
 * ARCHAI_ENOTFOUND: their segment is not there, or they are in results.h5 alone (pack.h). */
int archai_merge_weights(const char *path, char **archids, size_t n, archai_err *err);
/* Rows of architectures that an earlier one of the results has, too. */
int64_t archai_merge_repeated(const archai_results *heads, size_t n);
#endif
