/* The results directory: what is in it, and how a run leaves it. The file `owner` is in owner.c. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/segment/segment.h"
#include "runner/directory/rundir_private.h"

static bool exists(const char *directory, const char *name)
{
    char *path = archai_file_path(directory, name);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

/* -- what is there ------------------------------------------------------------------------- */

/* One more than the highest start that a segment names; 0: there are no segments. */
int archai_rundir_starts(const char *directory)
{
    archai_strings names = {NULL, 0};
    int next = 0, start, k;

    (void)archai_segment_list(directory, &names, NULL); /* no directory: no segments */
    for (size_t i = 0; i < names.n; i++)
        if (archai_segment_name_read(names.at[i], &start, &k) && start >= next && start < INT16_MAX)
            next = start + 1;
    archai_strings_free(&names);
    return next;
}

static bool has_results(const char *directory)
{
    return archai_rundir_starts(directory) > 0 || exists(directory, "results.h5");
}

static bool is_empty(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    bool empty = true;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = false;
    if (dir != NULL)
        (void)closedir(dir);
    return empty;
}

/* The directory will be created: may it be, in its nearest parent that exists? */
static int check_parent(const char *path, archai_err *err)
{
    char *parent = archai_strdup(path);
    struct stat st;
    int rc = ARCHAI_OK;

    for (;;) {
        char *slash = strrchr(parent, '/');

        if (slash == NULL)
            (void)strcpy(parent, "."); /* a path has at least one character */
        else
            slash[slash == parent] = '\0';
        if (stat(parent, &st) == 0 || errno != ENOENT || strcmp(parent, ".") == 0 ||
            strcmp(parent, "/") == 0)
            break;
    }
    if (lstat(path, &st) == 0)
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: is a dangling symbolic link", path);
    else if (access(parent, W_OK | X_OK) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s: cannot create it: %s: %s", path, parent,
                         strerror(errno));
    free(parent);
    return rc;
}

int archai_rundir_writable(const char *path, archai_err *err)
{
    return access(path, W_OK | X_OK) == 0
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
}

/* What a run opens by these names: a FIFO would wait for ever, a device swallow it. */
static int check_files(const char *directory, archai_err *err)
{
    static const char *const names[] = {"run.log", "config.ini", "results.h5", "report.html", "reconciled.json",
                                        "exit_code"};
    int rc = ARCHAI_OK;

    for (size_t i = 0; rc == ARCHAI_OK && i < sizeof names / sizeof names[0]; i++) {
        char *path = archai_file_path(directory, names[i]);
        struct stat st;

        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
            rc = archai_fail(err, ARCHAI_EINVAL, "%s: not a regular file, expected what a run wrote there", path);
        free(path);
    }
    return rc;
}

int archai_rundir_check(const char *path, bool resume, archai_err *err)
{
    struct stat st;

    if (*path == '\0')
        return archai_fail(err, ARCHAI_EINVAL, "output.directory: is empty, expected a path");
    if (stat(path, &st) != 0) {
        if (errno == ENOENT)
            return check_parent(path, err);
        if (errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP)
            return archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, strerror(errno));
        return archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(st.st_mode))
        return archai_fail(err, ARCHAI_EINVAL, "%s: is a file, expected a directory for results",
                           path);
    ARCHAI_TRY(archai_rundir_owner_check(path, err));
    ARCHAI_TRY(check_files(path, err));
    if (!resume) /* complete results may be in a read-only place: resume.c */
        ARCHAI_TRY(archai_rundir_writable(path, err));
    if (!resume && has_results(path))
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s holds the results of a run; --resume continues it, --output names "
                           "another directory",
                           path);
    if (!resume && !is_empty(path))
        return archai_fail(err, ARCHAI_EEXIST, "%s exists and is not empty; --output names another "
                                               "directory",
                           path);
    return ARCHAI_OK;
}

static int make_directories(const char *path, archai_err *err)
{
    char *copy = archai_strdup(path);
    int rc = ARCHAI_OK;

    for (char *c = copy + 1; rc == ARCHAI_OK; c++) {
        char kept = *c;

        if (kept != '/' && kept != '\0')
            continue;
        *c = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            rc = archai_fail(err, ARCHAI_EIO, "%s: %s", copy, strerror(errno));
        if (kept == '\0')
            break;
        *c = kept;
    }
    free(copy);
    return rc;
}

/* Did another run change the directory after we looked at it and before we took `owner`? */
static int check_held(const archai_rundir *d, bool resume, int starts, archai_err *err)
{
    if (!resume && d->resumed)
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s: another run has written results there in the meantime; --output names "
                           "another directory",
                           d->path);
    if (resume && starts >= 0 && d->start != starts)
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s: another run has continued it in the meantime; the same command again "
                           "continues from there",
                           d->path);
    return ARCHAI_OK;
}

int archai_rundir_open(archai_rundir *d, const char *path, bool resume, int starts, int ranks,
                       archai_err *err)
{
    char *code;
    int rc;

    memset(d, 0, sizeof *d);
    ARCHAI_TRY(archai_rundir_check(path, resume, err));
    ARCHAI_TRY(make_directories(path, err));
    d->path = archai_strdup(path);
    d->ranks = ranks;
    ARCHAI_TRY(archai_rundir_take(d, err));
    d->start = archai_rundir_starts(path);
    d->resumed = has_results(path);
    rc = check_held(d, resume, starts, err);
    if (rc != ARCHAI_OK) {
        archai_rundir_close(d);
        return rc;
    }
    code = archai_file_path(path, "exit_code");
    (void)unlink(code); /* absent means: running or killed */
    free(code);
    return ARCHAI_OK;
}

int archai_rundir_hold(archai_rundir *d, const char *path, FILE *say, archai_err *err)
{
    int rc;

    memset(d, 0, sizeof *d);
    ARCHAI_TRY(archai_rundir_watch(path, say, NULL, err));
    ARCHAI_TRY(archai_rundir_writable(path, err));
    ARCHAI_TRY(check_files(path, err));
    d->path = archai_strdup(path);
    d->ranks = 1;
    d->start = archai_rundir_starts(path);
    rc = archai_rundir_take(d, err);
    if (rc != ARCHAI_OK)
        archai_rundir_close(d);
    return rc;
}

int archai_rundir_finish(archai_rundir *d, int exit_code, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    char text[16];
    int rc;

    d->held = d->held && archai_rundir_is_mine(d);
    if (!d->held) {
        archai_rundir_close(d);
        return ARCHAI_OK;
    }
    (void)snprintf(text, sizeof text, "%d\n", exit_code);
    rc = archai_file_replace(d->path, "exit_code", text, strlen(text), &why);
    if (rc == ARCHAI_EIO && archai_rundir_turn_owner_into(d, "exit_code", text) == 0)
        rc = ARCHAI_OK;
    if (rc != ARCHAI_OK && err != NULL)
        *err = why;
    archai_rundir_close(d);
    return rc;
}

void archai_rundir_close(archai_rundir *d)
{
    if (d->held) {
        char *path = archai_file_path(d->path, "owner");

        (void)unlink(path);
        free(path);
    }
    free(d->path);
    d->path = NULL;
    d->held = false;
}
