#include "io/file/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/number.h"

enum { LINE = 8192 };

static const char group_text[] = "the control group", machine_text[] = "this machine";

/* "KEY VALUE" or "KEY: VALUE kB" on a line of a file; false: it is not there. */
static bool read_key(const char *path, const char *key, double *out)
{
    FILE *f = fopen(path, "re");
    char line[LINE];
    bool found = false;

    while (f != NULL && !found && fgets(line, sizeof line, f) != NULL) {
        const size_t n = strlen(key);

        if (strncmp(line, key, n) != 0 || (line[n] != ' ' && line[n] != ':'))
            continue;
        *out = strtod(line + n + 1, NULL) * (line[n] == ':' ? 1024 : 1);
        found = true;
    }
    if (f != NULL)
        (void)fclose(f);
    return found;
}

/* A file that holds one number; "max" and what is as good as that: false. */
static bool read_number(const char *path, double *out)
{
    FILE *f = fopen(path, "re");
    bool found = f != NULL && fscanf(f, "%lf", out) == 1 && *out >= 0 && *out < 0x1p60;

    if (f != NULL)
        (void)fclose(f);
    return found;
}

static void take_least(archai_memory *m, double limit, double left, const char *by)
{
    if (limit < m->limit) {
        m->limit = limit;
        m->limit_by = by;
    }
    if (left < m->free) {
        m->free = left > 0 ? left : 0;
        m->free_by = by;
    }
}

/* -- control groups -------------------------------------------------------------------------- */

/* The names of the files, by version. */
typedef struct group_files {
    const char *limit, *usage, *prefix; /* prefix: of the keys in memory.stat */
} group_files;
static const group_files v1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_"};
static const group_files v2 = {"memory.max", "memory.current", ""};

static bool group_number(const char *directory, const char *name, double *out)
{
    char *path = archai_printf("%s/%s", directory, name);
    const bool found = read_number(path, out);

    free(path);
    return found;
}

static double group_stat(const char *directory, const char *prefix, const char *name)
{
    char *path = archai_printf("%s/memory.stat", directory), *key = archai_printf("%s%s", prefix, name);
    double bytes = 0;

    (void)read_key(path, key, &bytes);
    free(key);
    free(path);
    return bytes;
}

/* Memory of tmpfs and memfds is in none of the two lists: it cannot be dropped. */
static void look_at_group(const char *directory, const group_files *files, archai_memory *m)
{
    double limit, used;

    if (!group_number(directory, files->limit, &limit) ||
        !group_number(directory, files->usage, &used))
        return;
    used -= group_stat(directory, files->prefix, "inactive_file") +
            group_stat(directory, files->prefix, "active_file");
    take_least(m, limit, limit - used, group_text);
}

/* `group` below `mount`, and all above it. */
static void climb(const char *mount, const char *group, const group_files *files, archai_memory *m)
{
    char *path = archai_printf("%s%s", mount, strcmp(group, "/") == 0 ? "" : group);
    const size_t top = strlen(mount);

    for (size_t n = strlen(path);; path[n] = '\0') {
        look_at_group(path, files, m);
        if (n <= top)
            break;
        do
            n--;
        while (n > top && path[n] != '/');
    }
    free(path);
}

/* The path of this process in the hierarchy, from /proc/self/cgroup: "4:memory:/a/b" or "0::/a/b". Caller frees. */
static char *own_group(const char *root, bool is_v2)
{
    char *path = archai_printf("%s/proc/self/cgroup", root), *found = NULL;
    FILE *f = fopen(path, "re");
    char line[LINE];

    while (f != NULL && found == NULL && fgets(line, sizeof line, f) != NULL) {
        char *controllers = strchr(line, ':'), *group;
        bool mine = false;

        line[strcspn(line, "\n")] = '\0';
        if (controllers == NULL || (group = strchr(++controllers, ':')) == NULL)
            continue;
        *group++ = '\0';
        mine = is_v2 && controllers[0] == '\0' && line[0] == '0';
        for (char *save = NULL, *c = strtok_r(controllers, ",", &save); c != NULL && !is_v2;
             c = strtok_r(NULL, ",", &save))
            mine = mine || strcmp(c, "memory") == 0;
        if (mine && group[0] == '/')
            found = archai_strdup(group);
    }
    if (f != NULL)
        (void)fclose(f);
    free(path);
    return found;
}

