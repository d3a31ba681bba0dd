/* Every space's descriptions against what libtorch builds from them: names, types and shapes of the
 * state_dict, number of parameters and shape of the output, on random architectures; and one
 * segmentation graph against the outputs that PyTorch computed for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/space.h"
#include "io/file/tensors.h"
#include "near.h"
#include "shim_device.h"
#include "tied_values.h"

enum { ARCHITECTURES = 200 };

/* Small images and models: 200 of them are built and run. */
static const archai_data_shape data = {.channels = 3, .height = 32, .width = 64, .num_classes = 5};
static const struct {
    const char *name, *keys;
} small[] = {
    {"cnn", "max_layers = 4\nhidden_list = 4 8 16\n"},
    {"config", "tree = \"" ARCHAI_TEST_DATA "/config_cnn.yaml\"\n"},
    {"natsbench_tss", "channels = 4\ncells = 1\n"},
    {"segmentation_dag", "max_base_channels = 16\nmax_delta_channels = 16\nmax_layers = 6\n"},
    {"transformer_flex", "arch_type = gpt2-flex\nmax_layers = 3\nshare_d_inner = no\nd_inner_options = 8 12 20\n"
                         "d_model_options = 16 24\nvocab_size = 30\nmax_sequence_length = 12\n"},
};

static archai_space *open_space(const char *name, const char *keys, const archai_data_shape *shape)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini = {.n = 0};
    archai_space *s = NULL;
    char text[1024];
    int n = snprintf(text, sizeof text, "[space]\nname = %s\n%s", name, keys);

    if (archai_ini_parse(&ini, "t.ini", text, (size_t)n, &err) != 0 ||
        archai_space_create(&s, &ini, shape, &err) != 0)
        fail_msg("%s: %s", name, err.text);
    archai_ini_free(&ini);
    return s;
}

/* -- descriptions against libtorch --------------------------------------------------------------- */

static void assert_state(const archai_network *net, shim_model *m, int64_t params)
{
    archai_state_entry *expected;
    const archai_tensor *got;
    size_t n, n_got;
    int64_t trainable = 0;

    expected = archai_module_state(net->root, &n);
    assert_int_equal(shim_model_state(m, &got, &n_got, NULL), 0);
    assert_int_equal(n, n_got);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(got[i].name, expected[i].name);
        assert_int_equal(got[i].dtype, expected[i].dtype);
        assert_int_equal(got[i].ndim, expected[i].ndim);
        assert_memory_equal(got[i].shape, expected[i].shape,
                            sizeof *got[i].shape * (size_t)got[i].ndim);
        if (got[i].dtype == ARCHAI_F32 && strstr(got[i].name, ".running_") == NULL)
            trainable += (int64_t)(got[i].bytes / sizeof(float));
    }
    assert_int_equal(trainable - tied_values(net->root), params);
    archai_state_free(expected, n);
}

