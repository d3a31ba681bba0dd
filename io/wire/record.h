/* io/wire/record.h - structs as msgpack maps, driven by tables of fields.
 *
 * A record type is a table: key, kind, offset in the struct. One encoder and one decoder serve
 * all of them, so that a field is named once. Decoding trusts nothing: unknown keys are
 * skipped, a missing, mistyped or out-of-range field is ARCHAI_EFORMAT and named, and the
 * counts that a message claims are held against its size before anything is allocated.
 */
#ifndef ARCHAI_IO_WIRE_RECORD_H
#define ARCHAI_IO_WIRE_RECORD_H
#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

typedef enum archai_field_kind {
    ARCHAI_FIELD_I32,
    ARCHAI_FIELD_I64,
    ARCHAI_FIELD_U32,
    ARCHAI_FIELD_U64,
    ARCHAI_FIELD_DOUBLE,
    ARCHAI_FIELD_BOOL,
    ARCHAI_FIELD_TEXT,     /* char *, owned; NULL travels as "" */
    ARCHAI_FIELD_WORD,     /* char[32] */
    ARCHAI_FIELD_FLOATS,   /* float *, owned, and its count (size_t); little-endian bytes */
    ARCHAI_FIELD_DIMS,     /* int64_t[ARCHAI_MAX_DIMS] and its count (int) */
    ARCHAI_FIELD_DTYPE,    /* archai_dtype, by name */
    ARCHAI_FIELD_STATUS,   /* archai_status as int, by name */
    ARCHAI_FIELD_MEASURES, /* archai_measure *, owned, and its count: a map name -> number */
    ARCHAI_FIELD_LIST,     /* array of records `of`, owned, and its count */
    ARCHAI_FIELD_INSIDE,   /* a record embedded in this one */
    ARCHAI_FIELD_OWNED     /* pointer to one record, owned; NULL travels as nil */
} archai_field_kind;

struct archai_record_type;
typedef struct archai_field {
    const char *key; /* NULL ends a table */
    archai_field_kind kind;
    size_t at;       /* offset of the field */
    size_t count_at; /* offset of its count, where it has one */
    bool optional;   /* left out where it is zero or empty, and that when it does not come */
    const struct archai_record_type *of;
} archai_field;

typedef struct archai_record_type {
    const char *name; /* for messages */
    size_t size;
    const archai_field *fields;
} archai_record_type;

/* Sets of fields by their number in the table. */
#define ARCHAI_FIELD_BIT(i) (UINT64_C(1) << (i))
#define ARCHAI_ALL_FIELDS   UINT64_MAX

/* Write the key and value of the fields in `which` that are not left out (the caller writes the map
 * header for archai_record_count of them). Errors are the packer's: its buffer is sticky. */
void archai_record_write(msgpack_packer *pk, const archai_record_type *type, const void *obj,
                         uint64_t which);
size_t archai_record_count(const archai_record_type *type, const void *obj, uint64_t which);

/* Fill the zeroed `obj` from a map. Fields in `required` must be there, unless they are optional: a missing
 * text becomes "". What was filled in is owned by obj on failure too: the caller frees it either way. */
int archai_record_read(const archai_record_type *type, const msgpack_object *map,
                       uint64_t required, void *obj, archai_err *err);

/* One msgpack object that is exactly `size` bytes; the zone owns what *out points to. */
int archai_record_parse(const char *data, size_t size, msgpack_zone *zone, msgpack_object *out,
                        archai_err *err);
/* Value of a text key in a map, or NULL. */
const msgpack_object *archai_record_find(const msgpack_object *map, const char *key);
#endif
