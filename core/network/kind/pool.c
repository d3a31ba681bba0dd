/* MaxPool1d, MaxPool2d, AvgPool1d and AvgPool2d. A window lies at most half in the padding. */
#include <math.h>

#include "core/network/kind/kind.h"

/* What follows from the arguments, which differ in their places. */
typedef struct window {
    int n; /* dimensions */
    int64_t kernel[2], stride[2], padding[2], dilation[2];
    bool ceil;
} window;

/* How often the window fits. With `ceil` a last one may hang over, if it begins inside. */
static int64_t fit(const window *w, int i, int64_t in)
{
    const int64_t span = w->dilation[i] * (w->kernel[i] - 1) + 1;
    const int64_t room = in + 2 * w->padding[i] - span;
    int64_t n;

    if (room < 0 && (!w->ceil || room + w->stride[i] - 1 < 0))
        return 0;
    n = (room + (w->ceil ? w->stride[i] - 1 : 0)) / w->stride[i] + 1;
    if (w->ceil && (n - 1) * w->stride[i] >= in + w->padding[i])
        n--;
    return n;
}

static int slide(archai_tally *t, const window *w, const archai_shape *in, archai_shape *out)
{
    if (in->ndim != w->n + 1)
        return archai_tally_expected(
            t, in, w->n == 1 ? "[channels, length]" : "[channels, height, width]");
    *out = *in;
    for (int i = 0; i < w->n; i++) {
        if (w->padding[i] > w->kernel[i] / 2)
            return archai_tally_fail(t, "padding %lld is more than half of kernel_size %lld",
                                     (long long)w->padding[i], (long long)w->kernel[i]);
        out->dim[1 + i] = fit(w, i, in->dim[1 + i]);
        if (out->dim[1 + i] < 1)
            return archai_tally_misfit(t, in, "at least the kernel's size:", w->kernel[i]);
    }
    return ARCHAI_OK;
}

/* tensorwatch: `more` operations than a window has values, for each value that comes out. */
static void charge(archai_tally *t, const window *w, const archai_shape *in,
                   const archai_shape *out, int64_t more)
{
    const int64_t taps = archai_tally_mul(t, w->kernel[0], w->n == 2 ? w->kernel[1] : 1);

    archai_tally_charge(t, 0, archai_tally_volume(t, in),
                        archai_tally_mul(t, taps + more, archai_tally_volume(t, out)));
}

/* PyTorch's default stride is the window's own size. */
static void deduce_stride(archai_module *m, size_t kernel, size_t stride, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(m->args[stride + i]))
            m->args[stride + i] = m->args[kernel + i];
}

/* -- maximum ------------------------------------------------------------------------------- */

#define MAX_ARGS(SIZE)                                                                         \
    {                                                                                          \
        {"kernel_size", .type = (SIZE)},                                                       \
            {"stride", .type = (SIZE), .need = ARCHAI_ARG_DEDUCED},                            \
            {"padding", .type = (SIZE), .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},        \
            {"dilation", .type = (SIZE), .need = ARCHAI_ARG_DEFAULT, .standard = 1},           \
            {"ceil_mode", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},                \
        {                                                                                      \
            .name = NULL                                                                       \
        }                                                                                      \
    }

static const archai_arg max_args_1d[] = MAX_ARGS(ARCHAI_ARG_INT);
static const archai_arg max_args_2d[] = MAX_ARGS(ARCHAI_ARG_PAIR);

archai_module *archai_module_max_pool2d(archai_module *parent, const char *name, int kernel,
                                        int stride, int padding)
{
    return archai_module_layer(
        parent, name, &archai_kind_max_pool2d,
        (const double[]){kernel, kernel, stride, stride, padding, padding, 1, 1, 0});
}

static void print_size(FILE *out, const char *name, const double *at, int n)
{
    if (n == 1)
        (void)fprintf(out, "%s=%.0f", name, at[0]);
    else
        archai_print_size(out, name, at);
}

static void print_max(const archai_module *m, FILE *out, int n)
{
    print_size(out, "kernel_size", &m->args[0], n);
    print_size(out, ", stride", &m->args[n], n);
    print_size(out, ", padding", &m->args[2 * n], n);
    print_size(out, ", dilation", &m->args[3 * n], n);
    archai_print_flag(out, ", ceil_mode", m->args[4 * n]);
}

