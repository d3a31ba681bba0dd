#include "io/file/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/wire/message.h"

enum { MAX_EPOCHS = 1 << 24 };

/* -- files --------------------------------------------------------------------------------- */

bool archai_tensor_is_state(const char *name)
{
    return strncmp(name, ARCHAI_STATE_PREFIX, strlen(ARCHAI_STATE_PREFIX)) == 0;
}

static char *file_path(const char *directory, int64_t id)
{
    return archai_printf("%s/checkpoint-%" PRId64 ".safetensors", directory, id);
}

static char *command_path(const char *directory, int64_t id)
{
    return archai_printf("%s/checkpoint-%" PRId64 ".command", directory, id);
}

void archai_checkpoint_remove(const char *directory, int64_t id)
{
    char *paths[] = {command_path(directory, id), file_path(directory, id)};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        (void)unlink(paths[i]);
        free(paths[i]);
    }
}

/* The id in a checkpoint's file name; -1: not a checkpoint. *whole: nothing follows the ending. */
static int64_t id_of(const char *name, bool *whole)
{
    int64_t id;
    int n = 0;

    if (sscanf(name, "checkpoint-%18" SCNd64 ".safetensors%n", &id, &n) != 1 || n == 0 || id < 0)
        return -1;
    *whole = name[n] == '\0';
    return id;
}

/* A checkpoint of a user's program, or a file beside it that the program was about to rename. */
static bool is_commands(const char *name)
{
    int64_t id;
    int n = 0;

    return sscanf(name, "checkpoint-%18" SCNd64 ".command%n", &id, &n) == 1 && n > 0 && id >= 0;
}

void archai_checkpoints_sweep(const char *directory, bool only_unfinished)
{
    DIR *d = opendir(directory);
    struct dirent *e;
    bool whole;

    while (d != NULL && (e = readdir(d)) != NULL)
        if ((id_of(e->d_name, &whole) >= 0 && !(whole && only_unfinished)) ||
            (is_commands(e->d_name) && !only_unfinished))
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL)
        (void)closedir(d);
}

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

int archai_checkpoints_list(const char *directory, int64_t **ids, size_t *n, archai_err *err)
{
    DIR *d = opendir(directory);
    size_t capacity = 0;
    struct dirent *e;

    *ids = NULL;
    *n = 0;
    if (d == NULL)
        return archai_fail(err, ARCHAI_EIO, "%s: %s", directory, strerror(errno));
    while ((e = readdir(d)) != NULL) {
        bool whole = false;
        const int64_t id = id_of(e->d_name, &whole);

        if (id < 0 || !whole)
            continue;
        ARCHAI_RESERVE(*ids, capacity, *n + 1);
        (*ids)[(*n)++] = id;
    }
    (void)closedir(d);
    if (*n > 0)
        qsort(*ids, *n, sizeof **ids, ascending);
    return ARCHAI_OK;
}

/* -- writing ------------------------------------------------------------------------------- */

static uint32_t fold(uint32_t crc, const void *data, size_t n)
{
    return n > 0 ? (uint32_t)crc32_z(crc, data, n) : crc; /* zlib starts over if data is NULL */
}

int64_t archai_checkpoint_sum(const archai_tensor *at, size_t n)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < n; i++) {
        const int32_t head[2] = {(int32_t)at[i].dtype, at[i].ndim};

        crc = fold(crc, at[i].name, strlen(at[i].name) + 1);
        crc = fold(crc, head, sizeof head);
        crc = fold(crc, at[i].shape, (size_t)at[i].ndim * sizeof *at[i].shape);
        crc = fold(crc, at[i].data, at[i].bytes);
    }
    return crc;
}

static archai_tensor vector(const char *name, archai_dtype dtype, const void *data, size_t n)
{
    return (archai_tensor){.name = (char *)(uintptr_t)name,
                           .dtype = dtype,
                           .ndim = 1,
                           .shape = {(int64_t)n},
                           .data = data,
                           .bytes = n * archai_dtype_size(dtype)};
}

