#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commit_row.h"
#include "io/wire/message.h"

static char *format(const char *fmt, long long id)
{
    char text[256];

    (void)snprintf(text, sizeof text, fmt, id);
    return strdup(text);
}

archai_trial sample_evaluation(int64_t id)
{
    archai_trial e = {0};
    size_t epochs = 1 + (size_t)(id % 3);
    size_t i;

    e.id = id;
    e.model.archid = format("L=%lld, K=1", (long long)id);
    e.arch = format("{\"nb_layers\": %lld, \"kernel_size\": 1}", (long long)id);
    e.status = id % 7 == 6 ? ARCHAI_STATUS_FAILED : ARCHAI_STATUS_OK;
    e.error = strdup(
        id % 7 == 6 ? "killed by signal 11 (Segmentation fault): \xe2\x80\x9cno\xe2\x80\x9d"
                    : "");
    e.operator_ = strdup(id % 2 == 0 ? "random" : "mutation");
    e.parents = id % 2 == 0 ? strdup("[]") : format("[\"L=%lld, K=1\"]", (long long)id - 1);
    e.metadata = strdup("{}");
    e.device = strdup("cpu");
    e.generation = (int32_t)(id / 10);
    e.rank = (int32_t)(id % 4);
    e.budget = 1;
    e.started = 1.7e9 + (double)id;
    e.seconds = 0.25;
    e.n_encoding = 3;
    e.encoding = calloc(e.n_encoding, sizeof *e.encoding);
    e.encoding[0] = (float)id;
    e.encoding[2] = 0.5F;
    if (e.status == ARCHAI_STATUS_OK) {
        archai_trial_set_measure(&e, "val_accuracy",
                                            0.5 + (double)(id * 37 % 101) / 256);
        archai_trial_set_measure(&e, "val_loss", 1.0 / (double)(id + 1));
    }
    archai_trial_set_measure(&e, "params", 1000.0 - (double)(id * 13 % 89));
    e.n_curves = 1;
    e.curves = calloc(1, sizeof *e.curves);
    e.curves[0].name = strdup("val_loss");
    e.curves[0].n = epochs;
    e.curves[0].values = calloc(epochs, sizeof *e.curves[0].values);
    for (i = 0; i < epochs; i++)
        e.curves[0].values[i] = (float)id + (float)i / 4;
    return e;
}

/* binary16 of the small integers 0..2047, which it holds exactly. */
static uint16_t half(unsigned v)
{
    unsigned e = 0;

    if (v == 0)
        return 0;
    while (v >> (e + 1) != 0)
        e++;
    return (uint16_t)((e + 15) << 10 | ((v << (10 - e)) & 0x3ff));
}

void sample_tensors(int64_t id, char *buffer, archai_tensor tensors[SAMPLE_TENSORS])
{
    static const struct {
        const char *name;
        archai_dtype dtype;
        int ndim;
        int64_t shape[4];
        size_t bytes;
    } like[SAMPLE_TENSORS] = {
        {"model.0.weight", ARCHAI_F32, 4, {2, 3, 2, 2}, 96},
        {"model.0.bias", ARCHAI_F32, 1, {3}, 12},
        {"half", ARCHAI_F16, 2, {2, 3}, 12},
        {"num_batches_tracked", ARCHAI_I64, 0, {0}, 8},
    };
    size_t i, k;

    for (i = 0; i < SAMPLE_TENSORS; i++) {
        memset(&tensors[i], 0, sizeof tensors[i]);
        tensors[i].name = (char *)(uintptr_t)like[i].name;
        tensors[i].dtype = like[i].dtype;
        tensors[i].ndim = like[i].ndim;
        memcpy(tensors[i].shape, like[i].shape, sizeof like[i].shape);
        tensors[i].data = buffer;
        tensors[i].bytes = like[i].bytes;
        for (k = 0; k < like[i].bytes / archai_dtype_size(like[i].dtype); k++) {
            float f = (float)id + (float)k / 8;
            uint16_t h = half((unsigned)(id % 1024) + (unsigned)k);

            if (like[i].dtype == ARCHAI_F32)
                memcpy(buffer + k * sizeof f, &f, sizeof f);
            else if (like[i].dtype == ARCHAI_F16)
                memcpy(buffer + k * sizeof h, &h, sizeof h);
            else
                memcpy(buffer, &id, sizeof id);
        }
        buffer += like[i].bytes;
    }
}

