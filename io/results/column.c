#include "io/results/column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/file.h"
#include "io/file/h5.h"

/* Most bytes of a chunk: one fits HDF5's cache, and a refresh of the last rows rewrites little. */
static const size_t chunk_max = (size_t)1 << 20;
/* A longer error is cut off: one row must not make a column of a million rows unreadable. */
enum { ERROR_MAX = 4096, TEXT_LEAST = 16 };

archai_column archai_column_new(archai_column_kind kind, const char *group, const char *name,
                                const char *source, size_t offset)
{
    return (archai_column){.kind = kind,
                           .group = group,
                           .name = archai_name_escape(name),
                           .source = archai_strdup(source),
                           .offset = offset,
                           .dataset = H5I_INVALID_HID};
}

void archai_column_fini(archai_column *c)
{
    archai_h5_release(&c->dataset);
    free(c->name);
    free(c->source);
    *c = (archai_column){.dataset = H5I_INVALID_HID};
}

bool archai_column_is_text(archai_column_kind kind)
{
    return kind == ARCHAI_COLUMN_TEXT || kind == ARCHAI_COLUMN_STATUS;
}

bool archai_column_is_matrix(archai_column_kind kind)
{
    return kind == ARCHAI_COLUMN_CURVE || kind == ARCHAI_COLUMN_ENCODING;
}

archai_dtype archai_column_dtype(archai_column_kind kind)
{
    switch (kind) {
    case ARCHAI_COLUMN_I64:
        return ARCHAI_I64;
    case ARCHAI_COLUMN_I32:
        return ARCHAI_I32;
    case ARCHAI_COLUMN_F64:
    case ARCHAI_COLUMN_MEASURE:
        return ARCHAI_F64;
    default:
        return ARCHAI_F32;
    }
}

/* -- values of one evaluation -------------------------------------------------------------- */

static const void *field(const archai_column *c, const archai_trial *e)
{
    return (const char *)e + c->offset;
}

static const char *text_of(const archai_column *c, const archai_trial *e, size_t *n)
{
    const char *text = c->kind == ARCHAI_COLUMN_STATUS
                           ? archai_status_name(*(const int *)field(c, e))
                           : *(char *const *)field(c, e);

    if (text == NULL)
        text = "";
    *n = strlen(text);
    if (*n > ERROR_MAX && c->offset == offsetof(archai_trial, error)) {
        *n = ERROR_MAX;
        while (*n > 0 && ((unsigned char)text[*n] & 0xc0) == 0x80)
            (*n)--; /* not in the middle of a UTF-8 sequence */
    }
    return text;
}

static const float *floats_of(const archai_column *c, const archai_trial *e, size_t *n)
{
    if (c->kind == ARCHAI_COLUMN_ENCODING) {
        *n = e->encoding != NULL ? e->n_encoding : 0;
        return e->encoding;
    }
    for (size_t i = 0; i < e->n_curves; i++)
        if (strcmp(e->curves[i].name, c->source) == 0) {
            *n = e->curves[i].n;
            return e->curves[i].values;
        }
    *n = 0;
    return NULL;
}

/* Bytes or columns that the widest value among e[n] needs. */
static size_t width_needed(const archai_column *c, const archai_trial *e, size_t n)
{
    size_t width = archai_column_is_text(c->kind) || archai_column_is_matrix(c->kind) ? 0 : 1;

    for (size_t i = 0; i < n; i++) {
        size_t own = 0;

        if (archai_column_is_text(c->kind))
            (void)text_of(c, &e[i], &own);
        else if (archai_column_is_matrix(c->kind))
            (void)floats_of(c, &e[i], &own);
        if (own > width)
            width = own;
    }
    return width;
}

static size_t element_size(const archai_column *c)
{
    return archai_column_is_text(c->kind) ? 1 : archai_dtype_size(archai_column_dtype(c->kind));
}

