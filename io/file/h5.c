#include "io/file/h5.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRING_MAX = 64 * 1024 * 1024 }; /* bytes of an attribute that is believed */

/* -- errors -------------------------------------------------------------------------------- */

struct stack_ends {
    char outer[160]; /* the API function: says what was attempted */
    char inner[320]; /* the deepest frame: says why */
};

static herr_t keep_ends(unsigned n, const H5E_error2_t *frame, void *data)
{
    struct stack_ends *ends = data;
    const char *text = frame->desc != NULL ? frame->desc : "";

    if (n == 0)
        (void)snprintf(ends->outer, sizeof ends->outer, "%s", text);
    (void)snprintf(ends->inner, sizeof ends->inner, "%s", text);
    return 0;
}

/* The sec2 driver puts "errno = 28, error message = '...', ..., total write size = N" into its
 * frame and nowhere else. Returns errno or 0. */
static int driver_errno(const char *inner, unsigned long long *bytes)
{
    const char *at = strstr(inner, "errno = ");
    const char *size = strstr(inner, "total write size = ");

    *bytes = size != NULL ? strtoull(size + strlen("total write size = "), NULL, 10) : 0;
    return at != NULL ? atoi(at + strlen("errno = ")) : 0;
}

static int h5_fail(archai_err *err, const char *what, const char *file, int line)
{
    struct stack_ends ends = {"", ""};
    int name_length = (int)strcspn(what, "(");
    unsigned long long bytes;
    int e;

    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_ends, &ends);
    (void)H5Eclear2(H5E_DEFAULT);
    e = driver_errno(ends.inner, &bytes);
    if ((e == ENOSPC || e == EDQUOT || e == EFBIG) && bytes == 0)
        return archai_err_set_(err, ARCHAI_EIO, file, line, "disk full (%s)", strerror(e));
    if (e == ENOSPC || e == EDQUOT || e == EFBIG)
        return archai_err_set_(err, ARCHAI_EIO, file, line, "disk full writing %llu bytes (%s)",
                               bytes, strerror(e));
    if (e != 0)
        return archai_err_set_(err, ARCHAI_EIO, file, line, "%.*s: %s (%s)", name_length, what,
                               ends.outer, strerror(e));
    return archai_err_set_(err, ARCHAI_EIO, file, line, "%.*s: %s (%s)", name_length, what,
                           ends.outer, ends.inner);
}

int archai_h5_ok_(archai_err *err, herr_t st, const char *what, const char *file, int line)
{
    return st >= 0 ? ARCHAI_OK : h5_fail(err, what, file, line);
}

int archai_h5_id_(archai_err *err, hid_t *out, hid_t id, const char *what, const char *file,
                  int line)
{
    if (id < 0)
        return h5_fail(err, what, file, line);
    *out = id;
    return ARCHAI_OK;
}

int archai_h5_init(archai_err *err)
{
    static bool done;

    if (done)
        return ARCHAI_OK;
    (void)H5dont_atexit(); /* must come first; fails harmlessly if the library is up already */
    ARCHAI_TRY(archai_h5_ok(err, H5Eset_auto2(H5E_DEFAULT, NULL, NULL)));
    done = true;
    return ARCHAI_OK;
}

void archai_h5_version(char *text, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;

    /* Asking for the version starts the library. That must not be without H5dont_atexit: after a
     * file that could not be written its clean-up at exit crashes. */
    (void)archai_h5_init(NULL);
    (void)H5get_libversion(&major, &minor, &release);
    (void)snprintf(text, size, "HDF5 %u.%u.%u", major, minor, release);
}

/* -- identifiers and files ----------------------------------------------------------------- */

void archai_h5_release(hid_t *id)
{
    if (*id >= 0)
        (void)H5Idec_ref(*id);
    *id = H5I_INVALID_HID;
}

int archai_h5_close(hid_t *id, archai_err *err)
{
    hid_t closing = *id;

    *id = H5I_INVALID_HID;
    if (closing < 0)
        return ARCHAI_OK;
    if (H5Iget_type(closing) == H5I_FILE)
        return archai_h5_ok(err, H5Fclose(closing));
    return archai_h5_id(err, &closing, (hid_t)H5Idec_ref(closing));
}

