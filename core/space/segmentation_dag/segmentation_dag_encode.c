/* The segmentation space's encoding (Archai has none): a vector of fixed length. Graphs that differ
 * in one operation, edge, scale, channel step or number of layers have different vectors.
 *
 *   5 numbers             nodes, base_channels, delta_channels, mult_delta (0 or 1),
 *                         post_upsample_layers
 *   8 choices per slot    one for each of the 7 operations (1: this one; the output has none),
 *                         one for the scale (1 to 5, 0: no such node)
 *   j choices for slot j  how often the node d places before it is an input, d = 1 .. j
 *
 * There are max_layers + 1 slots (64 at most): the first node has the first slot, the output the
 * last, and the nodes between them the others, in order. Crossover makes longer graphs: a node i
 * beyond the slots shares slot 1 + (i - 1) mod (slots - 2) with an earlier one and their
 * features are added; so are those of inputs further back than a slot has places (with 1/1024
 * more for each time the distance wraps around). A single change still changes a sum. The
 * order of a node's inputs, on which no computation depends, is not encoded.
 */
#include <string.h>

#include "core/space/segmentation_dag/segmentation_dag.h"

enum { GLOBALS = 5, PER_SLOT = ARCHAI_DAG_OPS + 1 };

size_t archai_segdag_encoding_size(const archai_segdag *s)
{
    return GLOBALS + s->slots * PER_SLOT + s->slots * (s->slots - 1) / 2;
}

void archai_segdag_encoding_kinds(const archai_segdag *s, char *out)
{
    size_t size = archai_segdag_encoding_size(s);

    memset(out, 'n', GLOBALS);
    memset(out + GLOBALS, 'c', size - GLOBALS);
    out[size] = '\0';
}

static size_t slot_of(const archai_segdag *s, const archai_dag *d, size_t i)
{
    if (i == 0)
        return 0;
    if (i + 1 == d->n || s->slots == 2)
        return s->slots - 1;
    return 1 + (i - 1) % (s->slots - 2);
}

void archai_segdag_encode(const archai_segdag *s, const archai_dag *d, float *out)
{
    float *nodes = out + GLOBALS, *edges = nodes + s->slots * PER_SLOT;

    memset(out, 0, archai_segdag_encoding_size(s) * sizeof *out);
    out[0] = (float)d->n;
    out[1] = (float)d->base_channels;
    out[2] = (float)d->delta_channels;
    out[3] = d->mult_delta ? 1.0f : 0.0f;
    out[4] = (float)d->post_upsample_layers;
    for (size_t i = 0; i < d->n; i++) {
        const archai_dag_node *node = &d->nodes[i];
        size_t slot = slot_of(s, d, i);

        if (node->op >= 0)
            nodes[slot * PER_SLOT + (size_t)node->op] += 1.0f;
        nodes[slot * PER_SLOT + ARCHAI_DAG_OPS] += (float)(node->scale + 1);
        for (size_t k = 0; k < node->n_inputs; k++) {
            size_t back = i - (size_t)node->inputs[k];

            edges[slot * (slot - 1) / 2 + (back - 1) % slot] +=
                1.0f + (float)((back - 1) / slot) / 1024.0f;
        }
    }
}
