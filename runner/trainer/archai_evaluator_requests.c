/* Requests other than candidates: predictions and files for the tools, surrogates for the
 * algorithm. */
#include "runner/trainer/archai_evaluator.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/tensors.h"

/* -- for the tools ------------------------------------------------------------------------- */

static void *allocate(void *payload, size_t bytes)
{
    (void)payload;
    return malloc(bytes > 0 ? bytes : 1);
}

/* What the network takes, from the exchange memfd: float32, or int64 tokens, [n, ...]. Caller closes. */
static int open_input(archai_tensors *file, const archai_network *net, const archai_tensor **input,
                      archai_err *err)
{
    const archai_dtype type = net->tokens ? ARCHAI_I64 : ARCHAI_F32;
    const int ndim = 1 + (net->n_input > 0 ? net->n_input : 3);

    ARCHAI_TRY(
        archai_err_wrap(err, archai_safetensors_open_fd(file, EXCHANGE, err), "input: "));
    *input = archai_tensors_find(file, "input");
    if (*input == NULL || (*input)->dtype != type || (*input)->ndim != ndim) {
        archai_tensors_close(file);
        return archai_fail(err, ARCHAI_EINVAL, "input: expected a tensor of %s with %d dimensions",
                           archai_dtype_name(type), ndim);
    }
    return ARCHAI_OK;
}

/* Run the model in evaluation mode; *out is malloc'ed. */
static int predict(archai_server *e, const char *arch, archai_tensor *out, archai_err *err)
{
    archai_tensors weights = {0}, file = {0};
    const archai_tensor *input;
    archai_network net = {0};
    shim_model *model = NULL;
    float *output = NULL;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_serve_build(e, arch, 0, ARCHAI_WEIGHT_BYTES, &net, &model, err), out);
    ARCHAI_TRY_GOTO(
        rc,
        archai_err_wrap(err, archai_safetensors_open_fd(&weights, WEIGHTS, err), "weights: "),
        out);
    ARCHAI_TRY_GOTO(rc, shim_model_load(model, weights.at, weights.n, true, NULL, err), out);
    ARCHAI_TRY_GOTO(rc, open_input(&file, &net, &input, err), out);
    ARCHAI_TRY_GOTO(rc,
                    shim_model_predict(model, input->data, input->shape, allocate, NULL,
                                       &output, out->shape, &out->ndim, err),
                    out);
    out->dtype = ARCHAI_F32;
    out->data = output;
    out->bytes = sizeof *output;
    for (int i = 0; i < out->ndim; i++)
        out->bytes *= (size_t)out->shape[i];
out:
    archai_tensors_close(&file);
    archai_tensors_close(&weights);
    shim_model_destroy(model);
    archai_network_fini(&net);
    return rc;
}

int archai_serve_predict(archai_server *e, const archai_message *m, archai_err *err)
{
    archai_message reply = {.type = ARCHAI_MSG_PREDICTED, .id = -1};
    archai_tensor output = {.name = (char *)(uintptr_t) "output"};
    archai_err cause = ARCHAI_ERR_INIT;
    int rc = predict(e, m->text, &output, &cause);

    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(&cause, archai_safetensors_write(EXCHANGE, &output, 1, &cause),
                             "output: ");
    reply.ndim = output.ndim;
    memcpy(reply.shape, output.shape, sizeof reply.shape);
    rc = archai_parent_answer(&e->parent, -1, rc, &reply, &cause, err);
    free((void *)(uintptr_t)output.data);
    return rc;
}

int archai_serve_save_pt(archai_server *e, const archai_message *m, archai_err *err)
{
    const archai_message saved = {.type = ARCHAI_MSG_SAVED, .id = -1};
    archai_err cause = ARCHAI_ERR_INIT;
    archai_tensors weights = {0};
    int rc = archai_err_wrap(&cause, archai_safetensors_open_fd(&weights, WEIGHTS, &cause),
                             "weights: ");

    if (rc == ARCHAI_OK)
        rc = shim_save_pt(weights.at, weights.n, m->text, &cause);
    archai_tensors_close(&weights);
    return archai_parent_answer(&e->parent, -1, rc, &saved, &cause, err);
}

/* -- for the algorithm ----------------------------------------------------------------------- */

int archai_serve_fit(archai_server *e, const archai_message *m, archai_err *err)
{
    const archai_surrogate_job *job = m->job;
    const size_t n = job->n_queries / (size_t)job->n_features * (size_t)job->n_targets;
    archai_surrogate_answer answer = {.id = job->id, .n_mean = n, .n_var = n};
    const archai_message fitted = {.type = ARCHAI_MSG_FITTED, .answer = &answer};
    archai_err cause = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK;

    answer.mean = archai_calloc(n + 1, sizeof *answer.mean);
    answer.var = archai_calloc(n + 1, sizeof *answer.var);
    if (e->surrogate == NULL)
        rc = shim_surrogate_open(&e->surrogate, &cause);
    if (rc == ARCHAI_OK)
        rc = shim_surrogate_serve(e->surrogate, job, answer.mean, answer.var, &cause);
    rc = archai_parent_answer(&e->parent, job->id, rc, &fitted, &cause, err);
    archai_surrogate_answer_fini(&answer);
    return rc;
}
