/* A CSV of a tabular benchmark, as the user's spreadsheet may have written it (io/table/table.h). */
#include "fuzz.h"
#include "io/table/table.h"
#include "memory_file.h"

static void find(archai_table *t, const char *archid, const json_t *arch)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_measure *at = NULL;
    size_t n = 0;
    int rc = archai_table_find(t, archid, arch, &at, &n, &err);

    if (rc == ARCHAI_OK)
        archai_measures_free(at, n);
    else
        FUZZ_CHECK_ERROR(rc, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_table *t = NULL;
    memory_file f = memory_file_create(data, size);
    int rc = archai_table_open(&t, f.path, &err);

    if (rc == ARCHAI_OK) {
        json_t *arch = json_pack("{s:i, s:s, s:{s:f}}", "x", 1, "name", "a", "op", "rate", 0.5);

        FUZZ_CHECK(arch != NULL);
        (void)archai_table_has_column(t, "accuracy");
        find(t, "a", arch);
        find(t, "", arch);
        json_decref(arch);
        archai_table_close(t);
    } else {
        FUZZ_CHECK_ERROR(rc, err);
    }
    close(f.fd);
    return 0;
}
