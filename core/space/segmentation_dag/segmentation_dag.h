/* core/space/segmentation_dag/segmentation_dag.h - shared by the files of the space. */
#ifndef ARCHAI_CORE_SPACE_SEGMENTATION_DAG_SEGMENTATION_DAG_H
#define ARCHAI_CORE_SPACE_SEGMENTATION_DAG_SEGMENTATION_DAG_H
#include "core/space/segmentation_dag/dag.h"
#include "core/config/option.h"
#include "core/search/space.h"

typedef struct archai_segdag {
    archai_space base;
    /* options, under Archai's names */
    int64_t nb_classes;   /* 0: the data's */
    archai_ints img_size; /* width, height; empty: the data's */
    int64_t min_mac, max_mac, min_layers, max_layers, max_skip_connection_length, max_scale_delta;
    int64_t max_post_upsample_layers;
    int64_t min_base_channels, max_base_channels, base_channels_binwidth;
    int64_t min_delta_channels, max_delta_channels, delta_channels_binwidth;
    int max_downsample_factor; /* index into its choices */
    bool skip_connections, mult_delta;
    double downsample_prob_ratio;
    char *op_subset;
    /* what follows from them */
    archai_dag_shape shape;
    archai_ints base_list, delta_list; /* owned */
    int ops[ARCHAI_DAG_OPS];           /* that op_subset leaves, in order */
    size_t n_ops;
    int n_scales;
    size_t slots; /* nodes that the encoding distinguishes */
    char *kinds;  /* owned; letters of the encoding */
} archai_segdag;

/* The three ways to a new graph, draw for draw as Archai does them. ARCHAI_ENONE: none found. */
int archai_segdag_sample(archai_segdag *s, archai_dag *out, archai_err *err);
int archai_segdag_mutate(archai_segdag *s, const archai_dag *parent, archai_dag *out,
                         archai_err *err);
int archai_segdag_crossover(archai_segdag *s, const archai_dag *left, const archai_dag *right,
                            archai_dag *out, archai_err *err);

/* The encoding, see segmentation_dag_encode.c. */
size_t archai_segdag_encoding_size(const archai_segdag *s);
void archai_segdag_encoding_kinds(const archai_segdag *s, char *out); /* with a final NUL */
void archai_segdag_encode(const archai_segdag *s, const archai_dag *d, float *out);
#endif