static void assert_output(const archai_network *net, shim_model *m, const archai_counts *counts)
{
    int64_t shape[1 + ARCHAI_SHAPE_MAX] = {1}, n = 1;
    const archai_shape in = archai_network_input(net);
    archai_err err = ARCHAI_ERR_INIT;
    float *output = NULL;
    void *input;
    int64_t got[8];
    int ndim;

    for (int d = 0; d < in.ndim; d++)
        n *= shape[d + 1] = in.dim[d];
    input = calloc((size_t)n, sizeof(int64_t)); /* or as many float32 */
    assert_non_null(input);
    if (shim_model_predict(m, input, shape, allocate, NULL, &output, got, &ndim, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(ndim, counts->output.ndim + 1);
    for (int d = 1; d < ndim; d++)
        assert_int_equal(got[d], counts->output.dim[d - 1]);
    free(output);
    free(input);
}

static void assert_built(archai_space *s, const archai_model *arch)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_network net;
    archai_counts counts;
    shim_model *m = NULL;

    if (archai_space_describe(s, arch, &net, &err) != 0 ||
        archai_network_count(&net, &counts, &err) != 0 ||
        shim_model_build(&m, device, &net, 1, &err) != 0)
        fail_msg("%s %s: %s", s->ops->name, arch->archid, err.text);
    assert_state(&net, m, counts.params);
    assert_output(&net, m, &counts);
    shim_model_destroy(m);
    archai_network_fini(&net);
}

/* Samples, mutants and children in turn, to include the longer graphs of crossover. */
static void assert_space(archai_space *s)
{
    archai_model last[2] = {{.arch = NULL}, {.arch = NULL}}, next;

    for (int i = 0; i < ARCHITECTURES; i++) {
        const archai_model *const parents[] = {&last[0], &last[1]};
        int rc = ARCHAI_ENONE;

        if (i % 3 == 1 && archai_space_can(s, "mutate"))
            rc = archai_space_mutate(s, &last[0], &next, NULL);
        else if (i % 3 == 2 && archai_space_can(s, "crossover"))
            rc = archai_space_crossover(s, parents, 2, &next, NULL);
        if (rc == ARCHAI_ENONE)
            rc = archai_space_random_sample(s, &next, NULL);
        assert_int_equal(rc, 0);
        assert_built(s, &next);
        archai_model_fini(&last[1]);
        last[1] = last[0];
        last[0] = next;
    }
    archai_model_fini(&last[0]);
    archai_model_fini(&last[1]);
}

static void descriptions_are_what_libtorch_builds(void **state)
{
    (void)state;
    for (size_t i = 0; archai_spaces[i] != NULL; i++) {
        const char *keys = "";
        archai_space *s;

        for (size_t k = 0; k < sizeof small / sizeof small[0]; k++)
            if (strcmp(small[k].name, archai_spaces[i]->name) == 0)
                keys = small[k].keys;
        s = open_space(archai_spaces[i]->name, keys, &data);
        if (archai_space_can(s, "describe"))
            assert_space(s);
        archai_space_destroy(s);
    }
}

/* -- a graph with every change of scale, against PyTorch ----------------------------------------- */

static const char graph[] =
    "{\"architecture\": [{\"inputs\": null, \"name\": \"input\", \"op\": \"conv3x3\", \"scale\": 1},"
    "{\"inputs\": [\"input\"], \"name\": \"layer_0\", \"op\": \"mbconv3x3_e2\", \"scale\": 2},"
    "{\"inputs\": [\"layer_0\", \"input\"], \"name\": \"layer_1\", \"op\": \"mbconv5x5_e1\", \"scale\": 1},"
    "{\"inputs\": [\"layer_1\", \"layer_0\"], \"name\": \"output\", \"op\": null, \"scale\": 2}],"
    "\"channels_per_scale\": {\"base_channels\": 16, \"delta_channels\": 8}, \"post_upsample_layers\": 2}";

/* Weights of batch normalisations are those whose path holds "bn". */
static void fill(archai_tensor *t)
{
    bool mean = strstr(t->name, "running_mean") != NULL, var = strstr(t->name, "running_var") != NULL;
    bool scale = strstr(t->name, "bn") != NULL && strstr(t->name, ".weight") != NULL;
    float *values = calloc(1, t->bytes);

    assert_non_null(values);
    for (size_t i = 0; t->dtype == ARCHAI_F32 && i < t->bytes / sizeof *values; i++)
        values[i] = mean  ? 0.0f
                    : var ? 1.0f
                          : (float)(0.01 * ((double)(i % 7) - 3.0) + (scale ? 1.0 : 0.0));
    t->data = values;
}

static void load_pattern(shim_model *m)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *state;
    archai_tensor *filled;
    size_t n, loaded;

    assert_int_equal(shim_model_state(m, &state, &n, &err), 0);
    filled = calloc(n, sizeof *filled);
    assert_non_null(filled);
    for (size_t i = 0; i < n; i++) {
        filled[i] = state[i];
        filled[i].name = strdup(state[i].name);
        fill(&filled[i]);
    }
    if (shim_model_load(m, filled, n, true, &loaded, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(loaded, 93);
    for (size_t i = 0; i < n; i++) {
        free((void *)(uintptr_t)filled[i].data);
        free(filled[i].name);
    }
    free(filled);
}

/* The expected values were computed by PyTorch in float64; this is float32. */
static void a_graph_computes_what_pytorch_computes(void **state)
{
    static const double first[] = {-0.024320409706031082, -0.024449320447458064,
                                   -0.024482452615337536};
    const archai_data_shape shape = {.channels = 3, .height = 32, .width = 64, .num_classes = 3};
    const int64_t in_shape[4] = {1, 3, 32, 64};
    archai_space *s = open_space("segmentation_dag", "", &shape);
    archai_err err = ARCHAI_ERR_INIT;
    float input[3 * 32 * 64], *out = NULL;
    double sum = 0, squares = 0;
    archai_network net;
    archai_model arch;
    shim_model *m = NULL;
    int64_t got[8];
    int ndim;

    (void)state;
    for (size_t i = 0; i < sizeof input / sizeof input[0]; i++)
        input[i] = (float)(((double)(i % 11) - 5.0) / 5.0);
    if (archai_space_load_arch(s, graph, strlen(graph), &arch, &err) != 0 ||
        archai_space_describe(s, &arch, &net, &err) != 0 ||
        shim_model_build(&m, device, &net, 1, &err) != 0)
        fail_msg("%s", err.text);
    load_pattern(m);
    if (shim_model_predict(m, input, in_shape, allocate, NULL, &out, got, &ndim, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(got[1] * got[2] * got[3], sizeof input / sizeof input[0]);
    for (size_t i = 0; i < sizeof input / sizeof input[0]; i++) {
        sum += (double)out[i];
        squares += (double)out[i] * (double)out[i];
    }
    for (size_t i = 0; i < 3; i++)
        assert_near((double)out[i], first[i], 1e-6);
    assert_near((double)out[2 * 32 * 64 + 16 * 64 + 33], -0.011521909867095736, 1e-6);
    assert_near((double)out[sizeof input / sizeof input[0] - 1], -0.01151927693650009, 1e-6);
    assert_near(sum, -122.7878849685142, 1e-2);
    assert_near(squares, 2.673746298833576, 1e-4);
    free(out);
    shim_model_destroy(m);
    archai_network_fini(&net);
    archai_model_fini(&arch);
    archai_space_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions_are_what_libtorch_builds),
        cmocka_unit_test(a_graph_computes_what_pytorch_computes),
    };

    return cmocka_run_group_tests(tests, open_device, close_device);
}
