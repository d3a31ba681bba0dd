/* runner/directory/rundir_private.h - what rundir.c and owner.c share. */
#ifndef ARCHAI_RUNNER_DIRECTORY_RUNDIR_PRIVATE_H
#define ARCHAI_RUNNER_DIRECTORY_RUNDIR_PRIVATE_H
#include "runner/directory/rundir.h"

/* Create `owner`, never over a living run's: ARCHAI_EEXIST. A stale one goes first. */
int archai_rundir_take(archai_rundir *d, archai_err *err);
/* Does `owner` still name this process? A file that cannot be read tells nothing: true. */
bool archai_rundir_is_mine(const archai_rundir *d);
/* Make `owner` the file `name` with this text, in the room that it has already: 0, or -1 and it stays. */
int archai_rundir_turn_owner_into(archai_rundir *d, const char *name, const char *text);
#endif
