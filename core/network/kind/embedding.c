/* Embedding, for tokens of any shape; and Parameter, a tensor of the module around it. */
#include <float.h>
#include <math.h>

#include "core/network/kind/kind.h"

enum { NUMBER, DIM, PADDING };

static const archai_arg args[] = {
    {"num_embeddings", .type = ARCHAI_ARG_INT},
    {"embedding_dim", .type = ARCHAI_ARG_INT},
    /* its row begins with zeros and is not trained; negative: from the end */
    {"padding_idx", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_NONE, .low = -INT32_MAX,
     .high = INT32_MAX},
    {.name = NULL},
};

static void print(const archai_module *m, FILE *out)
{
    const double padding = m->args[PADDING];

    (void)fprintf(out, "%.0f, %.0f", m->args[NUMBER], m->args[DIM]);
    if (!isnan(padding))
        (void)fprintf(out, ", padding_idx=%.0f",
                      padding < 0 ? padding + m->args[NUMBER] : padding);
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    const int64_t padding = archai_int(m, PADDING), n = archai_int(m, NUMBER);

    if (!in->tokens)
        return archai_tally_expected(t, in, "int64 tokens, not float32 values");
    if (in->ndim >= ARCHAI_SHAPE_MAX)
        return archai_tally_expected(t, in, "fewer dimensions");
    if (padding >= n || padding < -n)
        return archai_tally_fail(t, "padding_idx %lld is not one of %lld tokens",
                                 (long long)padding, (long long)n);
    *out = *in;
    out->tokens = false;
    out->dim[out->ndim++] = archai_int(m, DIM);
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t shape[] = {archai_int(m, NUMBER), archai_int(m, DIM)};

    archai_state_add(t, "weight", ARCHAI_F32, true, 2, shape);
}

const archai_module_kind archai_kind_embedding = {.name = "Embedding",
                                                  .ties = true,
                                                  .args = args,
                                                  .takes_tokens = true,
                                                  .print = print,
                                                  .infer = infer,
                                                  .state = state};

/* -- Parameter ----------------------------------------------------------------------------- */

/* Its value is the tensor, repeated for each sample of its input, which matters in no other
 * way. With `batch` the tensor's own first size, 1, stands for the batch, as in a class token
 * [1, 1, D]. The value of a tensor without sizes, as of a temperature, is [1]. */
enum { SHAPE, BATCH = SHAPE + 1 + ARCHAI_ARG_LIST_MAX, INIT, STD, VALUE, VIEW };

enum { ZEROS, ONES, NORMAL, CONSTANT };
static const char *const inits[] = {"zeros", "ones", "normal", "constant", NULL};

static const archai_arg parameter_args[] = {
    {"shape", .type = ARCHAI_ARG_LIST, .low = 1, .high = INT32_MAX},
    {"batch", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    /* std alone stands for normal, value alone for constant */
    {"init", .type = ARCHAI_ARG_WORD, .need = ARCHAI_ARG_NONE, .words = inits},
    {"std", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_NONE, .high = DBL_MAX}, /* 1 */
    {"value", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_NONE},
    /* The value has these sizes instead of the tensor's: [C, 1, 1] of [C] */
    {"view", .type = ARCHAI_ARG_LIST, .need = ARCHAI_ARG_NONE, .low = 1, .high = INT32_MAX},
    {.name = NULL},
};

static void deduce_parameter(archai_module *m, const archai_shape *in, size_t n)
{
    const bool std = !isnan(m->args[STD]), value = !isnan(m->args[VALUE]);

    (void)in;
    (void)n;
    if (isnan(m->args[INIT]) && std != value)
        m->args[INIT] = std ? NORMAL : CONSTANT;
    if (m->args[INIT] == NORMAL && !std)
        m->args[STD] = 1;
}

/* Nothing is assumed: a scale that began at 0 would silence what it multiplies. */
static int check_init(archai_tally *t, const archai_module *m)
{
    const double init = m->args[INIT];

    if (isnan(init))
        return archai_tally_fail(t, "needs one of 'init' (zeros, ones, normal, constant), "
                                    "'value' and 'std'");
    if (init == CONSTANT && isnan(m->args[VALUE]))
        return archai_tally_fail(t, "init constant needs 'value'");
    if (init != CONSTANT && !isnan(m->args[VALUE]))
        return archai_tally_fail(t, "'value' is for init constant, not %s", inits[(int)init]);
    if (init != NORMAL && !isnan(m->args[STD]))
        return archai_tally_fail(t, "'std' is for init normal, not %s", inits[(int)init]);
    return ARCHAI_OK;
}

/* The product of the sizes of a list. */
static int64_t volume(archai_tally *t, const archai_module *m, size_t list)
{
    int64_t n = 1;

    for (int64_t i = 1; i <= archai_int(m, list); i++)
        n = archai_tally_mul(t, n, archai_int(m, list + (size_t)i));
    return n;
}

static int infer_parameter(archai_tally *t, const archai_module *m, const archai_shape *in,
                           archai_shape *out)
{
    const size_t list = isnan(m->args[VIEW]) ? SHAPE : VIEW;
    const int n = (int)archai_int(m, list), first = m->args[BATCH] != 0;

    (void)in;
    ARCHAI_TRY(check_init(t, m));
    if ((n > 0 && n == first) || n < first || n - first > ARCHAI_SHAPE_MAX)
        return archai_tally_fail(t,
                                 "its shape has %d sizes, expected 1 to %d besides the batch",
                                 n, ARCHAI_SHAPE_MAX);
    if (first == 1 && archai_int(m, list + 1) != 1)
        return archai_tally_fail(
            t, "the first size of its shape is %lld, expected 1 for the batch",
            (long long)archai_int(m, list + 1));
    if (volume(t, m, SHAPE) != volume(t, m, list))
        return archai_tally_fail(t, "its view has another number of values than its shape");
    *out = archai_vector(1);
    if (n > 0)
        out->ndim = n - first;
    for (int i = 0; i < n - first; i++)
        out->dim[i] = archai_int(m, list + 1 + (size_t)(first + i));
    return ARCHAI_OK;
}

static void state_parameter(const archai_module *m, archai_state_list *t)
{
    int64_t shape[ARCHAI_ARG_LIST_MAX];
    int n = (int)archai_int(m, SHAPE);

    n = n < 0 ? 0 : n > ARCHAI_ARG_LIST_MAX ? ARCHAI_ARG_LIST_MAX : n;
    for (int i = 0; i < n; i++)
        shape[i] = archai_int(m, SHAPE + 1 + (size_t)i);
    archai_state_add(t, "", ARCHAI_F32, true, n, shape);
}

const archai_module_kind archai_kind_parameter = {.name = "Parameter",
                                                  .args = parameter_args,
                                                  .own = true,
                                                  .takes_tokens = true,
                                                  .deduce = deduce_parameter,
                                                  .infer = infer_parameter,
                                                  .state = state_parameter};
