/* Conv1d and Conv2d. */
#include <math.h>

#include "core/network/kind/kind.h"

/* Where the arguments of a convolution over `n` dimensions begin: each of the middle ones has
 * n. */
enum { IN, OUT, KERNEL };
#define STRIDE(n)   (KERNEL + (n))
#define PADDING(n)  (KERNEL + 2 * (n))
#define DILATION(n) (KERNEL + 3 * (n))
#define GROUPS(n)   (KERNEL + 4 * (n))
#define BIAS(n)     (GROUPS(n) + 1)

static const char *const padding_words[] = {"same", "valid", NULL};
static const char *const padding_modes[] = {"zeros", NULL};
enum { SAME = -1, VALID = -2 };

#define CONV_ARGS(SIZE)                                                                        \
    {                                                                                          \
        {"in_channels", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},                   \
            {"out_channels", .type = ARCHAI_ARG_INT}, {"kernel_size", .type = (SIZE)},         \
            {"stride", .type = (SIZE), .need = ARCHAI_ARG_DEFAULT, .standard = 1},             \
            {"padding", .type = (SIZE), .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX,         \
             .words = padding_words},                                                          \
            {"dilation", .type = (SIZE), .need = ARCHAI_ARG_DEFAULT, .standard = 1},           \
            {"groups", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1},     \
            {"bias", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},      \
            {"padding_mode", .type = ARCHAI_ARG_WORD, .need = ARCHAI_ARG_DEFAULT,              \
             .words = padding_modes},                                                          \
        {                                                                                      \
            .name = NULL                                                                       \
        }                                                                                      \
    }

static const archai_arg args_1d[] = CONV_ARGS(ARCHAI_ARG_INT);
static const archai_arg args_2d[] = CONV_ARGS(ARCHAI_ARG_PAIR);

archai_module *archai_module_conv2d(archai_module *parent, const char *name, int in, int out,
                                    int kernel, int stride, int padding, int groups, bool bias)
{
    return archai_module_layer(parent, name, &archai_kind_conv2d,
                               (const double[]){in, out, kernel, kernel, stride, stride,
                                                padding, padding, 1, 1, groups, bias, 0});
}

/* Pixels that the kernel spans in dimension i. */
static int64_t span(const archai_module *m, int n, int i)
{
    return archai_int(m, DILATION(n) + i) * (archai_int(m, KERNEL + i) - 1) + 1;
}

/* PyTorch has `same` only for stride 1. With another stride it is the padding that
 * torchvision's models write as a number, (span - 1) / 2 on both sides, so that the output has
 * ceil(size / stride) pixels. */
static bool is_same_of_stride(const archai_module *m, int n)
{
    bool strided = false;

    for (int i = 0; i < n; i++)
        strided |= archai_int(m, STRIDE(n) + i) > 1;
    return strided && archai_int(m, PADDING(n)) == SAME;
}

static void print_sizes(FILE *out, const char *name, const double *at, int n)
{
    if (n == 1)
        (void)fprintf(out, "%s=(%.0f,)", name, at[0]);
    else
        archai_print_pair(out, name, at);
}

static void print_padding(const archai_module *m, FILE *out, int n)
{
    const double *padding = &m->args[PADDING(n)];
    double numbers[2];

    for (int i = 0; i < n; i++)
        numbers[i] = floor(m->args[DILATION(n) + i] * (m->args[KERNEL + i] - 1) / 2);
    if (is_same_of_stride(m, n))
        print_sizes(out, ", padding", numbers, n);
    else if (padding[0] < 0)
        (void)fprintf(out, ", padding=%s", padding_words[padding[0] == SAME ? 0 : 1]);
    else if (padding[0] != 0 || padding[n - 1] != 0)
        print_sizes(out, ", padding", padding, n);
}

static void print_conv(const archai_module *m, FILE *out, int n)
{
    const double *dilation = &m->args[DILATION(n)];

    (void)fprintf(out, "%.0f, %.0f", m->args[IN], m->args[OUT]);
    print_sizes(out, ", kernel_size", &m->args[KERNEL], n);
    print_sizes(out, ", stride", &m->args[STRIDE(n)], n);
    print_padding(m, out, n);
    if (dilation[0] != 1 || dilation[n - 1] != 1)
        print_sizes(out, ", dilation", dilation, n);
    if (m->args[GROUPS(n)] != 1)
        (void)fprintf(out, ", groups=%.0f", m->args[GROUPS(n)]);
    if (m->args[BIAS(n)] == 0)
        (void)fputs(", bias=False", out);
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[IN]) && in->ndim > 0)
        m->args[IN] = (double)in->dim[0];
}

