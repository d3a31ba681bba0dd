/* core/space/segmentation_dag/dag.h - the genome of the segmentation space: a graph of operations,
 * one width per scale.
 *
 * Nodes are in topological order; the first is `input`, the last `output`. A node has a scale (its
 * resolution is that of the stem's output, half the image, divided by the scale) and, except for
 * the output, an operation, which each of its outgoing edges applies separately. Inputs are
 * numbers of earlier nodes and may repeat (crossover does that); a repeated one is one edge.
 */
#ifndef ARCHAI_CORE_SPACE_SEGMENTATION_DAG_DAG_H
#define ARCHAI_CORE_SPACE_SEGMENTATION_DAG_DAG_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/network/network.h"

enum {
    ARCHAI_DAG_OPS = 7,
    ARCHAI_DAG_SCALES = 5,
    /* Bounds of a well-formed graph, far above what a search makes. */
    ARCHAI_DAG_MAX_NODES = 512,
    ARCHAI_DAG_MAX_EDGES = 8192, /* repeated ones included */
    ARCHAI_DAG_NAME = 32,        /* bytes of a node's name, NUL included */
    ARCHAI_DAG_MAX_POST = 64,
    ARCHAI_DAG_MAX_WIDTH = 1 << 20 /* with these, counts for a pixel fit 64 bits */
};

extern const char *const archai_dag_ops[ARCHAI_DAG_OPS]; /* conv3x3 ... mbconv5x5_e2 */
extern const int archai_dag_scales[ARCHAI_DAG_SCALES];   /* 1 2 4 8 16 */

typedef struct archai_dag_op {
    bool mobile; /* depthwise and pointwise convolution */
    int kernel;
    int expansion; /* mobile only: 1 (none) or 2 */
} archai_dag_op;
extern const archai_dag_op archai_dag_op_kinds[ARCHAI_DAG_OPS];

typedef struct archai_dag_node {
    char name[ARCHAI_DAG_NAME];
    int op;      /* index into archai_dag_ops; -1 at the output */
    int scale;   /* index into archai_dag_scales */
    int *inputs; /* owned; numbers of earlier nodes; none at the input */
    size_t n_inputs, capacity;
} archai_dag_node;

typedef struct archai_dag {
    archai_dag_node *nodes; /* owned */
    size_t n, capacity;
    int64_t base_channels, delta_channels;
    bool mult_delta; /* width at scale index i: base * delta^i, else base + delta * i */
    int64_t post_upsample_layers;
} archai_dag;

void archai_dag_fini(archai_dag *d); /* safe on a zeroed struct */
void archai_dag_copy(archai_dag *out, const archai_dag *from);
/* Append a node without inputs. The pointer is valid until the next one. */
archai_dag_node *archai_dag_append(archai_dag *d, const char *name, int op, int scale);
void archai_dag_add_input(archai_dag_node *node, int input);
bool archai_dag_has_input(const archai_dag_node *node, int input);
/* Whether inputs[i] is not among those before it: repeated inputs are one edge. */
bool archai_dag_first_mention(const archai_dag_node *node, size_t i);
/* out[i]: number of distinct edges that leave node i; `out` has room for d->n. */
void archai_dag_out_degrees(const archai_dag *d, int *out);
/* Channels of every node with that scale index; at most MAX_WIDTH + 1. */
int64_t archai_dag_width(const archai_dag *d, int scale);

/* An arch file's JSON to a graph and back. Errors begin with the key: "architecture[2].op: ...". */
int archai_dag_from_json(archai_dag *out, const json_t *arch, archai_err *err);
json_t *archai_dag_to_json(const archai_dag *d); /* a new reference */
/* Whether the graph is a network: every node on a path from input to output, widths that agree,
 * within the bounds above. ARCHAI_EINVAL, worded as for a file, if not. */
int archai_dag_check(const archai_dag *d, archai_err *err);

/* The images and classes that the model is built for. */
typedef struct archai_dag_shape {
    int channels, width, height, classes; /* width and height: multiples of 32 */
} archai_dag_shape;

/* tensorwatch's MAdd for one image, which Archai's metadata call "macs" and min_mac and max_mac
 * bound; at most 2^62. The graph must have passed archai_dag_check. */
int64_t archai_dag_madd(const archai_dag *d, const archai_dag_shape *shape);
/* Whether it can be trained with one image: batch normalisation needs more than one value per
 * channel. */
bool archai_dag_trainable(const archai_dag *d, const archai_dag_shape *shape);

/* The model as PyTorch has it: SegmentationDagModel with edge_dict, stem_block, up,
 * post_upsample and classifier. */
void archai_dag_describe(const archai_dag *d, const archai_dag_shape *shape, archai_network *out);
/* Graphviz: the nodes in order, labelled with operation, scale and width. */
void archai_dag_dot(const archai_dag *d, const archai_dag_shape *shape, const char *title,
                    FILE *out);
#endif
