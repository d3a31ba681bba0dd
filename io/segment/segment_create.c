/* Creating a segment: the only place where a segment's metadata is written. */
#include "io/segment/segment.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/beside.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/segment/segment_layout.h"

typedef enum row_kind { ROW_I64, ROW_F64, ROW_I32, ROW_U32, ROW_U32X2 } row_kind;

/* clang-format off */
static const struct row_field {
    const char *name;
    size_t offset;
    row_kind kind;
} row_fields[] = {
    {"id",          offsetof(archai_row, id),          ROW_I64},
    {"budget",      offsetof(archai_row, budget),      ROW_F64},
    {"finished",    offsetof(archai_row, finished),    ROW_F64},
    {"text_offset", offsetof(archai_row, text_offset), ROW_I64},
    {"text_bytes",  offsetof(archai_row, text_bytes),  ROW_I64},
    {"status",      offsetof(archai_row, status),      ROW_I32},
    {"rank",        offsetof(archai_row, rank),        ROW_I32},
    {"text_crc",    offsetof(archai_row, text_crc),    ROW_U32},
    {"reserved",    offsetof(archai_row, is_test),     ROW_U32X2}, /* as the first version called it */
    {"crc",         offsetof(archai_row, crc),         ROW_U32},
};
/* clang-format on */

static hid_t field_type(row_kind kind)
{
    const hid_t types[] = {H5T_STD_I64LE, H5T_IEEE_F64LE, H5T_STD_I32LE, H5T_STD_U32LE};
    const hsize_t two = 2;

    return kind == ROW_U32X2 ? H5Tarray_create2(H5T_STD_U32LE, 1, &two) : H5Tcopy(types[kind]);
}

int archai_row_type(hid_t *type, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    hid_t field = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &id, H5Tcreate(H5T_COMPOUND, sizeof(archai_row))));
    for (size_t i = 0; i < sizeof row_fields / sizeof row_fields[0]; i++) {
        const struct row_field *f = &row_fields[i];

        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &field, field_type(f->kind)), out);
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tinsert(id, f->name, f->offset, field)), out);
        archai_h5_release(&field);
    }
out:
    archai_h5_release(&field);
    if (rc != ARCHAI_OK)
        archai_h5_release(&id);
    else
        *type = id;
    return rc;
}

/* A contiguous dataset that has its place in the file from the start and is never filled. */
static int lay_out(hid_t parent, const char *name, hid_t type, int64_t n, archai_err *err)
{
    hid_t space = H5I_INVALID_HID;
    hid_t dcpl = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;
    hsize_t dims[1] = {(hsize_t)n};
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &space, H5Screate_simple(1, dims, NULL)));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dcpl, H5Pcreate(H5P_DATASET_CREATE)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_layout(dcpl, H5D_CONTIGUOUS)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_alloc_time(dcpl, H5D_ALLOC_TIME_EARLY)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_fill_time(dcpl, H5D_FILL_TIME_NEVER)), out);
    rc = archai_h5_id(err, &dataset,
                      H5Dcreate2(parent, name, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT));
out:
    if (rc == ARCHAI_OK)
        rc = archai_h5_close(&dataset, err);
    archai_h5_release(&dataset);
    archai_h5_release(&dcpl);
    archai_h5_release(&space);
    return archai_err_wrap(err, rc, "dataset %s: ", name);
}

