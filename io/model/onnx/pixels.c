/* Resizing, shuffling and padding of images. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "io/model/onnx/graph.h"

/* -- Upsample -------------------------------------------------------------------------------- */

/* The pixel that libtorch takes for pixel o: in float32, by the factor as it was given. Runtimes round otherwise. */
static int nearest(onnx_graph *g, const onnx_call *c, int x, int i)
{
    const int64_t in = c->shape[0].dim[1 + i], out = c->out.dim[1 + i];
    const double factor = onnx_real(c, "scale_factor", 0);
    const float scale = isnan(factor) ? (float)in / (float)out : (float)(1 / factor);
    int64_t *from = archai_malloc((size_t)out * sizeof *from);
    int y;

    for (int64_t o = 0; o < out; o++) {
        from[o] = (int64_t)floorf((float)o * scale);
        if (from[o] > in - 1)
            from[o] = in - 1;
    }
    y = onnx_op(g, "Gather", 2, x, onnx_integers(g, from, (size_t)out));
    onnx_int(g, "axis", 2 + i);
    free(from);
    return y;
}

/* Each pixel several times: what every runtime agrees on. */
static int whole_times(onnx_graph *g, const onnx_call *c)
{
    const float scales[] = {1, 1, (float)(c->out.dim[1] / c->shape[0].dim[1]),
                            (float)(c->out.dim[2] / c->shape[0].dim[2])};
    const int y = onnx_op(g, "Resize", 3, c->in[0], ONNX_NONE, onnx_floats(g, scales, (const int64_t[]){4}, 1));

    onnx_text(g, "mode", "nearest");
    onnx_text(g, "coordinate_transformation_mode", "asymmetric");
    onnx_text(g, "nearest_mode", "floor");
    return y;
}

/* To a size: [N, C, H, W], of which N is not known here. */
static int whole_size(onnx_graph *g, const onnx_call *c)
{
    const int begin = onnx_op(g, "Shape", 1, c->in[0]);
    int all;

    onnx_int(g, "start", 0);
    onnx_int(g, "end", 2);
    all = onnx_op(g, "Concat", 2, begin, onnx_integers(g, &c->out.dim[1], 2));
    onnx_int(g, "axis", 0);
    return all;
}

static int bilinear(onnx_graph *g, const onnx_call *c)
{
    const double factor = onnx_real(c, "scale_factor", 0);
    const float scales[] = {1, 1, (float)factor, (float)factor};
    const int scale = isnan(factor) ? ONNX_NONE : onnx_floats(g, scales, (const int64_t[]){4}, 1);
    const int size = isnan(factor) ? whole_size(g, c) : ONNX_NONE;
    const int y = onnx_op(g, "Resize", 4, c->in[0], ONNX_NONE, scale, size);

    onnx_text(g, "mode", "linear");
    onnx_text(g, "coordinate_transformation_mode", onnx_is(c, "align_corners") ? "align_corners" : "half_pixel");
    return y;
}

int onnx_call_upsample(onnx_graph *g, const onnx_call *c)
{
    const int64_t *in = c->shape[0].dim, *out = c->out.dim;

    if (onnx_is(c, "mode"))
        return bilinear(g, c);
    if (out[1] % in[1] == 0 && out[2] % in[2] == 0 && (isnan(onnx_real(c, "scale_factor", 0)) ||
                                                       onnx_real(c, "scale_factor", 0) == (double)(out[1] / in[1])))
        return whole_times(g, c);
    return nearest(g, c, nearest(g, c, c->in[0], 0), 1);
}

/* -- shuffling ------------------------------------------------------------------------------- */

int onnx_call_pixel_shuffle(onnx_graph *g, const onnx_call *c)
{
    const int y = onnx_op(g, "DepthToSpace", 1, c->in[0]);

    onnx_int(g, "blocksize", onnx_arg(c, "upscale_factor", 0));
    onnx_text(g, "mode", "CRD");
    return y;
}

int onnx_call_channel_shuffle(onnx_graph *g, const onnx_call *c)
{
    const int64_t groups = onnx_arg(c, "groups", 0), *dim = c->out.dim;
    const int apart = onnx_reshape_to(g, c->in[0], (const int64_t[]){groups, dim[0] / groups, -1}, 3);

    return onnx_reshape(g, onnx_transpose(g, apart, (const int64_t[]){0, 2, 1, 3}, 4), &c->out);
}

/* -- padding --------------------------------------------------------------------------------- */

/* [before, after] of each dimension, the last one first; negative numbers cut off. */
static int pad(onnx_graph *g, const onnx_call *c, const int64_t *sides, int n, double value)
{
    const int rank = c->shape[0].ndim + 1;
    int64_t pads[2 * ARCHAI_MAX_DIMS] = {0};
    int x = c->in[0];

    for (int i = 0; i < n; i += 2) {
        const int axis = rank - 1 - i / 2;
        const int64_t before = sides[i], after = sides[i + 1];

        if (before < 0 || after < 0)
            x = onnx_slice(g, x, axis, before < 0 ? -before : 0, after < 0 ? after : INT64_MAX, 1);
        pads[axis] = before > 0 ? before : 0;
        pads[rank + axis] = after > 0 ? after : 0;
    }
    return onnx_op(g, "Pad", 3, x, onnx_integers(g, pads, 2 * (size_t)rank), onnx_number(g, value));
}

int onnx_call_pad(onnx_graph *g, const onnx_call *c)
{
    const int n = (int)onnx_arg(c, "pad", 0);
    int64_t sides[ARCHAI_ARG_LIST_MAX + 1] = {0};

    for (int i = 0; i < n; i++)
        sides[i] = onnx_arg(c, "pad", 1 + i);
    return pad(g, c, sides, n, onnx_real(c, "value", 0));
}

int onnx_call_zero_pad2d(onnx_graph *g, const onnx_call *c)
{
    const int n = (int)onnx_arg(c, "padding", 0);
    int64_t sides[4];

    for (int i = 0; i < 4; i++)
        sides[i] = onnx_arg(c, "padding", n == 1 ? 1 : 1 + i);
    return pad(g, c, sides, 4, 0);
}
