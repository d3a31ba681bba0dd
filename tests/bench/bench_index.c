/* bench_index DIRECTORY ROWS MODELS TENSORS: what a refresh of results.h5 costs.
 *
 * Writes ROWS rows, MODELS of them with TENSORS tensors of 1,000 elements each; refreshes once for all
 * of them, then after every 20 further rows and models, then resumes. Prints seconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/config/config.h"
#include "io/results/index/index.h"
#include "io/wire/message.h"
#include "io/segment/segment.h"
#include "commit_row.h"
#include "samples.h"

enum { STEPS = 10, STEP_ROWS = 20, ELEMENTS = 1000 };

static double bounds[] = {0, 2000};
static char accuracy[] = "accuracy", val_accuracy[] = "val_accuracy", params[] = "params",
            none[] = "";
static archai_objectives objectives = {
    .at =
        {{.name = accuracy, .source = val_accuracy, .direction = ARCHAI_MAXIMIZE, .unit = none},
         {.name = params,
          .source = params,
          .direction = ARCHAI_MINIMIZE,
          .constraint = {bounds, 2},
          .unit = none}},
    .n = 2,
    .n_optimised = 2,
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int64_t text_at;

static int commit(archai_segment *s, int64_t id, int64_t model, int n_tensors, archai_err *err)
{
    archai_trial e = sample_evaluation(id);
    archai_buffer detail = {0};
    int rc;

    if (model >= 0) {
        e.status = ARCHAI_STATUS_OK;
        archai_trial_set_measure(&e, "val_accuracy", 0.5);
        e.n_tensors = (size_t)n_tensors;
        e.tensors = archai_calloc(e.n_tensors, sizeof *e.tensors);
        for (int i = 0; i < n_tensors; i++) {
            char name[64];

            (void)snprintf(name, sizeof name, "model.%d.weight", i);
            e.tensors[i].name = archai_strdup(name);
            e.tensors[i].ndim = 4;
            e.tensors[i].shape[0] = e.tensors[i].shape[1] = e.tensors[i].shape[2] = 10;
            e.tensors[i].shape[3] = 1;
            e.tensors[i].offset = (model * n_tensors + i) * ELEMENTS;
        }
    }
    rc = archai_trial_pack(&e, &detail, err);
    if (rc == ARCHAI_OK)
        rc = commit_row(s, id, text_at, detail.data, detail.size, &e, err);
    text_at += (int64_t)detail.size;
    archai_buffer_free(&detail);
    archai_trial_fini(&e);
    return rc;
}

static int run(const char *directory, int64_t rows, int64_t models, int tensors,
               archai_err *err)
{
    archai_index_run run = {.directory = directory,
                            .config_text = "",
                            .space = "cnn",
                            .software = "bench",
                            .started = "2023-11-14T22:13:20Z",
                            .ranks = 4,
                            .config = sample_config(ARCHAI_WEIGHTS_ALL),
                            .objectives = &objectives};
    archai_segment_size size = {.rows = rows + STEPS * STEP_ROWS,
                                .text_bytes =
                                    (rows + 200) * 1024 + (models + 200) * 100 * tensors};
    archai_segment s;
    archai_index *x;
    struct stat st;
    char path[4096];
    int64_t n, model = 0, id = 0;
    double t;

    size.pool[ARCHAI_F32] = (models + STEPS * STEP_ROWS) * tensors * ELEMENTS;
    t = now();
    ARCHAI_TRY(archai_segment_create(directory, "segment-0-0.h5", &size, err));
    (void)printf("segment created in %.4f s\n", now() - t);
    ARCHAI_TRY(archai_segment_open(&s, directory, "segment-0-0.h5", true, err));
    t = now();
    for (; id < rows; id++)
        ARCHAI_TRY(commit(&s, id, model < models ? model++ : -1, tensors, err));
    (void)printf("%lld rows committed in %.3f s\n", (long long)rows, now() - t);
    ARCHAI_TRY(archai_index_open(&x, &run, err));
    t = now();
    ARCHAI_TRY(archai_index_refresh(x, "running", 0, &n, err));
    (void)snprintf(path, sizeof path, "%s/results.h5", directory);
    (void)stat(path, &st);
    (void)printf("first refresh %.3f s, %lld rows, %lld bytes\n", now() - t, (long long)n,
                 (long long)st.st_size);
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < STEP_ROWS; i++)
            ARCHAI_TRY(commit(&s, id++, models > 0 ? model++ : -1, tensors, err));
        t = now();
        ARCHAI_TRY(archai_index_refresh(x, "running", 0, &n, err));
        (void)stat(path, &st);
        (void)printf("refresh with %d more %.4f s, %lld bytes\n", STEP_ROWS, now() - t,
                     (long long)st.st_size);
    }
    archai_index_close(x);
    run.is_resume = true;
    t = now();
    ARCHAI_TRY(archai_index_open(&x, &run, err));
    ARCHAI_TRY(archai_index_refresh(x, "running", 0, &n, err));
    (void)printf("resume %.3f s\n", now() - t);
    archai_index_close(x);
    archai_segment_close(&s);
    return ARCHAI_OK;
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (argc != 5) {
        (void)fprintf(stderr, "usage: bench_index DIRECTORY ROWS MODELS TENSORS\n");
        return 2;
    }
    if (run(argv[1], atoll(argv[2]), atoll(argv[3]), atoi(argv[4]), &err) == ARCHAI_OK)
        return 0;
    (void)fprintf(stderr, "%s\n", err.text);
    return 1;
}
