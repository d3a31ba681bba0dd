#include "io/results/pack.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/h5.h"
#include "io/results/results_private.h"

/* -- attributes ------------------------------------------------------------------------------------------- */

typedef struct copying {
    hid_t to;
    archai_err *err;
    int rc;
} copying;

static int copy_value(hid_t from, hid_t to, const char *name, archai_err *err)
{
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, copy = H5I_INVALID_HID;
    void *value = NULL;
    hssize_t n;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Aget_type(from)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Aget_space(from)), out);
    n = H5Sget_simple_extent_npoints(space);
    value = archai_calloc((size_t)(n > 0 ? n : 0) + 1, H5Tget_size(type));
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Aread(from, type, value)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &copy, H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT)), out);
    rc = archai_h5_ok(err, H5Awrite(copy, type, value));
    (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
out:
    free(value);
    archai_h5_release(&copy);
    archai_h5_release(&space);
    archai_h5_release(&type);
    return rc;
}

static herr_t copy_attribute(hid_t object, const char *name, const H5A_info_t *info, void *payload)
{
    copying *c = payload;
    hid_t from = H5I_INVALID_HID;

    (void)info;
    c->rc = archai_h5_id(c->err, &from, H5Aopen(object, name, H5P_DEFAULT));
    if (c->rc == ARCHAI_OK)
        c->rc = archai_err_wrap(c->err, copy_value(from, c->to, name, c->err), "attribute %s: ", name);
    archai_h5_release(&from);
    return c->rc == ARCHAI_OK ? 0 : -1;
}

static int copy_attributes(hid_t from, hid_t to, archai_err *err)
{
    copying c = {to, err, ARCHAI_OK};
    const herr_t st = H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &c);

    return c.rc != ARCHAI_OK ? c.rc : archai_h5_ok(err, st);
}

/* -- weights ---------------------------------------------------------------------------------------------- */

static int write_tensor(hid_t from, hid_t to, const archai_tensor *t, archai_err *err)
{
    char *link = archai_name_escape(t->name);
    hid_t source = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    hid_t dcpl = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &source, H5Dopen2(from, link, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(source)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(source)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dcpl, H5Pcreate(H5P_DATASET_CREATE)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_obj_track_times(dcpl, false)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dcreate2(to, link, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT)),
                    out);
    ARCHAI_TRY_GOTO(rc, copy_attributes(source, dataset, err), out);
    if (t->bytes > 0)
        rc = archai_h5_ok(err, H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data));
out:
    free(link);
    archai_h5_release(&dcpl);
    archai_h5_release(&dataset);
    archai_h5_release(&space);
    archai_h5_release(&type);
    archai_h5_release(&source);
    return archai_err_wrap(err, rc, "%s: ", t->name);
}

static int write_model(const char *path, const char *link, hid_t from, hid_t to, archai_err *err)
{
    hid_t old = H5I_INVALID_HID, new_ = H5I_INVALID_HID;
    char *archid = archai_name_unescape(link);
    archai_tensor *at = NULL;
    size_t n = 0;
    int rc = archai_results_tensors(path, archid, &at, &n, err); /* says so where a segment is not there */

    free(archid);
    ARCHAI_TRY_GOTO(rc, rc, out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &old, H5Gopen2(from, link, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_group(to, link, &new_, err), out);
    ARCHAI_TRY_GOTO(rc, copy_attributes(old, new_, err), out);
    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++)
        rc = archai_err_wrap(err, write_tensor(old, new_, &at[i], err), "/models/%s/", link);
out:
    archai_arrays_free(at, n);
    archai_h5_release(&new_);
    archai_h5_release(&old);
    return rc;
}

