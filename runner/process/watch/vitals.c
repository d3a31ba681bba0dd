#include "runner/process/watch/vitals.h"

#include <stdio.h>
#include <string.h>

#include "runner/process/clock.h"
#include "runner/process/watch/strays.h"

static const double look_s = 0.1, hung_s = 30, hung_on_disk_s = 300;

/* Processor time, and what was read and written; any change is work. */
static uint64_t read_mark(pid_t pid, bool *on_disk)
{
    char path[64], line[1024], *at;
    unsigned long long user = 0, system = 0, value;
    uint64_t mark = 0;
    char state = '?';
    FILE *in;

    *on_disk = false;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    in = fopen(path, "re");
    if (in == NULL)
        return 0;
    if (fgets(line, sizeof line, in) != NULL && (at = strrchr(line, ')')) != NULL &&
        sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &state, &user,
               &system) == 3)
        mark = user + system;
    (void)fclose(in);
    *on_disk = state == 'D';
    (void)snprintf(path, sizeof path, "/proc/%ld/io", (long)pid);
    in = fopen(path, "re");
    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        if (sscanf(line, "%*[^:]: %llu", &value) == 1)
            mark = mark * 31 + value;
    if (in != NULL)
        (void)fclose(in);
    return mark;
}

void archai_vitals_reset(archai_vitals *v)
{
    *v = (archai_vitals){.since = archai_clock_s()};
}

double archai_vitals_idle(archai_vitals *v, pid_t pid)
{
    const double now = archai_clock_s();
    uint64_t mark;

    if (now - v->looked < look_s)
        return now - v->since;
    v->looked = now;
    mark = pid > 0 ? read_mark(pid, &v->on_disk) : 0;
    if (pid != v->pid || mark != v->mark || !archai_strays_sees_pids()) { /* nobody can tell: it works */
        v->pid = pid;
        v->mark = mark;
        v->since = now;
    }
    return now - v->since;
}

bool archai_vitals_hung(archai_vitals *v, pid_t pid)
{
    return archai_vitals_idle(v, pid) > (v->on_disk ? hung_on_disk_s : hung_s);
}

void archai_vitals_describe(const archai_vitals *v, char *text, unsigned long size)
{
    (void)snprintf(text, size, "has shown no sign of work for %.0f s (it was stopped, or %s)",
                   archai_clock_s() - v->since,
                   v->on_disk ? "its disk does not answer" : "waits for something that does not come");
}
