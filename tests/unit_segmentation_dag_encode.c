/* Whatever is changed in a segmentation architecture, its encoding shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "segmentation.h"

static bool same_encoding(archai_space *s, const json_t *a, const json_t *b)
{
    float *x = calloc(s->encoding_size, sizeof *x), *y = calloc(s->encoding_size, sizeof *y);
    archai_model m = {.arch = NULL}, n = {.arch = NULL};
    bool same;

    assert_int_equal(archai_space_load_json(s, a, &m, NULL), 0);
    assert_int_equal(archai_space_load_json(s, b, &n, NULL), 0);
    assert_int_equal(archai_space_encode(s, &m, x, NULL), 0);
    assert_int_equal(archai_space_encode(s, &n, y, NULL), 0);
    same = memcmp(x, y, s->encoding_size * sizeof *x) == 0;
    archai_model_fini(&m);
    archai_model_fini(&n);
    free(x);
    free(y);
    return same;
}

/* Set one value of a copy of `arch` and compare; a change that makes no network does not count.
 */
static void assert_seen(archai_space *s, const json_t *arch, json_t *changed, const char *what)
{
    archai_model m = {.arch = NULL};

    if (archai_space_load_json(s, changed, &m, NULL) == 0) {
        if (same_encoding(s, arch, changed))
            fail_msg("%s is not in the encoding", what);
        archai_model_fini(&m);
    }
    json_decref(changed);
}

static void change_node(archai_space *s, const json_t *arch, size_t i)
{
    json_t *c = json_deep_copy(arch),
           *node = json_array_get(json_object_get(c, "architecture"), i);
    json_t *inputs;

    if (member(node, "op") != NULL) {
        json_object_set_new(
            node, "op",
            json_string(strcmp(member(node, "op"), "conv5x5") == 0 ? "conv3x3" : "conv5x5"));
        assert_seen(s, arch, json_incref(c), "an operation");
    }
    json_decref(c);
    c = json_deep_copy(arch);
    node = json_array_get(json_object_get(c, "architecture"), i);
    json_object_set_new(
        node, "scale",
        json_integer(json_integer_value(json_object_get(node, "scale")) == 4 ? 8 : 4));
    assert_seen(s, arch, c, "a scale");
    for (size_t k = 0; k < i; k++) { /* add an edge, or remove it where it is */
        const char *other =
            member(json_array_get(json_object_get(arch, "architecture"), k), "name");
        size_t at = 0;

        c = json_deep_copy(arch);
        inputs =
            json_object_get(json_array_get(json_object_get(c, "architecture"), i), "inputs");
        while (at < json_array_size(inputs) &&
               strcmp(json_string_value(json_array_get(inputs, at)), other) != 0)
            at++;
        if (at < json_array_size(inputs))
            json_array_remove(inputs, at);
        else
            json_array_append_new(inputs, json_string(other));
        assert_seen(s, arch, c, "an edge");
    }
}

/* Every input of node `i` in turn becomes every other earlier node. */
static void move_edges(archai_space *s, const json_t *arch, size_t i)
{
    const json_t *nodes = json_object_get(arch, "architecture");
    const json_t *inputs = json_object_get(json_array_get(nodes, i), "inputs");

    for (size_t at = 0; at < json_array_size(inputs); at++)
        for (size_t k = 0; k < i; k++) {
            const char *other = member(json_array_get(nodes, k), "name");
            json_t *c;

            if (strcmp(json_string_value(json_array_get(inputs, at)), other) == 0)
                continue;
            c = json_deep_copy(arch);
            json_array_set_new(
                json_object_get(json_array_get(json_object_get(c, "architecture"), i),
                                "inputs"),
                at, json_string(other));
            assert_seen(s, arch, c, "a moved edge");
        }
}

static void change_number(archai_space *s, const json_t *arch, const char *group,
                          const char *key)
{
    json_t *c = json_deep_copy(arch), *owner = group != NULL ? json_object_get(c, group) : c;

    json_object_set_new(owner, key,
                        json_integer(json_integer_value(json_object_get(owner, key)) + 1));
    assert_seen(s, arch, c, key);
}

static void every_single_change_shows_in_the_encoding(void **state)
{
    archai_space *s = open_space("nb_classes = 2\nimg_size = 64 64\nmax_layers = 5\n");
    archai_model m[8], child;
    size_t longest = 0;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(archai_space_random_sample(s, &m[i], NULL), 0);
    for (size_t i = 0; i < 64;
         i++) { /* children outgrow the space's max_layers, and its slots */
        const archai_model *parents[] = {&m[i % 8], &m[(i * 3 + 1) % 8]};

        if (archai_space_crossover(s, parents, 2, &child, NULL) != 0)
            continue;
        archai_model_fini(&m[i % 8]);
        m[i % 8] = child;
    }
    for (size_t i = 0; i < 8; i++) {
        size_t n = json_array_size(json_object_get(m[i].arch, "architecture"));

        longest = n > longest ? n : longest;
        for (size_t k = 0; k < n; k++) {
            change_node(s, m[i].arch, k);
            move_edges(s, m[i].arch, k);
        }
        change_number(s, m[i].arch, "channels_per_scale", "base_channels");
        change_number(s, m[i].arch, "channels_per_scale", "delta_channels");
        change_number(s, m[i].arch, NULL, "post_upsample_layers");
        archai_model_fini(&m[i]);
    }
    assert_true(longest > 6);
    archai_space_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_change_shows_in_the_encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
