#include "io/file/pt/pt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/file.h"
#include "io/file/pt/pickle.h"
#include "io/file/pt/zip.h"

enum { BEGINNING = 30, PICKLE_MAX = 64 << 20, NAME_LIMIT = 1024, ALIGN = 64, COPIES_MAX = 16 };

typedef struct storage_type {
    const char *name;
    archai_dtype dtype; /* of the tensor that is made */
    size_t size;        /* of an element in the file */
} storage_type;

static const storage_type types[] = {
    {"torch\nFloatStorage", ARCHAI_F32, 4},    {"torch\nDoubleStorage", ARCHAI_F64, 8},
    {"torch\nHalfStorage", ARCHAI_F16, 2},     {"torch\nLongStorage", ARCHAI_I64, 8},
    {"torch\nIntStorage", ARCHAI_I32, 4},      {"torch\nByteStorage", ARCHAI_U8, 1},
    {"torch\nBoolStorage", ARCHAI_U8, 1},      {"torch\nBFloat16Storage", ARCHAI_F32, 2},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

/* A tensor as the pickle describes it. */
typedef struct described {
    const archai_pickled *name;
    const storage_type *type;
    const unsigned char *data; /* of its first element */
    int64_t stride[ARCHAI_MAX_DIMS];
} described;

bool archai_pt_is(const void *data, size_t size)
{
    /* a safetensors file of 67 MB of header may begin so, too, and then '{' follows its length */
    return archai_zip_is(data, size) && ((const char *)data)[8] != '{';
}

static bool has_text(const archai_pickled *o, const char *text)
{
    return o->length == strlen(text) && memcmp(o->text, text, o->length) == 0;
}

/* -- which dictionary ---------------------------------------------------------------------- */

static bool has_tensors(const archai_pickled *dict)
{
    for (size_t i = 1; i < dict->n; i += 2)
        if (dict->items[i]->kind == ARCHAI_PICKLED_TENSOR)
            return true;
    return false;
}

static const archai_pickled *find_state(const archai_pickled *top)
{
    static const char *const names[] = {"state_dict", "model_state_dict", "model"};

    if (top->kind != ARCHAI_PICKLED_DICT || has_tensors(top))
        return top;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        for (size_t i = 0; i + 1 < top->n; i += 2)
            if (top->items[i]->kind == ARCHAI_PICKLED_TEXT && has_text(top->items[i], names[k]) &&
                top->items[i + 1]->kind == ARCHAI_PICKLED_DICT)
                return top->items[i + 1];
    return top;
}

/* -- one tensor ---------------------------------------------------------------------------- */

static int bad(const char *name, const char *what, archai_err *err)
{
    return archai_fail(err, ARCHAI_EFORMAT, "tensor '%s': %s", name, what);
}

static bool is_int(const archai_pickled *o)
{
    return o->kind == ARCHAI_PICKLED_INT;
}

/* Shape and strides; *last: how far from the first element the last one lies. */
static int read_shape(archai_tensor *t, described *d, const archai_pickled *shape,
                      const archai_pickled *strides, uint64_t *last, archai_err *err)
{
    uint64_t step;

    *last = 0;
    if (shape->kind != ARCHAI_PICKLED_TUPLE || strides->kind != ARCHAI_PICKLED_TUPLE ||
        shape->n != strides->n)
        return bad(t->name, "expected shape and strides", err);
    if (shape->n > ARCHAI_MAX_DIMS)
        return bad(t->name, "it has too many dimensions", err);
    t->ndim = (int)shape->n;
    t->bytes = archai_dtype_size(t->dtype);
    for (size_t i = 0; i < shape->n; i++) {
        if (!is_int(shape->items[i]) || !is_int(strides->items[i]) || shape->items[i]->number < 0 ||
            strides->items[i]->number < 0)
            return bad(t->name, "impossible shape", err);
        t->shape[i] = shape->items[i]->number;
        d->stride[i] = strides->items[i]->number;
        if (__builtin_mul_overflow(t->bytes, (size_t)t->shape[i], &t->bytes))
            return bad(t->name, "impossible shape", err);
    }
    for (int i = 0; i < t->ndim && t->bytes > 0; i++)
        if (__builtin_mul_overflow((uint64_t)(t->shape[i] - 1), (uint64_t)d->stride[i], &step) ||
            __builtin_add_overflow(*last, step, last))
            return bad(t->name, "impossible strides", err);
    return ARCHAI_OK;
}

/* "archive/data/0" for key 0 where the pickle is "archive/data.pkl". */
static const archai_zip_member *find_storage(const archai_zip *zip, const archai_zip_member *pickle,
                                             const archai_pickled *key)
{
    char name[NAME_LIMIT];
    const size_t before = pickle->name_length - strlen("data.pkl");

    if (key->kind != ARCHAI_PICKLED_TEXT || before + 5 + key->length > sizeof name)
        return NULL;
    memcpy(name, pickle->name, before);
    memcpy(name + before, "data/", 5);
    memcpy(name + before + 5, key->text, key->length);
    return archai_zip_find(zip, name, before + 5 + key->length);
}

static int describe(archai_tensor *t, described *d, const archai_pickled *o, const archai_zip *zip,
                    const archai_zip_member *pickle, archai_err *err)
{
    const archai_pickled *storage = o->items[0], *offset = o->items[1];
    const archai_zip_member *member;
    uint64_t last = 0, begin, count;

    if (storage->kind != ARCHAI_PICKLED_STORAGE || !is_int(offset) || offset->number < 0)
        return bad(t->name, "it has no storage", err);
    for (size_t i = 0; i < N_TYPES && d->type == NULL; i++)
        if (storage->items[1]->kind == ARCHAI_PICKLED_GLOBAL &&
            has_text(storage->items[1], types[i].name))
            d->type = &types[i];
    if (d->type == NULL)
        return bad(t->name,
                   "its type is none of float32, float64, float16, bfloat16, int64, int32, uint8, bool",
                   err);
    member = find_storage(zip, pickle, storage->items[2]);
    if (member == NULL)
        return bad(t->name, "its storage is missing", err);
    t->dtype = d->type->dtype;
    ARCHAI_TRY(read_shape(t, d, o->items[2], o->items[3], &last, err));
    begin = (uint64_t)offset->number;
    count = member->size / d->type->size;
    if (t->bytes > 0 && (begin >= count || last >= count - begin))
        return bad(t->name, "it lies outside its storage", err);
    d->data = member->data + (t->bytes > 0 ? begin * d->type->size : 0);
    return ARCHAI_OK;
}

/* -- copying ------------------------------------------------------------------------------- */

static void copy_element(const described *d, const unsigned char *from, unsigned char *to)
{
    if (d->type->size == 2 && d->type->dtype == ARCHAI_F32) { /* the upper half of a float32 */
        memset(to, 0, 2);
        memcpy(to + 2, from, 2);
        return;
    }
    memcpy(to, from, d->type->size);
}

static bool is_contiguous(const archai_tensor *t, const described *d)
{
    int64_t expected = 1;

    for (int i = t->ndim; i-- > 0;) {
        if (t->shape[i] != 1 && d->stride[i] != expected)
            return false;
        expected *= t->shape[i];
    }
    return d->type->size == archai_dtype_size(t->dtype);
}

static void copy(const archai_tensor *t, const described *d, unsigned char *to)
{
    const size_t width = archai_dtype_size(t->dtype), n = t->bytes / width;
    int64_t index[ARCHAI_MAX_DIMS] = {0}, at = 0;

    if (t->bytes == 0)
        return;
    if (is_contiguous(t, d)) {
        memcpy(to, d->data, t->bytes);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        copy_element(d, d->data + (size_t)at * d->type->size, to + i * width);
        for (int k = t->ndim; k-- > 0;) {
            at += d->stride[k];
            if (++index[k] < t->shape[k])
                break;
            at -= index[k] * d->stride[k];
            index[k] = 0;
        }
    }
}

/* Tied weights share a storage; a few bytes may not become many copies. */
static int copy_all(archai_tensors *out, const described *d, size_t file_size, archai_err *err)
{
    size_t total = ALIGN, at = 0;
    unsigned char *to;

    for (size_t i = 0; i < out->n; i++)
        if (__builtin_add_overflow(total, out->at[i].bytes, &total) ||
            __builtin_add_overflow(total, (size_t)ALIGN, &total) ||
            total / COPIES_MAX > file_size + ALIGN * (out->n + 1))
            return archai_fail(err, ARCHAI_EFORMAT,
                               "its tensors are many times larger than the file");
    to = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (to == MAP_FAILED)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu bytes of weights", total);
    out->map = to;
    out->map_bytes = total;
    for (size_t i = 0; i < out->n; i++) {
        copy(&out->at[i], &d[i], to + at);
        out->at[i].data = to + at;
        at += (out->at[i].bytes + ALIGN - 1) / ALIGN * ALIGN;
    }
    return ARCHAI_OK;
}

/* -- all of them --------------------------------------------------------------------------- */

static int take_name(archai_tensors *t, const archai_pickled *key, archai_err *err)
{
    char *name;

    if (key->kind != ARCHAI_PICKLED_TEXT || key->length == 0 || key->length > NAME_LIMIT ||
        memchr(key->text, '\0', key->length) != NULL)
        return archai_fail(err, ARCHAI_EFORMAT, "a tensor without a name");
    name = archai_strndup(key->text, key->length);
    if (!archai_is_utf8(name)) {
        free(name);
        return archai_fail(err, ARCHAI_EFORMAT, "the name of a tensor is not UTF-8");
    }
    t->at[t->n++].name = name;
    return ARCHAI_OK;
}

static int take_all(archai_tensors *t, const archai_pickled *dict, const archai_zip *zip,
                    const archai_zip_member *pickle, size_t file_size, archai_err *err)
{
    described *d = archai_calloc(dict->n / 2 + 1, sizeof *d);
    int rc = ARCHAI_OK;

    t->at = archai_calloc(dict->n / 2 + 1, sizeof *t->at);
    for (size_t i = 0; i + 1 < dict->n && rc == ARCHAI_OK; i += 2) {
        if (dict->items[i + 1]->kind != ARCHAI_PICKLED_TENSOR)
            continue;
        rc = take_name(t, dict->items[i], err);
        if (rc == ARCHAI_OK)
            rc = describe(&t->at[t->n - 1], &d[t->n - 1], dict->items[i + 1], zip, pickle, err);
    }
    if (rc == ARCHAI_OK)
        rc = copy_all(t, d, file_size, err);
    free(d);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_names(const archai_tensors *t, archai_err *err)
{
    const char **names = archai_malloc((t->n + 1) * sizeof *names);
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < t->n; i++)
        names[i] = t->at[i].name;
    qsort(names, t->n, sizeof *names, by_name);
    for (size_t i = 1; i < t->n && rc == ARCHAI_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            rc = bad(names[i], "it is there twice", err);
    free(names);
    return rc;
}

static int read_pickle(archai_tensors *t, const archai_zip *zip, const archai_zip_member *member,
                       size_t file_size, archai_err *err)
{
    archai_pickle pickle = {.all = NULL};
    const archai_pickled *dict;
    int rc = archai_pickle_read(&pickle, member->data, member->size, err);

    if (rc != ARCHAI_OK)
        return rc;
    dict = find_state(pickle.top);
    if (dict->kind != ARCHAI_PICKLED_DICT || !has_tensors(dict))
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "holds no dictionary of tensors; torch.save(model.state_dict(), ...) writes one");
    if (rc == ARCHAI_OK)
        rc = take_all(t, dict, zip, member, file_size, err);
    if (rc == ARCHAI_OK)
        rc = check_names(t, err);
    archai_pickle_free(&pickle);
    return rc;
}

int archai_pt_parse(archai_tensors *out, const void *data, size_t size, archai_err *err)
{
    const archai_zip_member *member;
    archai_tensors t = {.at = NULL};
    archai_zip zip;
    int rc;

    ARCHAI_TRY(archai_zip_open(&zip, data, size, err));
    member = archai_zip_find_end(&zip, "data.pkl");
    if (member == NULL)
        rc = archai_fail(err, ARCHAI_EFORMAT, "a zip archive without data.pkl is no PyTorch file");
    else if (member->size > PICKLE_MAX)
        rc = archai_fail(err, ARCHAI_EFORMAT, "its pickle has %zu bytes, at most %d", member->size,
                         PICKLE_MAX);
    else
        rc = read_pickle(&t, &zip, member, size, err);
    archai_zip_close(&zip);
    if (rc == ARCHAI_OK)
        *out = t;
    else
        archai_tensors_close(&t);
    return rc;
}

int archai_pt_convert(int fd, archai_err *err)
{
    unsigned char first[BEGINNING];
    archai_tensors t = {.at = NULL};
    struct stat st;
    char *data;
    int rc;

    if (fstat(fd, &st) != 0 || st.st_size < BEGINNING ||
        archai_file_pread(fd, first, sizeof first, 0, "weights", NULL) != ARCHAI_OK ||
        !archai_pt_is(first, sizeof first))
        return ARCHAI_OK;
    data = archai_file_room((size_t)st.st_size, 1, err);
    if (data == NULL)
        return ARCHAI_ENOMEM;
    rc = archai_file_pread(fd, data, (size_t)st.st_size, 0, "weights", err);
    if (rc == ARCHAI_OK)
        rc = archai_pt_parse(&t, data, (size_t)st.st_size, err);
    free(data);
    if (rc == ARCHAI_OK)
        rc = archai_safetensors_write(fd, t.at, t.n, err);
    archai_tensors_close(&t);
    return rc;
}
