#include "runner/evaluator/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"
#include "runner/evaluator/environment.h"
#include "runner/process/evaluator_client.h"

/* libtorch is large, its file system may be slow, and a GPU takes seconds to begin. */
static const double start_limit_s = 300;

void archai_device_choose(archai_device *d, const archai_gpus *gpus, const archai_config *config, int place)
{
    const int64_t together = config->evaluator.workers_per_device;

    *d = (archai_device){.kind = "cpu"};
    if (config->evaluator.device == ARCHAI_DEVICE_CPU)
        return;
    if (gpus->given_by != NULL)
        d->given_by = archai_strdup(gpus->given_by);
    else if (config->evaluator.device == ARCHAI_DEVICE_CUDA)
        d->given_by = archai_strdup("evaluator.device = cuda");
    if (gpus->n > 0)
        d->gpu = archai_strdup(gpus->at[(size_t)(together > 0 ? place / together : place) % gpus->n]);
    if (d->gpu != NULL || d->given_by != NULL)
        d->kind = "cuda";
    d->exist = (int)gpus->exist;
}

void archai_device_free(archai_device *d)
{
    free(d->gpu);
    free(d->given_by);
    *d = (archai_device){.kind = "cpu"};
}

uint64_t archai_device_list(const archai_gpus *gpus)
{
    uint64_t hash = archai_hash("");

    for (size_t i = 0; i < gpus->n; i++)
        hash = hash * 31 + archai_hash(gpus->at[i]);
    return hash;
}

uint64_t archai_device_identity(const archai_device *d)
{
    const char *uuid = strstr(d->text, "GPU-");

    if (strcmp(d->kind, "cuda") != 0)
        return 0;
    if (uuid == NULL)
        uuid = strstr(d->text, "MIG-");
    if (uuid != NULL)
        return archai_hash(uuid) | 1;
    /* its driver does not say */
    return (archai_hash(d->text) * 31 + archai_hash(d->gpu != NULL ? d->gpu : "")) | 1;
}

/* -- trying -------------------------------------------------------------------------------- */

static int start_and_end(archai_device *d, archai_err *err)
{
    const archai_evaluator_setup setup = {.device = d->kind, .gpu = d->gpu, .threads = 1};
    const archai_message open = {.type = ARCHAI_MSG_OPEN,
                                 .id = -1,
                                 .text = (char *)(uintptr_t)"", /* packing does not write */
                                 .device = (char *)(uintptr_t)d->kind,
                                 .threads = 1};
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    archai_environment environment;
    archai_message m = {0};
    int rc;

    archai_environment_init(&environment, &setup, d->kind);
    ARCHAI_TRY(archai_evaluator_client_start(&c, &open, -1, false, environment.at, 0, err));
    rc = archai_err_wrap(err, archai_peer_wait(&c.peer, &m, start_limit_s, err), "archai-evaluator ");
    if (rc == ARCHAI_OK && m.type == ARCHAI_MSG_FAILED)
        rc = archai_peer_failure(&m, err);
    else if (rc == ARCHAI_OK && m.type != ARCHAI_MSG_READY)
        rc = archai_fail(err, ARCHAI_EFORMAT, "archai-evaluator sent a message out of turn");
    if (rc == ARCHAI_OK)
        (void)snprintf(d->text, sizeof d->text, "%s", m.device);
    archai_message_fini(&m);
    archai_evaluator_client_close(&c);
    return rc;
}

int archai_device_try(archai_device *d, archai_err *why, archai_err *err)
{
    archai_err cause = ARCHAI_ERR_INIT;

    *why = (archai_err)ARCHAI_ERR_INIT;
    if (strcmp(d->kind, "cuda") != 0 || start_and_end(d, &cause) == ARCHAI_OK)
        return ARCHAI_OK;
    if (d->given_by != NULL)
        return archai_fail(err, ARCHAI_EINVAL,
                           "evaluator.device: this job was given a GPU (%s%s%s), but libtorch cannot use it: %.500s; to "
                           "train on the CPU: evaluator.device = cpu",
                           d->given_by, d->gpu != NULL ? "; this worker's: " : "",
                           d->gpu != NULL ? d->gpu : "", cause.text);
    *why = cause;
    d->unused = d->exist;
    free(d->gpu);
    d->gpu = NULL;
    d->kind = "cpu";
    return ARCHAI_OK;
}
