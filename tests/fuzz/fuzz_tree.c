/* Parameter trees that people write (core/space/config/param_tree.h). A tree that is understood has values, which
 * are written as a configuration and read back as the same ones; it can be counted and walked. */
#include "fuzz.h"
#include <string.h>
#include "core/space/config/param_walk.h"
#include "core/base/yaml.h"

enum { STEPS = 50, COUNT_MAX = 500 };

static void round_trip(const archai_param_tree *t, json_t *const *values)
{
    archai_err err = ARCHAI_ERR_INIT;
    json_t *again[ARCHAI_PARAM_MAX], *arch = archai_param_tree_to_json(t, values);
    bool exists[ARCHAI_PARAM_MAX];

    if (archai_param_tree_from_json(t, arch, again, &err) != ARCHAI_OK) {
        fprintf(stderr, "%s\n", err.text);
        FUZZ_CHECK(false);
    }
    archai_param_tree_exists(t, values, exists);
    for (size_t i = 0; i < t->n; i++) {
        FUZZ_CHECK(archai_value_equal(values[i], again[i]));
        json_decref(again[i]);
    }
    json_decref(arch);
}

static void walk(const archai_param_tree *t, bool all)
{
    archai_param_walk w;
    double n;

    archai_param_walk_init(&w, t, all, COUNT_MAX);
    FUZZ_CHECK(w.count >= 1.0);
    n = w.count < STEPS ? w.count : STEPS;
    for (uint64_t i = 0; (double)i < n; i++) {
        archai_param_walk_to(&w, i);
        FUZZ_CHECK(w.index == i);
        round_trip(t, w.value);
    }
    archai_param_walk_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_param_tree *t = NULL;
    json_t *source = NULL;
    int rc = archai_document_parse((const char *)data, size, &source, &err);

    if (rc == ARCHAI_OK)
        rc = archai_param_tree_create(&t, source, &err);
    json_decref(source);
    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(strchr(err.text, '\n') == NULL);
        return 0;
    }
    walk(t, false);
    walk(t, true);
    archai_param_tree_destroy(t);
    return 0;
}
