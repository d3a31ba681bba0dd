/* A configuration as a user may write it: every section is read by its owner as archai-run does.
 * What is accepted must be written out resolved, and that text must be accepted and come out the
 * same again. */
#include "fuzz.h"
#include <string.h>
#include "core/registries.h"
#include "core/search/search.h"
#include "io/dataset/dataset.h"
#include "runner/evaluator/evaluator.h"

typedef struct loaded {
    archai_ini ini;
    archai_config config;
    archai_space *space;
    archai_objectives objectives;
    archai_search search;
    archai_dataset_source source;
    const archai_evaluator_ops *evaluator;
    void *settings;
    archai_space_common common;
    archai_choice choices[5];
} loaded;

static int load(loaded *out, const char *text, size_t size, archai_err *err)
{
    archai_search_settings settings = {0};

    ARCHAI_TRY(archai_ini_parse(&out->ini, "fuzz.ini", text, size, err));
    ARCHAI_TRY(archai_config_load(&out->config, &out->ini, err));
    ARCHAI_TRY(archai_dataset_source_open(&out->source, &out->ini, err));
    ARCHAI_TRY(archai_evaluator_choose(out->config.evaluator.kind, &out->ini, &out->evaluator,
                                       &out->settings, err));
    ARCHAI_TRY(archai_space_create(&out->space, &out->ini, NULL, err));
    ARCHAI_TRY(archai_objectives_create(&out->objectives, &out->ini, err));
    settings.algorithm = out->config.search.algorithm;
    settings.schedule = (archai_schedule)out->config.search.schedule;
    settings.seed = (uint64_t)out->config.search.seed;
    settings.retries = (int)out->config.evaluator.retries;
    ARCHAI_TRY(archai_search_init(&out->search, out->space, &out->objectives, &settings, &out->ini,
                                  err));
    out->choices[0] = archai_dataset_choice(&out->source);
    out->choices[1] = archai_evaluator_choice(out->evaluator, out->settings);
    out->choices[2] = archai_space_choice(out->space, &out->common);
    out->choices[3] = archai_algorithm_choice(out->search.algorithm);
    return archai_config_check_unused(&out->ini, out->choices, NULL, err);
}

static void unload(loaded *l)
{
    archai_search_fini(&l->search);
    archai_objectives_free(&l->objectives);
    archai_space_destroy(l->space);
    if (l->evaluator != NULL)
        archai_settings_free(l->settings, l->evaluator->options);
    archai_dataset_source_close(&l->source);
    archai_config_free(&l->config);
    archai_ini_free(&l->ini);
}

static char *resolved(const loaded *l, size_t *size)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *text = NULL;
    FILE *f = open_memstream(&text, size);

    FUZZ_CHECK(f != NULL);
    FUZZ_CHECK(archai_config_write(&l->config, l->choices, &l->objectives, f, &err) == ARCHAI_OK);
    FUZZ_CHECK(fclose(f) == 0);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    loaded first = {0}, second = {0};
    char *once, *twice;
    size_t n_once, n_twice;
    int rc = load(&first, (const char *)data, size, &err);

    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        unload(&first);
        return 0;
    }
    once = resolved(&first, &n_once);
    rc = load(&second, once, n_once, &err);
    if (rc != ARCHAI_OK)
        fprintf(stderr, "%s\n%s\n", err.text, once);
    FUZZ_CHECK(rc == ARCHAI_OK);
    twice = resolved(&second, &n_twice);
    FUZZ_CHECK(n_once == n_twice && memcmp(once, twice, n_once) == 0);
    free(once);
    free(twice);
    unload(&second);
    unload(&first);
    return 0;
}
