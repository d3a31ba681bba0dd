/* runner/directory/rundir_private.h - what rundir.c and owner.c share. */
#ifndef ARCHAI_RUNNER_DIRECTORY_RUNDIR_PRIVATE_H
#define ARCHAI_RUNNER_DIRECTORY_RUNDIR_PRIVATE_H
#include "runner/directory/rundir.h"

/* Create `owner`; ARCHAI_EEXIST: a living run's is there. Removes a stale one. */
int archai_rundir_take(archai_rundir *d, archai_err *err);
/* Does `owner` still name this process? True, too, if it cannot be read. */
bool archai_rundir_is_mine(const archai_rundir *d);
/* Turn `owner` into the file `name` with this text, in its disk space: 0, or -1 and it stays. */
int archai_rundir_turn_owner_into(archai_rundir *d, const char *name, const char *text);
#endif