static int lay_out_pools(hid_t file, const archai_segment_size *size, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    int t;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &group,
                            H5Gcreate2(file, "pool", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    for (t = 0, rc = ARCHAI_OK; t < ARCHAI_DTYPE_COUNT; t++) {
        if (size->pool[t] == 0)
            continue;
        ARCHAI_TRY_GOTO(rc, archai_h5_type(&type, (archai_dtype)t, err), out);
        ARCHAI_TRY_GOTO(
            rc, lay_out(group, archai_dtype_name((archai_dtype)t), type, size->pool[t], err),
            out);
        archai_h5_release(&type);
    }
out:
    archai_h5_release(&type);
    if (rc == ARCHAI_OK)
        rc = archai_h5_close(&group, err);
    archai_h5_release(&group);
    return rc;
}

static int label(hid_t file, archai_err *err)
{
    unsigned char u[16];
    char uuid[37];
    char created[32];
    time_t now = time(NULL);
    struct tm tm;

    if (getrandom(u, sizeof u, 0) != (ssize_t)sizeof u)
        return archai_fail(err, ARCHAI_EIO, "no random bytes for a uuid");
    u[6] = (unsigned char)((u[6] & 0x0f) | 0x40); /* RFC 4122: version 4, variant 1 */
    u[8] = (unsigned char)((u[8] & 0x3f) | 0x80);
    (void)snprintf(uuid, sizeof uuid,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
                   u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
                   u[13], u[14], u[15]);
    (void)strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    ARCHAI_TRY(archai_h5_set_string(file, "format", ARCHAI_SEGMENT_FORMAT, err));
    ARCHAI_TRY(archai_h5_set_int(file, "format_version", ARCHAI_SEGMENT_VERSION, err));
    ARCHAI_TRY(archai_h5_set_string(file, "created", created, err));
    return archai_h5_set_string(file, "uuid", uuid, err);
}

static int create_file(const char *path, const archai_segment_size *size, archai_err *err)
{
    hid_t fapl = H5I_INVALID_HID;
    hid_t file = H5I_INVALID_HID;
    hid_t row = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_access(&fapl, err));
    /* Everything as large as a page starts on a new page; metadata is smaller. */
    ARCHAI_TRY_GOTO(
        rc, archai_h5_ok(err, H5Pset_alignment(fapl, 4096, ARCHAI_SEGMENT_ALIGNMENT)), out);
    ARCHAI_TRY_GOTO(
        rc, archai_h5_id(err, &file, H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, fapl)), out);
    ARCHAI_TRY_GOTO(rc, label(file, err), out);
    ARCHAI_TRY_GOTO(rc, archai_row_type(&row, err), out);
    ARCHAI_TRY_GOTO(rc, lay_out(file, "rows", row, size->rows, err), out);
    ARCHAI_TRY_GOTO(rc, lay_out(file, "detail", H5T_STD_U8LE, size->text_bytes, err), out);
    ARCHAI_TRY_GOTO(rc, lay_out_pools(file, size, err), out);
    rc = archai_h5_close(&file, err);
out:
    archai_h5_release(&row);
    archai_h5_release(&file);
    archai_h5_release(&fapl);
    return rc;
}

static int check_size(const archai_segment_size *size, archai_err *err)
{
    if (size->rows <= 0 || size->text_bytes <= 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "%lld rows, %lld bytes of detail: both must be > 0",
                           (long long)size->rows, (long long)size->text_bytes);
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++)
        if (size->pool[t] < 0)
            return archai_fail(err, ARCHAI_EINVAL, "a pool of %lld elements",
                               (long long)size->pool[t]);
    return ARCHAI_OK;
}

int archai_segment_create(const char *directory, const char *name,
                          const archai_segment_size *size, archai_err *err)
{
    char *path = archai_file_path(directory, name);
    archai_beside beside = ARCHAI_BESIDE_INIT;
    int rc = check_size(size, err);

    if (rc == ARCHAI_OK && access(path, F_OK) == 0)
        rc = archai_fail(err, ARCHAI_EEXIST, "exists already");
    rc = archai_err_wrap(err, rc, "%s: ", path);
    if (rc == ARCHAI_OK)
        rc = archai_beside_inside(&beside, directory, name, err);
    if (rc == ARCHAI_OK) {
        rc = archai_err_wrap(err, create_file(beside.at, size, err), "%s: ", path);
        if (rc == ARCHAI_OK)
            rc = archai_beside_publish(&beside, err);
    }
    archai_beside_drop(&beside);
    free(path);
    return rc;
}