/* e[n] as the rows that are written: [n, width]. */
static void fill(const archai_column *c, const archai_trial *e, size_t n, char *out)
{
    size_t row = c->width * element_size(c);

    for (size_t i = 0; i < n; i++, out += row) {
        double value;
        size_t own;

        switch (c->kind) {
        case ARCHAI_COLUMN_TEXT:
        case ARCHAI_COLUMN_STATUS: {
            const char *text = text_of(c, &e[i], &own);

            memcpy(out, text, own);
            own = archai_bytes_clean(out, own, true); /* h5py reads a column as UTF-8, or not at all */
            memset(out + own, 0, row - own);
            break;
        }
        case ARCHAI_COLUMN_MEASURE:
            value = archai_measure_get(e[i].measures, e[i].n_measures, c->source);
            memcpy(out, &value, sizeof value);
            break;
        case ARCHAI_COLUMN_CURVE:
        case ARCHAI_COLUMN_ENCODING: {
            const float *values = floats_of(c, &e[i], &own);

            if (own > 0)
                memcpy(out, values, own * sizeof *values);
            for (float none = NAN; own < c->width; own++)
                memcpy(out + own * sizeof none, &none, sizeof none);
            break;
        }
        default:
            memcpy(out, field(c, &e[i]), row);
        }
    }
}

/* -- the dataset --------------------------------------------------------------------------- */

static int file_type(const archai_column *c, size_t width, hid_t *type, archai_err *err)
{
    return archai_column_is_text(c->kind) ? archai_h5_string_type(type, width, err)
                      : archai_h5_type(type, archai_column_dtype(c->kind), err);
}

/* A power of two, so that chunks and batches share their borders. */
static hsize_t chunk_rows(size_t row_bytes)
{
    hsize_t rows = ARCHAI_COLUMN_BATCH;

    while (rows > 1 && rows * row_bytes > chunk_max)
        rows /= 2;
    return rows;
}

static int set_fill(hid_t dcpl, const archai_column *c, archai_err *err)
{
    const float f = NAN;
    const double d = NAN;

    if (archai_column_is_matrix(c->kind))
        return archai_h5_ok(err, H5Pset_fill_value(dcpl, H5T_NATIVE_FLOAT, &f));
    if (c->kind == ARCHAI_COLUMN_F64 || c->kind == ARCHAI_COLUMN_MEASURE)
        return archai_h5_ok(err, H5Pset_fill_value(dcpl, H5T_NATIVE_DOUBLE, &d));
    return ARCHAI_OK;
}

/* A new dataset [rows] or [rows, width] under `link` of the open group. */
static int create(const archai_column *c, hid_t group, const char *link, size_t width,
                  uint64_t rows, hid_t *out, archai_err *err)
{
    hid_t type = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    hid_t dcpl = H5I_INVALID_HID;
    hsize_t dims[2] = {rows, width};
    hsize_t most[2] = {H5S_UNLIMITED, H5S_UNLIMITED};
    hsize_t chunk[2] = {chunk_rows(width * element_size(c)), width < 8 ? 8 : width};
    int rank = archai_column_is_matrix(c->kind) ? 2 : 1;
    int rc;

    ARCHAI_TRY(file_type(c, width, &type, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Screate_simple(rank, dims, most)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dcpl, H5Pcreate(H5P_DATASET_CREATE)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_chunk(dcpl, rank, chunk)), out);
    ARCHAI_TRY_GOTO(rc, set_fill(dcpl, c, err), out);
    /* Headroom and missing errors are zeros: the fastest level is enough for them. */
    if (archai_column_is_text(c->kind) && H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0)
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_deflate(dcpl, 1)), out);
    rc = archai_h5_id(err, out,
                      H5Dcreate2(group, link, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT));
out:
    archai_h5_release(&dcpl);
    archai_h5_release(&space);
    archai_h5_release(&type);
    return rc;
}

/* Rows [first, first + n) into `to`, or from `from`. */
static int transfer(const archai_column *c, hid_t dataset, size_t width, uint64_t first, size_t n,
                    void *to, const void *from, archai_err *err)
{
    hid_t type = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(file_type(c, width, &type, err));
    rc = archai_h5_rows(dataset, type, archai_column_is_matrix(c->kind) ? 2 : 1, first,
                        (const hsize_t[]){n, width}, to, from, err);
    archai_h5_release(&type);
    return rc;
}

