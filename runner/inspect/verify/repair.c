/* repair: bring results.h5 in line with the segments, where they disagree. The only command that writes into a
 * results directory: it holds the directory meanwhile, as a run does. */
#include "io/results/repair.h"
#include "runner/directory/rundir.h"
#include "runner/inspect/json.h"

int inspect_repair(inspect *t, archai_err *err)
{
    archai_rundir d;
    bool was_needed = false;
    int64_t rows = 0;
    int rc;

    ARCHAI_TRY(archai_rundir_hold(&d, t->directory, stderr, err));
    rc = archai_results_repair(t->directory, &was_needed, &rows, t->json ? stderr : stdout, err);
    archai_rundir_close(&d);
    if (rc == ARCHAI_OK && t->json && !t->repair) /* else verify prints */
        inspect_json_print(json_pack("{s:o, s:b, s:I}", "path", inspect_json_text(t->path), "repaired", (int)was_needed,
                                     "rows", (json_int_t)rows));
    else if (rc == ARCHAI_OK && t->json)
        return rc;
    else if (rc == ARCHAI_OK && was_needed)
        (void)printf("results.h5 was written again from the segments: %lld rows\n", (long long)rows);
    else if (rc == ARCHAI_OK)
        (void)puts("results.h5 has every row that the segments have: nothing to repair");
    return rc;
}
