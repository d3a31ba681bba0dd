/* runner/space_tool/predict.c - run a model: the tool reads and writes files, archai-evaluator computes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/array.h"
#include "runner/process/evaluator_client.h"
#include "runner/space_tool/space_tool.h"

static const double predict_limit_s = 3600;

/* -- between files and descriptors ------------------------------------------------------------ */

/* Weights from a safetensors file or a group of an HDF5 file, into `fd` as safetensors. */
static int load_weights(const char *text, int fd, archai_err *err)
{
    archai_tensors file = {0};
    archai_tensor *at = NULL;
    char *name = NULL;
    const char *group;
    size_t n = 0;
    int rc;

    archai_array_split(text, &name, &group);
    if (group != NULL) {
        ARCHAI_TRY_GOTO(rc, archai_array_read_group(name, group, &at, &n, err), out);
        rc = archai_safetensors_write(fd, at, n, err);
    } else {
        ARCHAI_TRY_GOTO(rc, archai_safetensors_open(&file, name, err), out);
        rc = archai_safetensors_write(fd, file.at, file.n, err);
    }
out:
    archai_arrays_free(at, n);
    archai_tensors_close(&file);
    free(name);
    return archai_err_wrap(err, rc, "--weights: ");
}

/* uint8 images become x / 255, as in training; others stay as they are. */
static int to_float(archai_tensor *t, archai_err *err)
{
    size_t n = t->bytes;
    const uint8_t *from = t->data;
    float *to;

    if (t->dtype != ARCHAI_U8)
        return ARCHAI_OK;
    to = malloc((n > 0 ? n : 1) * sizeof *to);
    if (to == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu values as float32", n);
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i] / 255.0f;
    free((void *)(uintptr_t)t->data);
    t->data = to;
    t->dtype = ARCHAI_F32;
    t->bytes = n * sizeof *to;
    return ARCHAI_OK;
}

/* Tokens must have a row in the table that they are looked up in. */
static int check_tokens(const archai_network *net, const archai_tensor *input, archai_err *err)
{
    const archai_module_kind *embedding = archai_module_kind_find("Embedding");
    const int64_t *token = input->data;
    double rows = INFINITY;

    for (size_t i = 0; i < net->n_steps; i++) {
        const archai_module *m = net->steps[i].module;

        if (net->steps[i].inputs[0] == 0 && m->kind == embedding && embedding != NULL)
            rows = fmin(rows, *archai_module_arg(m, "num_embeddings"));
    }
    for (size_t i = 0; i < input->bytes / sizeof *token; i++)
        if (token[i] < 0 || (double)token[i] >= rows)
            return archai_fail(err, ARCHAI_EINVAL,
                               "has the token %lld, but the model knows 0 to %.0f",
                               (long long)token[i], rows - 1);
    return ARCHAI_OK;
}

/* Type and shape, for as much as the network tells; *net then counts what comes. */
static int check_input(archai_network *net, const archai_tensor *input, archai_err *err)
{
    const int ndim = 1 + (net->n_input > 0 ? net->n_input : 3);
    const archai_dtype type = net->tokens ? ARCHAI_I64 : ARCHAI_F32;
    const char *expected = net->tokens ? "[N, T]" : ndim == 4 ? "[N, C, H, W]" : "a sample each";
    archai_counts counts;

    if (input->dtype != type)
        return archai_fail(err, ARCHAI_EINVAL, "is %s, expected %s%s",
                           archai_dtype_name(input->dtype), archai_dtype_name(type),
                           net->tokens ? " (tokens)" : " or uint8");
    if (input->ndim != ndim)
        return archai_fail(err, ARCHAI_EINVAL, "has %d dimensions, expected %d: %s", input->ndim,
                           ndim, expected);
    if (!net->tokens)
        return ARCHAI_OK;
    ARCHAI_TRY(check_tokens(net, input, err));
    for (int i = 1; i < ndim; i++) {
        if (input->shape[i] > INT32_MAX)
            return archai_fail(err, ARCHAI_EINVAL, "has a sequence of %lld tokens",
                               (long long)input->shape[i]);
        net->input[i - 1] = (int)input->shape[i];
    }
    return archai_network_count(net, &counts, err);
}

