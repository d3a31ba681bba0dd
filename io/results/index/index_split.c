/* io/results/index/index_split.c - which examples were trained on, validated on and tested on. */
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"
#include "io/dataset/shape.h"
#include "io/file/h5.h"
#include "io/results/index/index_private.h"

enum { CHUNK = 1 << 16 /* rows */, COMPRESSION = 4 };

static int write_indices(hid_t group, const char *name, const int64_t *index, size_t n, archai_err *err)
{
    const hsize_t size = n, chunk = n < CHUNK ? n : CHUNK;
    hid_t space = H5I_INVALID_HID, dcpl = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Screate_simple(1, &size, NULL)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dcpl, H5Pcreate(H5P_DATASET_CREATE)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_chunk(dcpl, 1, &chunk)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_shuffle(dcpl)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_deflate(dcpl, COMPRESSION)), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_id(err, &dataset,
                                 H5Dcreate2(group, name, H5T_STD_I64LE, space, H5P_DEFAULT, dcpl,
                                            H5P_DEFAULT)),
                    out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_ok(err, H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL,
                                               H5P_DEFAULT, index)),
                    out);
    rc = archai_h5_close(&dataset, err);
out:
    archai_h5_release(&dataset);
    archai_h5_release(&dcpl);
    archai_h5_release(&space);
    return archai_err_wrap(err, rc, "/split/%s: ", name);
}

static int write_splits(hid_t file, const archai_dataset_facts *facts, archai_err *err)
{
    static const char *const names[ARCHAI_SPLIT_COUNT] = {"train", "val", "test"};
    hid_t group = H5I_INVALID_HID;
    int rc = archai_h5_group(file, "split", &group, err);

    for (int i = 0; rc == ARCHAI_OK && i < ARCHAI_SPLIT_COUNT; i++) {
        int64_t *index = NULL;
        size_t n = 0;

        if (facts->n[i] == 0)
            continue;
        rc = archai_dataset_indices(facts, i, &index, &n, err);
        if (rc == ARCHAI_OK)
            rc = write_indices(group, names[i], index, n, err);
        free(index);
    }
    archai_h5_release(&group);
    return rc;
}

/* For tools that build a network without the data. */
static int write_shape(hid_t file, const archai_data_shape *s, archai_err *err)
{
    json_t *json = archai_dataset_shape_json(s);
    char *text = archai_there(json_dumps(json, JSON_COMPACT));
    const int rc = archai_h5_set_string(file, "data_shape", text, err);

    free(text);
    json_decref(json);
    return rc;
}

int index_split_write(hid_t file, const char *record, archai_err *err)
{
    archai_dataset_facts facts;
    char *about;
    int rc = ARCHAI_OK;

    if (record == NULL || *record == '\0')
        return ARCHAI_OK;
    ARCHAI_TRY(archai_dataset_record_read(record, &facts, &about, err));
    if (facts.shape.channels > 0 || facts.shape.features > 0 || facts.shape.vocab > 0)
        rc = write_shape(file, &facts.shape, err);
    if (rc == ARCHAI_OK && about != NULL) {
        rc = archai_h5_set_string(file, "data", about, err);
        if (rc == ARCHAI_OK)
            rc = write_splits(file, &facts, err);
    }
    free(about);
    return rc;
}

static bool holds(hid_t file, const char *name)
{
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

static int copy_text(hid_t file, hid_t earlier, const char *name, archai_err *err)
{
    char *text = NULL;
    int rc = ARCHAI_OK;

    if (H5Aexists(earlier, name) > 0) {
        rc = archai_h5_get_string(earlier, name, &text, err);
        if (rc == ARCHAI_OK)
            rc = archai_h5_set_string(file, name, text, err);
    }
    free(text);
    return rc;
}

int index_split_copy(hid_t file, const char *path, archai_err *err)
{
    hid_t fapl = H5I_INVALID_HID, earlier = H5I_INVALID_HID;
    int rc;

    if (access(path, F_OK) != 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_h5_access(&fapl, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &earlier, H5Fopen(path, H5F_ACC_RDONLY, fapl)), out);
    if (holds(earlier, "split"))
        ARCHAI_TRY_GOTO(rc,
                        archai_h5_ok(err, H5Ocopy(earlier, "split", file, "split", H5P_DEFAULT, H5P_DEFAULT)),
                        out);
    ARCHAI_TRY_GOTO(rc, copy_text(file, earlier, "data", err), out);
    rc = copy_text(file, earlier, "data_shape", err);
out:
    archai_h5_release(&earlier);
    archai_h5_release(&fapl);
    return archai_err_wrap(err, rc, "%s: ", path);
}
