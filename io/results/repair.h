/* io/results/repair.h - results.h5 anew, from the segments, where it does not show what they hold.
 *
 * After an accident: two runs that wrote to one directory at the same time (reconcile.h), a results.h5 that was lost or
 * came from a backup. Rows that only results.h5 has stay. The caller holds the directory. HDF5 may crash on a damaged
 * file.
 */
#ifndef ARCHAI_IO_RESULTS_REPAIR_H
#define ARCHAI_IO_RESULTS_REPAIR_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "core/base/err.h"

/* *was_needed: results.h5 was behind, and was written again, with *rows rows; lines about what was done go to
 * `say`. A state "running" becomes "interrupted". ARCHAI_ENOTFOUND: there is neither results.h5 nor config.ini. */
int archai_results_repair(const char *directory, bool *was_needed, int64_t *rows, FILE *say,
                          archai_err *err);
#endif
