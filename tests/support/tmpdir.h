/* tests/support/tmpdir.h - a directory of a test's own. */
#ifndef ARCHAI_TESTS_TMPDIR_H
#define ARCHAI_TESTS_TMPDIR_H
#include <stddef.h>

enum { TMPDIR_PATH_MAX = 4096 };

/* Make a fresh directory below $TMPDIR or /tmp and write its path. Returns 0, or -1 with errno. */
int tmpdir_create(char path[TMPDIR_PATH_MAX]);
/* Remove it with everything in it. Returns 0, or -1 with errno. */
int tmpdir_remove(const char *path);

/* As cmocka set-up and tear-down: *state is the path. */
int tmpdir_setup(void **state);
int tmpdir_teardown(void **state);
#endif