static int write_models(const archai_results_reader *x, const char *path, hid_t to, size_t *models, archai_err *err)
{
    hid_t from = H5I_INVALID_HID, group = H5I_INVALID_HID;
    archai_strings links = {NULL, 0};
    int rc = results_group(x, "models", &from, &links, err);

    if (rc == ARCHAI_OK && from >= 0)
        rc = archai_h5_group(to, "models", &group, err);
    if (rc == ARCHAI_OK && from >= 0)
        rc = copy_attributes(from, group, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < links.n; i++)
        rc = write_model(path, links.at[i], from, group, err);
    *models = links.n;
    archai_strings_free(&links);
    archai_h5_release(&group);
    archai_h5_release(&from);
    return rc;
}

/* -- the whole -------------------------------------------------------------------------------------------- */

static int create(hid_t *file, const char *path, archai_err *err)
{
    hid_t fapl = H5I_INVALID_HID, fcpl = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_access(&fapl, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &fcpl, H5Pcreate(H5P_FILE_CREATE)), out);
    ARCHAI_TRY_GOTO(
        rc, archai_h5_ok(err, H5Pset_link_creation_order(fcpl, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED)), out);
    rc = archai_h5_id(err, file, H5Fcreate(path, H5F_ACC_TRUNC, fcpl, fapl));
out:
    archai_h5_release(&fcpl);
    archai_h5_release(&fapl);
    return rc;
}

static int write_all(const archai_results_reader *x, const char *path, const char *to, size_t *models, archai_err *err)
{
    archai_strings links = {NULL, 0};
    hid_t file = H5I_INVALID_HID, root = H5I_INVALID_HID;
    int rc = create(&file, to, err);

    if (rc == ARCHAI_OK)
        rc = archai_h5_id(err, &root, H5Gopen2(x->file, "/", H5P_DEFAULT));
    if (rc == ARCHAI_OK)
        rc = archai_h5_links(root, true, &links, err);
    archai_h5_release(&root);
    if (rc == ARCHAI_OK)
        rc = copy_attributes(x->file, file, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < links.n; i++)
        if (strcmp(links.at[i], "models") == 0)
            rc = write_models(x, path, file, models, err);
        else
            rc = archai_err_wrap(
                err, archai_h5_ok(err, H5Ocopy(x->file, links.at[i], file, links.at[i], H5P_DEFAULT, H5P_DEFAULT)),
                "/%s: ", links.at[i]);
    if (rc == ARCHAI_OK)
        rc = archai_h5_close(&file, err);
    archai_h5_release(&file);
    archai_strings_free(&links);
    return rc;
}

/* -- is it the same? ---------------------------------------------------------------------------------------- */

static int compare_model(const char *path, const char *to, const char *archid, archai_err *err)
{
    archai_tensor *a = NULL, *b = NULL;
    size_t n = 0, m = 0;
    int rc = archai_results_tensors(path, archid, &a, &n, err);

    if (rc == ARCHAI_OK)
        rc = archai_results_tensors(to, archid, &b, &m, err);
    if (rc == ARCHAI_OK && n != m)
        rc = archai_fail(err, ARCHAI_EFORMAT, "/models/%s: %zu tensors of %zu arrived", archid, m, n);
    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++)
        if (strcmp(a[i].name, b[i].name) != 0 || a[i].dtype != b[i].dtype || a[i].bytes != b[i].bytes ||
            memcmp(a[i].data, b[i].data, a[i].bytes) != 0)
            rc = archai_fail(err, ARCHAI_EFORMAT, "/models/%s: %s did not arrive as it was", archid, a[i].name);
    archai_arrays_free(a, n);
    archai_arrays_free(b, m);
    return rc;
}

int archai_results_pack(const char *path, const char *to, size_t *models, archai_err *err)
{
    archai_strings archids = {NULL, 0};
    archai_results_reader x;
    int rc;

    *models = 0;
    ARCHAI_TRY(results_open(&x, path, err));
    rc = write_all(&x, path, to, models, err);
    results_close(&x);
    if (rc == ARCHAI_OK)
        rc = archai_results_models(path, &archids, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < archids.n; i++)
        rc = compare_model(path, to, archids.at[i], err);
    archai_strings_free(&archids);
    return rc;
}
