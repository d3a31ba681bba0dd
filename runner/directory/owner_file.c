#include "runner/directory/owner_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/file.h"
#include "runner/directory/rundir.h"
#include "runner/process/clock.h"

/* -- where a process is -------------------------------------------------------------------- */

static void read_link(const char *path, char out[ARCHAI_PLACE_TEXT])
{
    const ssize_t n = readlink(path, out, ARCHAI_PLACE_TEXT - 1);

    out[n > 0 ? n : 0] = '\0';
}

archai_place archai_place_here(void)
{
    archai_place p = {.host = "unknown"};
    char self[ARCHAI_PLACE_TEXT];
    FILE *in = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (gethostname(p.host, sizeof p.host) != 0)
        (void)strcpy(p.host, "unknown");
    p.host[sizeof p.host - 1] = '\0';
    if (in != NULL) {
        if (fgets(p.boot, sizeof p.boot, in) != NULL)
            p.boot[strcspn(p.boot, "\n")] = '\0';
        (void)fclose(in);
    }
    read_link("/proc/self/ns/pid", p.pid_namespace);
    /* A container may have been given the /proc of its host, which has other numbers. */
    read_link("/proc/self", self);
    p.sees_pids = strtol(self, NULL, 10) == (long)getpid();
    return p;
}

long long archai_process_started(long pid)
{
    char path[64] = "/proc/self/stat", line[1024], *at;
    long long started = 0;
    char state = 'Z';
    FILE *in;

    if (pid != 0)
        (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    in = fopen(path, "re");
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

/* -- the file ------------------------------------------------------------------------------ */

/* JSON has no other. */
static const char *utf8(const char *text)
{
    return text != NULL && archai_is_utf8(text) ? text : "";
}

char *archai_owner_text(int ranks)
{
    const archai_place here = archai_place_here();
    const char *job = getenv("SLURM_JOB_ID"), *restart = getenv("SLURM_RESTART_COUNT");
    json_t *owner;
    char *text;

    owner = archai_there(json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:i, s:f}", "host", utf8(here.host), "boot_id", here.boot,
        "pid_namespace", here.pid_namespace, "pid", (json_int_t)getpid(), "process_started",
        (json_int_t)archai_process_started(0), "job", utf8(job), "restart",
        restart != NULL ? utf8(restart) : "0", "ranks", ranks, "heartbeat", archai_clock_unix()));
    text = archai_there(json_dumps(owner, JSON_INDENT(1)));
    json_decref(owner);
    return text;
}

enum { SIZE_MAX_OF_OWNER = 65536 };

typedef struct content {
    const char *host, *boot, *pid_namespace, *job, *restart; /* borrowed; boot may be NULL */
    json_int_t pid, started;
    double beat;
} content;

/* SLURM restarts a job only after its last start has ended: the `owner` of that start is stale at once,
 * whatever node it names. */
static bool is_earlier_start_of_this_job(const content *o)
{
    const char *mine = getenv("SLURM_JOB_ID"), *count = getenv("SLURM_RESTART_COUNT");

    return mine != NULL && *mine != '\0' && o->restart != NULL && strcmp(mine, o->job) == 0 &&
           strcmp(count != NULL ? count : "0", o->restart) != 0;
}

/* Can its pid be looked up here? */
static bool is_here(const content *o, const archai_place *here)
{
    if (o->boot == NULL || o->pid_namespace == NULL)
        return strcmp(o->host, here->host) == 0;
    return here->sees_pids && *here->boot != '\0' && *here->pid_namespace != '\0' &&
           strcmp(o->boot, here->boot) == 0 && strcmp(o->pid_namespace, here->pid_namespace) == 0;
}

static bool is_mine(const content *o, const archai_place *here)
{
    if (o->pid != (json_int_t)getpid() || o->started != (json_int_t)archai_process_started(0))
        return false;
    if (o->boot == NULL || o->pid_namespace == NULL)
        return strcmp(o->host, here->host) == 0;
    return strcmp(o->boot, here->boot) == 0 &&
           strcmp(o->pid_namespace, here->pid_namespace) == 0;
}