/* A mount of /proc/self/mountinfo: "id parent dev ROOT MOUNT options ... - TYPE source SUPER". A container sees part
 * of the hierarchy: what is mounted is ROOT of it. */
static void look_at_mount(const char *root, char *line, archai_memory *m)
{
    char *dash = strstr(line, " - "), *fields[5], *save = NULL, *type, *mount, *group;
    bool is_v2;

    if (dash == NULL)
        return;
    *dash = '\0';
    type = dash + 3;
    is_v2 = strncmp(type, "cgroup2 ", 8) == 0;
    if (!is_v2 && (strncmp(type, "cgroup ", 7) != 0 || strstr(type, "memory") == NULL))
        return;
    for (int i = 0; i < 5; i++)
        if ((fields[i] = strtok_r(i == 0 ? line : NULL, " ", &save)) == NULL)
            return;
    group = own_group(root, is_v2);
    if (group == NULL)
        return;
    mount = archai_printf("%s%s", root, fields[4]);
    if (strcmp(fields[3], "/") != 0) {
        const size_t n = strlen(fields[3]);

        if (strncmp(group, fields[3], n) == 0 && (group[n] == '/' || group[n] == '\0'))
            memmove(group, group + n, strlen(group + n) + 1);
        else
            group[0] = '\0'; /* of another namespace: what is mounted is all there is to see */
    }
    climb(mount, group, is_v2 ? &v2 : &v1, m);
    free(mount);
    free(group);
}

static void look_at_groups(const char *root, archai_memory *m)
{
    char *path = archai_printf("%s/proc/self/mountinfo", root);
    FILE *f = fopen(path, "re");
    char line[LINE];

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        look_at_mount(root, line, m);
    if (f != NULL)
        (void)fclose(f);
    free(path);
}

/* -- the machine and the process ------------------------------------------------------------- */

static void look_at_machine(const char *root, archai_memory *m)
{
    char *path = archai_printf("%s/proc/meminfo", root);
    double all = INFINITY, left = INFINITY;

    if (read_key(path, "MemTotal", &all) && read_key(path, "MemAvailable", &left))
        take_least(m, all, left, machine_text);
    free(path);
}

static void look_at_limit(__rlimit_resource_t which, const char *name, double used, archai_memory *m)
{
    struct rlimit own;

    if (getrlimit(which, &own) == 0 && own.rlim_cur != RLIM_INFINITY)
        take_least(m, (double)own.rlim_cur, (double)own.rlim_cur - used, name);
}

static void look_at_process(bool shared, archai_memory *m)
{
    double size = 0, data = 0;

    (void)read_key("/proc/self/status", "VmSize", &size);
    (void)read_key("/proc/self/status", "VmData", &data);
    look_at_limit(RLIMIT_AS, "RLIMIT_AS", size, m);
    if (!shared)
        look_at_limit(RLIMIT_DATA, "RLIMIT_DATA", data, m);
}

void archai_memory_look_below(const char *root, archai_memory *out)
{
    *out = (archai_memory){INFINITY, INFINITY, machine_text, machine_text};
    look_at_groups(root, out);
    look_at_machine(root, out);
}

void archai_memory_look(bool shared, archai_memory *out)
{
    archai_memory_look_below("", out);
    look_at_process(shared, out);
}

int archai_memory_check(const char *what, double bytes, archai_err *err)
{
    char much[ARCHAI_BYTES_TEXT], little[ARCHAI_BYTES_TEXT];
    archai_memory m;

    archai_memory_look(false, &m);
    if (bytes <= m.free)
        return ARCHAI_OK;
    archai_format_bytes(bytes, much);
    archai_format_bytes(m.free, little);
    return archai_fail(err, ARCHAI_EINVAL, "%s needs %s of memory, but %s leaves %s", what, much,
                       m.free_by, little);
}
