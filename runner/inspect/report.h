/* runner/inspect/report.h - report.html: one self-contained page about a run.
 *
 * No script, no font, no picture from elsewhere: the page opens from a laptop without a network and
 * can be mailed. Plots are inline SVG. Every text that came from a file is escaped.
 */
#ifndef ARCHAI_RUNNER_INSPECT_REPORT_H
#define ARCHAI_RUNNER_INSPECT_REPORT_H
#include <stdio.h>
#include "core/base/err.h"
#include "io/results/results.h"

/* Write the page for `r` to `out` (borrowed, stays open). ARCHAI_EIO when the stream fails. */
int archai_report_write(const archai_results *r, FILE *out, archai_err *err);
/* Read `results` (a directory or a results.h5) and write `path`, beside itself first, then renamed. */
int archai_report_make(const char *results, const char *path, archai_err *err);
#endif
