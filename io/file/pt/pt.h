/* io/file/pt/pt.h - the tensors of a PyTorch file (torch.save of a state_dict), without PyTorch.
 *
 * A zip archive with the pickle of a dictionary and the storages that it names. Read are dictionaries from names to
 * tensors, alone or under "state_dict", "model_state_dict" or "model" of a checkpoint; other entries are passed over.
 */
#ifndef ARCHAI_IO_FILE_PT_PT_H
#define ARCHAI_IO_FILE_PT_PT_H
#include <stdbool.h>
#include "io/file/tensors.h"

/* Does the file begin as one? */
bool archai_pt_is(const void *data, size_t size);
/* The tensors are copies, contiguous; `data` may go. bfloat16 becomes float32, bool uint8, both exactly. */
int archai_pt_parse(archai_tensors *out, const void *data, size_t size, archai_err *err);
/* A file that is one becomes the same as safetensors, in place; any other stays as it is. Read as a whole, not
 * mapped: its writer may still hold it. */
int archai_pt_convert(int fd, archai_err *err);
#endif
