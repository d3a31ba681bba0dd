#include "runner/process/cores.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"

/* -- CPU quotas ---------------------------------------------------------------------------- */

/* Cores by cgroup v2's "max 100000" or "150000 100000". */
static bool read_cpu_max(const char *folder, double *cores)
{
    char *path = archai_printf("%s/cpu.max", folder);
    FILE *f = fopen(path, "re");
    double quota, period;
    const bool is = f != NULL && fscanf(f, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0;

    if (is)
        *cores = quota / period;
    if (f != NULL)
        (void)fclose(f);
    free(path);
    return is;
}

static bool read_number(const char *folder, const char *name, double *out)
{
    char *path = archai_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    const bool is = f != NULL && fscanf(f, "%lf", out) == 1;

    if (f != NULL)
        (void)fclose(f);
    free(path);
    return is;
}

/* And by v1's two files; a quota of -1 is none. */
static bool read_cfs(const char *folder, double *cores)
{
    double quota, period;

    if (!read_number(folder, "cpu.cfs_quota_us", &quota) ||
        !read_number(folder, "cpu.cfs_period_us", &period) || quota <= 0 || period <= 0)
        return false;
    *cores = quota / period;
    return true;
}

static void add_quota(archai_cores *c, const char *folder, bool v2)
{
    archai_quota q = {.cores = 0};
    struct stat st;

    if (c->n_quotas == ARCHAI_QUOTAS_MAX || stat(folder, &st) != 0 ||
        !(v2 ? read_cpu_max : read_cfs)(folder, &q.cores))
        return;
    q.device = (uint64_t)st.st_dev;
    q.inode = (uint64_t)st.st_ino;
    c->quotas[c->n_quotas++] = q;
}

/* The folder `path` below `mount`, and those above it up to the mount. */
static void add_quotas(archai_cores *c, const char *mount, const char *path, bool v2)
{
    char *folder = archai_printf("%s%s", mount, path);
    const size_t top = strlen(mount);

    for (;;) {
        char *slash;

        add_quota(c, folder, v2);
        slash = strrchr(folder, '/');
        if (slash == NULL || slash < folder + top)
            break;
        *slash = '\0';
    }
    free(folder);
}

static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

/* The own cgroup in the hierarchy of v2, or in v1's that has the controller cpu: "4:cpu,cpuacct:/a/b", "0::/a/b".
 * Caller frees; NULL: there is none. */
static char *own_cgroup(const char *root, bool v2)
{
    char *name = archai_printf("%s/proc/self/cgroup", root);
    FILE *f = fopen(name, "re");
    char *line = NULL, *out = NULL;
    size_t size = 0;

    while (f != NULL && out == NULL && getline(&line, &size, f) > 0) {
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

        if (path == NULL)
            continue;
        *path++ = '\0';
        controllers++;
        path[strcspn(path, "\n")] = '\0';
        if (v2 ? *controllers == '\0' : has_word(controllers, "cpu"))
            out = archai_strdup(path);
    }
    if (f != NULL)
        (void)fclose(f);
    free(line);
    free(name);
    return out;
}

/* Fields of a line of mountinfo: "36 35 98:0 /root /where rw,x shared:1 - cgroup2 what rw,cpu" (man 5 proc). */
typedef struct mounted {
    char *root, *where, *type, *options;
} mounted;

static bool parse_mount(char *line, mounted *m)
{
    char *field[5], *rest = strstr(line, " - "), *save = NULL;

    if (rest == NULL)
        return false;
    *rest = '\0';
    for (int i = 0; i < 5; i++)
        if ((field[i] = strtok_r(i == 0 ? line : NULL, " ", &save)) == NULL)
            return false;
    m->root = field[3];
    m->where = field[4];
    m->type = strtok_r(rest + 3, " ", &save);
    m->options = strtok_r(NULL, " ", &save) != NULL ? strtok_r(NULL, " \n", &save) : NULL;
    return m->type != NULL && m->options != NULL;
}

/* Only a part of the hierarchy may be mounted (in a container), and the own cgroup may lie outside of it: then what is
 * mounted is the nearest that can be seen. */
static const char *below(const char *cgroup, const char *root)
{
    const size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(cgroup, root, n) != 0 || (cgroup[n] != '/' && cgroup[n] != '\0') ||
        strncmp(cgroup, "/..", 3) == 0)
        return "";
    return strcmp(cgroup + n, "/") == 0 ? "" : cgroup + n;
}

