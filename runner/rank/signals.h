/* runner/rank/signals.h - SIGINT, SIGTERM, SIGUSR1, SIGUSR2 and SIGHUP as one counter that the loop looks at.
 * SIGHUP stays ignored where it was at the start, as under nohup.
 *
 * The first one asks for a drain, the second one for a stop at once. The handler only counts; the loop,
 * which sleeps a few milliseconds at most, does the rest. SIGPIPE and SIGXFSZ are ignored: a child's
 * closed pipe and a limit on file sizes are error values here.
 */
#ifndef ARCHAI_RUNNER_RANK_SIGNALS_H
#define ARCHAI_RUNNER_RANK_SIGNALS_H
#include "core/base/err.h"

int archai_signals_install(archai_err *err);
int archai_signals_count(void);        /* stop requests so far */
const char *archai_signals_name(void); /* of the first one, such as "SIGTERM"; "" before */
#endif
