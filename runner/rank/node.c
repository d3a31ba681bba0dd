#include "runner/rank/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"
#include "runner/process/child.h"
#include "runner/rank/comm.h"

/* -- GPUs ---------------------------------------------------------------------------------- */

/* The GPUs that NVIDIA's driver lists. */
static int count_gpus(void)
{
    DIR *dir = opendir("/proc/driver/nvidia/gpus");
    const struct dirent *entry;
    int n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        n += entry->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

char *archai_node_pick_gpu(const char *list, int index)
{
    int n = 1;

    if (*list == '\0' || strcmp(list, "-1") == 0)
        return NULL;
    for (const char *c = list; *c != '\0'; c++)
        n += *c == ',';
    for (int skip = index % n; skip > 0; skip--)
        list = strchr(list, ',') + 1;
    return archai_strndup(list, strcspn(list, ","));
}

/* The scheduler's CUDA_VISIBLE_DEVICES says what this job may use; without it, all GPUs of the node. */
static void choose_device(archai_node *n, const archai_config *config, int worker)
{
    const char *allowed = getenv("CUDA_VISIBLE_DEVICES");
    const int n_gpus = allowed == NULL ? count_gpus() : 0;

    n->device = "cpu";
    if (config->evaluator.device == ARCHAI_DEVICE_CPU)
        return;
    if (allowed != NULL)
        n->gpu = archai_node_pick_gpu(allowed, worker);
    else if (n_gpus > 0)
        n->gpu = archai_printf("%d", worker % n_gpus);
    if (n->gpu != NULL || config->evaluator.device == ARCHAI_DEVICE_CUDA)
        n->device = "cuda";
}

/* -- cores --------------------------------------------------------------------------------- */

static int bound_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

/* A rank that is bound to cores uses those; otherwise the node's cores are shared out. */
static int choose_threads(const archai_config *config, int workers)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const int cores = bound_cores();
    const int share = online > 0 && workers > 0 ? (int)(online / workers) : 1;
    const int threads = cores < share ? cores : share;

    if (config->evaluator.threads > 0)
        return (int)config->evaluator.threads;
    return threads > 1 ? threads : 1;
}

/* -- data ---------------------------------------------------------------------------------- */

/* With this the others open the leader's memory and recognise it. */
typedef struct data_ticket {
    int rc;
    int fd;
    long pid;
    unsigned long long inode, size;
} data_ticket;

static int load(const archai_dataset_source *data, int *fd, data_ticket *ticket, archai_err *err)
{
    struct stat st;

    ARCHAI_TRY(archai_dataset_load(data, fd, err));
    if (fstat(*fd, &st) != 0)
        return archai_fail(err, ARCHAI_EIO, "data set: %s", strerror(errno));
    ticket->fd = *fd;
    ticket->pid = (long)getpid();
    ticket->inode = (unsigned long long)st.st_ino;
    ticket->size = (unsigned long long)st.st_size;
    return ARCHAI_OK;
}

static int open_shared(const data_ticket *ticket)
{
    char path[64];
    struct stat st;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", ticket->pid, ticket->fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    /* In a separate container the number may belong to another process. */
    if (fd >= 0 && (fstat(fd, &st) != 0 || (unsigned long long)st.st_ino != ticket->inode ||
                    (unsigned long long)st.st_size != ticket->size))
        archai_fd_close(&fd);
    return fd;
}

/* Collective over `node`. A rank that cannot share the memory loads a copy. */
static int share_data(MPI_Comm node, const archai_dataset_source *data, bool evaluates, int *fd,
                      archai_err *err)
{
    data_ticket ticket = {.fd = -1};
    archai_err local = ARCHAI_ERR_INIT;
    int rank;

    ARCHAI_TRY(archai_mpi(err, MPI_Comm_rank(node, &rank)));
    if (rank == 0)
        ticket.rc = load(data, fd, &ticket, &local);
    ARCHAI_TRY(archai_comm_share(node, 0, &ticket, sizeof ticket, err));
    if (ticket.rc != ARCHAI_OK) {
        if (rank == 0 && err != NULL)
            *err = local;
        return rank == 0 ? ticket.rc : ARCHAI_OK; /* the leader speaks for its node */
    }
    if (rank == 0 || !evaluates)
        return ARCHAI_OK;
    *fd = open_shared(&ticket);
    return *fd >= 0 ? ARCHAI_OK : archai_dataset_load(data, fd, err);
}

/* -- all together -------------------------------------------------------------------------- */

static int init(archai_node *n, MPI_Comm node, const archai_config *config, bool evaluates,
                const archai_dataset_source *data, archai_err *err)
{
    const int mine = evaluates;
    int before = 0, workers = 0;

    ARCHAI_TRY(archai_mpi(err, MPI_Scan(&mine, &before, 1, MPI_INT, MPI_SUM, node)));
    ARCHAI_TRY(archai_mpi(err, MPI_Allreduce(&mine, &workers, 1, MPI_INT, MPI_SUM, node)));
    n->threads = choose_threads(config, workers);
    choose_device(n, config, before > 0 ? before - 1 : 0);
    return data != NULL ? share_data(node, data, evaluates, &n->data_fd, err) : ARCHAI_OK;
}

int archai_node_init(archai_node *n, MPI_Comm comm, const archai_config *config, bool evaluates,
                     const archai_dataset_source *data, archai_err *err)
{
    MPI_Comm node = MPI_COMM_NULL;
    int rc;

    *n = (archai_node)ARCHAI_NODE_INIT;
    rc = archai_mpi(err,
                    MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
    if (rc == ARCHAI_OK)
        rc = init(n, node, config, evaluates, data, err);
    if (node != MPI_COMM_NULL)
        (void)archai_mpi(NULL, MPI_Comm_free(&node));
    rc = archai_comm_agree(comm, rc, err);
    if (rc != ARCHAI_OK)
        archai_node_fini(n);
    return rc;
}

void archai_node_fini(archai_node *n)
{
    archai_fd_close(&n->data_fd);
    free(n->gpu);
    *n = (archai_node)ARCHAI_NODE_INIT;
}