static void judge(const content *o, archai_owner *out)
{
    const archai_place here = archai_place_here();
    const double silent = archai_clock_unix() - o->beat;
    const bool elsewhere = o->boot != NULL && o->pid_namespace != NULL && strcmp(o->host, here.host) == 0 &&
                           strcmp(o->boot, here.boot) == 0 &&
                           strcmp(o->pid_namespace, here.pid_namespace) != 0;

    out->was_read = true;
    out->is_mine = is_mine(o, &here);
    out->beat = o->beat;
    out->pid = o->pid;
    (void)snprintf(out->host, sizeof out->host, "%s", o->host);
    out->is_here = is_here(o, &here);
    if (out->is_here)
        out->state = o->started != 0 && archai_process_started((long)o->pid) == o->started
                         ? ARCHAI_OWNER_ALIVE
                         : ARCHAI_OWNER_DEAD;
    else if (is_earlier_start_of_this_job(o))
        out->state = ARCHAI_OWNER_DEAD;
    else /* a negated comparison: a heartbeat that is no number is one of long ago */
        out->state = silent < ARCHAI_OWNER_SILENT_S ? ARCHAI_OWNER_ALIVE : ARCHAI_OWNER_SILENT;
    /* far in the future: nobody can tell whether it is alive */
    (void)snprintf(out->who, sizeof out->who, "process %lld on %.200s%s%s%.64s, last seen %.0f s %s",
                   (long long)o->pid, o->host, elsewhere ? " (in another pid namespace)" : "",
                   *o->job != '\0' ? ", job " : "", o->job, fabs(silent),
                   silent >= -ARCHAI_OWNER_SILENT_S
                       ? "ago"
                       : "in the future: the clocks differ (if it is gone, remove the file owner)");
}

/* An unreadable `owner` counts as alive while it is young: its writer may be about to fill it. */
static void judge_unreadable(const struct stat *st, archai_owner *out)
{
    const double age = archai_clock_unix() - (double)st->st_mtime;

    (void)snprintf(out->who, sizeof out->who, "a run that has just started");
    /* fabs: the clock may have been set back */
    out->state = fabs(age) < ARCHAI_OWNER_BEAT_S ? ARCHAI_OWNER_ALIVE : ARCHAI_OWNER_DEAD;
}

static json_t *parse(int fd, content *o)
{
    json_t *json = json_loadfd(fd, 0, NULL);

    if (json != NULL &&
        json_unpack(json, "{s:s, s:I, s:I, s:s, s:F, s?s, s?s, s?s}", "host", &o->host, "pid",
                    &o->pid, "process_started", &o->started, "job", &o->job, "heartbeat",
                    &o->beat, "restart", &o->restart, "boot_id", &o->boot, "pid_namespace",
                    &o->pid_namespace) == 0)
        return json;
    json_decref(json);
    return NULL;
}

archai_owner archai_owner_read(const char *directory)
{
    char *path = archai_file_path(directory, "owner");
    /* O_NONBLOCK: a FIFO would wait for its writer, which may be nobody */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    archai_owner out = {.state = ARCHAI_OWNER_ABSENT};
    content o = {.host = NULL};
    json_t *json = NULL;
    struct stat st;

    if (fd >= 0 ? fstat(fd, &st) != 0 : stat(path, &st) != 0 && lstat(path, &st) != 0)
        goto out;
    if (!S_ISREG(st.st_mode))
        out.state = ARCHAI_OWNER_ODD;
    else if (fd >= 0 && st.st_size <= SIZE_MAX_OF_OWNER && (json = parse(fd, &o)) != NULL)
        judge(&o, &out);
    else
        judge_unreadable(&st, &out);
out:
    json_decref(json);
    if (fd >= 0)
        (void)close(fd);
    free(path);
    return out;
}
