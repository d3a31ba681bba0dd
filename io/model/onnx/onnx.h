/* io/model/onnx/onnx.h - a described network and its weights as an ONNX model (opset 17), as it is in evaluation.
 *
 * One input "input", one output "output"; the batch's size is open ("N"), the others are those of the description. Initializers
 * have the names of the state_dict and hold the weights themselves.
 */
#ifndef ARCHAI_IO_MODEL_ONNX_ONNX_H
#define ARCHAI_IO_MODEL_ONNX_ONNX_H
#include "core/network/network.h"
#include "io/model/weights.h"

typedef struct archai_onnx_text { /* a line of the model's metadata; borrowed */
    const char *key, *value;
} archai_onnx_text;

/* A whole ONNX file in memory; the caller frees *out. ARCHAI_EINVAL: the size of its input is not known, it is not consistent, or
 * is larger than the 2 GiB of a protobuf message. `texts` [n]. */
int archai_onnx_write(const archai_network *net, const archai_weights *weights, const archai_onnx_text *texts,
                      size_t n, unsigned char **out, size_t *bytes, archai_err *err);
#endif
