/* runner/process/guard.h - what archai-guard writes into its report pipe, for
 * runner/process/child.c. */
#ifndef ARCHAI_RUNNER_PROCESS_GUARD_H
#define ARCHAI_RUNNER_PROCESS_GUARD_H
#include <stdint.h>

enum {
    ARCHAI_GUARD_STARTED,     /* value: pid of the program, whose exec succeeded */
    ARCHAI_GUARD_NOT_STARTED, /* value: errno */
    ARCHAI_GUARD_ENDED        /* value: wait status of the program; its descendants are gone, too */
};

typedef struct archai_guard_report {
    int32_t kind, value;
} archai_guard_report;
#endif