/* Widen the text column to `width` bytes: copy rows [0, rows), those before the ones to be written,
 * into a wider dataset [total]. HDF5 pads with NULs where it converts between lengths. */
static int widen_text(archai_column *c, hid_t group, size_t width, uint64_t rows,
                      uint64_t total, archai_err *err)
{
    hid_t wider = H5I_INVALID_HID;
    size_t batch = chunk_rows(width);
    char *data = archai_malloc(batch * width);
    int rc;

    ARCHAI_TRY_GOTO(rc, create(c, group, "widened", width, total, &wider, err), out);
    for (uint64_t at = 0; at < rows; at += batch) {
        size_t n = rows - at < batch ? (size_t)(rows - at) : batch;

        ARCHAI_TRY_GOTO(rc, transfer(c, c->dataset, width, at, n, data, NULL, err), out);
        ARCHAI_TRY_GOTO(rc, transfer(c, wider, width, at, n, NULL, data, err), out);
    }
    ARCHAI_TRY_GOTO(rc, archai_h5_close(&c->dataset, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Ldelete(group, c->name, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_ok(err, H5Lmove(group, "widened", H5L_SAME_LOC, c->name,
                                              H5P_DEFAULT, H5P_DEFAULT)),
                    out);
    c->dataset = wider;
    wider = H5I_INVALID_HID;
    c->width = width;
out:
    archai_h5_release(&wider);
    free(data);
    return rc;
}

/* A quarter more than needed, in steps of 16 bytes. */
static size_t with_headroom(size_t needed)
{
    size_t width = needed + needed / 4;

    return width < TEXT_LEAST ? TEXT_LEAST : (width + 15) / 16 * 16;
}

/* Bring the dataset to [total] or [total, width >= needed]; rows before `first` keep their
 * values. */
static int make_room(archai_column *c, hid_t group, uint64_t first, uint64_t total,
                     size_t needed, archai_err *err)
{
    hsize_t dims[2] = {total, needed};

    if (c->width == 0) { /* the first value ever: the rows before it hold none */
        size_t width = archai_column_is_text(c->kind) ? with_headroom(needed) : needed;

        ARCHAI_TRY(create(c, group, c->name, width, total, &c->dataset, err));
        c->width = width;
        return ARCHAI_OK;
    }
    if (c->dataset < 0)
        ARCHAI_TRY(archai_h5_id(err, &c->dataset, H5Dopen2(group, c->name, H5P_DEFAULT)));
    if (archai_column_is_text(c->kind) && needed > c->width)
        ARCHAI_TRY(widen_text(c, group, with_headroom(needed), first, total, err));
    if (needed < c->width)
        dims[1] = c->width;
    ARCHAI_TRY(archai_h5_ok(err, H5Dset_extent(c->dataset, dims))); /* dims[1]: of a matrix only */
    if (archai_column_is_matrix(c->kind))
        c->width = (size_t)dims[1];
    return ARCHAI_OK;
}

int archai_column_write(archai_column *c, hid_t file, uint64_t first,
                        const archai_trial *e, size_t n, uint64_t total, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    size_t needed = width_needed(c, e, n);
    char *data = NULL;
    int rc = ARCHAI_OK;

    if (n == 0 && c->width > 0)
        return ARCHAI_OK;
    if (archai_column_is_matrix(c->kind) && needed == 0 && c->width == 0)
        return ARCHAI_OK; /* no curve, no encoding yet: absent */
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &group, H5Gopen2(file, c->group, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, make_room(c, group, first, total, needed, err), out);
    if (n == 0)
        goto out;
    data = archai_file_room(n, c->width * element_size(c), err);
    if (data == NULL) {
        rc = ARCHAI_ENOMEM;
        goto out;
    }
    fill(c, e, n, data);
    rc = transfer(c, c->dataset, c->width, first, n, NULL, data, err);
out:
    free(data);
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/%s/%s: ", c->group, c->name);
}

int archai_column_close(archai_column *c, archai_err *err)
{
    return archai_err_wrap(err, archai_h5_close(&c->dataset, err), "/%s/%s: ", c->group,
                           c->name);
}
