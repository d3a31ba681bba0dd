/* Safetensors, read with suspicion and written aligned. */
#include "io/file/tensors.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/file/pt/pt.h"

enum {
    LENGTH_BYTES = 8,
    HEADER_ALIGN = 8,               /* the widest element; the header is padded with blanks */
    HEADER_MAX = 100 * 1000 * 1000, /* bytes, as the reference reader has it */
};

/* safetensors' names, by archai_dtype. */
static const char *const dtype_names[ARCHAI_DTYPE_COUNT] = {
    [ARCHAI_F32] = "F32", [ARCHAI_F64] = "F64", [ARCHAI_F16] = "F16",
    [ARCHAI_I64] = "I64", [ARCHAI_I32] = "I32", [ARCHAI_U8] = "U8",
    [ARCHAI_BF16] = "BF16", [ARCHAI_BOOL] = "BOOL", [ARCHAI_I8] = "I8", [ARCHAI_I16] = "I16",
    [ARCHAI_U16] = "U16", [ARCHAI_U32] = "U32", [ARCHAI_U64] = "U64", [ARCHAI_C64] = "C64",
    [ARCHAI_F8_E4M3] = "F8_E4M3", [ARCHAI_F8_E5M2] = "F8_E5M2", [ARCHAI_F8_E8M0] = "F8_E8M0",
};

/* Bytes of a shape; false: negative, or too large for memory. */
static bool shape_bytes(const archai_tensor *t, size_t *bytes)
{
    *bytes = archai_dtype_size(t->dtype);
    for (int i = 0; i < t->ndim; i++)
        if (t->shape[i] < 0 || __builtin_mul_overflow(*bytes, (size_t)t->shape[i], bytes))
            return false;
    return true;
}

/* One member of the header: {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}. */
static int parse_entry(archai_tensor *t, const char *name, const json_t *entry, size_t first,
                       size_t data_bytes, archai_err *err)
{
    const json_t *dtype = json_object_get(entry, "dtype");
    const json_t *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0);
    const json_t *end = json_array_get(offsets, 1);
    size_t expected = 0;
    int kind = 0;

    if (!json_is_string(dtype) || !json_is_array(shape) || json_array_size(offsets) != 2 ||
        !json_is_integer(begin) || !json_is_integer(end))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "tensor '%s': expected dtype, shape and two data_offsets", name);
    while (kind < ARCHAI_DTYPE_COUNT && strcmp(dtype_names[kind], json_string_value(dtype)) != 0)
        kind++;
    if (kind == ARCHAI_DTYPE_COUNT)
        return archai_fail(err, ARCHAI_ENOTSUP,
                           "tensor '%s': type '%s' is not known here, expected F32, F64, F16, BF16, F8_E4M3, "
                           "F8_E5M2, F8_E8M0, C64, I8 to I64, U8 to U64 or BOOL",
                           name, json_string_value(dtype));
    if (json_array_size(shape) > ARCHAI_MAX_DIMS)
        return archai_fail(err, ARCHAI_ENOTSUP, "tensor '%s': %zu dimensions, at most %d", name,
                           json_array_size(shape), ARCHAI_MAX_DIMS);
    t->dtype = (archai_dtype)kind;
    t->ndim = (int)json_array_size(shape);
    for (int i = 0; i < t->ndim; i++) {
        const json_t *size = json_array_get(shape, (size_t)i);

        if (!json_is_integer(size))
            return archai_fail(err, ARCHAI_EFORMAT, "tensor '%s': shape is not of integers",
                               name);
        t->shape[i] = json_integer_value(size);
    }
    if (!shape_bytes(t, &expected))
        return archai_fail(err, ARCHAI_EFORMAT, "tensor '%s': impossible shape", name);
    if (json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin) ||
        (uint64_t)json_integer_value(end) > data_bytes)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "tensor '%s': bytes %" PRId64 " to %" PRId64
                           " lie outside the file's %zu bytes of data",
                           name, (int64_t)json_integer_value(begin),
                           (int64_t)json_integer_value(end), data_bytes);
    t->bytes = (size_t)(json_integer_value(end) - json_integer_value(begin));
    if (t->bytes != expected)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "tensor '%s': %zu bytes, expected %zu for its shape and type", name,
                           t->bytes, expected);
    t->at_byte = first + (size_t)json_integer_value(begin);
    t->name = archai_strdup(name);
    return ARCHAI_OK;
}

