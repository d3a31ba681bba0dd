/* Plug-ins: the worked example of configs/examples, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plugin.h"

static archai_space *open_space(const char *keys, archai_err *err)
{
    archai_ini ini = {0};
    archai_space *s = NULL;
    char text[1024];

    (void)snprintf(text, sizeof text, "[space]\nname = plugin\nplugin = %s\n%s", PLUGIN_STACK, keys);
    assert_int_equal(archai_ini_parse(&ini, "p.ini", text, strlen(text), err), ARCHAI_OK);
    (void)archai_space_create(&s, &ini, NULL, err);
    archai_ini_free(&ini);
    return s;
}

static void a_space_from_outside_is_a_space(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = open_space("max_layers = 4\nwidths = 8 24\nseed = 3\n", &err);

    (void)state;
    assert_non_null(s);
    assert_true(archai_space_cardinality(s) == 2 + 4 + 8 + 16);
    assert_string_equal(s->plugin, PLUGIN_STACK);
    for (int i = 0; i < 200; i++) {
        archai_model m = {0}, child = {0}, back = {0};
        archai_network net = {0};
        archai_counts counts;
        float features[4];
        char *text = NULL;

        assert_int_equal(archai_space_random_sample(s, &m, &err), ARCHAI_OK);
        assert_int_equal(archai_space_mutate(s, &m, &child, &err), ARCHAI_OK);
        assert_int_equal(archai_space_encode(s, &child, features, &err), ARCHAI_OK);
        assert_int_equal(archai_space_save_arch(s, &child, &text, &err), ARCHAI_OK);
        assert_int_equal(archai_space_load_arch(s, text, strlen(text), &back, &err), ARCHAI_OK);
        assert_string_equal(back.archid, child.archid);
        assert_int_equal(archai_space_describe(s, &m, &net, &err), ARCHAI_OK);
        net.input[1] = net.input[2] = 28;
        assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_OK);
        assert_true(counts.output.ndim == 1 && counts.output.dim[0] == 10 && counts.macs > 0);
        free(text);
        archai_network_fini(&net);
        archai_model_fini(&back);
        archai_model_fini(&child);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

static void its_keys_are_checked_like_any(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    assert_null(open_space("max_layers = 99\n", &err));
    assert_non_null(strstr(err.text, "p.ini:4: space.max_layers: 99 is"));
}

/* What jansson would not take must not look like a lack of memory later on, which ends the process. */
static void names_and_metadata_are_checked(void **state)
{
    static const char *const names[] = {"caf\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "cut \xe2\x82", "a/b", ""};
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(archai_model_init(&m, json_object(), names[i], NULL, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_model_init(&m, json_object(), "a", json_array(), &err), ARCHAI_EINVAL);
    assert_int_equal(archai_model_init(&m, json_object(), "caf\xc3\xa9 \xf0\x9f\x98\x80", NULL, &err),
                     ARCHAI_OK);
    archai_model_fini(&m);
}

static void a_measure_measures(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = open_space("", &err);
    const archai_plugin *plugin;
    archai_trial c = {.id = 7};
    archai_trial e = {.id = 7};
    static const char arch[] = "{\"widths\": [8, 16, 32]}";

    (void)state;
    assert_int_equal(archai_plugin_load(PLUGIN_STACK, &plugin, &err), ARCHAI_OK);
    assert_int_equal(archai_space_load_arch(s, arch, sizeof arch - 1, &c.model, &err), ARCHAI_OK);
    assert_int_equal(plugin->measure(s, &c, &e, &err), ARCHAI_OK);
    assert_true(archai_measure_get(e.measures, e.n_measures, "balance") == 0.25);
    archai_trial_fini(&c);
    archai_trial_fini(&e);
    archai_space_destroy(s);
}

static void a_measure_may_be_written_in_cpp(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_plugin *plugin;
    archai_trial c = {.id = 7};
    archai_trial e = {.id = 7};

    (void)state;
    if (archai_plugin_load(PLUGIN_CPP, &plugin, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_int_equal(plugin->measure(NULL, &c, &e, &err), ARCHAI_OK);
    assert_true(archai_measure_get(e.measures, e.n_measures, "score") == 14);
    archai_trial_fini(&e);
}

static void others_are_refused_with_a_sentence(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_plugin *plugin;

    (void)state;
    assert_int_equal(archai_plugin_load("/nowhere/x.so", &plugin, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "/nowhere/x.so: No such file or directory");
    assert_int_equal(archai_plugin_load(PLUGIN_OLD, &plugin, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "was built for plug-in version 46, this archai-run takes version 5"));
    assert_int_equal(archai_plugin_load(ARCHAI_SOURCE_DIR "/CMakeLists.txt", &plugin, &err),
                     ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "CMakeLists.txt: "));
    assert_int_equal(archai_plugin_load("", &plugin, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_plugin_load("libz.so.1", &plugin, &err), ARCHAI_EINVAL); /* not the system's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_space_from_outside_is_a_space),
        cmocka_unit_test(its_keys_are_checked_like_any),
        cmocka_unit_test(names_and_metadata_are_checked),
        cmocka_unit_test(a_measure_measures),
        cmocka_unit_test(a_measure_may_be_written_in_cpp),
        cmocka_unit_test(others_are_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
