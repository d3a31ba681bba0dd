#include "runner/rank/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"
#include "runner/process/child.h"
#include "runner/process/cores.h"
#include "runner/rank/comm.h"

/* -- cores --------------------------------------------------------------------------------- */

/* Collective over `node`. */
static int choose_threads(archai_node *n, MPI_Comm node, const archai_config *config, bool evaluates,
                          archai_err *err)
{
    const int64_t chosen = config->evaluator.threads;
    archai_cores mine, *all;
    int size, rc;

    ARCHAI_TRY(archai_mpi(err, MPI_Comm_size(node, &size)));
    archai_cores_read(&mine, evaluates, "");
    all = archai_calloc((size_t)size, sizeof *all);
    rc = archai_mpi(err, MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, node));
    if (rc == ARCHAI_OK)
        n->threads = archai_cores_share(&mine, all, (size_t)size, sysconf(_SC_NPROCESSORS_ONLN));
    free(all);
    if (chosen > 0) /* with more OpenMP's threads would wait for each other */
        n->threads = chosen < archai_thread_limit() ? (int)chosen : archai_thread_limit();
    return rc;
}

/* -- the device ---------------------------------------------------------------------------- */

/* Collective over `node`: how many workers have `key`, of those before this rank and of all. */
static int count_like(MPI_Comm node, uint64_t key, int *before, int *all, archai_err *err)
{
    unsigned long long mine = key, *keys;
    int rank, size, rc;

    *before = *all = 0;
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_rank(node, &rank)));
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_size(node, &size)));
    keys = archai_calloc((size_t)size, sizeof *keys);
    rc = archai_mpi(err, MPI_Allgather(&mine, 1, MPI_UNSIGNED_LONG_LONG, keys, 1, MPI_UNSIGNED_LONG_LONG, node));
    for (int i = 0; i < size && rc == ARCHAI_OK && key != 0; i++) {
        *before += i < rank && keys[i] == key;
        *all += keys[i] == key;
    }
    free(keys);
    return rc;
}

static int choose_device(archai_node *n, MPI_Comm node, const archai_config *config, bool evaluates,
                         archai_err *err)
{
    archai_gpus gpus;
    int place, together, rc;

    archai_gpus_find(&gpus, "");
    rc = count_like(node, evaluates ? archai_device_list(&gpus) | 1 : 0, &place, &together, err);
    if (rc == ARCHAI_OK)
        archai_device_choose(&n->device, &gpus, config, place);
    archai_gpus_free(&gpus);
    return rc;
}

/* Collective over `comm`: if some workers were given GPUs, were all? */
static int check_given(const archai_node *n, MPI_Comm comm, bool evaluates, archai_err *err)
{
    const int mine = evaluates && n->device.given_by != NULL;
    int given = 0;
    char host[256] = "";

    ARCHAI_TRY(archai_mpi(err, MPI_Allreduce(&mine, &given, 1, MPI_INT, MPI_SUM, comm)));
    if (given == 0 || mine || !evaluates)
        return ARCHAI_OK;
    (void)gethostname(host, sizeof host - 1);
    return archai_fail(err, ARCHAI_EINVAL,
                       "evaluator.device: %d of this job's workers were given a GPU, but a worker on %s was not "
                       "(CUDA_VISIBLE_DEVICES and the scheduler's variables name none there); to train on the CPU: "
                       "evaluator.device = cpu",
                       given, host);
}

/* Collective over `node`: several workers on one GPU are allowed, up to evaluator.workers_per_device. */
static int check_sharing(archai_node *n, MPI_Comm node, const archai_config *config, archai_err *err)
{
    const int64_t limit = config->evaluator.workers_per_device;
    int before;

    ARCHAI_TRY(count_like(node, archai_device_identity(&n->device), &before, &n->sharing, err));
    if (limit == 0 || n->sharing <= limit)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL,
                       "evaluator.workers_per_device: %lld, but %d workers of this node are on %.200s; start fewer ranks",
                       (long long)limit, n->sharing, n->device.text);
}

