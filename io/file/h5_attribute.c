/* Attributes: strings, integers, doubles. */
#include "io/file/h5.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { STRING_MAX = 64 * 1024 * 1024 }; /* bytes; a longer attribute is refused */

/* -- writing ------------------------------------------------------------------------------- */

/* [n], or for rank 0 a scalar. */
static int set_attribute(hid_t object, const char *name, hid_t type, hid_t memory, int rank,
                         hsize_t n, const void *value, archai_err *err)
{
    hid_t attribute = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    int rc;

    if (H5Aexists(object, name) > 0)
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Adelete(object, name)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Screate_simple(rank, &n, NULL)), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_id(err, &attribute,
                                 H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT)),
                    out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Awrite(attribute, memory, value)), out);
    rc = archai_h5_close(&attribute, err);
out:
    archai_h5_release(&attribute);
    archai_h5_release(&space);
    return archai_err_wrap(err, rc, "attribute %s: ", name);
}

int archai_h5_set_string(hid_t object, const char *name, const char *value, archai_err *err)
{
    hid_t type = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_string_type(&type, H5T_VARIABLE, err));
    rc = set_attribute(object, name, type, type, 0, 1, &value, err);
    archai_h5_release(&type);
    return rc;
}

int archai_h5_set_int(hid_t object, const char *name, int64_t value, archai_err *err)
{
    return set_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 0, 1, &value, err);
}

int archai_h5_set_doubles(hid_t object, const char *name, const double *at, size_t n,
                          archai_err *err)
{
    return set_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, n, at, err);
}

/* -- reading ------------------------------------------------------------------------------- */

static int open_attribute(hid_t object, const char *name, H5T_class_t class, hid_t *attribute,
                          hid_t *type, archai_err *err)
{
    hid_t space = H5I_INVALID_HID;
    hssize_t n;
    int rc = ARCHAI_OK;

    if (H5Aexists(object, name) <= 0) {
        (void)H5Eclear2(H5E_DEFAULT);
        return archai_fail(err, ARCHAI_ENOTFOUND, "attribute %s is missing", name);
    }
    ARCHAI_TRY(archai_h5_id(err, attribute, H5Aopen(object, name, H5P_DEFAULT)));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, type, H5Aget_type(*attribute)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Aget_space(*attribute)), out);
    n = H5Sget_simple_extent_npoints(space);
    if (H5Tget_class(*type) != class || n != 1)
        rc = archai_fail(err, ARCHAI_EFORMAT, "attribute %s has another type or shape", name);
out:
    archai_h5_release(&space);
    return rc;
}

/* The text of an open attribute; caller frees. */
static int read_text(hid_t attribute, hid_t type, const char *name, char **out, archai_err *err)
{
    const size_t size = H5Tget_size(type);
    char *theirs = NULL;
    int rc;

    if (H5Tis_variable_str(type) > 0) {
        ARCHAI_TRY(archai_h5_ok(err, H5Aread(attribute, type, &theirs)));
        *out = archai_strdup(theirs != NULL && strlen(theirs) <= STRING_MAX ? theirs : "");
        (void)H5free_memory(theirs);
        return ARCHAI_OK;
    }
    if (size == 0 || size > STRING_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "attribute %s has %zu bytes", name, size);
    *out = archai_calloc(1, size + 1);
    rc = archai_h5_ok(err, H5Aread(attribute, type, *out));
    if (rc != ARCHAI_OK) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

int archai_h5_get_string(hid_t object, const char *name, char **out, archai_err *err)
{
    hid_t attribute = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    int rc = open_attribute(object, name, H5T_STRING, &attribute, &type, err);

    if (rc == ARCHAI_OK)
        rc = read_text(attribute, type, name, out, err);
    archai_h5_release(&type);
    archai_h5_release(&attribute);
    return rc;
}

int archai_h5_get_int(hid_t object, const char *name, int64_t *out, archai_err *err)
{
    hid_t attribute = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    int64_t value = 0;
    int rc = open_attribute(object, name, H5T_INTEGER, &attribute, &type, err);

    if (rc == ARCHAI_OK)
        rc = archai_h5_ok(err, H5Aread(attribute, H5T_NATIVE_INT64, &value));
    if (rc == ARCHAI_OK)
        *out = value;
    archai_h5_release(&type);
    archai_h5_release(&attribute);
    return rc;
}
