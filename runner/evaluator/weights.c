#include "runner/evaluator/weights.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "io/file/checkpoint.h"
#include "io/file/file.h"
#include "io/file/pt/pt.h"
#include "io/file/tensors.h"

/* A header of ARCHAI_TENSORS_MAX tensors with usual names has a third of that. */
enum { HEADER_MOST = 16 << 20, CHUNK = 1 << 20 };

/* -- size ---------------------------------------------------------------------------------- */

static double limit_of(const archai_config *config, const char **whose)
{
    const double machine = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    if (config->evaluator.weights_limit > 0) {
        *whose = "evaluator.weights_limit";
        return (double)config->evaluator.weights_limit;
    }
    if (config->evaluator.memory_limit > 0) {
        *whose = "evaluator.memory_limit";
        return (double)config->evaluator.memory_limit;
    }
    *whose = "a quarter of this machine's memory; evaluator.weights_limit raises it";
    return machine > 0 ? machine / 4 : INFINITY;
}

int archai_weights_check(int fd, const archai_config *config, archai_err *err)
{
    char much[ARCHAI_BYTES_TEXT], most[ARCHAI_BYTES_TEXT];
    const char *whose;
    const double limit = limit_of(config, &whose);
    struct stat s;

    if (fstat(fd, &s) != 0)
        return archai_fail(err, ARCHAI_EIO, "weights: %s", strerror(errno));
    if ((double)s.st_size <= limit)
        return ARCHAI_OK;
    archai_format_bytes((double)s.st_size, much);
    archai_format_bytes(limit, most);
    return archai_fail(err, ARCHAI_EFORMAT, "wrote weights of %s, at most %s are taken (%s)", much, most,
                       whose);
}

/* -- content ------------------------------------------------------------------------------- */

/* results.h5 shows a missing segment as NaN: what is stored has none. */
static int check_values(int fd, const archai_tensor *t, archai_err *err)
{
    const size_t size = archai_dtype_size(t->dtype), most = CHUNK / size * size;
    char *const chunk = archai_malloc(CHUNK);
    int rc = ARCHAI_OK;

    for (size_t done = 0, n; rc == ARCHAI_OK && done < t->bytes; done += n) {
        n = t->bytes - done < most ? t->bytes - done : most;
        rc = archai_file_pread(fd, chunk, n, t->at_byte + done, "weights", err);
        if (rc == ARCHAI_OK && !archai_values_are_finite(t->dtype, chunk, n / size))
            rc = archai_fail(err, ARCHAI_ENOTSUP, "tensor '%s': has values that are not finite", t->name);
    }
    free(chunk);
    return rc;
}

static int check_tensors(int fd, const archai_tensors *t, archai_err *err)
{
    if (t->n > ARCHAI_TENSORS_MAX)
        return archai_fail(err, ARCHAI_ENOTSUP, "%zu tensors, at most %d are kept", t->n,
                           ARCHAI_TENSORS_MAX);
    for (size_t i = 0; i < t->n; i++)
        if (strlen(t->at[i].name) > ARCHAI_TENSOR_NAME_MAX)
            return archai_fail(err, ARCHAI_ENOTSUP, "a tensor's name of %zu bytes, at most %d are kept",
                               strlen(t->at[i].name), ARCHAI_TENSOR_NAME_MAX);
    for (size_t i = 0; i < t->n; i++)
        if (!archai_tensor_is_state(t->at[i].name))
            ARCHAI_TRY(check_values(fd, &t->at[i], err));
    return ARCHAI_OK;
}

int archai_weights_offer(int fd, archai_trial *out, archai_err *err)
{
    archai_tensors t = {0};
    struct stat s;
    int rc;

    if (fstat(fd, &s) != 0 || s.st_size == 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_pt_convert(fd, err));
    ARCHAI_TRY(archai_safetensors_list_fd(&t, fd, HEADER_MOST, err));
    rc = check_tensors(fd, &t, err);
    if (rc == ARCHAI_OK) {
        out->tensors = archai_calloc(t.n + 1, sizeof *out->tensors);
        for (; out->n_tensors < t.n; out->n_tensors++) {
            archai_tensor *from = &t.at[out->n_tensors];
            archai_tensor_place *to = &out->tensors[out->n_tensors];

            to->dtype = from->dtype;
            to->ndim = from->ndim;
            memcpy(to->shape, from->shape, sizeof to->shape);
            to->name = from->name;
            from->name = NULL;
        }
    }
    archai_tensors_close(&t);
    return rc;
}
