/* runner/space_tool/predict.c - run a model: the tool reads and writes files, archai-evaluator computes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file/array.h"
#include "runner/process/evaluator_client.h"
#include "runner/space_tool/space_tool.h"

static const double start_limit_s = 120, predict_limit_s = 3600;

/* -- files to descriptors ------------------------------------------------------------------ */

/* Weights from a safetensors file or from a group of an HDF5 file, into `fd` as safetensors. */
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
    for (size_t i = 0; i < n; i++)
        archai_array_free(&at[i]);
    free(at);
    archai_tensors_close(&file);
    free(name);
    return archai_err_wrap(err, rc, "--weights: ");
}

/* uint8 pictures become x / 255, as in training; float32 stays as it is. */
static int to_float(archai_tensor *t, archai_err *err)
{
    size_t n = t->bytes;
    const uint8_t *from = t->data;
    float *to;

    if (t->dtype == ARCHAI_F32)
        return ARCHAI_OK;
    if (t->dtype != ARCHAI_U8)
        return archai_fail(err, ARCHAI_EINVAL, "is %s, expected float32 or uint8",
                           archai_dtype_name(t->dtype));
    to = malloc((n > 0 ? n : 1) * sizeof *to);
    if (to == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu pictures' values", n);
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i] / 255.0f;
    free((void *)(uintptr_t)t->data);
    t->data = to;
    t->dtype = ARCHAI_F32;
    t->bytes = n * sizeof *to;
    return ARCHAI_OK;
}

static int load_input(const char *text, int fd, archai_message *predict, archai_err *err)
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
    ARCHAI_TRY_GOTO(rc, to_float(&input, err), out);
    if (input.ndim != 4) {
        rc = archai_fail(err, ARCHAI_EINVAL, "has %d dimensions, expected 4: [N, C, H, W]",
                         input.ndim);
        goto out;
    }
    free(input.name);
    input.name = strdup("input");
    if (input.name == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for a name");
        goto out;
    }
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

/* [space] as it was read (with --set), for the evaluator to build the same space. */
static char *space_section(const archai_ini *ini)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    (void)fputs("[space]\n", out);
    for (size_t i = 0; i < ini->n; i++) {
        const archai_ini_entry *e = &ini->at[i];
        char *quoted;

        if (e->key == NULL || strcmp(e->section, "space") != 0)
            continue;
        quoted = archai_ini_quote(e->value);
        if (quoted == NULL) {
            (void)fclose(out);
            free(text);
            return NULL;
        }
        (void)fprintf(out, "%s = %s\n", e->key, quoted);
        free(quoted);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

int space_predict(space_tool *t, archai_err *err)
{
    static const char usage[] =
        "predict ARCH --weights FILE[:/GROUP] --input FILE:/DATASET --output FILE";
    archai_evaluator_client client = ARCHAI_EVALUATOR_CLIENT_INIT;
    archai_message open = {.type = ARCHAI_MSG_OPEN, .id = -1, .threads = 1};
    archai_message predict = {.type = ARCHAI_MSG_PREDICT, .id = -1};
    archai_model m = {0};
    int rc;

    ARCHAI_TRY(space_tool_arguments(t, 1, 1, usage, err));
    if (t->weights == NULL || t->input == NULL || t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%s is missing; usage: archai-space CONFIG %s",
                           t->weights == NULL ? "--weights"
                           : t->input == NULL ? "--input"
                                              : "--output",
                           usage);
    ARCHAI_TRY(space_tool_load(t, t->args[0], &m, err));
    ARCHAI_TRY_GOTO(rc, archai_space_save_arch(t->space, &m, &predict.text, err), out);
    open.text = space_section(t->ini);
    open.device = strdup("cpu");
    open.data = t->space->data;
    if (open.text == NULL || open.device == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for the configuration");
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_start(&client, &open, -1, true, NULL, 0, err), out);
    ARCHAI_TRY_GOTO(rc, load_weights(t->weights, client.weights_fd, err), out);
    ARCHAI_TRY_GOTO(rc, load_input(t->input, client.exchange_fd, &predict, err), out);
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_expect(&client, ARCHAI_MSG_READY, start_limit_s, err), out);
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_send(&client, &predict, err), out);
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_expect(&client, ARCHAI_MSG_PREDICTED, predict_limit_s, err), out);
    rc = save_output(t->output, client.exchange_fd, err);
out:
    archai_evaluator_client_close(&client);
    archai_message_fini(&predict);
    archai_message_fini(&open);
    archai_model_fini(&m);
    return rc;
}
