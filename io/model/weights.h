/* io/model/weights.h - the tensors of a state_dict, found by the layer that they belong to.
 *
 * Strict, as PyTorch's load_state_dict: each tensor of the description is there with its shape, and no other one. A
 * tied weight may be there under one of its names or, with the same values, under all.
 */
#ifndef ARCHAI_IO_MODEL_WEIGHTS_H
#define ARCHAI_IO_MODEL_WEIGHTS_H
#include "core/network/network.h"
#include "io/file/tensors.h"

typedef struct archai_weights archai_weights; /* opaque */

/* `at` [n] and `root` are borrowed until the end. ARCHAI_EINVAL names the tensor that is missing, has another shape, a type
 * that is no floating-point number, or no place in the model. */
int archai_weights_open(archai_weights **out, const archai_module *root, const archai_tensor *at,
                        size_t n, archai_err *err);
void archai_weights_close(archai_weights *w); /* NULL is allowed */
/* A layer's own tensor: "weight", "running_mean"; "" of a parameter. Its data are float32 unless it is int64. NULL: the layer
 * has none of that name. Borrowed. */
const archai_tensor *archai_weights_find(const archai_weights *w, const archai_module *layer,
                                         const char *name);
/* Is there a tensor of that name, or whose name begins so? */
bool archai_weights_taken(const archai_weights *w, const char *name, bool beginning);
/* "model.0.conv": the names on the way to a module, for messages and tensors. Borrowed. */
const char *archai_weights_path(const archai_weights *w, const archai_module *m);
#endif
