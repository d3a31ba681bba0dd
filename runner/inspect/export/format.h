/* runner/inspect/export/format.h - what a model may leave as.
 *
 * A format is one file here with one `const export_format export_<name>` and one line, X(<name>), in EXPORT_FORMATS.
 */
#ifndef ARCHAI_RUNNER_INSPECT_EXPORT_FORMAT_H
#define ARCHAI_RUNNER_INSPECT_EXPORT_FORMAT_H
#include "core/network/network.h"
#include "core/search/space.h"
#include "io/file/beside.h"
#include "io/model/weights.h"
#include "runner/inspect/inspect.h"

/* The first is the default. */
#define EXPORT_FORMATS(X) X(safetensors) X(pt) X(arch) X(onnx) X(python)

/* A model on its way out. */
typedef struct export_model {
    const inspect *t;
    size_t row;
    const char *archid;     /* borrowed */
    archai_tensor *tensors; /* owned; the state_dict, where the format asks for it */
    size_t n;
    archai_network net;     /* owned; where the format asks for it */
} export_model;

typedef struct export_format {
    const char *name;
    const char *endings[3]; /* of names of files that stand for it, the first its own; NULL ends */
    bool weights, network;  /* what it asks for */
    bool text;              /* may go to standard output */
    /* The file lies at `out->fd`, and at `out->at` for other programs; it is published by the caller. */
    int (*write)(const export_model *m, const archai_beside *out, archai_err *err);
} export_format;

/* The spaces of results are described by the configuration in them, and by the shape of the data that they were found
 * with. The space is the caller's to destroy. Code of a plug-in is run only where --config names it. */
int export_space(const inspect *t, archai_space **out, archai_err *err);
/* What the format asks for; `space`: NULL where it asks for no network. To be released in any case. */
int export_model_open(export_model *out, const inspect *t, size_t row, const export_format *format,
                      archai_space *space, archai_err *err);
void export_model_close(export_model *m);

#define X(name) extern const export_format export_##name;
EXPORT_FORMATS(X)
#undef X
#endif