/* Collective over `comm`: what people should know, for rank 0 to say. `why`: of a GPU that is not used. */
static int note_devices(archai_node *n, MPI_Comm comm, const archai_err *why, archai_err *err)
{
    int mine[2] = {n->sharing, n->device.unused}, most[2] = {0, 0};
    char *sharing, *unused;

    ARCHAI_TRY(archai_mpi(err, MPI_Allreduce(mine, most, 2, MPI_INT, MPI_MAX, comm)));
    sharing = most[0] > 1 ? archai_printf("device: up to %d workers share a GPU and its memory\n", most[0])
                          : archai_strdup("");
    unused = most[1] > 0
                 ? archai_printf("ATTENTION: this machine has %d NVIDIA GPU%s, but training runs on the CPU: %.500s "
                                 "(slurm/README.md: GPUs)\n",
                                 most[1], most[1] == 1 ? "" : "s", why->text)
                 : archai_strdup("");
    n->notes = archai_printf("%s%s", sharing, unused);
    free(sharing);
    free(unused);
    return ARCHAI_OK;
}

static int check_precision(const archai_node *n, const archai_config *config, archai_err *err)
{
    if (config->train.precision != ARCHAI_PRECISION_FP16 || strcmp(n->device.kind, "cpu") != 0)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL,
                       "train.precision: fp16 needs a GPU, and candidates are trained on the CPU; bf16 works there");
}

/* Collective over `comm`, of which `node` is a part. Every rank returns the same code. */
static int try_device(archai_node *n, MPI_Comm comm, MPI_Comm node, const archai_config *config,
                      bool evaluates, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    rc = archai_comm_agree(comm, check_given(n, comm, evaluates, err), err);
    if (rc == ARCHAI_OK) {
        rc = evaluates ? archai_device_try(&n->device, &why, err) : ARCHAI_OK;
        if (rc == ARCHAI_OK && evaluates)
            rc = check_precision(n, config, err);
        rc = archai_comm_agree(comm, rc, err);
    }
    if (rc == ARCHAI_OK)
        rc = archai_comm_agree(comm, check_sharing(n, node, config, err), err);
    ARCHAI_TRY(rc);
    (void)archai_comm_agree(comm, why.code, &why); /* everyone knows the first reason */
    return archai_comm_agree(comm, note_devices(n, comm, &why, err), err);
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
    /* In a separate container the number may belong to another process, and this may be its pipe. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
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

static int init(archai_node *n, MPI_Comm node, const archai_config *config, bool evaluates, archai_err *err)
{
    ARCHAI_TRY(choose_threads(n, node, config, evaluates, err));
    return choose_device(n, node, config, evaluates, err);
}

int archai_node_init(archai_node *n, MPI_Comm comm, const archai_config *config, bool evaluates, bool tries,
                     const archai_dataset_source *data, archai_err *err)
{
    MPI_Comm node = MPI_COMM_NULL;
    int rc;

    *n = (archai_node)ARCHAI_NODE_INIT;
    rc = archai_mpi(err,
                    MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
    if (rc == ARCHAI_OK)
        rc = init(n, node, config, evaluates, err);
    rc = archai_comm_agree(comm, rc, err);
    if (rc == ARCHAI_OK && tries)
        rc = try_device(n, comm, node, config, evaluates, err);
    if (rc == ARCHAI_OK && data != NULL)
        rc = archai_comm_agree(comm, share_data(node, data, evaluates, &n->data_fd, err), err);
    if (node != MPI_COMM_NULL)
        (void)archai_mpi(NULL, MPI_Comm_free(&node));
    if (rc != ARCHAI_OK)
        archai_node_fini(n);
    return rc;
}

void archai_node_fini(archai_node *n)
{
    archai_fd_close(&n->data_fd);
    archai_device_free(&n->device);
    free(n->notes);
    *n = (archai_node)ARCHAI_NODE_INIT;
}
