/* Columns of results.h5, and /candidates out of them. */
#include "io/results/results_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/file.h"
#include "io/file/h5.h"

/* Columns are read in pieces of about this many bytes. */
static const size_t piece_bytes = (size_t)4 << 20;
_Static_assert(ARCHAI_RESULTS_PIECE % ARCHAI_COLUMN_BATCH == 0, "no chunk is unpacked twice");

/* The type of a column's values in memory. */
static int memory_type(hid_t dataset, archai_column_kind kind, hid_t *type, archai_err *err)
{
    if (archai_column_is_text(kind)) /* as wide as the file has it */
        return archai_h5_id(err, type, H5Dget_type(dataset));
    return archai_h5_type(type, archai_column_dtype(kind), err);
}

int results_column(const archai_results_reader *x, hid_t group, const char *name,
                   archai_column_kind kind, size_t first, size_t n, results_take *take,
                   void *payload, archai_err *err)
{
    const bool is_text = archai_column_is_text(kind);
    const bool is_float = !is_text && kind != ARCHAI_COLUMN_I64 && kind != ARCHAI_COLUMN_I32;
    const int rank = archai_column_is_matrix(kind) ? 2 : 1;
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    size_t row_bytes, piece;
    char *data = NULL;
    hsize_t dims[2];
    int rc;

    ARCHAI_TRY(results_dataset(x, group, name,
                               is_text ? H5T_STRING : is_float ? H5T_FLOAT : H5T_INTEGER, rank,
                               x->total, dims, &dataset, err));
    ARCHAI_TRY_GOTO(rc, memory_type(dataset, kind, &type, err), out);
    row_bytes = H5Tget_size(type) * dims[1];
    piece = row_bytes < piece_bytes ? piece_bytes / (row_bytes > 0 ? row_bytes : 1) : 1;
    piece = piece < n ? piece : n;
    if (first > dims[0] || n > dims[0] - first)
        rc = archai_fail(err, ARCHAI_EFORMAT, "has no row %zu", first);
    else if ((data = archai_file_room(piece, row_bytes, err)) == NULL)
        rc = ARCHAI_ENOMEM;
    for (size_t at = 0; rc == ARCHAI_OK && at < n; at += piece) {
        const size_t some = n - at < piece ? n - at : piece;

        rc = archai_h5_rows(dataset, type, rank, first + at, (const hsize_t[]){some, dims[1]}, data,
                            NULL, err);
        for (size_t i = 0; rc == ARCHAI_OK && i < some; i++)
            rc = take(payload, at + i, data + i * row_bytes, is_text ? row_bytes : dims[1], err);
    }
out:
    free(data);
    archai_h5_release(&type);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", name);
}

/* -- candidates ---------------------------------------------------------------------------- */

typedef struct field {
    const results_piece *in;
    const archai_candidate_column *column;
} field;

static int take_field(void *payload, size_t row, const void *value, size_t width, archai_err *err)
{
    const field *f = payload;
    archai_trial *e = &f->in->r->rows[row];
    void *to = (char *)e + f->column->offset;
    char *text;

    switch (f->column->kind) {
    case ARCHAI_COLUMN_TEXT:
        text = archai_strndup(value, width);
        archai_text_clean(text, true); /* it will be shown */
        *(char **)to = text;
        break;
    case ARCHAI_COLUMN_STATUS:
        text = archai_strndup(value, width);
        e->status = archai_status_from_name(text);
        if (e->status < 0)
            (void)archai_fail(err, ARCHAI_EFORMAT, "row %zu has \"%.32s\"", f->in->first + row,
                              text);
        free(text);
        return e->status < 0 ? ARCHAI_EFORMAT : ARCHAI_OK;
    case ARCHAI_COLUMN_ENCODING:
        if (width > 0 && !isnan(*(const float *)value)) { /* NaN: this row had none */
            e->encoding = archai_memdup(value, width * sizeof *e->encoding);
            e->n_encoding = width;
        }
        break;
    default:
        memcpy(to, value, archai_dtype_size(archai_column_dtype(f->column->kind)));
    }
    return ARCHAI_OK;
}

int results_candidates(const results_piece *in, archai_err *err)
{
    archai_results *r = in->r;
    hid_t group = H5I_INVALID_HID;
    int rc = ARCHAI_OK;

    r->rows = archai_file_room(r->n, sizeof *r->rows, err);
    if (r->rows == NULL)
        return ARCHAI_ENOMEM;
    memset(r->rows, 0, r->n * sizeof *r->rows);
    ARCHAI_TRY(archai_h5_id(err, &group, H5Gopen2(in->x->file, "candidates", H5P_DEFAULT)));
    for (const archai_candidate_column *c = archai_candidate_columns;
         rc == ARCHAI_OK && c->name != NULL; c++) {
        field f = {in, c};

        if (!c->later || archai_h5_has(group, c->name))
            rc = results_column(in->x, group, c->name, c->kind, in->first, r->n, take_field, &f,
                                err);
    }
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/candidates: ");
}
