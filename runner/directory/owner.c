/* The file `owner`: which living run holds a results directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "runner/process/clock.h"
#include "runner/directory/rundir_private.h"

static void host_name(char name[256])
{
    if (gethostname(name, 256) != 0)
        (void)snprintf(name, 256, "unknown");
    name[255] = '\0';
}

/* Start time of a process in clock ticks since boot, by which a reused pid is recognised; 0: gone. A zombie
 * counts as gone: it will not write again. */
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
    owner = archai_there(
        json_pack("{s:s, s:I, s:I, s:s, s:s, s:i, s:f}", "host", host, "pid", (json_int_t)getpid(),
                  "process_started", (json_int_t)process_started(getpid()), "job",
                  job != NULL ? job : "", "restart", restart != NULL ? restart : "0", "ranks",
                  ranks, "heartbeat", archai_clock_unix()));
    text = archai_there(json_dumps(owner, JSON_INDENT(1)));
    json_decref(owner);
    return text;
}

/* SLURM restarts a job only after its last start has ended: the `owner` of that start is stale at once,
 * whatever node it names. */
static bool is_earlier_start_of_this_job(const char *job, const char *restart)
{
    const char *mine = getenv("SLURM_JOB_ID"), *count = getenv("SLURM_RESTART_COUNT");

    return mine != NULL && *mine != '\0' && restart != NULL && strcmp(mine, job) == 0 &&
           strcmp(count != NULL ? count : "0", restart) != 0;
}

typedef struct owner_file {
    json_t *json; /* owned; the texts are borrowed from it */
    const char *host, *job, *restart;
    json_int_t pid, started;
    double beat;
    bool is_here; /* on this host */
} owner_file;

/* False: it cannot be read. The caller releases o->json in any case. */
static bool read_owner(const char *path, owner_file *o)
{
    char host[256];

    *o = (owner_file){.json = json_load_file(path, 0, NULL)};
    host_name(host);
    if (o->json == NULL ||
        json_unpack(o->json, "{s:s, s:I, s:I, s:s, s:F, s?s}", "host", &o->host, "pid", &o->pid,
                    "process_started", &o->started, "job", &o->job, "heartbeat", &o->beat, "restart",
                    &o->restart) != 0)
        return false;
    o->is_here = strcmp(o->host, host) == 0;
    return true;
}

/* An unreadable `owner` counts as alive while it is young: its writer may be about to fill it. */
bool archai_rundir_owner_alive(const char *directory, char who[512])
{
    char *path = archai_file_path(directory, "owner");
    owner_file o = {.json = NULL};
    struct stat st;
    bool alive = false;
    double silent;

    if (stat(path, &st) != 0) {
        free(path);
        return false;
    }
    if (read_owner(path, &o)) {
        silent = archai_clock_unix() - o.beat;
        if (o.is_here)
            alive = process_started((long)o.pid) == o.started && o.started != 0;
        else
            alive = silent < ARCHAI_OWNER_SILENT_S && !is_earlier_start_of_this_job(o.job, o.restart);
        /* far in the future: nobody can tell whether it is alive */
        (void)snprintf(who, 512, "process %lld on %s%s%s, last seen %.0f s %s", (long long)o.pid,
                       o.host, *o.job != '\0' ? ", job " : "", o.job, fabs(silent),
                       silent >= -ARCHAI_OWNER_SILENT_S
                           ? "ago"
                           : "in the future: the clocks differ (if it is gone, remove the file owner)");
    } else {
        (void)snprintf(who, 512, "a run that has just started");
        silent = archai_clock_unix() - (double)st.st_mtime;
        alive = fabs(silent) < ARCHAI_OWNER_BEAT_S; /* fabs: the clock may have been set back */
    }
    json_decref(o.json);
    free(path);
    return alive;
}

/* -- taking it ------------------------------------------------------------------------------ */

enum { DRAFT_NAME_MAX = 300 };
static const char draft[] = "owner-draft-", stale[] = "owner-stale-";

/* With the host: processes of two hosts, or containers, may have the same pid. */
static void draft_name(char name[DRAFT_NAME_MAX], const char *kind)
{
    char host[256];

    host_name(host);
    (void)snprintf(name, DRAFT_NAME_MAX, "%s%s-%ld", kind, host, (long)getpid());
}

/* Did a start that was killed, on this host or long ago, leave this file? */
static bool is_left_over(const archai_rundir *d, const char *name)
{
    const char *plain = name + (*name == '.'); /* archai_file_replace() writes .NAME.new first */
    const char *at = strncmp(plain, draft, sizeof draft - 1) == 0   ? plain + sizeof draft - 1
                     : strncmp(plain, stale, sizeof stale - 1) == 0 ? plain + sizeof stale - 1
                                                                    : NULL;
    const char *pid = at != NULL ? strrchr(at, '-') : NULL;
    char host[256], *path;
    struct stat st;
    bool is_old;

    if (pid == NULL)
        return false;
    host_name(host);
    if (strlen(host) == (size_t)(pid - at) && strncmp(host, at, strlen(host)) == 0)
        return process_started(strtol(pid + 1, NULL, 10)) == 0;
    path = archai_file_path(d->path, name);
    is_old = stat(path, &st) == 0 &&
             archai_clock_unix() - (double)st.st_mtime > ARCHAI_OWNER_SILENT_S;
    free(path);
    return is_old;
}

