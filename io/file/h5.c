#include "io/file/h5.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"

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
    return archai_err_set_(err, ARCHAI_EIO, file, line, "%.*s: %s (%s)", name_length, what,
                           ends.outer, e != 0 ? strerror(e) : ends.inner);
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

    /* Asking for the version starts the library, and without H5dont_atexit its clean-up at exit
     * crashes after a file that could not be written. */
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

/* The end of making an identifier: hand it over, or release it after an error. */
static int give(hid_t *out, hid_t *id, int rc)
{
    if (rc == ARCHAI_OK)
        *out = *id;
    else
        archai_h5_release(id);
    return rc;
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
    return give(fapl, &id, rc);
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
    return archai_err_wrap(err, rc, "%s: not a readable HDF5 file: ", path);
}

enum { COMPACT_LINKS = 64 };

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
    /* Links of usual models stay in the group's header: a heap and two trees for each model take more space
     * and time. */
    if (rc == ARCHAI_OK)
        rc = archai_h5_ok(err, H5Pset_link_phase_change(gcpl, COMPACT_LINKS, COMPACT_LINKS / 2));
    if (rc == ARCHAI_OK)
        rc = archai_h5_id(err, group, H5Gcreate2(parent, name, H5P_DEFAULT, gcpl, H5P_DEFAULT));
    archai_h5_release(&gcpl);
    return rc;
}

enum { LINKS_MAX = 10 * 1000 * 1000 };

struct collecting {
    archai_strings list;
    size_t capacity;
};

static herr_t collect(hid_t group, const char *name, const H5L_info_t *info, void *payload)
{
    struct collecting *c = payload;

    (void)group;
    (void)info;
    if (c->list.n == LINKS_MAX)
        return -1;
    ARCHAI_RESERVE(c->list.at, c->capacity, c->list.n + 1);
    c->list.at[c->list.n++] = archai_strdup(name);
    return 0;
}

int archai_h5_links(hid_t group, bool as_created, archai_strings *out, archai_err *err)
{
    struct collecting c = {{NULL, 0}, 0};
    hid_t gcpl = H5I_INVALID_HID;
    unsigned order = 0;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &gcpl, H5Gget_create_plist(group)));
    rc = archai_h5_ok(err, H5Pget_link_creation_order(gcpl, &order));
    archai_h5_release(&gcpl);
    as_created = as_created && (order & H5P_CRT_ORDER_TRACKED) != 0;
    if (rc == ARCHAI_OK)
        rc = archai_h5_ok(err, H5Literate(group, as_created ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME,
                                          H5_ITER_INC, NULL, collect, &c));
    if (rc == ARCHAI_OK)
        *out = c.list;
    else
        archai_strings_free(&c.list);
    return rc;
}
