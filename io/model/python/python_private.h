/* io/model/python/python_private.h - what the files of this folder share. */
#ifndef ARCHAI_IO_MODEL_PYTHON_PYTHON_PRIVATE_H
#define ARCHAI_IO_MODEL_PYTHON_PYTHON_PRIVATE_H
#include "core/network/kind/kind.h"
#include "io/model/python/python.h"

/* "in_channels=3, kernel_size=(3, 3)": all that the table of the kind has, but what only PyTorch's memory is about. */
void python_arguments(const archai_module *m, FILE *out);

/* -- parts.py ------------------------------------------------------------------------------- */

extern const char archai_python_parts[]; /* the file, NUL-terminated; the build embeds it */

typedef struct python_parts {
    const char **names; /* owned list of borrowed names that were written */
    size_t n, capacity;
    FILE *out;
} python_parts;

/* Does parts.py define it? */
bool python_has_part(const char *name, size_t n);
/* Writes it, after what it needs, unless that was done before. */
void python_put_part(python_parts *p, const char *name);
#endif
