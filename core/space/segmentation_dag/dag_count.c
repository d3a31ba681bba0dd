/* tensorwatch's MAdd and trainability of a graph in closed form, without building the model. MAdd of
 * a convolution with q = k*k*Cin/groups: 2 * q * Cout * h * w; batch normalisation: 4 * C * h * w;
 * ReLU: C * h * w. Upsampling and sums cost nothing.
 */
#include "core/space/segmentation_dag/dag.h"

/* Convolution and batch normalisation, and a ReLU where `active`; `pixels` of the output. */
static void add_convolution(double *madd, int kernel, int64_t in, int64_t out, int64_t groups,
                            int64_t pixels, bool active)
{
    int64_t q = kernel * kernel * (in / groups);

    *madd += (double)((2 * q + 4 + active) * out) * (double)pixels;
}

static int64_t pixels_at(const archai_dag_shape *shape, int scale)
{
    int64_t s = archai_dag_scales[scale];

    return (shape->width / 2 / s) * (shape->height / 2 / s);
}

static void add_edge(double *madd, const archai_dag *d, const archai_dag_shape *shape,
                     const archai_dag_node *from, const archai_dag_node *to)
{
    const archai_dag_op *op = &archai_dag_op_kinds[from->op];
    int64_t in = archai_dag_width(d, from->scale), out = archai_dag_width(d, to->scale);
    int64_t source = pixels_at(shape, from->scale), wide = in * op->expansion;
    /* Going up, the operation works at the source's resolution and its result is enlarged. */
    int64_t target = pixels_at(shape, to->scale > from->scale ? to->scale : from->scale);

    if (!op->mobile) {
        add_convolution(madd, op->kernel, in, out, 1, target, true);
        return;
    }
    if (op->expansion > 1)
        add_convolution(madd, 1, in, wide, 1, source, false);
    add_convolution(madd, op->kernel, wide, wide, wide, target, true);
    add_convolution(madd, 1, wide, out, 1, target, false);
}

/* Whole numbers up to 2^53 are exact in a double; beyond, no graph is searched. */
int64_t archai_dag_madd(const archai_dag *d, const archai_dag_shape *shape)
{
    int64_t stem = archai_dag_width(d, 0), full = (int64_t)shape->width * shape->height;
    double madd = 0;

    for (size_t i = 1; i < d->n; i++)
        for (size_t k = 0; k < d->nodes[i].n_inputs; k++)
            if (archai_dag_first_mention(&d->nodes[i], k))
                add_edge(&madd, d, shape, &d->nodes[d->nodes[i].inputs[k]], &d->nodes[i]);
    add_convolution(&madd, 3, shape->channels, stem, 1, pixels_at(shape, 0), true);
    for (int64_t i = 0; i < d->post_upsample_layers; i++)
        add_convolution(&madd, 3, i == 0 ? archai_dag_width(d, d->nodes[d->n - 1].scale) : stem, stem,
                        1, full, true);
    madd += (double)(2 * stem * shape->classes) * (double)full;
    return madd < 0x1p62 ? (int64_t)madd : INT64_C(1) << 62;
}

/* A node of one pixel has an edge at its own resolution into it (or, going up, out of it). */
bool archai_dag_trainable(const archai_dag *d, const archai_dag_shape *shape)
{
    for (size_t i = 0; i < d->n; i++)
        if (pixels_at(shape, d->nodes[i].scale) <= 1)
            return false;
    return true;
}
