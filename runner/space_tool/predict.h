/* runner/space_tool/predict.h - the input of predict. */
#ifndef ARCHAI_RUNNER_SPACE_TOOL_PREDICT_H
#define ARCHAI_RUNNER_SPACE_TOOL_PREDICT_H
#include "core/network/network.h"
#include "io/file/array.h"

/* The dataset FILE:/DATASET as `net` takes it: float32 [N, ...], or int64 tokens [N, T], under
 * the name "input". Free with archai_array_free. Errors begin with "--input: ". */
int archai_predict_input(const char *text, const archai_network *net, archai_tensor *out,
                         archai_err *err);
#endif
