/* Columns of results.h5, and /candidates out of them. */
#include "io/results/results_private.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "io/results/column.h"
#include "io/file/h5.h"

/* Text columns are read in pieces of about this many bytes. */
static const size_t piece_bytes = (size_t)4 << 20;
_Static_assert(ARCHAI_RESULTS_PIECE % ARCHAI_COLUMN_BATCH == 0, "no chunk is unpacked twice");

/* -- columns ------------------------------------------------------------------------------- */

/* Rows [first + at, first + at + n) of an open dataset [total] or [total, width]. */
static int read_piece(const results_reading *in, hid_t dataset, hid_t type, int rank,
                      size_t width, size_t at, size_t n, void *data, archai_err *err)
{
    const hsize_t start[2] = {in->first + at, 0}, count[2] = {n, width};
    hid_t space = H5I_INVALID_HID;
    hid_t memory = H5I_INVALID_HID;
    int rc;

    if (n == 0 || width == 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_h5_id(err, &space, H5Dget_space(dataset)));
    ARCHAI_TRY_GOTO(
        rc,
        archai_h5_ok(err, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL)),
        out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &memory, H5Screate_simple(rank, count, NULL)), out);
    rc = archai_h5_ok(err, H5Dread(dataset, type, memory, space, H5P_DEFAULT, data));
out:
    archai_h5_release(&memory);
    archai_h5_release(&space);
    return rc;
}

static int read_text(const results_reading *in, hid_t group, const char *name, size_t offset,
                     archai_err *err)
{
    archai_results *r = in->r;
    hid_t dataset = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    size_t width, piece, total = in->total;
    char *data = NULL;
    int rc;

    ARCHAI_TRY(
        results_dataset(group, name, H5T_STRING, 1, in->bytes, &total, NULL, &dataset, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(dataset)), out);
    width = H5Tget_size(type);
    piece = width < piece_bytes ? piece_bytes / width : 1;
    if (piece > r->n)
        piece = r->n;
    data = malloc(piece * width + 1);
    if (data == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu rows", piece);
        goto out;
    }
    for (size_t at = 0; at < r->n; at += piece) {
        const size_t n = r->n - at < piece ? r->n - at : piece;

        ARCHAI_TRY_GOTO(rc, read_piece(in, dataset, type, 1, 1, at, n, data, err), out);
        for (size_t i = 0; i < n; i++) {
            char *text = strndup(data + i * width, width);

            if (text == NULL) {
                rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu rows", r->n);
                goto out;
            }
            memcpy((char *)&r->rows[at + i] + offset, &text, sizeof text);
        }
    }
out:
    free(data);
    archai_h5_release(&type);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", name);
}

int results_numbers(const results_reading *in, hid_t group, const char *name, H5T_class_t class,
                    hid_t type, size_t size, size_t *width, void **out, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    size_t columns = 1, total = in->total;
    const int rank = width != NULL ? 2 : 1;
    void *data;
    int rc;

    ARCHAI_TRY(results_dataset(group, name, class, rank, in->bytes, &total, &columns, &dataset,
                               err));
    data = malloc(in->r->n * columns * size + 1);
    if (data == NULL)
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu rows", in->r->n);
    else
        rc = read_piece(in, dataset, type, rank, columns, 0, in->r->n, data, err);
    archai_h5_release(&dataset);
    if (rc != ARCHAI_OK) {
        free(data);
        return archai_err_wrap(err, rc, "%s: ", name);
    }
    if (width != NULL)
        *width = columns;
    *out = data;
    return ARCHAI_OK;
}

static int read_field(const results_reading *in, hid_t group, const char *name,
                      H5T_class_t class, hid_t type, size_t size, size_t offset,
                      archai_err *err)
{
    void *data = NULL;

    ARCHAI_TRY(results_numbers(in, group, name, class, type, size, NULL, &data, err));
    for (size_t i = 0; i < in->r->n; i++)
        memcpy((char *)&in->r->rows[i] + offset, (char *)data + i * size, size);
    free(data);
    return ARCHAI_OK;
}

