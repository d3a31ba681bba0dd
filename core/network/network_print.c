/* What a description looks like: PyTorch's repr() and a drawing for graphviz. */
#include "core/network/network.h"

#include <string.h>

static void put_pair(FILE *out, const char *before, const int pair[2])
{
    (void)fprintf(out, "%s=(%d, %d)", before, pair[0], pair[1]);
}

static void put_conv(FILE *out, const archai_module *m)
{
    (void)fprintf(out, "Conv2d(%d, %d, ", m->u.conv.in_channels, m->u.conv.out_channels);
    put_pair(out, "kernel_size", m->u.conv.kernel);
    put_pair(out, ", stride", m->u.conv.stride);
    if (m->u.conv.padding[0] != 0 || m->u.conv.padding[1] != 0)
        put_pair(out, ", padding", m->u.conv.padding);
    if (m->u.conv.groups != 1)
        (void)fprintf(out, ", groups=%d", m->u.conv.groups);
    if (!m->u.conv.bias)
        (void)fputs(", bias=False", out);
    (void)fputc(')', out);
}

static void put_upsample(FILE *out, const archai_module *m)
{
    if (m->u.up.factor != 0)
        (void)fprintf(out, "Upsample(scale_factor=%d.0, mode=nearest)", m->u.up.factor);
    else
        (void)fprintf(out, "Upsample(size=(%d, %d), mode=nearest)", m->u.up.size[0],
                      m->u.up.size[1]);
}

static void put_leaf(FILE *out, const archai_module *m)
{
    switch (m->kind) {
    case ARCHAI_MODULE_CONV2D:
        put_conv(out, m);
        break;
    case ARCHAI_MODULE_BATCH_NORM2D:
        (void)fprintf(out,
                      "BatchNorm2d(%d, eps=1e-05, momentum=0.1, affine=True, "
                      "track_running_stats=True)",
                      m->u.norm.num_features);
        break;
    case ARCHAI_MODULE_RELU:
        (void)fputs("ReLU()", out);
        break;
    case ARCHAI_MODULE_ADAPTIVE_AVG_POOL2D:
        put_pair(out, "AdaptiveAvgPool2d(output_size", m->u.adaptive.output);
        (void)fputc(')', out);
        break;
    case ARCHAI_MODULE_MAX_POOL2D:
        (void)fprintf(out,
                      "MaxPool2d(kernel_size=%d, stride=%d, padding=%d, dilation=1, "
                      "ceil_mode=False)",
                      m->u.pool.kernel, m->u.pool.stride, m->u.pool.padding);
        break;
    case ARCHAI_MODULE_UPSAMPLE:
        put_upsample(out, m);
        break;
    case ARCHAI_MODULE_LINEAR:
        (void)fprintf(out, "Linear(in_features=%d, out_features=%d, bias=%s)",
                      m->u.linear.in_features, m->u.linear.out_features,
                      m->u.linear.bias ? "True" : "False");
        break;
    default:
        break;
    }
}

static void print(FILE *out, const archai_module *m, int depth)
{
    if (m->kind != ARCHAI_MODULE_CONTAINER) {
        put_leaf(out, m);
        return;
    }
    (void)fprintf(out, "%s(", m->class_name);
    for (size_t i = 0; i < m->n_children; i++) {
        (void)fprintf(out, "\n%*s(%s): ", 2 * (depth + 1), "", m->children[i]->name);
        print(out, m->children[i], depth + 1);
    }
    if (m->n_children > 0)
        (void)fprintf(out, "\n%*s", 2 * depth, "");
    (void)fputc(')', out);
}

int archai_module_print(const archai_module *root, FILE *out)
{
    print(out, root, 0);
    return ferror(out) != 0 ? ARCHAI_EIO : ARCHAI_OK;
}

/* Names go into "..." of the dot language: only the quote and the backslash are special. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)fputc('\\', out);
        (void)fputc(*text, out);
    }
}

static void put_step(FILE *out, const archai_step *s)
{
    (void)fprintf(out, "  v%d [label=\"", s->out);
    if (s->op == ARCHAI_STEP_CALL)
        put_leaf(out, s->module);
    else
        (void)fputs(s->op == ARCHAI_STEP_ADD ? "+" : "flatten", out);
    (void)fputs("\"];\n", out);
    (void)fprintf(out, "  v%d -> v%d;\n", s->a, s->out);
    if (s->op == ARCHAI_STEP_ADD)
        (void)fprintf(out, "  v%d -> v%d;\n", s->b, s->out);
}

int archai_network_dot(const archai_network *net, const char *title, FILE *out)
{
    (void)fputs("digraph \"", out);
    put_escaped(out, title);
    (void)fputs("\" {\n  node [shape=box, fontname=\"sans-serif\"];\n  v0 [label=\"input", out);
    if (net->input[1] > 0 && net->input[2] > 0)
        (void)fprintf(out, " %d x %d x %d", net->input[0], net->input[1], net->input[2]);
    (void)fputs("\"];\n", out);
    for (size_t i = 0; i < net->n_steps; i++)
        put_step(out, &net->steps[i]);
    (void)fputs("}\n", out);
    return ferror(out) != 0 ? ARCHAI_EIO : ARCHAI_OK;
}
