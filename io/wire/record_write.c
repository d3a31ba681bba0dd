/* io/wire/record_write.c - structs to msgpack. */
#include <string.h>

#include "core/search/trial.h"
#include "core/network/network.h"
#include "core/search/objective.h"
#include "io/wire/record.h"

static void write_text(msgpack_packer *pk, const char *s)
{
    const size_t n = s != NULL ? strlen(s) : 0;

    msgpack_pack_str(pk, n);
    if (n > 0)
        msgpack_pack_str_body(pk, s, n);
}

static void write_record(msgpack_packer *pk, const archai_record_type *type, const void *obj)
{
    msgpack_pack_map(pk, archai_record_count(type, obj, ARCHAI_ALL_FIELDS));
    archai_record_write(pk, type, obj, ARCHAI_ALL_FIELDS);
}

static void write_measures(msgpack_packer *pk, const archai_measure *at, size_t n)
{
    msgpack_pack_map(pk, n);
    for (size_t i = 0; i < n; i++) {
        write_text(pk, at[i].name);
        msgpack_pack_double(pk, at[i].value);
    }
}

static void write_field(msgpack_packer *pk, const archai_field *f, const void *obj)
{
    const char *at = (const char *)obj + f->at;
    const char *count = (const char *)obj + f->count_at;

    switch (f->kind) {
    case ARCHAI_FIELD_I32:
        msgpack_pack_int32(pk, *(const int32_t *)at);
        break;
    case ARCHAI_FIELD_I64:
        msgpack_pack_int64(pk, *(const int64_t *)at);
        break;
    case ARCHAI_FIELD_U32:
        msgpack_pack_uint32(pk, *(const uint32_t *)at);
        break;
    case ARCHAI_FIELD_U64:
        msgpack_pack_uint64(pk, *(const uint64_t *)at);
        break;
    case ARCHAI_FIELD_DOUBLE:
        msgpack_pack_double(pk, *(const double *)at);
        break;
    case ARCHAI_FIELD_BOOL:
        if (*(const bool *)at)
            msgpack_pack_true(pk);
        else
            msgpack_pack_false(pk);
        break;
    case ARCHAI_FIELD_TEXT:
        write_text(pk, *(char *const *)at);
        break;
    case ARCHAI_FIELD_WORD:
        write_text(pk, at);
        break;
    case ARCHAI_FIELD_FLOATS: {
        const size_t bytes = *(const size_t *)count * sizeof(float);

        msgpack_pack_bin(pk, bytes);
        if (bytes > 0)
            msgpack_pack_bin_body(pk, *(float *const *)at, bytes);
        break;
    }
    case ARCHAI_FIELD_DIMS: {
        const int n = *(const int *)count;

        msgpack_pack_array(pk, (size_t)n);
        for (int i = 0; i < n; i++)
            msgpack_pack_int64(pk, ((const int64_t *)at)[i]);
        break;
    }
    case ARCHAI_FIELD_DTYPE:
        write_text(pk, archai_dtype_name(*(const archai_dtype *)at));
        break;
    case ARCHAI_FIELD_STATUS:
        write_text(pk, archai_status_name(*(const int *)at));
        break;
    case ARCHAI_FIELD_MEASURES:
        write_measures(pk, *(archai_measure *const *)at, *(const size_t *)count);
        break;
    case ARCHAI_FIELD_LIST: {
        const size_t n = *(const size_t *)count;
        const char *items = *(char *const *)at;

        msgpack_pack_array(pk, n);
        for (size_t i = 0; i < n; i++)
            write_record(pk, f->of, items + i * f->of->size);
        break;
    }
    case ARCHAI_FIELD_INSIDE:
        write_record(pk, f->of, at);
        break;
    case ARCHAI_FIELD_OWNED:
        if (*(void *const *)at != NULL)
            write_record(pk, f->of, *(void *const *)at);
        else
            msgpack_pack_nil(pk);
        break;
    }
}

static bool is_empty(const archai_field *f, const void *obj)
{
    const char *at = (const char *)obj + f->at;
    const char *count = (const char *)obj + f->count_at;

    switch (f->kind) {
    case ARCHAI_FIELD_I32:
        return *(const int32_t *)at == 0;
    case ARCHAI_FIELD_I64:
        return *(const int64_t *)at == 0;
    case ARCHAI_FIELD_DOUBLE:
        return *(const double *)at == 0.0;
    case ARCHAI_FIELD_BOOL:
        return !*(const bool *)at;
    case ARCHAI_FIELD_TEXT:
        return *(char *const *)at == NULL || **(char *const *)at == '\0';
    case ARCHAI_FIELD_FLOATS:
    case ARCHAI_FIELD_MEASURES:
    case ARCHAI_FIELD_LIST:
        return *(const size_t *)count == 0;
    default:
        return false;
    }
}

static bool is_written(const archai_record_type *type, size_t i, const void *obj, uint64_t which)
{
    const archai_field *f = &type->fields[i];

    return (which & ARCHAI_FIELD_BIT(i)) != 0 && !(f->optional && is_empty(f, obj));
}

size_t archai_record_count(const archai_record_type *type, const void *obj, uint64_t which)
{
    size_t n = 0;

    for (size_t i = 0; type->fields[i].key != NULL; i++)
        n += is_written(type, i, obj, which);
    return n;
}

void archai_record_write(msgpack_packer *pk, const archai_record_type *type, const void *obj,
                         uint64_t which)
{
    for (size_t i = 0; type->fields[i].key != NULL; i++) {
        if (!is_written(type, i, obj, which))
            continue;
        write_text(pk, type->fields[i].key);
        write_field(pk, &type->fields[i], obj);
    }
}
