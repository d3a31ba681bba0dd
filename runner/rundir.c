#include "runner/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static char *join(const char *directory, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static bool exists(const char *directory, const char *name)
{
    char *path = join(directory, name);
    bool there = path != NULL && access(path, F_OK) == 0;

    free(path);
    return there;
}

/* -- owner --------------------------------------------------------------------------------- */

static void host_name(char name[256])
{
    if (gethostname(name, 256) != 0)
        (void)snprintf(name, 256, "unknown");
    name[255] = '\0';
}

/* Start time of a process in clock ticks since boot, so that a reused pid is told apart; 0: gone. A
 * killed one that nobody has waited for yet is gone, too: it writes no more. */
static long long process_started(long pid)
{
    char path[64], line[1024], *at;
    long long started = 0;
    char state = 'Z';
    FILE *in;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    in = fopen(path, "r");
    if (in == NULL)
        return 0;
    /* the name in parentheses may hold anything: field 3 follows the last ')' */
    if (fgets(line, sizeof line, in) != NULL && (at = strrchr(line, ')')) != NULL &&
        sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                       "%*d %lld",
               &state, &started) != 2)
        started = 0;
    (void)fclose(in);
    return state != 'Z' && state != 'X' ? started : 0;
}

static char *owner_text(int ranks)
{
    char host[256];
    const char *job = getenv("SLURM_JOB_ID"), *restart = getenv("SLURM_RESTART_COUNT");
    json_t *owner;
    char *text;

    host_name(host);
    owner = json_pack("{s:s, s:I, s:I, s:s, s:s, s:i, s:f}", "host", host, "pid", (json_int_t)getpid(),
                      "process_started", (json_int_t)process_started(getpid()), "job",
                      job != NULL ? job : "", "restart", restart != NULL ? restart : "0", "ranks",
                      ranks, "heartbeat", now_s());
    text = owner != NULL ? json_dumps(owner, JSON_INDENT(1)) : NULL;
    json_decref(owner);
    return text;
}

/* SLURM starts a job again only once its last start is over: what that has left needs no waiting for, on
 * whatever node it was. */
static bool is_earlier_start_of_this_job(const char *job, const char *restart)
{
    const char *mine = getenv("SLURM_JOB_ID"), *count = getenv("SLURM_RESTART_COUNT");

    return mine != NULL && *mine != '\0' && restart != NULL && strcmp(mine, job) == 0 &&
           strcmp(count != NULL ? count : "0", restart) != 0;
}

/* Whether a living run holds the directory; then *who describes it. A damaged owner file counts as
 * alive while it is young: its writer may be between creating and filling it. */
bool archai_rundir_owner_alive(const char *directory, char who[512])
{
    char *path = join(directory, "owner"), host[256];
    json_t *owner = NULL;
    const char *owner_host = "", *job = "", *restart = NULL;
    json_int_t pid = 0, started = 0;
    double beat = 0, silent;
    struct stat st;
    bool alive = false;

    host_name(host);
    if (path == NULL || stat(path, &st) != 0)
        goto out;
    silent = now_s() - (double)st.st_mtime;
    owner = json_load_file(path, 0, NULL);
    if (owner == NULL || json_unpack(owner, "{s:s, s:I, s:I, s:s, s:F, s?s}", "host", &owner_host, "pid",
                                     &pid, "process_started", &started, "job", &job, "heartbeat",
                                     &beat, "restart", &restart) != 0) {
        (void)snprintf(who, 512, "a run that has just started");
        alive = fabs(silent) < ARCHAI_OWNER_BEAT_S; /* a clock that was set back knows no young file */
        goto out;
    }
    silent = now_s() - beat;
    if (strcmp(owner_host, host) == 0)
        alive = process_started((long)pid) == started && started != 0;
    else
        alive = silent < ARCHAI_OWNER_SILENT_S && !is_earlier_start_of_this_job(job, restart);
    (void)snprintf(who, 512, "process %lld on %s%s%s, last seen %.0f s ago", (long long)pid,
                   owner_host, *job != '\0' ? ", job " : "", job, silent);
    if (silent < -ARCHAI_OWNER_SILENT_S) /* whether it lives nobody can tell from here */
        (void)snprintf(who, 512, "process %lld on %s%s%s, last seen %.0f s in the future: the clocks "
                                 "differ (if it is gone, remove the file owner)",
                       (long long)pid, owner_host, *job != '\0' ? ", job " : "", job, -silent);
out:
    json_decref(owner);
    free(path);
    return alive;
}

/* Move a stale `owner` away. Two starters may see the same stale file at once: whoever finds that
 * it moved another file than the one it judged (the other's fresh one) puts that back. */
