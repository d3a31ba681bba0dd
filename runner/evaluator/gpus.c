#include "runner/evaluator/gpus.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum { GPUS_MAX = 1024 };

static void add(archai_gpus *g, char *item)
{
    if (g->n == GPUS_MAX) {
        free(item);
        return;
    }
    g->at = archai_realloc(g->at, g->n + 1, sizeof *g->at);
    g->at[g->n++] = item;
}

static void add_first(archai_gpus *g, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(g, archai_printf("%zu", i));
}

/* -- what exists --------------------------------------------------------------------------- */

/* NVIDIA's driver has a folder for each. */
static size_t count_existing(const char *root)
{
    char *path = archai_printf("%s/proc/driver/nvidia/gpus", root);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        n += entry->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    free(path);
    return n;
}

/* Does a cgroup keep some of the node's GPUs from this process? CUDA then numbers the others from 0. */
static bool is_confined(const char *root, size_t exist)
{
    for (size_t i = 0; i < exist; i++) {
        char *path = archai_printf("%s/dev/nvidia%zu", root, i);
        const int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        const bool refused = fd < 0 && (errno == EPERM || errno == EACCES);

        if (fd >= 0)
            (void)close(fd);
        free(path);
        if (refused)
            return true;
    }
    return false;
}

/* -- what was given ------------------------------------------------------------------------ */

/* CUDA_VISIBLE_DEVICES: CUDA takes no notice of what follows "-1". SLURM's word for none is NoDevFiles. */
static void add_visible(archai_gpus *g, const char *list)
{
    static const char *const none[] = {"-1", "NoDevFiles", "none", "void"};

    while (*list != '\0') {
        const size_t n = strcspn(list, ",");
        size_t from = strspn(list, " \t"), to = n;
        char *item;

        while (to > from && isspace((unsigned char)list[to - 1]))
            to--;
        item = archai_strndup(list + (from < to ? from : to), from < to ? to - from : 0);
        for (size_t i = 0; i < sizeof none / sizeof none[0] && *item != '\0'; i++)
            if (strcasecmp(item, none[i]) == 0)
                *item = '\0';
        if (*item == '\0') {
            free(item);
            return;
        }
        add(g, item);
        list += n;
        list += *list == ',';
    }
}

/* "0,2-3", also between blanks, also as "gpu0": the node's own numbers. */
static void add_numbers(archai_gpus *g, const char *list)
{
    while (*list != '\0') {
        char *end;
        long first, last;

        if (!isdigit((unsigned char)*list)) {
            list++;
            continue;
        }
        first = last = strtol(list, &end, 10);
        if (*end == '-' && isdigit((unsigned char)end[1]))
            last = strtol(end + 1, &end, 10);
        for (long i = first; i <= last && g->n < GPUS_MAX; i++)
            add(g, archai_printf("%ld", i));
        list = end;
    }
}

/* Torque names a file with a line "host-gpu0" for each. */
static void add_file(archai_gpus *g, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[512];

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *number = strstr(line, "-gpu");

        if (number != NULL)
            add_numbers(g, number);
    }
    if (f != NULL)
        (void)fclose(f);
}

static void add_count(archai_gpus *g, const char *text)
{
    const long n = strtol(text, NULL, 10);

    if (n > 0)
        add_first(g, n < GPUS_MAX ? (size_t)n : GPUS_MAX);
}

/* In this order: what is nearest to the process comes first. */
static const struct {
    const char *name;
    void (*add)(archai_gpus *g, const char *value);
} variables[] = {
    {"GPU_DEVICE_ORDINAL", add_visible}, /* SLURM's second copy of CUDA_VISIBLE_DEVICES */
    {"SLURM_STEP_GPUS", add_numbers},
    {"SLURM_JOB_GPUS", add_numbers},
    {"SLURM_GPUS_ON_NODE", add_count},
    {"PBS_GPUFILE", add_file},
    {"SGE_HGR_gpu", add_numbers},
    {"SGE_HGR_cuda", add_numbers},
};

static void given_by_scheduler(archai_gpus *g, const char *root)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0] && g->n == 0; i++) {
        const char *value = getenv(variables[i].name);

        if (value == NULL)
            continue;
        variables[i].add(g, value);
        if (g->n > 0)
            g->given_by = archai_printf("%s=%.100s", variables[i].name, value);
        if (g->n > 0 && variables[i].add != add_visible && is_confined(root, g->exist)) {
            const size_t n = g->n;

            while (g->n > 0)
                free(g->at[--g->n]);
            add_first(g, n);
        }
    }
}

void archai_gpus_find(archai_gpus *g, const char *root)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");

    *g = (archai_gpus){.exist = count_existing(root)};
    if (visible != NULL) {
        add_visible(g, visible);
        if (g->n > 0)
            g->given_by = archai_printf("CUDA_VISIBLE_DEVICES=%.100s", visible);
        return;
    }
    given_by_scheduler(g, root);
    if (g->n == 0)
        add_first(g, g->exist);
}

void archai_gpus_free(archai_gpus *g)
{
    while (g->n > 0)
        free(g->at[--g->n]);
    free(g->at);
    free(g->given_by);
    *g = (archai_gpus){.n = 0};
}