void sample_places(archai_trial *e, const archai_tensor tensors[SAMPLE_TENSORS],
                   int64_t slot)
{
    int64_t next[ARCHAI_DTYPE_COUNT] = {0};
    size_t i;

    next[ARCHAI_F32] = slot * SAMPLE_F32;
    next[ARCHAI_F16] = slot * SAMPLE_F16;
    next[ARCHAI_I64] = slot * SAMPLE_I64;
    e->n_tensors = SAMPLE_TENSORS;
    e->tensors = calloc(SAMPLE_TENSORS, sizeof *e->tensors);
    for (i = 0; i < SAMPLE_TENSORS; i++) {
        archai_tensor_place *p = &e->tensors[i];

        p->name = strdup(tensors[i].name);
        p->dtype = tensors[i].dtype;
        p->ndim = tensors[i].ndim;
        memcpy(p->shape, tensors[i].shape, sizeof p->shape);
        p->offset = next[p->dtype];
        next[p->dtype] += (int64_t)(tensors[i].bytes / archai_dtype_size(p->dtype));
    }
}

int sample_commit_as(archai_segment *s, archai_trial *e, int64_t row, int with_weights,
                     archai_err *err)
{
    archai_tensor tensors[SAMPLE_TENSORS];
    char buffer[SAMPLE_BYTES];
    archai_buffer detail = {0};
    int rc = ARCHAI_OK;

    if (with_weights) {
        sample_tensors(e->id, buffer, tensors);
        sample_places(e, tensors, row);
        for (size_t i = 0; i < SAMPLE_TENSORS && rc == ARCHAI_OK; i++)
            rc = archai_segment_write_piece(s, &e->tensors[i], 0, tensors[i].data,
                                            tensors[i].bytes, err);
    }
    if (rc == ARCHAI_OK)
        rc = archai_trial_pack(e, &detail, err);
    if (rc == ARCHAI_OK && detail.size > SAMPLE_TEXT)
        rc = archai_fail(err, ARCHAI_EINTERNAL, "a sample of %zu bytes", detail.size);
    if (rc == ARCHAI_OK)
        rc = commit_row(s, row, row * SAMPLE_TEXT, detail.data, detail.size, e, err);
    archai_buffer_free(&detail);
    return rc;
}

int sample_commit(archai_segment *s, int64_t id, int64_t row, int with_weights, archai_err *err)
{
    archai_trial e = sample_evaluation(id);
    int rc = sample_commit_as(s, &e, row, with_weights && e.status == ARCHAI_STATUS_OK, err);

    archai_trial_fini(&e);
    return rc;
}

const archai_config *sample_config(int weights)
{
    static char algorithm[] = "random_search";
    static archai_config configs[ARCHAI_WEIGHTS_NONE + 1];
    archai_config *config = &configs[weights];

    config->search.algorithm = algorithm;
    config->search.seed = 1;
    config->output.weights = weights;
    return config;
}

archai_segment_size sample_segment_size(int64_t rows)
{
    archai_segment_size size = {.rows = rows, .text_bytes = rows * SAMPLE_TEXT};

    size.pool[ARCHAI_F32] = rows * SAMPLE_F32;
    size.pool[ARCHAI_F16] = rows * SAMPLE_F16;
    size.pool[ARCHAI_I64] = rows * SAMPLE_I64;
    return size;
}
