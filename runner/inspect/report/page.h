/* runner/inspect/report/page.h - the files of page/, which the build embeds. */
#ifndef ARCHAI_RUNNER_INSPECT_REPORT_PAGE_H
#define ARCHAI_RUNNER_INSPECT_REPORT_PAGE_H
extern const char report_style[], report_script[]; /* NUL-terminated */
#endif