static void remove_stale(const archai_rundir *d, const char *path, ino_t judged)
{
    char name[64];
    char *aside;
    struct stat st;

    (void)snprintf(name, sizeof name, "owner-stale-%ld", (long)getpid());
    aside = join(d->path, name);
    if (aside != NULL && rename(path, aside) == 0) {
        if (stat(aside, &st) == 0 && st.st_ino != judged)
            (void)link(aside, path);
        (void)unlink(aside);
    }
    free(aside);
}

/* Create `owner`, never over another's: link() of a filled file is atomic on NFS too, where O_EXCL
 * was not always. */
static int take_owner(archai_rundir *d, int ranks, archai_err *err)
{
    char *path = join(d->path, "owner"), *text = owner_text(ranks), *mine = NULL;
    char name[64], who[512] = "another run";
    struct stat seen = {0};
    int rc;

    (void)snprintf(name, sizeof name, "owner-%ld", (long)getpid());
    mine = join(d->path, name);
    if (path == NULL || text == NULL || mine == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_rundir_write(d, name, text, strlen(text), err), out);
    for (int attempt = 0; attempt < 2; attempt++) {
        if (link(mine, path) == 0) {
            d->held = true;
            d->last_beat = now_s();
            break;
        }
        if (errno != EEXIST) {
            rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
            goto out;
        }
        (void)stat(path, &seen);
        if (archai_rundir_owner_alive(d->path, who) || attempt == 1) {
            rc = archai_fail(err, ARCHAI_EEXIST, "%s is held by %s; two runs cannot write one "
                                                 "directory",
                             d->path, who);
            goto out;
        }
        remove_stale(d, path, seen.st_ino);
    }
    rc = ARCHAI_OK;
out:
    if (mine != NULL)
        (void)unlink(mine);
    free(mine);
    free(text);
    free(path);
    return rc;
}

/* -- what is there ------------------------------------------------------------------------- */

/* Number of the next start: one more than the highest in segment-<start>-<k>.h5. */
static int next_start(const char *directory, bool *any)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    int next = 0;

    *any = false;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        int start, k, used = 0;

        if (sscanf(entry->d_name, "segment-%d-%d.h5%n", &start, &k, &used) == 2 && used > 0 &&
            entry->d_name[used] == '\0' && start >= 0) {
            *any = true;
            if (start >= next)
                next = start + 1;
        }
    }
    if (dir != NULL)
        (void)closedir(dir);
    return next;
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

/* What is not there will be made: can it, where its nearest parent that is there lies? */
static int check_parent(const char *path, archai_err *err)
{
    char *parent = strdup(path);
    struct stat st;
    int rc = ARCHAI_OK;

    if (parent == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
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
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: is a link to what is not there", path);
    else if (access(parent, W_OK | X_OK) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s cannot be made: %s: %s", path, parent,
                         strerror(errno));
    free(parent);
    return rc;
}

int archai_rundir_check(const char *path, bool resume, archai_err *err)
{
    struct stat st;
    char who[512];
    bool segments;

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
    if (archai_rundir_owner_alive(path, who))
        return archai_fail(err, ARCHAI_EEXIST, "%s is held by %s; two runs cannot write one "
                                               "directory",
                           path, who);
    if (access(path, W_OK | X_OK) != 0)
        return archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    (void)next_start(path, &segments);
    if (!resume && (segments || exists(path, "results.h5")))
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s holds the results of a run; --resume goes on with it, --output "
                           "names another directory",
                           path);
    if (!resume && !is_empty(path))
        return archai_fail(err, ARCHAI_EEXIST, "%s exists and is not empty; --output names another "
                                               "directory",
                           path);
    return ARCHAI_OK;
}

static int make_directories(const char *path, archai_err *err)
{
    char *copy = strdup(path);
    int rc = ARCHAI_OK;

    if (copy == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
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

int archai_rundir_starts(const char *path)
{
    bool any;

    return next_start(path, &any);
}

/* What others may have done to it between the look at it and the moment it became ours. */
static int check_held(const archai_rundir *d, bool resume, int starts, archai_err *err)
{
    if (!resume && d->resumed)
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s: another run has put results there meanwhile; --output names another "
                           "directory",
                           d->path);
    if (resume && starts >= 0 && d->start != starts)
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s: another run has gone on with it meanwhile; the same command again "
                           "goes on from there",
                           d->path);
    return ARCHAI_OK;
}

