/* io/wire/record_read.c - msgpack to structs, trusting nothing. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/trial.h"
#include "core/network/network.h"
#include "core/search/objective.h"
#include "io/wire/record.h"

enum { WORD_SIZE = 32 };

static int mistyped(const archai_record_type *type, const archai_field *f, const char *expected,
                    archai_err *err)
{
    return archai_fail(err, ARCHAI_EFORMAT, "%s: '%s' is not %s", type->name, f->key, expected);
}

/* Items are larger than what a message says of them: this size the message decides. */
static int too_large(const archai_record_type *type, const archai_field *f, archai_err *err)
{
    return archai_fail(err, ARCHAI_ENOMEM, "%s: no memory for '%s'", type->name, f->key);
}

static bool is_text(const msgpack_object *o, const char *text)
{
    return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(text) &&
           memcmp(o->via.str.ptr, text, o->via.str.size) == 0;
}

const msgpack_object *archai_record_find(const msgpack_object *map, const char *key)
{
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (is_text(&map->via.map.ptr[i].key, key))
            return &map->via.map.ptr[i].val;
    return NULL;
}

static bool get_integer(const msgpack_object *o, int64_t low, int64_t high, int64_t *out)
{
    int64_t v;

    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        if (o->via.u64 > (uint64_t)INT64_MAX)
            return false;
        v = (int64_t)o->via.u64;
    } else if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        v = o->via.i64;
    } else {
        return false;
    }
    *out = v;
    return v >= low && v <= high;
}

static bool get_double(const msgpack_object *o, double *out)
{
    switch (o->type) {
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        *out = o->via.f64;
        return true;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        *out = (double)o->via.u64;
        return true;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        *out = (double)o->via.i64;
        return true;
    default:
        return false;
    }
}

/* A text without NUL, since it becomes a C string. */
static bool has_text(const msgpack_object *o)
{
    return o->type == MSGPACK_OBJECT_STR &&
           (o->via.str.size == 0 || memchr(o->via.str.ptr, '\0', o->via.str.size) == NULL);
}

static char *get_text(const msgpack_object *o)
{
    return archai_strndup(o->via.str.size > 0 ? o->via.str.ptr : "", o->via.str.size);
}

static int read_floats(const archai_record_type *type, const archai_field *f,
                       const msgpack_object *o, float **out, size_t *n, archai_err *err)
{
    if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size % sizeof(float) != 0)
        return mistyped(type, f, "a list of float32", err);
    if (o->via.bin.size == 0)
        return ARCHAI_OK;
    *out = archai_memdup(o->via.bin.ptr, o->via.bin.size);
    *n = o->via.bin.size / sizeof(float);
    return ARCHAI_OK;
}

static int read_dims(const archai_record_type *type, const archai_field *f,
                     const msgpack_object *o, int64_t *out, int *n, archai_err *err)
{
    if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > ARCHAI_MAX_DIMS)
        return mistyped(type, f, "a list of at most 8 sizes", err);
    for (uint32_t i = 0; i < o->via.array.size; i++)
        if (!get_integer(&o->via.array.ptr[i], 0, INT64_MAX, &out[i]))
            return mistyped(type, f, "a list of at most 8 sizes", err);
    *n = (int)o->via.array.size;
    return ARCHAI_OK;
}

static int read_dtype(const archai_record_type *type, const archai_field *f,
                      const msgpack_object *o, archai_dtype *out, archai_err *err)
{
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++)
        if (is_text(o, archai_dtype_name((archai_dtype)t))) {
            *out = (archai_dtype)t;
            return ARCHAI_OK;
        }
    return mistyped(type, f, "the name of a type", err);
}

static int read_status(const archai_record_type *type, const archai_field *f,
                       const msgpack_object *o, int *out, archai_err *err)
{
    for (*out = 0; *out < ARCHAI_STATUS_COUNT; (*out)++)
        if (is_text(o, archai_status_name(*out)))
            return ARCHAI_OK;
    return mistyped(type, f, "a status", err);
}

static int read_measures(const archai_record_type *type, const archai_field *f,
                         const msgpack_object *o, archai_measure **out, size_t *n,
                         archai_err *err)
{
    if (o->type != MSGPACK_OBJECT_MAP)
        return mistyped(type, f, "a map of numbers", err);
    if (o->via.map.size == 0)
        return ARCHAI_OK;
    *out = calloc(o->via.map.size, sizeof **out);
    if (*out == NULL)
        return too_large(type, f, err);
    *n = o->via.map.size;
    for (uint32_t i = 0; i < o->via.map.size; i++) {
        const msgpack_object_kv *kv = &o->via.map.ptr[i];

        if (!has_text(&kv->key) || !get_double(&kv->val, &(*out)[i].value))
            return mistyped(type, f, "a map of numbers", err);
        (*out)[i].name = get_text(&kv->key);
    }
    return ARCHAI_OK;
}