static int write_file(const char *path, const archai_tensor *at, size_t n, archai_err *err)
{
    char *beside;
    uint32_t draw;
    int fd, rc;

    /* Two ranks may write for one candidate: one that was given up may still be alive. Not
     * mkostemp, whose file only its owner can read: others of the group may resume the run. */
    if (getrandom(&draw, sizeof draw, 0) != (ssize_t)sizeof draw)
        return archai_fail(err, ARCHAI_EIO, "no random bytes for a file name");
    beside = archai_printf("%s.%ld-%08" PRIx32, path, (long)getpid(), draw);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    else
        rc = archai_safetensors_write(fd, at, n, err);
    if (fd >= 0 && close(fd) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    if (rc == ARCHAI_OK)
        rc = archai_file_publish(beside, path, err);
    if (rc != ARCHAI_OK)
        (void)unlink(beside);
    free(beside);
    return rc;
}

int archai_checkpoint_write(const char *directory, const archai_trial *c, int64_t epoch,
                            int64_t epochs, double train_seconds, const archai_tensor *state,
                            size_t n_state, const archai_curve *curves, size_t n_curves,
                            archai_err *err)
{
    const archai_message work = {.type = ARCHAI_MSG_WORK,
                                 .candidates = (archai_trial *)(uintptr_t)c,
                                 .n_candidates = 1};
    const int64_t about[ARCHAI_ABOUT] = {c->id, (int64_t)c->seed, epoch, epochs};
    archai_tensor *all;
    char **names, *path;
    archai_buffer packed = {0};
    size_t n = n_state;
    int64_t crc;
    int rc;

    ARCHAI_TRY(archai_message_pack(&work, &packed, err));
    all = archai_calloc(n_state + n_curves + 5, sizeof *all);
    names = archai_calloc(n_curves, sizeof *names);
    path = file_path(directory, c->id);
    if (n_state > 0)
        memcpy(all, state, n_state * sizeof *all);
    all[n++] = vector("archai:about", ARCHAI_I64, about, ARCHAI_ABOUT);
    all[n++] = vector("archai:arch", ARCHAI_U8, c->arch, strlen(c->arch));
    all[n++] = vector("archai:candidate", ARCHAI_U8, packed.data, packed.size);
    all[n++] = vector("archai:seconds", ARCHAI_F64, &train_seconds, 1);
    for (size_t i = 0; i < n_curves; i++) {
        names[i] = archai_printf("archai:curve:%s", curves[i].name);
        all[n++] = vector(names[i], ARCHAI_F32, curves[i].values, (size_t)epoch);
    }
    crc = archai_checkpoint_sum(all, n);
    all[n++] = vector("archai:crc", ARCHAI_I64, &crc, 1);
    rc = write_file(path, all, n, err);
    for (size_t i = 0; i < n_curves; i++)
        free(names[i]);
    free(names);
    free(all);
    free(path);
    archai_buffer_free(&packed);
    return rc;
}

/* -- reading: nothing is trusted ----------------------------------------------------------- */

static const archai_tensor *find(const archai_tensors *t, const char *name, archai_dtype dtype,
                                 size_t bytes)
{
    const archai_tensor *at = archai_tensors_find(t, name);

    return at != NULL && at->dtype == dtype && (bytes == 0 || at->bytes == bytes) ? at : NULL;
}

int archai_checkpoint_check(archai_checkpoint *k, archai_err *err)
{
    const archai_tensors *t = &k->file;
    const archai_tensor *about, *seconds, *crc;
    int64_t values[ARCHAI_ABOUT], sum;

    about = find(t, "archai:about", ARCHAI_I64, sizeof values);
    seconds = find(t, "archai:seconds", ARCHAI_F64, sizeof k->train_seconds);
    crc = find(t, "archai:crc", ARCHAI_I64, sizeof sum);
    k->arch = find(t, "archai:arch", ARCHAI_U8, 0);
    k->candidate = find(t, "archai:candidate", ARCHAI_U8, 0);
    if (about == NULL || seconds == NULL || k->arch == NULL || k->candidate == NULL ||
        crc == NULL || crc != &t->at[t->n - 1])
        return archai_fail(err, ARCHAI_EFORMAT, "not a checkpoint, or an incomplete one");
    memcpy(&sum, crc->data, sizeof sum);
    if (sum != archai_checkpoint_sum(t->at, t->n - 1))
        return archai_fail(err, ARCHAI_EFORMAT, "damaged: its checksum is wrong");
    memcpy(values, about->data, sizeof values);
    memcpy(&k->train_seconds, seconds->data, sizeof k->train_seconds);
    k->id = values[0];
    k->seed = (uint64_t)values[1];
    k->epoch = values[2];
    k->epochs = values[3];
    if (k->epoch < 1 || k->epoch > k->epochs || k->epochs > MAX_EPOCHS ||
        !isfinite(k->train_seconds))
        return archai_fail(err, ARCHAI_EFORMAT, "damaged: epoch %" PRId64 " of %" PRId64,
                           k->epoch, k->epochs);
    return ARCHAI_OK;
}

int archai_checkpoint_open(archai_checkpoint *out, const char *directory, int64_t id,
                           archai_err *err)
{
    char *path = file_path(directory, id);
    archai_checkpoint k = {.id = -1};
    int rc = archai_safetensors_open(&k.file, path, err);

    if (rc == ARCHAI_ENOTSUP) /* a type that no checkpoint has: damage */
        rc = ARCHAI_EFORMAT;
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, archai_checkpoint_check(&k, err), "%s: ", path);
    if (rc == ARCHAI_OK)
        *out = k;
    else
        archai_checkpoint_close(&k);
    free(path);
    return rc;
}

