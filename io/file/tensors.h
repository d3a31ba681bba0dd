/* io/file/tensors.h - named tensors in memory and as safetensors.
 *
 * Weights travel between processes as safetensors in a memfd, to and from evaluators that users
 * write in Python, too. Format: https://huggingface.co/docs/safetensors (8-byte length, JSON
 * header, data). Headers are not trusted: offsets, overlaps, holes, types, sizes and depth are
 * checked before any data is used. Written files hold the header in the given order and the data by
 * decreasing element size, so that every tensor is aligned to its type.
 */
#ifndef ARCHAI_IO_FILE_TENSORS_H
#define ARCHAI_IO_FILE_TENSORS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/network/network.h"

/* More tensors of one model, or longer names, are not kept: HDF5 is slow with many, and no model has so
 * many. */
enum { ARCHAI_TENSORS_MAX = 32768, ARCHAI_TENSOR_NAME_MAX = 4096 };

typedef struct archai_tensor {
    char *name; /* owned */
    archai_dtype dtype;
    int ndim;
    int64_t shape[ARCHAI_MAX_DIMS];
    const void *data; /* borrowed: into the mapping or the caller's memory; contiguous */
    size_t bytes;
    size_t at_byte; /* where the data begins in the safetensors file that was read */
} archai_tensor;

typedef struct archai_tensors {
    archai_tensor *at; /* owned; in the order of the header */
    size_t n;
    void *map; /* owned mapping or NULL */
    size_t map_bytes;
} archai_tensors;

/* Map a safetensors file; the tensors borrow from the mapping. A PyTorch file (io/file/pt/pt.h) is read as well. */
int archai_safetensors_open(archai_tensors *out, const char *path, archai_err *err);
int archai_safetensors_open_fd(archai_tensors *out, int fd, archai_err *err); /* fd stays open */
/* What a file holds, without its data (`data` is NULL). Nothing is mapped: its writer may still hold the
 * file and shorten it, which is ARCHAI_EFORMAT. ARCHAI_ENOTSUP, here and below: a safetensors file, but its
 * header is longer than `header_most` bytes, or a tensor has a type or more dimensions than are known. */
int archai_safetensors_list_fd(archai_tensors *out, int fd, size_t header_most, archai_err *err);
/* Parse bytes that the caller keeps alive (tests, fuzzing). */
int archai_safetensors_parse(archai_tensors *out, const void *data, size_t size, archai_err *err);
/* Write from offset 0; replaces the file's content and leaves the descriptor's position alone.
 * ARCHAI_EIO says how many bytes could not be written. */
int archai_safetensors_write(int fd, const archai_tensor *at, size_t n, archai_err *err);
/* Write only the header, for tensors whose data is copied later, in pieces: the file gets its full
 * size, and at_byte[i] says where the data of at[i] belongs (its `data` is not read). */
int archai_safetensors_head(int fd, const archai_tensor *at, size_t n, size_t *at_byte, archai_err *err);
void archai_tensors_close(archai_tensors *t); /* safe on a zeroed struct */
/* No NaN and no infinity among n values of a floating-point or complex type that HDF5 shows as numbers (h5.h)? All others
 * pass. `data` may have any alignment. */
bool archai_values_are_finite(archai_dtype dtype, const void *data, uint64_t n);
const archai_tensor *archai_tensors_find(const archai_tensors *t, const char *name);
#endif