static int read_list(const archai_record_type *type, const archai_field *f,
                     const msgpack_object *o, void **out, size_t *n, archai_err *err)
{
    if (o->type != MSGPACK_OBJECT_ARRAY)
        return mistyped(type, f, "a list", err);
    if (o->via.array.size == 0)
        return ARCHAI_OK;
    *out = calloc(o->via.array.size, f->of->size);
    if (*out == NULL)
        return too_large(type, f, err);
    *n = o->via.array.size;
    for (uint32_t i = 0; i < o->via.array.size; i++)
        ARCHAI_TRY(archai_record_read(f->of, &o->via.array.ptr[i], ARCHAI_ALL_FIELDS,
                                      (char *)*out + i * f->of->size, err));
    return ARCHAI_OK;
}

static int read_owned(const archai_field *f, const msgpack_object *o, void **out,
                      archai_err *err)
{
    if (o->type == MSGPACK_OBJECT_NIL)
        return ARCHAI_OK;
    if (*out != NULL) /* by another key */
        return archai_fail(err, ARCHAI_EFORMAT, "'%s' is given twice", f->key);
    *out = archai_calloc(1, f->of->size);
    return archai_record_read(f->of, o, ARCHAI_ALL_FIELDS, *out, err);
}

static int read_field(const archai_record_type *type, const archai_field *f,
                      const msgpack_object *o, void *obj, archai_err *err)
{
    char *at = (char *)obj + f->at;
    void *count = (char *)obj + f->count_at;
    int64_t v;

    switch (f->kind) {
    case ARCHAI_FIELD_I32:
        if (!get_integer(o, INT32_MIN, INT32_MAX, &v))
            return mistyped(type, f, "a 32-bit integer", err);
        *(int32_t *)at = (int32_t)v;
        return ARCHAI_OK;
    case ARCHAI_FIELD_I64:
        return get_integer(o, INT64_MIN, INT64_MAX, (int64_t *)at)
                   ? ARCHAI_OK
                   : mistyped(type, f, "a 64-bit integer", err);
    case ARCHAI_FIELD_U32:
        if (!get_integer(o, 0, UINT32_MAX, &v))
            return mistyped(type, f, "an unsigned 32-bit integer", err);
        *(uint32_t *)at = (uint32_t)v;
        return ARCHAI_OK;
    case ARCHAI_FIELD_U64:
        if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
            return mistyped(type, f, "an unsigned 64-bit integer", err);
        *(uint64_t *)at = o->via.u64;
        return ARCHAI_OK;
    case ARCHAI_FIELD_DOUBLE:
        return get_double(o, (double *)at) ? ARCHAI_OK : mistyped(type, f, "a number", err);
    case ARCHAI_FIELD_BOOL:
        if (o->type != MSGPACK_OBJECT_BOOLEAN)
            return mistyped(type, f, "true or false", err);
        *(bool *)at = o->via.boolean;
        return ARCHAI_OK;
    case ARCHAI_FIELD_TEXT:
        if (!has_text(o))
            return mistyped(type, f, "a text", err);
        *(char **)at = get_text(o);
        return ARCHAI_OK;
    case ARCHAI_FIELD_WORD:
        if (!has_text(o) || o->via.str.size >= WORD_SIZE)
            return mistyped(type, f, "a word of at most 31 bytes", err);
        memcpy(at, o->via.str.ptr, o->via.str.size); /* obj is zeroed: the NUL is there */
        return ARCHAI_OK;
    case ARCHAI_FIELD_FLOATS:
        return read_floats(type, f, o, (float **)at, count, err);
    case ARCHAI_FIELD_DIMS:
        return read_dims(type, f, o, (int64_t *)at, count, err);
    case ARCHAI_FIELD_DTYPE:
        return read_dtype(type, f, o, (archai_dtype *)at, err);
    case ARCHAI_FIELD_STATUS:
        return read_status(type, f, o, (int *)at, err);
    case ARCHAI_FIELD_MEASURES:
        return read_measures(type, f, o, (archai_measure **)at, count, err);
    case ARCHAI_FIELD_LIST:
        return read_list(type, f, o, (void **)at, count, err);
    case ARCHAI_FIELD_INSIDE:
        return archai_record_read(f->of, o, ARCHAI_ALL_FIELDS, at, err);
    case ARCHAI_FIELD_OWNED:
        return read_owned(f, o, (void **)at, err);
    }
    return archai_fail(err, ARCHAI_EINTERNAL, "%s: field kind %d", type->name, (int)f->kind);
}

/* Keys usually come in the order in which they were written: the search starts after the last.
 */
static const archai_field *find_field(const archai_record_type *type, const msgpack_object *key,
                                      size_t *next)
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = *next; type->fields[i].key != NULL; i++) {
            if (is_text(key, type->fields[i].key)) {
                *next = i + 1;
                return &type->fields[i];
            }
        }
        *next = 0;
    }
    return NULL;
}

