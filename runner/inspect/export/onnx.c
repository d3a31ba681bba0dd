/* The network with its weights for ONNX's runtimes. The file says beside them which architecture it is, and how pictures were
 * normalised: (x - mean) / std, which is not part of the graph, as it is not part of the model in PyTorch. */
#include <stdlib.h>

#include "core/base/text.h"
#include "io/file/file.h"
#include "io/model/onnx/onnx.h"
#include "runner/inspect/export/format.h"

static int write(const export_model *m, const archai_beside *out, archai_err *err)
{
    const archai_results *r = &m->t->r;
    const archai_onnx_text known[] = {{"archid", m->archid}, {"arch", r->rows[m->row].arch}, {"data", r->data}};
    archai_onnx_text texts[sizeof known / sizeof known[0]];
    archai_weights *weights = NULL;
    unsigned char *bytes = NULL;
    size_t n = 0, n_texts = 0;
    int rc;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].value != NULL && archai_is_utf8(known[i].value))
            texts[n_texts++] = known[i];
    ARCHAI_TRY(archai_weights_open(&weights, m->net.root, m->tensors, m->n, err));
    rc = archai_onnx_write(&m->net, weights, texts, n_texts, &bytes, &n, err);
    if (rc == ARCHAI_OK)
        rc = archai_file_pwrite(out->fd, bytes, n, 0, "the network", err);
    free(bytes);
    archai_weights_close(weights);
    return rc;
}

const export_format export_onnx = {
    .name = "onnx", .endings = {"onnx"}, .weights = true, .network = true, .write = write};
