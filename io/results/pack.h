/* io/results/pack.h - results.h5 as one file, without virtual datasets, to send away. */
#ifndef ARCHAI_IO_RESULTS_PACK_H
#define ARCHAI_IO_RESULTS_PACK_H
#include <stddef.h>
#include "core/base/err.h"

/* Copy the results at `path` (a directory or a results.h5) into the empty file `to`: all attributes, groups and columns,
 * and the tensors of /models as datasets of their own, byte for byte what they are in the segments. Then the
 * copy is read back and compared. *models: how many have weights. A weight whose segment is not there is
 * ARCHAI_ENOTFOUND, never zeros. */
int archai_results_pack(const char *path, const char *to, size_t *models, archai_err *err);
#endif