/* By place, then by size, so that an empty tensor precedes the one that starts where it lies. */
static int by_place(const void *a, const void *b)
{
    const archai_tensor *x = *(const archai_tensor *const *)a;
    const archai_tensor *y = *(const archai_tensor *const *)b;

    if (x->at_byte != y->at_byte)
        return x->at_byte < y->at_byte ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* The tensors must cover the data exactly: no overlap, no hole in which something could hide. */
static int check_cover(const archai_tensors *t, size_t first, size_t data_bytes, archai_err *err)
{
    const archai_tensor **order = archai_malloc(t->n * sizeof *order);
    size_t next = first;
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < t->n; i++)
        order[i] = &t->at[i];
    qsort(order, t->n, sizeof *order, by_place);
    for (size_t i = 0; i < t->n && rc == ARCHAI_OK; i++) {
        if (order[i]->at_byte != next)
            rc = archai_fail(err, ARCHAI_EFORMAT, "tensor '%s' %s", order[i]->name,
                             order[i]->at_byte < next ? "overlaps another one"
                                                      : "follows bytes that belong to no tensor");
        next = order[i]->at_byte + order[i]->bytes;
    }
    if (rc == ARCHAI_OK && next != first + data_bytes)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%zu bytes at the end belong to no tensor",
                         first + data_bytes - next);
    free(order);
    return rc;
}

/* The header's length, from the first bytes of a file of `size`. */
static int header_length(const unsigned char first[LENGTH_BYTES], size_t size, size_t most,
                         size_t *out, archai_err *err)
{
    uint64_t length;

    memcpy(&length, first, LENGTH_BYTES);
    length = le64toh(length);
    if (length > HEADER_MAX || length > size - LENGTH_BYTES)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "a header of %" PRIu64 " bytes in a file of %zu: not a safetensors file",
                           length, size);
    if (length > most)
        return archai_fail(err, ARCHAI_ENOTSUP, "a header of %" PRIu64 " bytes, at most %zu are taken",
                           length, most);
    *out = (size_t)length;
    return ARCHAI_OK;
}

/* All tensors of a file of `size` bytes whose header is text [length]; without their data. */
static int parse_header(archai_tensors *out, const char *text, size_t length, size_t size,
                        archai_err *err)
{
    const size_t first = LENGTH_BYTES + length;
    archai_tensors t = {0};
    json_error_t jerr;
    json_t *header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &jerr), *entry;
    const char *name;
    int rc;

    if (!json_is_object(header)) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "header: %s",
                         header == NULL ? jerr.text : "expected a JSON object");
        goto out;
    }
    t.at = archai_calloc(json_object_size(header), sizeof *t.at);
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        ARCHAI_TRY_GOTO(rc, parse_entry(&t.at[t.n], name, entry, first, size - first, err), out);
        t.n++;
    }
    ARCHAI_TRY_GOTO(rc, check_cover(&t, first, size - first, err), out);
    *out = t;
    t = (archai_tensors){0};
out:
    archai_tensors_close(&t);
    json_decref(header);
    return rc;
}

int archai_safetensors_parse(archai_tensors *out, const void *bytes, size_t size,
                             archai_err *err)
{
    const char *data = bytes;
    size_t length = 0;

    if (size < LENGTH_BYTES)
        return archai_fail(err, ARCHAI_EFORMAT, "%zu bytes are not a safetensors file", size);
    ARCHAI_TRY(header_length(bytes, size, HEADER_MAX, &length, err));
    ARCHAI_TRY(parse_header(out, data + LENGTH_BYTES, length, size, err));
    for (size_t i = 0; i < out->n; i++)
        out->at[i].data = data + out->at[i].at_byte;
    return ARCHAI_OK;
}

int archai_safetensors_list_fd(archai_tensors *out, int fd, size_t header_most, archai_err *err)
{
    unsigned char first[LENGTH_BYTES];
    struct stat st;
    char *text;
    size_t length = 0;
    int rc;

    if (fstat(fd, &st) != 0)
        return archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size < LENGTH_BYTES)
        return archai_fail(err, ARCHAI_EFORMAT, "%lld bytes are not a safetensors file",
                           (long long)st.st_size);
    ARCHAI_TRY(archai_file_pread(fd, first, sizeof first, 0, "header", err));
    ARCHAI_TRY(header_length(first, (size_t)st.st_size, header_most, &length, err));
    text = archai_file_room(length, 1, err);
    if (text == NULL)
        return ARCHAI_ENOMEM;
    rc = archai_file_pread(fd, text, length, LENGTH_BYTES, "header", err);
    if (rc == ARCHAI_OK)
        rc = parse_header(out, text, length, (size_t)st.st_size, err);
    free(text);
    return rc;
}

int archai_safetensors_open_fd(archai_tensors *out, int fd, archai_err *err)
{
    struct stat st;
    void *map;
    int rc;

    if (fstat(fd, &st) != 0)
        return archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return archai_fail(err, ARCHAI_EFORMAT, "not a regular file");
    if (st.st_size < LENGTH_BYTES) /* an empty file cannot be mapped */
        return archai_fail(err, ARCHAI_EFORMAT, "%lld bytes are not a safetensors file",
                           (long long)st.st_size);
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    if (archai_pt_is(map, (size_t)st.st_size)) { /* its tensors are copies */
        rc = archai_pt_parse(out, map, (size_t)st.st_size, err);
        (void)munmap(map, (size_t)st.st_size);
        return rc;
    }
    rc = archai_safetensors_parse(out, map, (size_t)st.st_size, err);
    if (rc != ARCHAI_OK) {
        (void)munmap(map, (size_t)st.st_size);
        return rc;
    }
    out->map = map;
    out->map_bytes = (size_t)st.st_size;
    return ARCHAI_OK;
}