void archai_checkpoint_close(archai_checkpoint *c)
{
    archai_tensors_close(&c->file);
    *c = (archai_checkpoint){.id = -1};
}

bool archai_checkpoint_is_of(const archai_checkpoint *k, const archai_trial *c)
{
    return k->id == c->id && k->seed == c->seed && k->arch->bytes == strlen(c->arch) &&
           memcmp(k->arch->data, c->arch, k->arch->bytes) == 0;
}

bool archai_checkpoint_is_marker(const archai_checkpoint *k)
{
    return k->epoch == k->epochs; /* a finished training leaves no checkpoint */
}

int archai_checkpoint_mark(const char *directory, const archai_trial *c, char **path,
                           archai_err *err)
{
    archai_checkpoint k = {.id = -1};
    char *absolute = realpath(directory, NULL);
    bool known;
    int rc = ARCHAI_OK;

    if (absolute == NULL)
        return archai_fail(err, ARCHAI_EIO, "%s: %s", directory, strerror(errno));
    known = archai_checkpoint_open(&k, directory, c->id, NULL) == ARCHAI_OK &&
            archai_checkpoint_is_marker(&k) && archai_checkpoint_is_of(&k, c);
    archai_checkpoint_close(&k);
    if (!known) {
        archai_checkpoint_remove(directory, c->id);
        rc = archai_checkpoint_write(directory, c, 1, 1, 0, NULL, 0, NULL, 0, err);
    }
    if (rc == ARCHAI_OK)
        *path = command_path(absolute, c->id);
    free(absolute);
    return rc;
}

int archai_checkpoint_candidate(const archai_checkpoint *k, archai_trial *out,
                                archai_err *err)
{
    archai_message m = {0};
    int rc = archai_message_unpack(k->candidate->data, k->candidate->bytes, &m, err);

    if (rc == ARCHAI_OK && (m.type != ARCHAI_MSG_WORK || m.n_candidates != 1 ||
                            !archai_checkpoint_is_of(k, &m.candidates[0])))
        rc = archai_fail(err, ARCHAI_EFORMAT, "a checkpoint of another candidate");
    if (rc == ARCHAI_OK) {
        *out = m.candidates[0];
        m.candidates[0] = (archai_trial){0};
    }
    archai_message_fini(&m);
    return rc;
}