int archai_record_read(const archai_record_type *type, const msgpack_object *map,
                       uint64_t required, void *obj, archai_err *err)
{
    uint64_t seen = 0;
    size_t next = 0;

    if (map->type != MSGPACK_OBJECT_MAP)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: not a map", type->name);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *kv = &map->via.map.ptr[i];
        const archai_field *f = find_field(type, &kv->key, &next);
        uint64_t bit;

        if (f == NULL)
            continue;
        bit = ARCHAI_FIELD_BIT((size_t)(f - type->fields));
        if ((seen & bit) != 0) /* a second value would leak the first */
            return archai_fail(err, ARCHAI_EFORMAT, "%s: '%s' is given twice", type->name,
                               f->key);
        seen |= bit;
        ARCHAI_TRY(read_field(type, f, &kv->val, obj, err));
    }
    for (size_t i = 0; type->fields[i].key != NULL; i++) {
        if ((required & ~seen & ARCHAI_FIELD_BIT(i)) == 0)
            continue;
        if (!type->fields[i].optional)
            return archai_fail(err, ARCHAI_EFORMAT, "%s: '%s' is missing", type->name,
                               type->fields[i].key);
        if (type->fields[i].kind == ARCHAI_FIELD_TEXT)
            *(char **)((char *)obj + type->fields[i].at) = archai_strdup("");
    }
    return ARCHAI_OK;
}

/* -- the outermost object ------------------------------------------------------------------ */

static uint64_t big_endian(const unsigned char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* msgpack-c allocates what a list or map claims to hold before it has seen any of it. This walk
 * goes first: every element takes at least one byte, so a claim beyond the rest is a lie. */
static bool counts_are_honest(const unsigned char *p, size_t size)
{
    /* After the tags 0xc0..0xdf: fixed payload bytes, bytes of a length, objects per item. */
    enum { FIRST = 0xc0 };
    /* clang-format off */
    static const struct {
        unsigned char payload, width, per_item;
    } table[32] = {
        /* c0 nil, c1 never, c2 false, c3 true */
        {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0},
        /* c4 c5 c6 bin, c7 c8 c9 ext (one byte of type) */
        {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {1, 1, 0}, {1, 2, 0}, {1, 4, 0},
        /* ca float32, cb float64, cc..cf uint, d0..d3 int */
        {4, 0, 0}, {8, 0, 0}, {1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {8, 0, 0},
        {1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {8, 0, 0},
        /* d4..d8 fixext 1 2 4 8 16, d9 da db str */
        {2, 0, 0}, {3, 0, 0}, {5, 0, 0}, {9, 0, 0}, {17, 0, 0}, {0, 1, 0}, {0, 2, 0}, {0, 4, 0},
        /* dc dd array, de df map */
        {0, 2, 1}, {0, 4, 1}, {0, 2, 2}, {0, 4, 2},
    };
    /* clang-format on */
    uint64_t pending = 1; /* objects still to come */
    size_t i = 0;

    while (pending > 0) {
        uint64_t length = 0, objects = 0;
        unsigned tag;

        if (pending > size - i)
            return false;
        tag = p[i++];
        if (tag >= 0xe0 || tag < 0x80) {
            /* small integers */
        } else if (tag < 0x90) {
            objects = 2 * (uint64_t)(tag & 0x0f);
        } else if (tag < 0xa0) {
            objects = tag & 0x0f;
        } else if (tag < FIRST) {
            length = tag & 0x1f;
        } else {
            const unsigned width = table[tag - FIRST].width;

            if (width > size - i)
                return false;
            length = big_endian(p + i, width);
            i += width;
            if (table[tag - FIRST].per_item > 0) {
                objects = length * table[tag - FIRST].per_item;
                length = 0;
            }
            length += table[tag - FIRST].payload;
        }
        if (length > size - i)
            return false;
        i += (size_t)length;
        pending = pending - 1 + objects;
    }
    return i == size;
}

int archai_record_parse(const char *data, size_t size, msgpack_zone *zone, msgpack_object *out,
                        archai_err *err)
{
    size_t used = 0;
    msgpack_unpack_return r;

    if (size == 0 || !counts_are_honest((const unsigned char *)data, size))
        return archai_fail(err, ARCHAI_EFORMAT, "not a complete msgpack object of %zu bytes",
                           size);
    r = msgpack_unpack(data, size, &used, zone, out);
    if (r == MSGPACK_UNPACK_NOMEM_ERROR)
        return archai_fail(err, ARCHAI_EFORMAT, "msgpack object nested too deep or too large");
    if (r != MSGPACK_UNPACK_SUCCESS)
        return archai_fail(err, ARCHAI_EFORMAT, "not a msgpack object");
    return ARCHAI_OK;
}
