#include "tmpdir.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int tmpdir_create(char path[TMPDIR_PATH_MAX])
{
    const char *base = getenv("TMPDIR");
    int n = snprintf(path, TMPDIR_PATH_MAX, "%s/archai-test-XXXXXX", base ? base : "/tmp");

    if (n >= TMPDIR_PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mkdtemp(path) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

int tmpdir_remove(const char *path)
{
    return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int tmpdir_setup(void **state)
{
    char *path = malloc(TMPDIR_PATH_MAX);

    if (path == NULL || tmpdir_create(path) != 0) {
        free(path);
        return -1;
    }
    *state = path;
    return 0;
}

int tmpdir_teardown(void **state)
{
    int rc = tmpdir_remove(*state);

    free(*state);
    return rc;
}
