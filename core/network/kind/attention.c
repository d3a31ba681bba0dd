/* MultiheadAttention; and what attention is made of where a network names its projections
 * itself: attention (PyTorch's scaled_dot_product_attention) and rotary positions.
 *
 * Archai's profilers count a product of matrices like a linear layer, two FLOPs for each MAC,
 * and one FLOP for each value of a softmax; a causal mask spares nothing. tensorwatch does not
 * know attention. */
#include <float.h>
#include <math.h>

#include "core/network/kind/kind.h"

/* The products of `heads` heads over t queries and s keys; `width` and `value_width` of all
 * heads. */
static void charge_products(archai_tally *t, int64_t heads, int64_t queries, int64_t keys,
                            int64_t width, int64_t value_width)
{
    const int64_t pairs = archai_tally_mul(t, queries, keys);
    const int64_t macs = archai_tally_mul(t, pairs, archai_tally_add(t, width, value_width));

    archai_tally_charge(
        t, macs,
        archai_tally_add(t, archai_tally_mul(t, 2, macs), archai_tally_mul(t, heads, pairs)),
        0);
}

/* -- MultiheadAttention -------------------------------------------------------------------- */

enum { EMBED, HEADS, DROPOUT, BIAS, BATCH_FIRST, CAUSAL };

/* Takes [T, D]; with two inputs the keys and values come from the second, with three from the
 * second and third. */
static const archai_arg args[] = {
    {"embed_dim", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"num_heads", .type = ARCHAI_ARG_INT},
    {"dropout", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .high = 1},
    {"bias", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"batch_first", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"is_causal", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    {.name = NULL},
};

static void print_child(const archai_module *m, FILE *out)
{
    (void)fprintf(
        out, "(out_proj): NonDynamicallyQuantizableLinear(in_features=%.0f, out_features=%.0f",
        m->args[EMBED], m->args[EMBED]);
    archai_print_flag(out, ", bias", m->args[BIAS]);
    (void)fputc(')', out);
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[EMBED]) && in->ndim > 0)
        m->args[EMBED] = (double)in->dim[in->ndim - 1];
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    const int64_t width = archai_int(m, EMBED), heads = archai_int(m, HEADS);
    const archai_shape *key = &in[t->n_inputs > 1 ? 1 : 0], *value = &in[t->n_inputs - 1];
    int64_t rows, macs;

    for (size_t i = 0; i < t->n_inputs; i++)
        if (in[i].ndim != 2 || in[i].dim[1] != width)
            return archai_tally_misfit(t, &in[i], "[tokens, D] with D =", width);
    if (key->dim[0] != value->dim[0])
        return archai_tally_expected(t, value, "as many values as keys: %lld",
                                     (long long)key->dim[0]);
    if (width % heads != 0)
        return archai_tally_fail(t, "embed_dim %lld does not divide into %lld heads",
                                 (long long)width, (long long)heads);
    if (m->args[BATCH_FIRST] == 0)
        return archai_tally_fail(t, "batch_first is False, but the batch always comes first");
    *out = in[0];
    /* the projections of queries and output, keys, values */
    rows = archai_tally_add(t, 2 * in[0].dim[0], 2 * key->dim[0]);
    macs = archai_tally_mul(t, rows, archai_tally_mul(t, width, width));
    archai_tally_charge(t, macs, archai_tally_mul(t, 2, macs), 0);
    charge_products(t, heads, in[0].dim[0], key->dim[0], width, width);
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t width = archai_int(m, EMBED);
    const int64_t in[] = {3 * width, width}, out[] = {width, width};

    archai_state_add(t, "in_proj_weight", ARCHAI_F32, true, 2, in);
    if (m->args[BIAS] != 0)
        archai_state_add(t, "in_proj_bias", ARCHAI_F32, true, 1, in);
    archai_state_add(t, "out_proj.weight", ARCHAI_F32, true, 2, out);
    if (m->args[BIAS] != 0)
        archai_state_add(t, "out_proj.bias", ARCHAI_F32, true, 1, out);
}

const archai_module_kind archai_kind_multihead_attention = {.name = "MultiheadAttention",
                                                            .args = args,
                                                            .min_inputs = 1,
                                                            .max_inputs = 3,
                                                            .print_child = print_child,
                                                            .deduce = deduce,
                                                            .infer = infer,
                                                            .state = state};

/* -- attention ---------------------------------------------------------------------------- */

enum { NUM_HEADS, IS_CAUSAL, DROPOUT_P, SCALE };

