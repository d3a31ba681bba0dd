/* core/space/cnn_network.h - the document's MyModel, for every space whose models are of that
 * family.
 *
 * nb_layers x [Conv2d, BatchNorm2d, ReLU], AdaptiveAvgPool2d, a 1 x 1 Conv2d to the classes, and
 * the output flattened. Where the data set is unknown it is the document's: one channel, ten
 * classes, and MNIST's 28 x 28 pixels.
 */
#ifndef ARCHAI_CORE_SPACE_CNN_NETWORK_H
#define ARCHAI_CORE_SPACE_CNN_NETWORK_H
#include <jansson.h>
#include <stdint.h>
#include "core/network/network.h"
#include "core/search/space.h"

/* Bounds of a well-formed model: a description of so many layers takes 100 MB, pictures are not larger,
 * widths are PyTorch's int. Whether memory holds the weights is known where they are made. */
enum {
    ARCHAI_CNN_MAX_LAYERS = 100000,
    ARCHAI_CNN_MAX_KERNEL = 65535,
    ARCHAI_CNN_MAX_HIDDEN = INT32_MAX
};

typedef struct archai_cnn {
    int64_t nb_layers, kernel_size, hidden_dim;
} archai_cnn;

/* The members nb_layers, kernel_size and hidden_dim of an object, within the bounds; other members
 * are ignored. Errors begin with the member's name. */
int archai_cnn_read(archai_cnn *out, const json_t *arch, const archai_data_shape *data,
                    archai_err *err);
/* ARCHAI_EINVAL: so many parameters that counts would overflow, far beyond any memory. */
int archai_cnn_check(const archai_cnn *c, const archai_data_shape *data, archai_err *err);
/* Slots of archai_space_ops, for models whose arch has these members. */
int archai_cnn_count(archai_space *s, const archai_model *m, archai_counts *out, archai_err *err);
int archai_cnn_describe(archai_space *s, const archai_model *m, archai_network *out,
                        archai_err *err);
#endif
