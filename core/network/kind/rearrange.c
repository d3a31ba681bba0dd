/* The same values in another shape: flatten, permute, transpose, reshape, and the layers
 * Flatten and Unflatten. They cost nothing. */
#include "core/network/kind/kind.h"

enum { DIM_LOW = -ARCHAI_SHAPE_MAX - 1 };

/* -- flatten ------------------------------------------------------------------------------- */

static const archai_arg flatten_args[] = {
    {"start_dim", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1,
     .low = DIM_LOW, .high = ARCHAI_SHAPE_MAX},
    {"end_dim", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = -1,
     .low = DIM_LOW, .high = ARCHAI_SHAPE_MAX},
    {.name = NULL},
};

static void print_flatten(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "start_dim=%.0f, end_dim=%.0f", m->args[0], m->args[1]);
}

static int infer_flatten(archai_tally *t, const archai_module *m, const archai_shape *in,
                         archai_shape *out)
{
    int first, last;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &first));
    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 1), &last));
    if (first > last)
        return archai_tally_expected(t, in, "a start_dim before end_dim");
    *out = *in;
    out->ndim = 0;
    for (int i = 0; i < in->ndim; i++)
        if (i > first && i <= last)
            out->dim[first] = archai_tally_mul(t, out->dim[first], in->dim[i]);
        else
            out->dim[out->ndim++] = in->dim[i];
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_flatten = {
    .name = "flatten", .args = flatten_args, .takes_tokens = true, .infer = infer_flatten};

const archai_module_kind archai_kind_flatten_layer = {.name = "Flatten",
                                                      .args = flatten_args,
                                                      .takes_tokens = true,
                                                      .print = print_flatten,
                                                      .infer = infer_flatten};

/* -- permute and transpose ----------------------------------------------------------------- */

/* All dimensions, the batch first: [0, 2, 3, 1] */
static const archai_arg permute_args[] = {
    {"dims", .type = ARCHAI_ARG_LIST, .low = DIM_LOW, .high = ARCHAI_SHAPE_MAX},
    {.name = NULL},
};

static void print_dims(const archai_module *m, FILE *out)
{
    (void)fputs("dims=", out);
    archai_print_list(out, m->args);
}

static int infer_permute(archai_tally *t, const archai_module *m, const archai_shape *in,
                         archai_shape *out)
{
    const int n = (int)archai_int(m, 0);
    bool used[ARCHAI_SHAPE_MAX] = {false};

    if (n != in->ndim + 1)
        return archai_tally_expected(t, in, "%d dimensions, the batch being one of dims", n);
    if (archai_int(m, 1) != 0 && archai_int(m, 1) != -n)
        return archai_tally_fail(t, "dims begins with %lld, expected the batch: 0",
                                 (long long)archai_int(m, 1));
    out->tokens = in->tokens;
    for (int i = 2; i <= n; i++) {
        int place;

        ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, (size_t)i), &place));
        if (used[place])
            return archai_tally_fail(t, "dims names a dimension twice");
        used[place] = true;
        out->dim[out->ndim++] = in->dim[place];
    }
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_permute = {.name = "permute",
                                                .args = permute_args,
                                                .takes_tokens = true,
                                                .print = print_dims,
                                                .infer = infer_permute};

static const archai_arg transpose_args[] = {
    {"dim0", .type = ARCHAI_ARG_INT, .low = DIM_LOW, .high = ARCHAI_SHAPE_MAX},
    {"dim1", .type = ARCHAI_ARG_INT, .low = DIM_LOW, .high = ARCHAI_SHAPE_MAX},
    {.name = NULL},
};

static void print_transpose(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "dim0=%.0f, dim1=%.0f", m->args[0], m->args[1]);
}