int archai_h5_access(hid_t *fapl, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_init(err));
    ARCHAI_TRY(archai_h5_id(err, &id, H5Pcreate(H5P_FILE_ACCESS)));
    rc = archai_h5_ok(err, H5Pset_fclose_degree(id, H5F_CLOSE_STRONG));
#if H5_VERSION_GE(1, 10, 2)
    if (rc == ARCHAI_OK)
        rc = archai_h5_ok(err, H5Pset_libver_bounds(id, H5F_LIBVER_V110, H5F_LIBVER_V110));
#endif
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 11)
    if (rc == ARCHAI_OK)
        rc = archai_h5_ok(err, H5Pset_file_locking(id, 0, 1));
#endif
    if (rc != ARCHAI_OK)
        archai_h5_release(&id);
    else
        *fapl = id;
    return rc;
}

int archai_h5_open(hid_t *file, const char *path, archai_err *err)
{
    hid_t fapl = H5I_INVALID_HID;
    struct stat st;
    int rc;

    if (stat(path, &st) != 0)
        return archai_fail(err, errno == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EIO,
                           "%s: cannot open: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) /* HDF5 would wait for a pipe's other end */
        return archai_fail(err, ARCHAI_EFORMAT, "%s: not a regular file", path);
    ARCHAI_TRY(archai_h5_access(&fapl, err));
    rc = archai_h5_id(err, file, H5Fopen(path, H5F_ACC_RDONLY, fapl));
    archai_h5_release(&fapl);
    if (rc == ARCHAI_OK)
        return ARCHAI_OK;
    rc = access(path, R_OK) == 0 ? ARCHAI_EFORMAT : ARCHAI_EIO;
    if (err != NULL)
        err->code = rc;
    return archai_err_wrap(err, rc, "%s: no readable HDF5 file: ", path);
}

bool archai_h5_has(hid_t group, const char *name)
{
    htri_t found = H5Lexists(group, name, H5P_DEFAULT);

    (void)H5Eclear2(H5E_DEFAULT);
    return found > 0;
}

int archai_h5_group(hid_t parent, const char *name, hid_t *group, archai_err *err)
{
    hid_t gcpl = H5I_INVALID_HID;
    int rc;

    if (archai_h5_has(parent, name))
        return archai_h5_id(err, group, H5Gopen2(parent, name, H5P_DEFAULT));
    ARCHAI_TRY(archai_h5_id(err, &gcpl, H5Pcreate(H5P_GROUP_CREATE)));
    rc = archai_h5_ok(
        err, H5Pset_link_creation_order(gcpl, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    if (rc == ARCHAI_OK)
        rc = archai_h5_id(err, group, H5Gcreate2(parent, name, H5P_DEFAULT, gcpl, H5P_DEFAULT));
    archai_h5_release(&gcpl);
    return rc;
}

/* -- types --------------------------------------------------------------------------------- */

int archai_h5_type(hid_t *type, archai_dtype t, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    int rc = ARCHAI_OK;

    switch (t) {
    case ARCHAI_F32:
        return archai_h5_id(err, type, H5Tcopy(H5T_IEEE_F32LE));
    case ARCHAI_F64:
        return archai_h5_id(err, type, H5Tcopy(H5T_IEEE_F64LE));
    case ARCHAI_I64:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_I64LE));
    case ARCHAI_I32:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_I32LE));
    case ARCHAI_U8:
        return archai_h5_id(err, type, H5Tcopy(H5T_STD_U8LE));
    case ARCHAI_F16: /* H5T_IEEE_F16LE exists only from HDF5 1.14.4 */
        ARCHAI_TRY(archai_h5_id(err, &id, H5Tcopy(H5T_IEEE_F32LE)));
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tset_fields(id, 15, 10, 5, 0, 10)), out);
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tset_size(id, 2)), out);
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Tset_ebias(id, 15)), out);
        break;
    default:
        return archai_fail(err, ARCHAI_EINVAL, "no HDF5 type for tensor type %d", (int)t);
    }
out:
    if (rc != ARCHAI_OK)
        archai_h5_release(&id);
    else
        *type = id;
    return rc;
}