/* Names become numbers: the column is read in place of the error text and then replaced. */
static int read_status(const results_reading *in, hid_t group, archai_err *err)
{
    archai_results *r = in->r;

    ARCHAI_TRY(read_text(in, group, "status", offsetof(archai_trial, error), err));
    for (size_t i = 0; i < r->n; i++) {
        r->rows[i].status = archai_status_from_name(r->rows[i].error);
        if (r->rows[i].status < 0)
            return archai_fail(err, ARCHAI_EFORMAT, "status: row %zu has \"%.32s\"",
                               in->first + i, r->rows[i].error);
        free(r->rows[i].error);
        r->rows[i].error = NULL;
    }
    return ARCHAI_OK;
}

static int read_encoding(const results_reading *in, hid_t group, archai_err *err)
{
    archai_results *r = in->r;
    float *data = NULL;
    size_t width;

    if (!archai_h5_has(group, "encoding"))
        return ARCHAI_OK;
    ARCHAI_TRY(results_numbers(in, group, "encoding", H5T_FLOAT, H5T_NATIVE_FLOAT, sizeof *data,
                               &width, (void **)&data, err));
    for (size_t i = 0; i < r->n && width > 0; i++) {
        if (isnan(data[i * width]))
            continue; /* this row had none */
        r->rows[i].encoding = malloc(width * sizeof *data);
        if (r->rows[i].encoding == NULL) {
            free(data);
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu rows", r->n);
        }
        memcpy(r->rows[i].encoding, data + i * width, width * sizeof *data);
        r->rows[i].n_encoding = width;
    }
    free(data);
    return ARCHAI_OK;
}

/* -- candidates ---------------------------------------------------------------------------- */

/* clang-format off */
#define AT(f) offsetof(archai_trial, f)
static const struct { const char *name; size_t offset; } text_columns[] = {
    {"archid", AT(model.archid)},     {"arch", AT(arch)},         {"error", AT(error)},
    {"operator", AT(operator_)}, {"parents", AT(parents)},   {"metadata", AT(metadata)},
    {"device", AT(device)},
};
/* clang-format on */

int results_rows(hid_t file, uint64_t bytes, size_t *rows, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    hid_t id = H5I_INVALID_HID;
    int rc;

    if (!archai_h5_has(file, "candidates"))
        return archai_fail(err, ARCHAI_EFORMAT, "group candidates is missing");
    ARCHAI_TRY(archai_h5_id(err, &group, H5Gopen2(file, "candidates", H5P_DEFAULT)));
    *rows = SIZE_MAX; /* `id` says how many */
    rc = results_dataset(group, "id", H5T_INTEGER, 1, bytes, rows, NULL, &id, err);
    archai_h5_release(&id);
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/candidates: ");
}

int results_candidates(const results_reading *in, hid_t file, archai_err *err)
{
    archai_results *r = in->r;
    hid_t group = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &group, H5Gopen2(file, "candidates", H5P_DEFAULT)));
    r->rows = calloc(r->n + 1, sizeof *r->rows);
    if (r->rows == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu rows", r->n);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, read_status(in, group, err), out);
    for (size_t i = 0; i < sizeof text_columns / sizeof text_columns[0]; i++)
        ARCHAI_TRY_GOTO(
            rc, read_text(in, group, text_columns[i].name, text_columns[i].offset, err), out);
    ARCHAI_TRY_GOTO(
        rc, read_field(in, group, "id", H5T_INTEGER, H5T_NATIVE_INT64, 8, AT(id), err), out);
    ARCHAI_TRY_GOTO(rc,
                    read_field(in, group, "generation", H5T_INTEGER, H5T_NATIVE_INT32, 4,
                               AT(generation), err),
                    out);
    ARCHAI_TRY_GOTO(
        rc, read_field(in, group, "rank", H5T_INTEGER, H5T_NATIVE_INT32, 4, AT(rank), err),
        out);
    ARCHAI_TRY_GOTO(
        rc, read_field(in, group, "budget", H5T_FLOAT, H5T_NATIVE_DOUBLE, 8, AT(budget), err),
        out);
    ARCHAI_TRY_GOTO(
        rc, read_field(in, group, "started", H5T_FLOAT, H5T_NATIVE_DOUBLE, 8, AT(started), err),
        out);
    ARCHAI_TRY_GOTO(
        rc, read_field(in, group, "seconds", H5T_FLOAT, H5T_NATIVE_DOUBLE, 8, AT(seconds), err),
        out);
    rc = read_encoding(in, group, err);
out:
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/candidates: ");
}
#undef AT
