/* runner/space_tool/predict.c - run a model: the tool reads and writes files, archai-evaluator computes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/evaluator_client.h"
#include "runner/space_tool/predict.h"
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

static void tell_output(const space_tool *t, const archai_tensor *output)
{
    json_t *shape = json_array(), *all;

    for (int d = 0; d < output->ndim; d++)
        (void)json_array_append_new(shape, json_integer(output->shape[d]));
    all = archai_there(json_pack("{s:s, s:s, s:s, s:s, s:o}", "archid", t->model.archid, "file", t->output, "dataset", "/output",
                                 "dtype", archai_dtype_name(output->dtype), "shape", shape));
    (void)space_tool_print(all, NULL);
    json_decref(all);
}

static int save_output(const space_tool *t, int fd, archai_err *err)
{
    archai_tensors reply = {0};
    const archai_tensor *output;
    int rc;

    ARCHAI_TRY(archai_safetensors_open_fd(&reply, fd, err));
    output = archai_tensors_find(&reply, "output");
    rc = output == NULL ? archai_fail(err, ARCHAI_EINTERNAL, "archai-evaluator left no output")
                        : archai_array_write(t->output, "/output", output, err);
    if (rc == ARCHAI_OK && t->json)
        tell_output(t, output);
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
    archai_tensor input = {0};
    int rc;

    if (t->weights == NULL || t->input == NULL || t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "predict needs --weights, --input and --output");
    ARCHAI_TRY(archai_space_describe(t->space, &t->model, &net, err));
    ARCHAI_TRY_GOTO(rc, archai_predict_input(t->input, &net, &input, err), out);
    ARCHAI_TRY_GOTO(rc, archai_space_save_arch(t->space, &t->model, &predict.text, err), out);
    predict.ndim = input.ndim;
    memcpy(predict.shape, input.shape, sizeof predict.shape);
    open.text = space_section(&t->ini);
    open.device = archai_strdup("cpu");
    open.data = t->space->data;
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_start(&client, &open, -1, true, NULL, 0, err), out);
    ARCHAI_TRY_GOTO(rc, load_weights(t->weights, client.weights_fd, err), out);
    ARCHAI_TRY_GOTO(rc, archai_safetensors_write(client.exchange_fd, &input, 1, err), out);
    archai_array_free(&input); /* it may be large, and lies in the memfd now */
    ARCHAI_TRY_GOTO(rc,
                    archai_evaluator_client_ask(&client, &predict, ARCHAI_MSG_PREDICTED, predict_limit_s, err),
                    out);
    rc = save_output(t, client.exchange_fd, err);
out:
    archai_array_free(&input);
    archai_network_fini(&net);
    archai_evaluator_client_close(&client);
    archai_message_fini(&predict);
    archai_message_fini(&open);
    return rc;
}
