/* runner/directory/owner_file.h - what the file `owner` says, and whether the run that it names is alive.
 *
 * A run is named by host, boot, pid namespace and pid. Where boot and namespace are ours, the pid decides: a
 * run that was killed is known to be dead at once. Everywhere else (another host, another container of this
 * host) only the heartbeat counts. An `owner` without boot and namespace comes from an earlier version of the program,
 * which took the same host name for the same place. Seen by runner/directory alone.
 */
#ifndef ARCHAI_RUNNER_DIRECTORY_OWNER_FILE_H
#define ARCHAI_RUNNER_DIRECTORY_OWNER_FILE_H
#include <jansson.h>
#include <stdbool.h>
#include "core/base/err.h"

enum { ARCHAI_PLACE_TEXT = 256 };

/* Where a process is; "": not known. */
typedef struct archai_place {
    char host[ARCHAI_PLACE_TEXT], boot[ARCHAI_PLACE_TEXT], pid_namespace[ARCHAI_PLACE_TEXT];
    bool sees_pids; /* /proc shows the pids of this namespace */
} archai_place;
archai_place archai_place_here(void);
/* Start time in clock ticks since boot, by which a reused pid is recognised; 0: gone, or a zombie, which will not
 * write again. pid 0: this process. */
long long archai_process_started(long pid);

typedef enum archai_owner_state {
    ARCHAI_OWNER_ABSENT,
    ARCHAI_OWNER_ALIVE,
    ARCHAI_OWNER_DEAD,   /* its process is gone, or an earlier start of this job */
    ARCHAI_OWNER_SILENT, /* no heartbeat for long by this clock, which may be wrong */
    ARCHAI_OWNER_ODD     /* a FIFO, a device, a directory: nothing that a run wrote */
} archai_owner_state;

typedef struct archai_owner {
    archai_owner_state state;
    bool is_mine;    /* of this process */
    bool is_here;    /* its pid can be looked up */
    bool was_read;   /* else only `state` and `who` are known */
    double beat;     /* Unix time */
    json_int_t pid;
    char host[ARCHAI_PLACE_TEXT];
    char who[512];   /* "process 12 on node1, job 17, last seen 3 s ago" */
} archai_owner;

/* Never waits: a FIFO is not opened. */
archai_owner archai_owner_read(const char *directory);
/* The content that names this process, with the time as heartbeat; caller frees. */
char *archai_owner_text(int ranks);
#endif
