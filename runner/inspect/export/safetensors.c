/* The state_dict as safetensors: https://huggingface.co/docs/safetensors */
#include "runner/inspect/export/format.h"

static int write(const export_model *m, const archai_beside *out, archai_err *err)
{
    return archai_safetensors_write(out->fd, m->tensors, m->n, err);
}

const export_format export_safetensors = {
    .name = "safetensors", .endings = {"safetensors"}, .weights = true, .write = write};
