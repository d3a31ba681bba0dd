/* core/space/natsbench_tss/tss_network.h - the network in which NAS-Bench-201 trained its cells
 * (Dong, Yang 2020, arXiv:2001.00326, section 2.2), with the names and printed form of its
 * authors' code.
 *
 * A 3 x 3 convolution, three stages of equal cells with a residual block between them that
 * halves the image and doubles the width, batch normalisation, ReLU, the mean over all pixels,
 * a linear layer.
 */
#ifndef ARCHAI_CORE_SPACE_NATSBENCH_TSS_TSS_NETWORK_H
#define ARCHAI_CORE_SPACE_NATSBENCH_TSS_TSS_NETWORK_H
#include "core/network/network.h"
#include "core/space/natsbench_tss/tss_cell.h"

typedef struct archai_tss_shape {
    int channels, cells;      /* width of the first stage; cells of each stage */
    int input, height, width; /* of an image: its channels and pixels, multiples of 4 */
    int classes;
} archai_tss_shape;

void archai_tss_describe(const archai_tss_cell *cell, const archai_tss_shape *shape,
                         archai_network *out);
#endif