static int infer_transpose(archai_tally *t, const archai_module *m, const archai_shape *in,
                           archai_shape *out)
{
    int a, b;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &a));
    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 1), &b));
    *out = *in;
    out->dim[a] = in->dim[b];
    out->dim[b] = in->dim[a];
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_transpose = {.name = "transpose",
                                                  .args = transpose_args,
                                                  .takes_tokens = true,
                                                  .print = print_transpose,
                                                  .infer = infer_transpose};

/* -- reshape ------------------------------------------------------------------------------- */

/* Sizes of one sample; one may be -1. */
static const archai_arg reshape_args[] = {
    {"shape", .type = ARCHAI_ARG_LIST, .low = -1, .high = INT32_MAX},
    {.name = NULL},
};

static void print_shape(const archai_module *m, FILE *out)
{
    (void)fputs("shape=", out);
    archai_print_list(out, m->args);
}

/* `sizes` [n] of which one may be -1, for `volume` values, at the end of `out`. */
static int append_sizes(archai_tally *t, const archai_shape *in, const double *sizes, int n,
                        int64_t volume, archai_shape *out)
{
    int64_t known = 1;
    int open = -1;

    if (n < 1 || n + out->ndim > ARCHAI_SHAPE_MAX)
        return archai_tally_fail(t, "its shape has %d sizes, expected 1 to %d", n,
                                 ARCHAI_SHAPE_MAX - out->ndim);
    for (int i = 0; i < n; i++) {
        const int64_t size = (int64_t)sizes[i];

        if (size == 0 || (size == -1 && open >= 0))
            return archai_tally_fail(t, size == 0 ? "its shape has a size of 0"
                                                  : "its shape has two sizes of -1");
        if (size == -1)
            open = out->ndim;
        else
            known = archai_tally_mul(t, known, size);
        out->dim[out->ndim++] = size;
    }
    if (t->overflow || known < 1 || volume % known != 0 || (open < 0 && volume != known))
        return archai_tally_expected(t, in, "%s%lld values for its shape",
                                     open < 0 ? "" : "a multiple of ", (long long)known);
    if (open >= 0)
        out->dim[open] = volume / known;
    return ARCHAI_OK;
}

static int infer_reshape(archai_tally *t, const archai_module *m, const archai_shape *in,
                         archai_shape *out)
{
    out->tokens = in->tokens;
    return append_sizes(t, in, &m->args[1], (int)archai_int(m, 0), archai_tally_volume(t, in),
                        out);
}

const archai_module_kind archai_kind_reshape = {.name = "reshape",
                                                .args = reshape_args,
                                                .takes_tokens = true,
                                                .print = print_shape,
                                                .infer = infer_reshape};

/* -- Unflatten ----------------------------------------------------------------------------- */

static const archai_arg unflatten_args[] = {
    {"dim", .type = ARCHAI_ARG_INT, .low = DIM_LOW, .high = ARCHAI_SHAPE_MAX},
    {"unflattened_size", .type = ARCHAI_ARG_LIST, .low = -1, .high = INT32_MAX},
    {.name = NULL},
};

static void print_unflatten(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "dim=%.0f, unflattened_size=", m->args[0]);
    archai_print_list(out, &m->args[1]);
}

static int infer_unflatten(archai_tally *t, const archai_module *m, const archai_shape *in,
                           archai_shape *out)
{
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &place));
    out->tokens = in->tokens;
    for (int i = 0; i < place; i++)
        out->dim[out->ndim++] = in->dim[i];
    ARCHAI_TRY(append_sizes(t, in, &m->args[2], (int)archai_int(m, 1), in->dim[place], out));
    if (out->ndim + in->ndim - place - 1 > ARCHAI_SHAPE_MAX)
        return archai_tally_expected(t, in, "fewer dimensions");
    for (int i = place + 1; i < in->ndim; i++)
        out->dim[out->ndim++] = in->dim[i];
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_unflatten = {.name = "Unflatten",
                                                  .args = unflatten_args,
                                                  .takes_tokens = true,
                                                  .print = print_unflatten,
                                                  .infer = infer_unflatten};
