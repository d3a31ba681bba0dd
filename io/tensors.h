/* io/tensors.h - named tensors in memory and as safetensors.
 *
 * Weights travel between processes as safetensors in a memfd: the same door serves evaluators
 * that users write in Python. Format: https://huggingface.co/docs/safetensors (8-byte length,
 * JSON header, data). Headers are untrusted: offsets, overlaps and sizes are checked.
 */
#ifndef ARCHAI_IO_TENSORS_H
#define ARCHAI_IO_TENSORS_H
#include <stddef.h>
#include <stdint.h>
#include "core/err.h"
#include "core/network.h"

typedef struct archai_tensor {
    char *name; /* owned */
    archai_dtype dtype;
    int ndim;
    int64_t shape[ARCHAI_MAX_DIMS];
    const void *data; /* borrowed: into the mapping or the caller's memory; contiguous */
    size_t bytes;
} archai_tensor;

typedef struct archai_tensors {
    archai_tensor *at; /* owned; in file order */
    size_t n;
    void *map; /* owned mapping or NULL */
    size_t map_bytes;
} archai_tensors;

/* Map a safetensors file; the tensors borrow from the mapping. */
int archai_safetensors_open(archai_tensors *out, const char *path, archai_err *err);
int archai_safetensors_open_fd(archai_tensors *out, int fd, archai_err *err); /* fd stays open */
/* Parse bytes that the caller keeps alive (tests, fuzzing). */
int archai_safetensors_parse(archai_tensors *out, const void *data, size_t size, archai_err *err);
/* Write to an open, empty descriptor at offset 0. */
int archai_safetensors_write(int fd, const archai_tensor *at, size_t n, archai_err *err);
void archai_tensors_close(archai_tensors *t); /* safe on a zeroed struct */
const archai_tensor *archai_tensors_find(const archai_tensors *t, const char *name);
#endif
