/* Parameter trees that people write (core/space/config/param_tree.h). A tree that is understood has values, which
 * are written as a configuration and read back as the same ones; it can be counted, walked and drawn from. */
#include "fuzz.h"
#include <string.h>
#include "core/space/config/param_walk.h"

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

/* Is any number of some range a value? Only its low end is walked. */
static bool endless(const archai_param_tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->params[i].choices == NULL && t->params[i].range.step == 0)
            return true;
    return false;
}

static void draw(const archai_param_tree *t)
{
    json_t *values[ARCHAI_PARAM_MAX];
    archai_rng rng;

    archai_rng_seed(&rng, 1);
    for (size_t i = 0; i < t->n; i++) {
        json_t *drawn = archai_param_draw(&t->params[i], &rng);

        values[i] = archai_param_mutate(&t->params[i], drawn, true, &rng);
        json_decref(drawn);
    }
    round_trip(t, values);
    for (size_t i = 0; i < t->n; i++)
        json_decref(values[i]);
}

static void walk(const archai_param_tree *t, bool all)
{
    archai_param_walk w;
    double n;

    archai_param_walk_init(&w, t, all, COUNT_MAX);
    FUZZ_CHECK(w.count >= 1.0);
    n = endless(t) ? 1 : w.count < STEPS ? w.count : STEPS;
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
    archai_lines *lines = archai_lines_create();
    int rc = archai_document_parse_lines("t", (const char *)data, size, &source, lines, &err);

    if (rc == ARCHAI_OK)
        rc = archai_param_tree_create(&t, source, lines, size % 4, &err);
    archai_lines_destroy(lines);
    json_decref(source);
    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(strchr(err.text, '\n') == NULL);
        return 0;
    }
    walk(t, false);
    walk(t, true);
    draw(t);
    archai_param_tree_destroy(t);
    return 0;
}
