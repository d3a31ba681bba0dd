/* runner/space_tool/predict_input.c - what predict is given: a dataset that must fit the
 * network.
 *
 * Everything is checked here, before anything is started: type, shape, and whether tokens are
 * known.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/space_tool/predict.h"

/* -- type --------------------------------------------------------------------------------- */

/* uint8 images become x / 255, as in training. */
static void convert(const archai_tensor *t, size_t n, void *to)
{
    if (t->dtype == ARCHAI_U8)
        for (size_t i = 0; i < n; i++)
            ((float *)to)[i] = (float)((const uint8_t *)t->data)[i] / 255.0f;
    else if (t->dtype == ARCHAI_F64)
        for (size_t i = 0; i < n; i++)
            ((float *)to)[i] = (float)((const double *)t->data)[i];
    else
        for (size_t i = 0; i < n; i++)
            ((int64_t *)to)[i] = ((const int32_t *)t->data)[i];
}

/* int64 tokens from int32, float32 from float64 and, for images, uint8; others stay as they
 * are. */
static int take_type(archai_tensor *t, bool tokens, archai_err *err)
{
    const archai_dtype wanted = tokens ? ARCHAI_I64 : ARCHAI_F32;
    const size_t n = t->bytes / archai_dtype_size(t->dtype);
    bool images;
    void *to;

    if (t->dtype == ARCHAI_BOOL)
        t->dtype = ARCHAI_U8; /* bytes, 0 and 1 */
    images = t->dtype == ARCHAI_U8 && t->ndim == 4;
    if (t->dtype == wanted)
        return ARCHAI_OK;
    if (tokens ? t->dtype != ARCHAI_I32 : t->dtype != ARCHAI_F64 && !images)
        return archai_fail(
            err, ARCHAI_EINVAL, "is %s, expected %s", archai_dtype_name(t->dtype),
            tokens                  ? "int64, the numbers of tokens"
            : t->dtype == ARCHAI_U8 ? "float32; uint8 is for images, [N, C, H, W]"
                                    : "float32, or uint8 images");
    to = malloc((n > 0 ? n : 1) * archai_dtype_size(wanted));
    if (to == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu values as %s", n,
                           archai_dtype_name(wanted));
    convert(t, n, to);
    free((void *)(uintptr_t)t->data);
    t->data = to;
    t->dtype = wanted;
    t->bytes = n * archai_dtype_size(wanted);
    return ARCHAI_OK;
}

/* -- shape -------------------------------------------------------------------------------- */

/* "[N, 3, 32, 32]", with a letter for a size that the network leaves open. */
static void expected_text(const archai_network *net, char *text, size_t size)
{
    static const char *const open[] = {"C", "H", "W"};
    const int ndim = net->n_input > 0 ? net->n_input : 3;
    size_t n = (size_t)snprintf(text, size, "[N");

    for (int i = 0; i < ndim && n < size; i++)
        n += net->input[i] > 0
                 ? (size_t)snprintf(text + n, size - n, ", %d", net->input[i])
                 : (size_t)snprintf(text + n, size - n, ", %s", i < 3 ? open[i] : "?");
    if (n < size)
        (void)snprintf(text + n, size - n, "]");
}

static void shape_text(const archai_tensor *t, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "[");

    for (int i = 0; i < t->ndim && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%lld", i > 0 ? ", " : "",
                              (long long)t->shape[i]);
    if (n < size)
        (void)snprintf(text + n, size - n, "]");
}

/* Does it go through the network? Other sizes than the described ones do where no layer
 * objects: pooling to one pixel takes an image of any size, and a transformer a text up to its
 * length. */
static int fits(const archai_network *net, const archai_tensor *t, archai_err *err)
{
    const int ndim = net->n_input > 0 ? net->n_input : 3;
    archai_network given = *net; /* borrows */
    archai_counts counts;

    if (t->ndim != ndim + 1)
        return archai_fail(err, ARCHAI_EINVAL, "%d dimensions", t->ndim);
    for (int i = 0; i < ndim; i++) {
        if (t->shape[1 + i] < 1 || t->shape[1 + i] > INT32_MAX)
            return archai_fail(err, ARCHAI_EINVAL, "a size of %lld",
                               (long long)t->shape[1 + i]);
        given.input[i] = (int)t->shape[1 + i];
    }
    return archai_network_count(&given, &counts, err);
}

static int check_shape(const archai_network *net, const archai_tensor *t, archai_err *err)
{
    char got[ARCHAI_SHAPE_TEXT], expected[ARCHAI_SHAPE_TEXT];
    archai_err why = ARCHAI_ERR_INIT;
    int rc = fits(net, t, &why);

    shape_text(t, got, sizeof got);
    expected_text(net, expected, sizeof expected);
    if (rc != ARCHAI_OK)
        return archai_fail(err, rc, "has the shape %s, the network takes %s: %s", got, expected,
                           why.text);
    if (t->shape[0] < 1)
        return archai_fail(err, ARCHAI_EINVAL, "has the shape %s: there is nothing to predict",
                           got);
    return ARCHAI_OK;
}

/* Tokens must have a row in each table that they are looked up in. */
static int check_tokens(const archai_network *net, const archai_tensor *t, archai_err *err)
{
    const archai_module_kind *embedding = archai_module_kind_find("Embedding");
    const int64_t *token = t->data, length = t->shape[1];
    double rows = INFINITY;

    for (size_t i = 0; i < net->n_steps; i++) {
        const archai_module *m = net->steps[i].module;

        if (net->steps[i].inputs[0] == 0 && m->kind == embedding)
            rows = fmin(rows, *archai_module_arg(m, "num_embeddings"));
    }
    for (int64_t i = 0; i < t->shape[0] * length; i++)
        if (token[i] < 0 || (double)token[i] >= rows)
            return archai_fail(err, ARCHAI_EINVAL,
                               "[%lld, %lld] is the token %lld, expected 0 to %.0f",
                               (long long)(i / length), (long long)(i % length),
                               (long long)token[i], rows - 1);
    return ARCHAI_OK;
}

int archai_predict_input(const char *text, const archai_network *net, archai_tensor *out,
                         archai_err *err)
{
    archai_tensor t = {0};
    char *file = NULL;
    const char *dataset;
    int rc;

    archai_array_split(text, &file, &dataset);
    if (dataset == NULL) {
        rc = archai_fail(err, ARCHAI_EINVAL, "'%s', expected FILE:/DATASET", text);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_array_read(file, dataset, &t, err), out);
    rc = take_type(&t, net->tokens, err);
    if (rc == ARCHAI_OK)
        rc = check_shape(net, &t, err);
    if (rc == ARCHAI_OK && net->tokens && t.ndim == 2)
        rc = check_tokens(net, &t, err);
    if (rc == ARCHAI_OK) {
        free(t.name);
        t.name = archai_strdup("input");
        *out = t;
        t = (archai_tensor){0};
    }
    rc = archai_err_wrap(err, rc, "%s: ", text);
out:
    archai_array_free(&t);
    free(file);
    return archai_err_wrap(err, rc, "--input: ");
}