/* Output size in dimension i; below 1 the kernel does not fit. */
static int64_t output_size(const archai_module *m, int64_t in, int n, int i)
{
    const int64_t stride = archai_int(m, STRIDE(n) + i),
                  padding = archai_int(m, PADDING(n) + i);

    if (padding == SAME)
        return (in - 1) / stride + 1;
    return archai_window(in, span(m, n, i), stride, padding == VALID ? 0 : padding);
}

static int check_conv(archai_tally *t, const archai_module *m, const archai_shape *in, int n)
{
    const int64_t groups = archai_int(m, GROUPS(n));
    const double *padding = &m->args[PADDING(n)];

    if (in->ndim != n + 1)
        return archai_tally_expected(
            t, in, n == 1 ? "[channels, length]" : "[channels, height, width]");
    if (in->dim[0] != archai_int(m, IN))
        return archai_tally_misfit(t, in, "channels:", archai_int(m, IN));
    if (archai_int(m, IN) % groups != 0 || archai_int(m, OUT) % groups != 0)
        return archai_tally_fail(
            t, "its %lld channels in and %lld out do not divide into %lld groups",
            (long long)archai_int(m, IN), (long long)archai_int(m, OUT), (long long)groups);
    if (padding[0] != padding[n - 1] && (padding[0] < 0 || padding[n - 1] < 0))
        return archai_tally_fail(
            t, "padding is a word in one dimension and a number in the other");
    for (int i = 0; i < n && is_same_of_stride(m, n); i++)
        if (span(m, n, i) % 2 == 0)
            return archai_tally_fail(t, "padding 'same' with a stride needs odd kernel sizes");
    return ARCHAI_OK;
}

static int infer_conv(archai_tally *t, const archai_module *m, const archai_shape *in,
                      archai_shape *out, int n)
{
    const bool bias = m->args[BIAS(n)] != 0;
    int64_t taps, volume, macs;

    ARCHAI_TRY(check_conv(t, m, in, n));
    taps = archai_int(m, IN) / archai_int(m, GROUPS(n));
    *out = *in;
    out->dim[0] = archai_int(m, OUT);
    for (int i = 0; i < n; i++) {
        out->dim[1 + i] = output_size(m, in->dim[1 + i], n, i);
        if (out->dim[1 + i] < 1)
            return archai_tally_misfit(t, in, "at least the kernel's size:", span(m, n, i));
        taps = archai_tally_mul(t, taps, archai_int(m, KERNEL + i));
    }
    volume = archai_tally_volume(t, out);
    macs = archai_tally_mul(t, taps, volume);
    archai_tally_charge(
        t, macs, archai_tally_add(t, archai_tally_mul(t, 2, macs), bias ? volume : 0),
        archai_tally_mul(t, archai_tally_add(t, archai_tally_add(t, taps, taps), bias ? 0 : -1),
                         volume));
    return ARCHAI_OK;
}

static void state_conv(const archai_module *m, archai_state_list *t, int n)
{
    const int64_t groups = archai_int(m, GROUPS(n)) > 0 ? archai_int(m, GROUPS(n)) : 1;
    const int64_t shape[] = {archai_int(m, OUT), archai_int(m, IN) / groups,
                             archai_int(m, KERNEL), archai_int(m, KERNEL + 1)};

    archai_state_add(t, "weight", ARCHAI_F32, true, n + 2, shape);
    if (m->args[BIAS(n)] != 0)
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, shape);
}

#define CONV(N)                                                                                \
    static void print_##N##d(const archai_module *m, FILE *out)                                \
    {                                                                                          \
        print_conv(m, out, N);                                                                 \
    }                                                                                          \
    static int infer_##N##d(archai_tally *t, const archai_module *m, const archai_shape *in,   \
                            archai_shape *out)                                                 \
    {                                                                                          \
        return infer_conv(t, m, in, out, N);                                                   \
    }                                                                                          \
    static void state_##N##d(const archai_module *m, archai_state_list *t)                     \
    {                                                                                          \
        state_conv(m, t, N);                                                                   \
    }                                                                                          \
    const archai_module_kind archai_kind_conv##N##d = {.name = "Conv" #N "d",                  \
                                                       .args = args_##N##d,                    \
                                                       .print = print_##N##d,                  \
                                                       .deduce = deduce,                       \
                                                       .infer = infer_##N##d,                  \
                                                       .state = state_##N##d}

CONV(1);
CONV(2);