static int load_input(const char *text, archai_network *net, int fd, archai_message *predict,
                      archai_err *err)
{
    archai_tensor input = {0};
    char *name = NULL;
    const char *dataset;
    int rc;

    archai_array_split(text, &name, &dataset);
    if (dataset == NULL) {
        rc = archai_fail(err, ARCHAI_EINVAL, "'%s', expected FILE:/DATASET", text);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_array_read(name, dataset, &input, err), out);
    if (!net->tokens)
        ARCHAI_TRY_GOTO(rc, to_float(&input, err), out);
    ARCHAI_TRY_GOTO(rc, check_input(net, &input, err), out);
    free(input.name);
    input.name = archai_strdup("input");
    rc = archai_safetensors_write(fd, &input, 1, err);
    predict->ndim = input.ndim;
    memcpy(predict->shape, input.shape, sizeof predict->shape);
out:
    archai_array_free(&input);
    free(name);
    return archai_err_wrap(err, rc, "--input: ");
}

static int save_output(const char *path, int fd, archai_err *err)
{
    archai_tensors reply = {0};
    const archai_tensor *output;
    int rc;

    ARCHAI_TRY(archai_safetensors_open_fd(&reply, fd, err));
    output = archai_tensors_find(&reply, "output");
    rc = output == NULL ? archai_fail(err, ARCHAI_EINTERNAL, "archai-evaluator left no output")
                        : archai_array_write(path, "/output", output, err);
    archai_tensors_close(&reply);
    return rc;
}

/* -- the conversation ---------------------------------------------------------------------- */

/* The section [space] with what --set says, for the evaluator to build the same space. */
static char *space_section(const archai_ini *ini)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&text, &size));

    (void)fputs("[space]\n", out);
    for (size_t i = 0; i < ini->n; i++) {
        const archai_ini_entry *e = &ini->at[i];
        char *quoted;

        if (e->key == NULL || strcmp(e->section, "space") != 0)
            continue;
        quoted = archai_there(archai_ini_quote(e->value));
        (void)fprintf(out, "%s = %s\n", e->key, quoted);
        free(quoted);
    }
    return archai_there(fclose(out) == 0 ? text : NULL);
}

int space_predict(space_tool *t, archai_err *err)
{
    archai_evaluator_client client = ARCHAI_EVALUATOR_CLIENT_INIT;
    archai_message open = {.type = ARCHAI_MSG_OPEN, .id = -1, .threads = 1};
    archai_message predict = {.type = ARCHAI_MSG_PREDICT, .id = -1};
    archai_network net = {.root = NULL};
    int rc;

    if (t->weights == NULL || t->input == NULL || t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "predict needs --weights, --input and --output");
    ARCHAI_TRY(archai_space_describe(t->space, &t->model, &net, err));
    ARCHAI_TRY_GOTO(rc, archai_space_save_arch(t->space, &t->model, &predict.text, err), out);
    open.text = space_section(&t->ini);
    open.device = archai_strdup("cpu");
    open.data = t->space->data;
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_start(&client, &open, -1, true, NULL, 0, err), out);
    ARCHAI_TRY_GOTO(rc, load_weights(t->weights, client.weights_fd, err), out);
    ARCHAI_TRY_GOTO(rc, load_input(t->input, &net, client.exchange_fd, &predict, err), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_evaluator_client_ask(&client, &predict, ARCHAI_MSG_PREDICTED, predict_limit_s, err),
                    out);
    rc = save_output(t->output, client.exchange_fd, err);
out:
    archai_network_fini(&net);
    archai_evaluator_client_close(&client);
    archai_message_fini(&predict);
    archai_message_fini(&open);
    return rc;
}