static void sweep(const archai_rundir *d)
{
    DIR *dir = opendir(d->path);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (is_left_over(d, entry->d_name))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
}

/* Move a stale `owner` away. Two starts may see the same stale file at once: if this one has moved the
 * other's new file instead, it puts that back. */
static void remove_stale(const archai_rundir *d, const char *path, ino_t seen)
{
    char name[DRAFT_NAME_MAX];
    char *aside;
    struct stat st;

    draft_name(name, stale);
    aside = archai_file_path(d->path, name);
    if (rename(path, aside) == 0) {
        if (stat(aside, &st) == 0 && st.st_ino != seen)
            (void)link(aside, path);
        (void)unlink(aside);
    }
    free(aside);
}

static bool has_two_names(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_nlink == 2;
}

/* link() of a complete file is atomic on NFS, too, where O_EXCL once was not. */
int archai_rundir_take(archai_rundir *d, archai_err *err)
{
    char *path = archai_file_path(d->path, "owner"), *text = owner_text(d->ranks), *mine;
    char name[DRAFT_NAME_MAX], who[512] = "another run";
    struct stat seen = {0};
    int rc;

    draft_name(name, draft);
    mine = archai_file_path(d->path, name);
    ARCHAI_TRY_GOTO(rc, archai_file_replace(d->path, name, text, strlen(text), err), out);
    for (int attempt = 0; attempt < 2; attempt++) {
        int why = link(mine, path) == 0 ? 0 : errno;

        if (why == EEXIST && has_two_names(mine)) /* NFS repeats a request whose reply was lost */
            why = 0;
        if (why == 0) {
            d->held = true;
            d->last_beat = archai_clock_unix();
            break;
        }
        if (why != EEXIST) {
            rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(why));
            goto out;
        }
        (void)stat(path, &seen);
        if (archai_rundir_owner_alive(d->path, who) || attempt == 1) {
            rc = archai_fail(err, ARCHAI_EEXIST, "%s is held by %s; two runs cannot write to "
                                                 "one directory",
                             d->path, who);
            goto out;
        }
        remove_stale(d, path, seen.st_ino);
    }
    sweep(d);
    rc = archai_file_sync_directory(path, err);
out:
    (void)unlink(mine);
    free(mine);
    free(text);
    free(path);
    return rc;
}

/* A run that was silent for long, suspended or cut off from the file system, may have been taken
 * for dead by another host. */
bool archai_rundir_is_mine(const archai_rundir *d)
{
    char *path = archai_file_path(d->path, "owner");
    owner_file o;
    const bool mine =
        !read_owner(path, &o) || (o.is_here && o.pid == (json_int_t)getpid() &&
                                  o.started == (json_int_t)process_started(getpid()));

    json_decref(o.json);
    free(path);
    return mine;
}

int archai_rundir_beat(archai_rundir *d, double now, archai_err *err)
{
    char *text;
    int rc;

    /* fabs: a clock that is set back must not stop the heartbeat */
    if (!d->held || fabs(now - d->last_beat) < ARCHAI_OWNER_BEAT_S)
        return ARCHAI_OK;
    d->last_beat = now;
    if (!archai_rundir_is_mine(d)) {
        d->held = false;
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s: another run has taken it over, because this one was silent for too "
                           "long",
                           d->path);
    }
    text = owner_text(d->ranks);
    rc = archai_file_replace(d->path, "owner", text, strlen(text), err);
    free(text);
    return rc;
}

static int overwrite(int fd, const char *text)
{
    const ssize_t size = (ssize_t)strlen(text);

    return pwrite(fd, text, (size_t)size, 0) == size && ftruncate(fd, size) == 0 ? 0 : -1;
}

/* On a full disk `owner`, which is no longer needed, still has room for the text. If it cannot be
 * renamed, it still names this process, which is about to end: then the directory is free. */
int archai_rundir_turn_owner_into(archai_rundir *d, const char *name, const char *text)
{
    char *owner = archai_file_path(d->path, "owner"), *path = archai_file_path(d->path, name);
    char *as_it_was = owner_text(d->ranks);
    int fd = -1, rc = -1;

    if (d->held)
        fd = open(owner, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && overwrite(fd, text) == 0 && fsync(fd) == 0 && rename(owner, path) == 0) {
        (void)archai_file_sync_directory(path, NULL);
        d->held = false;
        rc = 0;
    } else if (fd >= 0) {
        (void)overwrite(fd, as_it_was);
    }
    if (fd >= 0)
        (void)close(fd);
    free(as_it_was);
    free(owner);
    free(path);
    return rc;
}
