/* Parameters, tensorwatch's MAdd and trainability of a graph in closed form, without building
 * the model. A convolution with bias, q = k*k*Cin/groups: (q + 1) * Cout parameters, MAdd 2 * q *
 * Cout * h * w; batch normalisation: 2 * C and 4 * C * h * w; ReLU: 0 and C * h * w. Upsampling and
 * sums cost nothing.
 */
#include "core/space/segmentation_dag/dag.h"

typedef struct cost {
    int64_t params, madd;
} cost;

/* Convolution and batch normalisation, and a ReLU where `active`; `pixels` of the output. */
static void add_convolution(cost *c, int kernel, int64_t in, int64_t out, int64_t groups,
                            int64_t pixels, bool active)
{
    int64_t q = kernel * kernel * (in / groups);

    c->params += (q + 1) * out + 2 * out;
    c->madd += (2 * q + 4 + active) * out * pixels;
}

static int64_t pixels_at(const archai_dag_shape *shape, int scale)
{
    int64_t s = archai_dag_scales[scale];

    return (shape->width / 2 / s) * (shape->height / 2 / s);
}

static void add_edge(cost *c, const archai_dag *d, const archai_dag_shape *shape,
                     const archai_dag_node *from, const archai_dag_node *to)
{
    const archai_dag_op *op = &archai_dag_op_kinds[from->op];
    int64_t in = archai_dag_width(d, from->scale), out = archai_dag_width(d, to->scale);
    int64_t source = pixels_at(shape, from->scale), wide = in * op->expansion;
    /* Going up, the operation works at the source's resolution and its result is enlarged. */
    int64_t target = pixels_at(shape, to->scale > from->scale ? to->scale : from->scale);

    if (!op->mobile) {
        add_convolution(c, op->kernel, in, out, 1, target, true);
        return;
    }
    if (op->expansion > 1)
        add_convolution(c, 1, in, wide, 1, source, false);
    add_convolution(c, op->kernel, wide, wide, wide, target, true);
    add_convolution(c, 1, wide, out, 1, target, false);
}

static cost count(const archai_dag *d, const archai_dag_shape *shape)
{
    int64_t stem = archai_dag_width(d, 0), full = (int64_t)shape->width * shape->height;
    cost c = {0, 0};

    for (size_t i = 1; i < d->n; i++)
        for (size_t k = 0; k < d->nodes[i].n_inputs; k++)
            if (archai_dag_first_mention(&d->nodes[i], k))
                add_edge(&c, d, shape, &d->nodes[d->nodes[i].inputs[k]], &d->nodes[i]);
    add_convolution(&c, 3, shape->channels, stem, 1, pixels_at(shape, 0), true);
    for (int64_t i = 0; i < d->post_upsample_layers; i++)
        add_convolution(&c, 3, i == 0 ? archai_dag_width(d, d->nodes[d->n - 1].scale) : stem, stem,
                        1, full, true);
    c.params += (stem + 1) * shape->classes;
    c.madd += 2 * stem * shape->classes * full;
    return c;
}

int64_t archai_dag_params(const archai_dag *d, const archai_dag_shape *shape)
{
    return count(d, shape).params;
}

int64_t archai_dag_madd(const archai_dag *d, const archai_dag_shape *shape)
{
    return count(d, shape).madd;
}

/* A node of one pixel has an edge at its own resolution into it (or, going up, out of it). */
bool archai_dag_trainable(const archai_dag *d, const archai_dag_shape *shape)
{
    for (size_t i = 0; i < d->n; i++)
        if (pixels_at(shape, d->nodes[i].scale) <= 1)
            return false;
    return true;
}