/* Of query, key and value: [T, D], [S, D], [S, E] with num_heads heads to split D and E into;
 * or, num_heads None, [H, T, D], [H, S, D], [H, S, E]. Comes out as the query does, with E for
 * D. */
static const archai_arg attention_args[] = {
    {"num_heads", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_NONE},
    {"is_causal", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    {"dropout_p", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .high = 1},
    {"scale", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_NONE}, /* 1 / sqrt(D of a head) */
    {.name = NULL},
};

static void print_attention(const archai_module *m, FILE *out)
{
    if (!isnan(m->args[NUM_HEADS]))
        (void)fprintf(out, "num_heads=%.0f, ", m->args[NUM_HEADS]);
    archai_print_flag(out, "is_causal", m->args[IS_CAUSAL]);
}

static int infer_attention(archai_tally *t, const archai_module *m, const archai_shape *in,
                           archai_shape *out)
{
    const bool split = !isnan(m->args[NUM_HEADS]);
    const int n = split ? 2 : 3;
    char q[ARCHAI_SHAPE_TEXT], k[ARCHAI_SHAPE_TEXT], v[ARCHAI_SHAPE_TEXT];
    bool fits = in[0].ndim == n && in[1].ndim == n && in[2].ndim == n &&
                in[0].dim[n - 1] == in[1].dim[n - 1] && in[1].dim[n - 2] == in[2].dim[n - 2];
    int64_t heads;

    for (int i = 0; i < n - 2 && fits; i++)
        fits = in[0].dim[i] == in[1].dim[i] && in[0].dim[i] == in[2].dim[i];
    if (!fits)
        return archai_tally_fail(t, "query %s, key %s and value %s do not fit, expected %s",
                                 archai_shape_text(&in[0], q), archai_shape_text(&in[1], k),
                                 archai_shape_text(&in[2], v),
                                 split ? "[T, D], [S, D], [S, E]"
                                       : "[H, T, D], [H, S, D], [H, S, E] without num_heads");
    heads = split ? archai_int(m, NUM_HEADS) : in[0].dim[0];
    if (split && (in[0].dim[1] % heads != 0 || in[2].dim[1] % heads != 0))
        return archai_tally_misfit(t, &in[in[0].dim[1] % heads != 0 ? 0 : 2],
                                   "a last dimension that divides into heads:", heads);
    *out = in[0];
    out->dim[n - 1] = in[2].dim[n - 1];
    charge_products(t, heads, in[0].dim[n - 2], in[1].dim[n - 2],
                    split ? in[0].dim[1] : archai_tally_mul(t, heads, in[0].dim[2]),
                    split ? in[2].dim[1] : archai_tally_mul(t, heads, in[2].dim[2]));
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_attention = {.name = "attention",
                                                  .args = attention_args,
                                                  .min_inputs = 3,
                                                  .max_inputs = 3,
                                                  .print = print_attention,
                                                  .infer = infer_attention};

/* -- rotary ------------------------------------------------------------------------------- */

/* Su et al., RoFormer (2021), as GPT-J and CodeGen have it: in each head of [T, D] the first
 * rotary_dim values are pairs of neighbours, which turn with the position by 1 / base^(pair * 2
 * / rotary_dim). */
enum { ROTARY_HEADS, ROTARY_DIM, BASE };

static const archai_arg rotary_args[] = {
    {"num_heads", .type = ARCHAI_ARG_INT},
    {"rotary_dim", .type = ARCHAI_ARG_INT},
    {"base", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 10000, .low = 1,
     .high = DBL_MAX},
    {.name = NULL},
};

static void print_rotary(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "num_heads=%.0f, rotary_dim=%.0f", m->args[ROTARY_HEADS],
                  m->args[ROTARY_DIM]);
}

static int infer_rotary(archai_tally *t, const archai_module *m, const archai_shape *in,
                        archai_shape *out)
{
    const int64_t heads = archai_int(m, ROTARY_HEADS), dim = archai_int(m, ROTARY_DIM);

    if (in->ndim != 2 || in->dim[1] % heads != 0)
        return archai_tally_misfit(t, in, "[tokens, D] with D divisible by num_heads:", heads);
    if (dim % 2 != 0 || dim > in->dim[1] / heads)
        return archai_tally_fail(
            t,
            "rotary_dim is %lld, expected an even number up to %lld, the size "
            "of a head",
            (long long)dim, (long long)(in->dim[1] / heads));
    *out = *in;
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_rotary = {
    .name = "rotary", .args = rotary_args, .print = print_rotary, .infer = infer_rotary};