static int infer_max(archai_tally *t, const archai_module *m, const archai_shape *in,
                     archai_shape *out, int n)
{
    window w = {.n = n, .ceil = m->args[4 * n] != 0};

    for (int i = 0; i < n; i++) {
        w.kernel[i] = archai_int(m, (size_t)i);
        w.stride[i] = archai_int(m, (size_t)(n + i));
        w.padding[i] = archai_int(m, (size_t)(2 * n + i));
        w.dilation[i] = archai_int(m, (size_t)(3 * n + i));
    }
    ARCHAI_TRY(slide(t, &w, in, out));
    charge(t, &w, in, out, -1);
    return ARCHAI_OK;
}

#define MAX_POOL(N)                                                                            \
    static void print_max_##N##d(const archai_module *m, FILE *out)                            \
    {                                                                                          \
        print_max(m, out, N);                                                                  \
    }                                                                                          \
    static void deduce_max_##N##d(archai_module *m, const archai_shape *in, size_t n)          \
    {                                                                                          \
        (void)in;                                                                              \
        (void)n;                                                                               \
        deduce_stride(m, 0, N, N);                                                             \
    }                                                                                          \
    static int infer_max_##N##d(archai_tally *t, const archai_module *m,                       \
                                const archai_shape *in, archai_shape *out)                     \
    {                                                                                          \
        return infer_max(t, m, in, out, N);                                                    \
    }                                                                                          \
    const archai_module_kind archai_kind_max_pool##N##d = {.name = "MaxPool" #N "d",           \
                                                           .args = max_args_##N##d,            \
                                                           .print = print_max_##N##d,          \
                                                           .deduce = deduce_max_##N##d,        \
                                                           .infer = infer_max_##N##d}

MAX_POOL(1);
MAX_POOL(2);

/* -- mean ---------------------------------------------------------------------------------- */

static const archai_arg avg_args_1d[] = {
    {"kernel_size", .type = ARCHAI_ARG_INT},
    {"stride", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"padding", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {"ceil_mode", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    {"count_include_pad", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

static const archai_arg avg_args_2d[] = {
    {"kernel_size", .type = ARCHAI_ARG_PAIR},
    {"stride", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEDUCED},
    {"padding", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {"ceil_mode", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    {"count_include_pad", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"divisor_override", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_NONE, .low = -INT32_MAX,
     .high = INT32_MAX},
    {.name = NULL},
};

static void print_avg_1d(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "kernel_size=(%.0f,), stride=(%.0f,), padding=(%.0f,)", m->args[0],
                  m->args[1], m->args[2]);
}

static void print_avg_2d(const archai_module *m, FILE *out)
{
    archai_print_size(out, "kernel_size", &m->args[0]);
    archai_print_size(out, ", stride", &m->args[2]);
    archai_print_size(out, ", padding", &m->args[4]);
}

static void deduce_avg_1d(archai_module *m, const archai_shape *in, size_t n)
{
    (void)in;
    (void)n;
    deduce_stride(m, 0, 1, 1);
}

static void deduce_avg_2d(archai_module *m, const archai_shape *in, size_t n)
{
    (void)in;
    (void)n;
    deduce_stride(m, 0, 2, 2);
}

static int infer_avg(archai_tally *t, const archai_module *m, const archai_shape *in,
                     archai_shape *out, int n)
{
    window w = {.n = n, .ceil = m->args[3 * n] != 0, .dilation = {1, 1}};

    for (int i = 0; i < n; i++) {
        w.kernel[i] = archai_int(m, (size_t)i);
        w.stride[i] = archai_int(m, (size_t)(n + i));
        w.padding[i] = archai_int(m, (size_t)(2 * n + i));
    }
    ARCHAI_TRY(slide(t, &w, in, out));
    charge(t, &w, in, out, 0);
    return ARCHAI_OK;
}

static int infer_avg_1d(archai_tally *t, const archai_module *m, const archai_shape *in,
                        archai_shape *out)
{
    return infer_avg(t, m, in, out, 1);
}

static int infer_avg_2d(archai_tally *t, const archai_module *m, const archai_shape *in,
                        archai_shape *out)
{
    if (m->args[8] == 0)
        return archai_tally_fail(t, "divisor_override is 0");
    return infer_avg(t, m, in, out, 2);
}

const archai_module_kind archai_kind_avg_pool1d = {.name = "AvgPool1d",
                                                   .args = avg_args_1d,
                                                   .print = print_avg_1d,
                                                   .deduce = deduce_avg_1d,
                                                   .infer = infer_avg_1d};

const archai_module_kind archai_kind_avg_pool2d = {.name = "AvgPool2d",
                                                   .args = avg_args_2d,
                                                   .print = print_avg_2d,
                                                   .deduce = deduce_avg_2d,
                                                   .infer = infer_avg_2d};