int archai_safetensors_open(archai_tensors *out, const char *path, archai_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO is refused below */
    int rc;

    if (fd < 0)
        return archai_fail(err, errno == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EIO, "%s: %s", path,
                           strerror(errno));
    rc = archai_err_wrap(err, archai_safetensors_open_fd(out, fd, err), "%s: ", path);
    (void)close(fd);
    return rc;
}

void archai_tensors_close(archai_tensors *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->at[i].name);
    free(t->at);
    if (t->map != NULL)
        (void)munmap(t->map, t->map_bytes);
    *t = (archai_tensors){0};
}

const archai_tensor *archai_tensors_find(const archai_tensors *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->at[i].name, name) == 0)
            return &t->at[i];
    return NULL;
}

/* The header's text, padded so that the data starts aligned; caller frees. *total: bytes of all the
 * data. */
static int make_header(const archai_tensor *at, size_t n, char **text, size_t *total,
                       archai_err *err)
{
    json_t *header = archai_there(json_object());
    char *plain;
    int rc = ARCHAI_OK;

    *total = 0;
    /* Entries first in the given order, then their places in the order of the data. */
    for (size_t i = 0; i < n; i++)
        (void)json_object_set_new(header, at[i].name, archai_there(json_object()));
    if (json_object_size(header) != n) {
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "two tensors have the same name, or a name is not UTF-8");
        goto out;
    }
    for (size_t width = 8; width > 0; width /= 2)
        for (size_t i = 0; i < n; i++) {
            json_t *entry = json_object_get(header, at[i].name), *shape;
            size_t bytes;

            if (archai_dtype_size(at[i].dtype) != width)
                continue;
            if (!shape_bytes(&at[i], &bytes) || bytes != at[i].bytes) {
                rc = archai_fail(err, ARCHAI_EINVAL, "tensor '%s': %zu bytes do not fit its shape",
                                 at[i].name, at[i].bytes);
                goto out;
            }
            shape = archai_there(json_array());
            for (int d = 0; d < at[i].ndim; d++)
                (void)json_array_append_new(shape, archai_there(json_integer(at[i].shape[d])));
            (void)json_object_update_new(
                entry,
                archai_there(json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_names[at[i].dtype],
                                       "shape", shape, "data_offsets", (json_int_t)*total,
                                       (json_int_t)(*total + bytes))));
            *total += bytes;
        }
    plain = archai_there(json_dumps(header, JSON_COMPACT));
    *text = archai_printf("%s%*s", plain, (int)(-strlen(plain) % HEADER_ALIGN), "");
    free(plain);
out:
    json_decref(header);
    return rc;
}

/* Write length and header; *byte is where the data begins. */
static int write_head(int fd, const archai_tensor *at, size_t n, size_t *byte, archai_err *err)
{
    char *header = NULL;
    uint64_t length;
    size_t total;
    int rc;

    ARCHAI_TRY(make_header(at, n, &header, &total, err));
    *byte = LENGTH_BYTES + strlen(header);
    length = htole64(strlen(header));
    if (ftruncate(fd, 0) != 0 || ftruncate(fd, (off_t)(*byte + total)) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    else
        rc = archai_file_pwrite(fd, &length, sizeof length, 0, "weights", err);
    if (rc == ARCHAI_OK)
        rc = archai_file_pwrite(fd, header, strlen(header), LENGTH_BYTES, "weights", err);
    free(header);
    return rc;
}

int archai_safetensors_head(int fd, const archai_tensor *at, size_t n, size_t *at_byte, archai_err *err)
{
    size_t byte;

    ARCHAI_TRY(write_head(fd, at, n, &byte, err));
    for (size_t width = 8; width > 0; width /= 2)
        for (size_t i = 0; i < n; i++)
            if (archai_dtype_size(at[i].dtype) == width) {
                at_byte[i] = byte;
                byte += at[i].bytes;
            }
    return ARCHAI_OK;
}

int archai_safetensors_write(int fd, const archai_tensor *at, size_t n, archai_err *err)
{
    size_t *at_byte = archai_malloc(n * sizeof *at_byte);
    int rc = archai_safetensors_head(fd, at, n, at_byte, err);

    for (size_t i = 0; i < n && rc == ARCHAI_OK; i++)
        rc = archai_file_pwrite(fd, at[i].data, at[i].bytes, at_byte[i], "weights", err);
    free(at_byte);
    return rc;
}