static void read_quotas(archai_cores *c, const char *root)
{
    char *name = archai_printf("%s/proc/self/mountinfo", root);
    char *cgroup[2] = {own_cgroup(root, false), own_cgroup(root, true)};
    FILE *f = fopen(name, "re");
    char *line = NULL;
    size_t size = 0;

    while (f != NULL && getline(&line, &size, f) > 0) {
        mounted m;
        bool v2;

        if (!parse_mount(line, &m))
            continue;
        v2 = strcmp(m.type, "cgroup2") == 0;
        if ((v2 || (strcmp(m.type, "cgroup") == 0 && has_word(m.options, "cpu"))) &&
            cgroup[v2] != NULL) {
            char *where = archai_printf("%s%s", root, m.where);

            add_quotas(c, where, below(cgroup[v2], m.root), v2);
            free(where);
        }
    }
    if (f != NULL)
        (void)fclose(f);
    free(line);
    free(cgroup[0]);
    free(cgroup[1]);
    free(name);
}

/* -- all together -------------------------------------------------------------------------- */

void archai_cores_read(archai_cores *c, bool evaluates, const char *root)
{
    cpu_set_t *set = CPU_ALLOC(ARCHAI_CORES_MAX);
    const size_t size = CPU_ALLOC_SIZE(ARCHAI_CORES_MAX);

    *c = (archai_cores){.evaluates = evaluates};
    if (set != NULL && sched_getaffinity(0, size, set) == 0)
        for (size_t i = 0; i < ARCHAI_CORES_MAX; i++)
            if (CPU_ISSET_S(i, size, set))
                c->mask[i / 64] |= UINT64_C(1) << (i % 64);
    CPU_FREE(set);
    read_quotas(c, root);
}

/* A core that k evaluators may run on counts 1/k. */
static double share_of_mask(const archai_cores *mine, const archai_cores *all, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < ARCHAI_CORES_MAX; i++) {
        const uint64_t bit = UINT64_C(1) << (i % 64);
        int sharing = 0;

        if ((mine->mask[i / 64] & bit) == 0)
            continue;
        for (size_t r = 0; r < n; r++)
            sharing += all[r].evaluates && (all[r].mask[i / 64] & bit) != 0;
        sum += 1.0 / (sharing > 0 ? sharing : 1);
    }
    return sum > 0 ? sum : INFINITY;
}

static bool is_under(const archai_cores *c, const archai_quota *q)
{
    for (int i = 0; i < c->n_quotas; i++)
        if (c->quotas[i].device == q->device && c->quotas[i].inode == q->inode)
            return true;
    return false;
}

int archai_cores_share(const archai_cores *mine, const archai_cores *all, size_t n, long online)
{
    double share = share_of_mask(mine, all, n);
    size_t evaluators = 0;

    for (size_t r = 0; r < n; r++)
        evaluators += all[r].evaluates != 0;
    if (online > 0 && evaluators > 0)
        share = fmin(share, (double)online / (double)evaluators);
    for (int i = 0; i < mine->n_quotas; i++) {
        int sharing = 0;

        for (size_t r = 0; r < n; r++)
            sharing += all[r].evaluates && is_under(&all[r], &mine->quotas[i]);
        share = fmin(share, mine->quotas[i].cores / (sharing > 0 ? sharing : 1));
    }
    share = fmin(share + 1e-9, archai_thread_limit()); /* three thirds are one */
    return share >= 1 ? (int)share : 1;
}

int archai_thread_limit(void)
{
    const char *text = getenv("OMP_THREAD_LIMIT");
    char *end;
    long limit;

    if (text == NULL)
        return INT_MAX;
    errno = 0;
    limit = strtol(text, &end, 10);
    while (isspace((unsigned char)*end))
        end++;
    if (end == text || *end != '\0' || limit < 1 || errno != 0 || limit > INT_MAX)
        return INT_MAX; /* OpenMP takes no notice of it either */
    return (int)limit;
}
