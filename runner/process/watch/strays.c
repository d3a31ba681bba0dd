#include "runner/process/watch/strays.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"

static struct {
    pid_t *pids; /* owned; spared */
    size_t n, capacity;
    bool begun;
} spared;

static bool is_spared(pid_t pid)
{
    for (size_t i = 0; i < spared.n; i++)
        if (spared.pids[i] == pid)
            return true;
    return false;
}

void archai_strays_spare(pid_t guard)
{
    ARCHAI_RESERVE(spared.pids, spared.capacity, spared.n + 1);
    spared.pids[spared.n++] = guard;
}

void archai_strays_forget(pid_t guard)
{
    for (size_t i = 0; i < spared.n; i++)
        if (spared.pids[i] == guard)
            spared.pids[i--] = spared.pids[--spared.n];
}

/* -- all processes ------------------------------------------------------------------------- */

typedef struct process {
    pid_t pid, parent, session;
    char state;
} process;

static bool read_process(const char *number, process *p)
{
    char path[300], line[512], *at;
    bool got = false;
    FILE *in;

    (void)snprintf(path, sizeof path, "/proc/%s/stat", number);
    in = fopen(path, "re");
    if (in == NULL)
        return false; /* it has ended */
    if (fgets(line, sizeof line, in) != NULL && (at = strrchr(line, ')')) != NULL)
        got = sscanf(at + 1, " %c %d %*d %d", &p->state, &p->parent, &p->session) == 3;
    (void)fclose(in);
    p->pid = (pid_t)strtol(number, NULL, 10);
    return got;
}

bool archai_strays_sees_pids(void)
{
    char self[32];
    const ssize_t n = readlink("/proc/self", self, sizeof self - 1);

    self[n > 0 ? n : 0] = '\0';
    return strtol(self, NULL, 10) == (long)getpid();
}

typedef void (*visit)(const process *p, void *payload);

static void for_each_process(visit f, void *payload)
{
    DIR *dir = archai_strays_sees_pids() ? opendir("/proc") : NULL;
    struct dirent *entry;
    process p;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &p))
            f(&p, payload);
    if (dir != NULL)
        (void)closedir(dir);
}

static void spare_child(const process *p, void *unused)
{
    (void)unused;
    if (p->parent == getpid())
        archai_strays_spare(p->pid);
}

void archai_strays_begin(void)
{
    if (spared.begun)
        return;
    spared.begun = true;
    for_each_process(spare_child, NULL);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

struct sweep {
    pid_t session;
    bool any;
};

static void end_stray(const process *p, void *payload)
{
    struct sweep *s = payload;
    const bool is_child = p->parent == getpid() && !is_spared(p->pid);

    if (!is_child && (s->session <= 0 || p->session != s->session || is_spared(p->pid)))
        return;
    if (p->state != 'Z')
        (void)kill(p->pid, SIGKILL);
    if (!is_child || waitpid(p->pid, NULL, WNOHANG) == 0)
        s->any = s->any || p->state != 'Z';
}

bool archai_strays_sweep(pid_t session)
{
    struct sweep s = {.session = session};

    if (spared.begun)
        for_each_process(end_stray, &s);
    return s.any;
}