int archai_rundir_open(archai_rundir *d, const char *path, bool resume, int starts, int ranks,
                       archai_err *err)
{
    char *code = NULL;
    bool segments;
    int rc;

    memset(d, 0, sizeof *d);
    ARCHAI_TRY(archai_rundir_check(path, resume, err));
    ARCHAI_TRY(make_directories(path, err));
    d->path = strdup(path);
    if (d->path == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
    ARCHAI_TRY(take_owner(d, ranks, err));
    d->start = next_start(path, &segments);
    d->resumed = segments || exists(path, "results.h5");
    rc = check_held(d, resume, starts, err);
    if (rc != ARCHAI_OK) {
        archai_rundir_close(d);
        return rc;
    }
    code = join(path, "exit_code");
    if (code != NULL)
        (void)unlink(code); /* absent means: running or killed */
    free(code);
    return ARCHAI_OK;
}

int archai_rundir_write(const archai_rundir *d, const char *name, const char *text, size_t size,
                        archai_err *err)
{
    char *path = join(d->path, name), *beside = NULL;
    int fd = -1, rc = ARCHAI_OK;
    size_t done = 0;

    if (path == NULL || asprintf(&beside, "%s.new", path) < 0) {
        beside = NULL;
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
        goto out;
    }
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", beside, strerror(errno));
        goto out;
    }
    while (done < size) {
        ssize_t n = write(fd, text + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rc = archai_fail(err, ARCHAI_EIO, "%s: %s, %zu bytes missing", path, strerror(errno),
                             size - done);
            goto out;
        }
        done += (size_t)n;
    }
    if (fsync(fd) != 0 || rename(beside, path) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
out:
    if (fd >= 0 && close(fd) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    if (rc != ARCHAI_OK && beside != NULL)
        (void)unlink(beside);
    free(beside);
    free(path);
    return rc;
}

/* Whoever was silent for long, suspended or cut off from the file system, may be taken for dead by
 * another host. A file that cannot be read tells nothing. */
static bool is_mine(const archai_rundir *d)
{
    char *path = join(d->path, "owner"), host[256];
    json_t *owner = path != NULL ? json_load_file(path, 0, NULL) : NULL;
    const char *owner_host;
    json_int_t pid, started;
    bool mine = true;

    host_name(host);
    if (owner != NULL && json_unpack(owner, "{s:s, s:I, s:I}", "host", &owner_host, "pid", &pid,
                                     "process_started", &started) == 0)
        mine = strcmp(owner_host, host) == 0 && pid == (json_int_t)getpid() &&
               started == (json_int_t)process_started(getpid());
    json_decref(owner);
    free(path);
    return mine;
}

int archai_rundir_beat(archai_rundir *d, double now, archai_err *err)
{
    char *text;
    int rc;

    /* A clock that is set back must not silence it. */
    if (!d->held || fabs(now - d->last_beat) < ARCHAI_OWNER_BEAT_S)
        return ARCHAI_OK;
    d->last_beat = now;
    if (!is_mine(d)) {
        d->held = false;
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s: another run has taken it over, since this one gave no sign of life for "
                           "too long",
                           d->path);
    }
    text = owner_text(0);
    if (text == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the heartbeat");
    rc = archai_rundir_write(d, "owner", text, strlen(text), err);
    free(text);
    return rc;
}

static int overwrite(int fd, const char *text)
{
    const ssize_t size = (ssize_t)strlen(text);

    return pwrite(fd, text, (size_t)size, 0) == size && ftruncate(fd, size) == 0 ? 0 : -1;
}

/* On a full disk there is still the room of `owner`, which is needed no more. Where it cannot be
 * renamed either it goes on naming this process, which is soon gone: the directory is free then. */
static int turn_owner_into(archai_rundir *d, const char *name, const char *text)
{
    char *owner = join(d->path, "owner"), *path = join(d->path, name);
    char *as_it_was = owner_text(0);
    int fd = -1, rc = -1;

    if (d->held && owner != NULL && path != NULL)
        fd = open(owner, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && overwrite(fd, text) == 0 && rename(owner, path) == 0)
        rc = 0;
    if (rc == 0)
        d->held = false;
    else if (fd >= 0 && as_it_was != NULL)
        (void)overwrite(fd, as_it_was);
    if (fd >= 0)
        (void)close(fd);
    free(as_it_was);
    free(owner);
    free(path);
    return rc;
}

int archai_rundir_finish(archai_rundir *d, int exit_code, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    char text[16];
    int rc;

    d->held = d->held && is_mine(d);
    if (!d->held) {
        archai_rundir_close(d);
        return ARCHAI_OK;
    }
    (void)snprintf(text, sizeof text, "%d\n", exit_code);
    rc = archai_rundir_write(d, "exit_code", text, strlen(text), &why);
    if (rc == ARCHAI_EIO && turn_owner_into(d, "exit_code", text) == 0)
        rc = ARCHAI_OK;
    if (rc != ARCHAI_OK && err != NULL)
        *err = why;
    archai_rundir_close(d);
    return rc;
}

void archai_rundir_close(archai_rundir *d)
{
    char *path = d->held ? join(d->path, "owner") : NULL;

    if (path != NULL)
        (void)unlink(path);
    free(path);
    free(d->path);
    d->path = NULL;
    d->held = false;
}
