/* Types of HDF5 for tensors, and the type of texts. */
#include "io/file/h5.h"

#include <math.h>

/* The end of making a type: hand it over, or release it after an error. */
static int give(hid_t *out, hid_t *id, int rc)
{
    if (rc == ARCHAI_OK)
        *out = *id;
    else
        archai_h5_release(id);
    return rc;
}

/* Floating point numbers that HDF5 does not name: sign at the top, then exponent, then mantissa. IEEE 754
 * binary16 is H5T_IEEE_F16LE only since 1.14.4. h5py reads them all, as the next wider type it has. */
static int float_type(hid_t *type, size_t bytes, size_t exponent, size_t mantissa, size_t bias,
                      archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &id, H5Tcopy(H5T_IEEE_F32LE)));
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_ok(err, H5Tset_fields(id, 8 * bytes - 1, mantissa, exponent, 0, mantissa)),
                    out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tset_precision(id, 8 * bytes)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tset_size(id, bytes)), out);
    rc = archai_h5_ok(err, H5Tset_ebias(id, bias));
out:
    return give(type, &id, rc);
}

/* As h5py writes numpy's bool. */
static int bool_type(hid_t *type, archai_err *err)
{
    const signed char no = 0, yes = 1;
    hid_t id = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &id, H5Tenum_create(H5T_STD_I8LE)));
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tenum_insert(id, "FALSE", &no)), out);
    rc = archai_h5_ok(err, H5Tenum_insert(id, "TRUE", &yes));
out:
    return give(type, &id, rc);
}

/* As h5py writes numpy's complex64. */
static int complex_type(hid_t *type, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &id, H5Tcreate(H5T_COMPOUND, 2 * sizeof(float))));
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tinsert(id, "r", 0, H5T_IEEE_F32LE)), out);
    rc = archai_h5_ok(err, H5Tinsert(id, "i", sizeof(float), H5T_IEEE_F32LE));
out:
    return give(type, &id, rc);
}

/* What HDF5 cannot describe (no infinities, no zero): bytes, with the type's name as that of their only member. An opaque
 * type with a tag would say the same, but h5py cannot read it. */
static int named_bytes(hid_t *type, archai_dtype t, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &id, H5Tcreate(H5T_COMPOUND, archai_dtype_size(t))));
    rc = archai_h5_ok(err, H5Tinsert(id, archai_dtype_name(t), 0, H5T_STD_U8LE));
    return give(type, &id, rc);
}

int archai_h5_type(hid_t *type, archai_dtype t, archai_err *err)
{
    switch (t) {
    case ARCHAI_F32:
        return archai_h5_id(err, type, H5Tcopy(H5T_IEEE_F32LE));
    case ARCHAI_F64:
        return archai_h5_id(err, type, H5Tcopy(H5T_IEEE_F64LE));
    case ARCHAI_F16:
        return float_type(type, 2, 5, 10, 15, err);
    case ARCHAI_BF16:
        return float_type(type, 2, 8, 7, 127, err);
    case ARCHAI_F8_E5M2:
        return float_type(type, 1, 5, 2, 15, err);
    case ARCHAI_F8_E4M3:
    case ARCHAI_F8_E8M0:
        return named_bytes(type, t, err);
    case ARCHAI_C64:
        return complex_type(type, err);
    case ARCHAI_BOOL:
        return bool_type(type, err);
    case ARCHAI_I64:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_I64LE));
    case ARCHAI_I32:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_I32LE));
    case ARCHAI_I16:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_I16LE));
    case ARCHAI_I8:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_I8LE));
    case ARCHAI_U64:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_U64LE));
    case ARCHAI_U32:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_U32LE));
    case ARCHAI_U16:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_U16LE));
    case ARCHAI_U8:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_U8LE));
    case ARCHAI_DTYPE_COUNT:
        break;
    }
    return archai_fail(err, ARCHAI_EINVAL, "no HDF5 type for tensor type %d", (int)t);
}

archai_dtype archai_h5_type_of(hid_t type)
{
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        hid_t ours = H5I_INVALID_HID;
        htri_t equal;

        if (archai_h5_type(&ours, (archai_dtype)t, NULL) != ARCHAI_OK)
            break;
        equal = H5Tequal(type, ours);
        archai_h5_release(&ours);
        if (equal > 0)
            return (archai_dtype)t;
    }
    (void)H5Eclear2(H5E_DEFAULT);
    if (H5Tget_class(type) == H5T_ENUM && H5Tget_size(type) == 1) /* other names, or unsigned */
        return ARCHAI_BOOL;
    return ARCHAI_DTYPE_COUNT;
}

/* NaN where the type has one: HDF5 reads a virtual dataset without its source as its fill value, and
 * numbers that are not there must not pass for zeros. */
int archai_h5_fill_nan(hid_t dcpl, archai_dtype t, archai_err *err)
{
    const float none[2] = {NAN, NAN};
    hid_t memory = H5I_INVALID_HID;
    int rc;

    if (t == ARCHAI_C64) {
        ARCHAI_TRY(complex_type(&memory, err));
        rc = archai_h5_ok(err, H5Pset_fill_value(dcpl, memory, none));
        archai_h5_release(&memory);
        return rc;
    }
    if (t != ARCHAI_F32 && t != ARCHAI_F64 && t != ARCHAI_F16 && t != ARCHAI_BF16 &&
        t != ARCHAI_F8_E5M2)
        return ARCHAI_OK;
    return archai_h5_ok(err, H5Pset_fill_value(dcpl, H5T_NATIVE_FLOAT, none));
}

int archai_h5_string_type(hid_t *type, size_t width, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &id, H5Tcopy(H5T_C_S1)));
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tset_size(id, width)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tset_cset(id, H5T_CSET_UTF8)), out);
    if (width != H5T_VARIABLE)
        rc = archai_h5_ok(err, H5Tset_strpad(id, H5T_STR_NULLPAD));
out:
    return give(type, &id, rc);
}
