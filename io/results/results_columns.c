/* Columns of results.h5, and /candidates out of them. */
#include "io/results/results_private.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/column.h"

/* Text columns are read in pieces of about this many bytes. */
static const size_t piece_bytes = (size_t)4 << 20;
_Static_assert(ARCHAI_RESULTS_PIECE % ARCHAI_COLUMN_BATCH == 0, "no chunk is unpacked twice");

/* -- columns ------------------------------------------------------------------------------- */

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
    data = archai_file_room(piece, width, err);
    if (data == NULL) {
        rc = ARCHAI_ENOMEM;
        goto out;
    }
    for (size_t at = 0; at < r->n; at += piece) {
        const size_t n = r->n - at < piece ? r->n - at : piece;

        ARCHAI_TRY_GOTO(rc, archai_h5_rows(dataset, type, 1, in->first + at, n, 1, data, NULL, err),
                        out);
        for (size_t i = 0; i < n; i++) {
            char *text = archai_strndup(data + i * width, width);

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
    data = archai_file_room(in->r->n, columns * size, err);
    rc = data == NULL
             ? ARCHAI_ENOMEM
             : archai_h5_rows(dataset, type, rank, in->first, in->r->n, columns, data, NULL, err);
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

/* Names become numbers: the column is first read into the field of the error text. */
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
        r->rows[i].encoding = archai_memdup(data + i * width, width * sizeof *data);
        r->rows[i].n_encoding = width;
    }
    free(data);
    return ARCHAI_OK;
}

/* -- candidates ---------------------------------------------------------------------------- */

/* clang-format off */
#define AT(f) offsetof(archai_trial, f)
static const struct { const char *name; size_t offset; } text_columns[] = {
    {"archid", AT(model.archid)},      {"arch", AT(arch)},       {"error", AT(error)},
    {"operator", AT(operator_)}, {"parents", AT(parents)}, {"metadata", AT(metadata)},
    {"device", AT(device)},
};
enum { I64, I32, F64 };
static const struct { const char *name; int kind; size_t offset; } number_columns[] = {
    {"id", I64, AT(id)},         {"generation", I32, AT(generation)}, {"rank", I32, AT(rank)},
    {"budget", F64, AT(budget)}, {"started", F64, AT(started)},       {"seconds", F64, AT(seconds)},
};
#undef AT
/* clang-format on */

/* A column of numbers into the rows. `kind`: as in number_columns. */
static int read_field(const results_reading *in, hid_t group, const char *name, int kind,
                      size_t offset, archai_err *err)
{
    const hid_t types[] = {H5T_NATIVE_INT64, H5T_NATIVE_INT32, H5T_NATIVE_DOUBLE};
    const size_t size = kind == I32 ? 4 : 8;
    void *data = NULL;

    ARCHAI_TRY(results_numbers(in, group, name, kind == F64 ? H5T_FLOAT : H5T_INTEGER, types[kind],
                               size, NULL, &data, err));
    for (size_t i = 0; i < in->r->n; i++)
        memcpy((char *)&in->r->rows[i] + offset, (char *)data + i * size, size);
    free(data);
    return ARCHAI_OK;
}

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
    r->rows = archai_file_room(r->n, sizeof *r->rows, err);
    if (r->rows == NULL) {
        rc = ARCHAI_ENOMEM;
        goto out;
    }
    memset(r->rows, 0, r->n * sizeof *r->rows);
    ARCHAI_TRY_GOTO(rc, read_status(in, group, err), out);
    for (size_t i = 0; i < sizeof text_columns / sizeof text_columns[0]; i++)
        ARCHAI_TRY_GOTO(
            rc, read_text(in, group, text_columns[i].name, text_columns[i].offset, err), out);
    for (size_t i = 0; i < sizeof number_columns / sizeof number_columns[0]; i++)
        ARCHAI_TRY_GOTO(rc,
                        read_field(in, group, number_columns[i].name, number_columns[i].kind,
                                   number_columns[i].offset, err),
                        out);
    rc = read_encoding(in, group, err);
out:
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/candidates: ");
}
