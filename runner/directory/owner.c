/* The file `owner`: which living run holds a results directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "runner/directory/owner_file.h"
#include "runner/directory/rundir_private.h"
#include "runner/process/clock.h"

/* -- judging it ----------------------------------------------------------------------------- */

bool archai_rundir_owner_alive(const char *directory, char who[512])
{
    const archai_owner o = archai_owner_read(directory);

    if (*o.who != '\0')
        memcpy(who, o.who, sizeof o.who);
    return o.state == ARCHAI_OWNER_ALIVE;
}

/* ARCHAI_OK: nobody alive, as far as one look can tell. */
static int refuse(const char *directory, const archai_owner *o, archai_err *err)
{
    if (o->state == ARCHAI_OWNER_ODD)
        return archai_fail(err, ARCHAI_EINVAL,
                           "%s/owner: not a regular file, expected what a run wrote there", directory);
    if (o->state == ARCHAI_OWNER_ALIVE)
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s is held by %s%s; two runs cannot write to one directory", directory, o->who,
                           o->was_read && !o->is_here ? " (a run elsewhere counts as dead after two minutes of silence)"
                                                      : "");
    return ARCHAI_OK;
}

int archai_rundir_owner_check(const char *directory, archai_err *err)
{
    const archai_owner o = archai_owner_read(directory);

    return refuse(directory, &o, err);
}

/* What this process has watched in vain: once is enough for a start. */
static struct {
    double beat;
    json_int_t pid;
    char host[ARCHAI_PLACE_TEXT];
} watched = {.pid = -1};

static bool is_watched(const archai_owner *o)
{
    return o->pid == watched.pid && o->beat == watched.beat && strcmp(o->host, watched.host) == 0;
}

/* Another host's clock may be minutes behind: a heartbeat that looks old but changes is alive. */
int archai_rundir_watch(const char *directory, FILE *say, const archai_interrupt *interrupt,
                        archai_err *err)
{
    static const double watch_s = 2 * ARCHAI_OWNER_BEAT_S + 1;
    const struct timespec pause = {.tv_nsec = 200000000};
    const archai_owner first = archai_owner_read(directory);
    const double end = archai_clock_s() + watch_s;

    if (first.state != ARCHAI_OWNER_SILENT || is_watched(&first))
        return refuse(directory, &first, err);
    if (say != NULL)
        (void)fprintf(say, "%s: %s; is it dead, or is its clock late? Watching it for %.0f s\n",
                      directory, first.who, watch_s);
    while (archai_clock_s() < end) {
        archai_owner o;

        if (interrupt != NULL)
            ARCHAI_TRY(interrupt->check(interrupt->payload, err));
        (void)nanosleep(&pause, NULL);
        o = archai_owner_read(directory);
        if (o.state != ARCHAI_OWNER_SILENT)
            return refuse(directory, &o, err);
        if (o.beat != first.beat)
            return archai_fail(err, ARCHAI_EEXIST,
                               "%s is held by %s, and yet alive: its heartbeat was renewed while this start "
                               "watched it, so the clocks differ; two runs cannot write to one directory",
                               directory, o.who);
    }
    watched.beat = first.beat;
    watched.pid = first.pid;
    memcpy(watched.host, first.host, sizeof watched.host);
    return ARCHAI_OK;
}

/* -- taking it ------------------------------------------------------------------------------ */

enum { DRAFT_NAME_MAX = 300 };
static const char draft[] = "owner-draft-", stale[] = "owner-stale-";

/* HOST-NAMESPACE: processes of two hosts, or of two containers, may have the same pid. */
static void place_name(char name[DRAFT_NAME_MAX], bool is_old)
{
    const archai_place here = archai_place_here();
    const char *digits = here.pid_namespace + strcspn(here.pid_namespace, "0123456789");

    (void)snprintf(name, DRAFT_NAME_MAX, is_old ? "%.200s" : "%.200s-%.*s", here.host,
                   (int)strspn(digits, "0123456789"), digits);
}

static void draft_name(char name[DRAFT_NAME_MAX], const char *kind)
{
    char place[DRAFT_NAME_MAX];

    place_name(place, false);
    (void)snprintf(name, DRAFT_NAME_MAX, "%s%.250s-%ld", kind, place, (long)getpid());
}

static bool is_place(const char *text, size_t n, bool is_old)
{
    char place[DRAFT_NAME_MAX];

    place_name(place, is_old);
    return strlen(place) == n && strncmp(place, text, n) == 0;
}

static bool is_gone(const char *pid)
{
    const long number = strtol(pid, NULL, 10);

    return archai_place_here().sees_pids && (number <= 0 || archai_process_started(number) == 0);
}

/* Did a start that was killed, in this place or long ago, leave this file? An earlier version named the host
 * alone. */
static bool is_left_over(const archai_rundir *d, const char *name)
{
    const char *plain = name + (*name == '.'); /* archai_file_replace() writes .NAME.new first */
    const char *at = strncmp(plain, draft, sizeof draft - 1) == 0   ? plain + sizeof draft - 1
                     : strncmp(plain, stale, sizeof stale - 1) == 0 ? plain + sizeof stale - 1
                                                                    : NULL;
    const char *pid = at != NULL ? strrchr(at, '-') : NULL;
    char *path;
    struct stat st;
    bool is_old;

    if (pid == NULL)
        return false;
    if (is_place(at, (size_t)(pid - at), false) || is_place(at, (size_t)(pid - at), true))
        return is_gone(pid + 1);
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
    char *path = archai_file_path(d->path, "owner"), *text = archai_owner_text(d->ranks), *mine;
    char name[DRAFT_NAME_MAX];
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
            d->renewed_at = archai_clock_s();
            break;
        }
        if (why != EEXIST) {
            rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(why));
            goto out;
        }
        (void)stat(path, &seen);
        ARCHAI_TRY_GOTO(rc, archai_rundir_watch(d->path, NULL, NULL, err), out);
        if (attempt == 1) {
            rc = archai_fail(err, ARCHAI_EEXIST, "%s: another run has taken it at the same moment; two runs "
                                                 "cannot write to one directory",
                             d->path);
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
 * for dead. `owner` may be gone again when it wakes: then later segments tell of the other run. */
static bool is_mine(const archai_rundir *d, archai_owner *o)
{
    *o = archai_owner_read(d->path);
    if (o->was_read)
        return o->is_mine;
    return archai_rundir_starts(d->path) <= d->start + 1;
}

bool archai_rundir_is_mine(const archai_rundir *d)
{
    archai_owner o;

    return is_mine(d, &o);
}

int archai_rundir_beat(archai_rundir *d, double now, archai_err *err)
{
    archai_owner o;
    char *text;
    int rc;

    /* fabs: a clock that is set back must not stop the heartbeat */
    if (!d->held || fabs(now - d->last_beat) < ARCHAI_OWNER_BEAT_S)
        return ARCHAI_OK;
    d->last_beat = now;
    if (!is_mine(d, &o)) {
        d->held = false;
        return archai_fail(err, ARCHAI_EEXIST,
                           "%s: another run has taken it over%s%.300s; this one had last renewed its heartbeat "
                           "%.0f s before it saw that",
                           d->path, o.was_read ? ": " : "", o.who, archai_clock_s() - d->renewed_at);
    }
    text = archai_owner_text(d->ranks);
    rc = archai_file_replace(d->path, "owner", text, strlen(text), err);
    if (rc == ARCHAI_OK)
        d->renewed_at = archai_clock_s();
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
    char *as_it_was = archai_owner_text(d->ranks);
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
