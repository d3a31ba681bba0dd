/* make_results DIRECTORY N STATE WEIGHTS [CONFIG]: a results directory made of samples 0 .. N-1
 * (samples.h), for stories about the tools. CONFIG: a file with the text of its configuration.
 *
 * make_results DIRECTORY ID checkpoint: one of candidate ID, after epoch 3 of 4. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "io/file/checkpoint.h"
#include "io/file/file.h"
#include "io/results/index/index.h"
#include "samples.h"

static double bounds[] = {0, 2000};
static char accuracy[] = "accuracy", val_accuracy[] = "val_accuracy", params[] = "params",
            weights_unit[] = "weights", none[] = "";
static archai_objectives objectives = {
    .at = {{.name = accuracy,
            .source = val_accuracy,
            .direction = ARCHAI_MAXIMIZE,
            .expensive = 1,
            .unit = none},
           {.name = params,
            .source = params,
            .direction = ARCHAI_MINIMIZE,
            .constraint = {bounds, 2},
            .unit = weights_unit}},
    .n = 2,
    .n_optimised = 2,
};

static int make(const char *directory, int64_t n, const char *state, int weights,
                const char *config, archai_err *err)
{
    archai_index_run run = {.directory = directory,
                            .config_text = config,
                            .space = "cnn",
                            .software = "archai-run test",
                            .started = "2023-11-14T22:13:20Z",
                            .ranks = 4,
                            .config = sample_config(weights),
                            .objectives = &objectives};
    archai_segment_size size = sample_segment_size(n < 1024 ? 1024 : n);
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_index *x = NULL;
    int64_t rows;
    int rc;

    ARCHAI_TRY(archai_segment_create(directory, "segment-0-0.h5", &size, err));
    ARCHAI_TRY(archai_segment_open(&s, directory, "segment-0-0.h5", true, err));
    for (int64_t id = 0; id < n; id++)
        ARCHAI_TRY_GOTO(rc, sample_commit(&s, id, id, 1, err), out);
    ARCHAI_TRY_GOTO(rc, archai_index_open(&x, &run, err), out);
    rc = archai_index_refresh(x, state, 3, &rows, err);
out:
    archai_index_close(x);
    archai_segment_close(&s);
    return rc;
}

static int make_checkpoint(const char *directory, int64_t id, archai_err *err)
{
    static char name[] = "w", random[] = "random", loss[] = "val_loss", arch[] = "{\"nb_layers\": 3}", parents[] = "[]";
    float weights[] = {1, 2, 3, 4}, losses[] = {0.5f, 0.25f, 0.125f};
    const archai_tensor state = {.name = name, .dtype = ARCHAI_F32, .ndim = 1, .shape = {4}, .data = weights, .bytes = sizeof weights};
    const archai_curve curve = {loss, losses, 3};
    archai_trial c = {.id = id, .arch = arch, .operator_ = random, .parents = parents, .budget = 4, .seed = 99};
    int rc;

    ARCHAI_TRY(archai_model_init(&c.model, json_object(), "L=3", NULL, err));
    rc = archai_checkpoint_write(directory, &c, 3, 4, 2.5, &state, 1, &curve, 1, err);
    archai_model_fini(&c.model);
    return rc;
}

int main(int argc, char **argv)
{
    static const char *const policies[] = {"pareto", "all", "best", "none"};
    archai_err err = ARCHAI_ERR_INIT;
    char *config = NULL;
    size_t size;
    int rc = ARCHAI_OK;

    if (argc == 4 && strcmp(argv[3], "checkpoint") == 0 &&
        make_checkpoint(argv[1], atoll(argv[2]), &err) == ARCHAI_OK)
        return 0;
    if (argc == 6)
        rc = archai_file_read(argv[5], 1 << 20, &config, &size, &err);
    for (int w = 0; rc == ARCHAI_OK && argc >= 5 && w < 4; w++) {
        if (strcmp(policies[w], argv[4]) != 0)
            continue;
        rc = make(argv[1], atoll(argv[2]), argv[3], w,
                  config != NULL ? config : "[search]\nalgorithm = random_search\n", &err);
        free(config);
        if (rc == ARCHAI_OK)
            return 0;
        break;
    }
    (void)fprintf(stderr, "usage: make_results DIRECTORY N STATE WEIGHTS [CONFIG]\n%s\n", err.text);
    return 1;
}