archai_dtype archai_h5_type_of(hid_t type)
{
    int t;

    for (t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
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
    return ARCHAI_DTYPE_COUNT;
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
    if (rc != ARCHAI_OK)
        archai_h5_release(&id);
    else
        *type = id;
    return rc;
}

/* -- attributes ---------------------------------------------------------------------------- */

static int set_attribute(hid_t object, const char *name, hid_t type, hid_t memory, hid_t space,
                         const void *value, archai_err *err)
{
    hid_t attribute = H5I_INVALID_HID;
    htri_t exists;
    int rc;

    exists = H5Aexists(object, name);
    if (exists > 0)
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Adelete(object, name)), out);
    ARCHAI_TRY_GOTO(
        rc,
        archai_h5_id(err, &attribute,
                     H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT)),
        out);
    rc = archai_h5_ok(err, H5Awrite(attribute, memory, value));
out:
    if (rc == ARCHAI_OK)
        rc = archai_h5_close(&attribute, err);
    archai_h5_release(&attribute);
    return archai_err_wrap(err, rc, "attribute %s: ", name);
}

int archai_h5_set_string(hid_t object, const char *name, const char *value, archai_err *err)
{
    hid_t type = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_string_type(&type, H5T_VARIABLE, err));
    rc = archai_h5_id(err, &space, H5Screate(H5S_SCALAR));
    if (rc == ARCHAI_OK)
        rc = set_attribute(object, name, type, type, space, &value, err);
    archai_h5_release(&space);
    archai_h5_release(&type);
    return rc;
}

int archai_h5_set_int(hid_t object, const char *name, int64_t value, archai_err *err)
{
    hid_t space = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &space, H5Screate(H5S_SCALAR)));
    rc = set_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, space, &value, err);
    archai_h5_release(&space);
    return rc;
}

int archai_h5_set_doubles(hid_t object, const char *name, const double *at, size_t n,
                          archai_err *err)
{
    hid_t space = H5I_INVALID_HID;
    hsize_t dims[1] = {n};
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &space, H5Screate_simple(1, dims, NULL)));
    rc = set_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space, at, err);
    archai_h5_release(&space);
    return rc;
}

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

int archai_h5_get_string(hid_t object, const char *name, char **out, archai_err *err)
{
    hid_t attribute = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    hid_t memory = H5I_INVALID_HID;
    char *text = NULL;
    char *theirs = NULL;
    size_t size;
    int rc;

    ARCHAI_TRY_GOTO(rc, open_attribute(object, name, H5T_STRING, &attribute, &type, err), out);
    if (H5Tis_variable_str(type) > 0) {
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Aread(attribute, type, &theirs)), out);
        if (theirs != NULL && strlen(theirs) <= STRING_MAX)
            text = strdup(theirs);
        else
            text = strdup("");
        (void)H5free_memory(theirs);
    } else {
        size = H5Tget_size(type);
        if (size == 0 || size > STRING_MAX) {
            rc = archai_fail(err, ARCHAI_EFORMAT, "attribute %s has %zu bytes", name, size);
            goto out;
        }
        text = calloc(1, size + 1);
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &memory, H5Tcopy(type)), out);
        if (text != NULL)
            ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Aread(attribute, memory, text)), out);
    }
    if (text == NULL)
        rc = archai_fail(err, ARCHAI_ENOMEM, "attribute %s: out of memory", name);
out:
    archai_h5_release(&memory);
    archai_h5_release(&type);
    archai_h5_release(&attribute);
    if (rc != ARCHAI_OK) {
        free(text);
        return rc;
    }
    *out = text;
    return ARCHAI_OK;
}

int archai_h5_get_int(hid_t object, const char *name, int64_t *out, archai_err *err)
{
    hid_t attribute = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    int64_t value = 0;
    int rc;

    ARCHAI_TRY_GOTO(rc, open_attribute(object, name, H5T_INTEGER, &attribute, &type, err), out);
    rc = archai_h5_ok(err, H5Aread(attribute, H5T_NATIVE_INT64, &value));
    if (rc == ARCHAI_OK)
        *out = value;
out:
    archai_h5_release(&type);
    archai_h5_release(&attribute);
    return rc;
}
