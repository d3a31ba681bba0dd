/* A description of every kind of module against PyTorch (tests/data/modules.json) and, for the
 * counts, against the profilers' closed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "core/network/kind/kind.h"
#include "json_data.h"

/* The network of make_modules.py. */
static void build(archai_network *net)
{
    archai_module *inner;

    memset(net, 0, sizeof *net);
    net->input[0] = 3;
    net->input[1] = 21;
    net->input[2] = 18;
    net->root = archai_module_container(NULL, "", "Sequential");
    assert_non_null(archai_module_conv2d(net->root, "a", 3, 8, 5, 2, 1, 1, false));
    assert_non_null(archai_module_batch_norm2d(net->root, "b", 8));
    inner = archai_module_container(net->root, "c", "Sequential");
    assert_non_null(archai_module_conv2d(inner, "0", 8, 8, 3, 1, 1, 8, true));
    assert_non_null(archai_module_relu(inner, "1"));
    assert_non_null(archai_module_max_pool2d(inner, "2", 2, 2, 0));
    assert_non_null(archai_module_upsample_factor(net->root, "d", 2));
    assert_non_null(archai_module_upsample_size(net->root, "e", 9, 7));
    assert_non_null(archai_module_adaptive_avg_pool2d(net->root, "f", 2, 1));
    assert_non_null(archai_module_container(net->root, "g", "Sequential"));
    assert_non_null(archai_module_linear(net->root, "i", 16, 4, true));
}

static void run_all(archai_network *net)
{
    const archai_module *root = net->root;
    int v = 0;

    for (size_t i = 0; i + 1 < root->n_children; i++)
        v = archai_network_call_all(net, root->children[i], v);
    v = archai_network_flatten(net, v);
    assert_true(archai_network_call(net, root->children[root->n_children - 1], v) > 0);
}

static void it_prints_as_pytorch_does(void **state)
{
    json_t *torch = load_json_data("modules.json");
    archai_network net;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    build(&net);
    assert_int_equal(archai_module_print(net.root, out), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, json_string_value(json_object_get(torch, "repr")));
    free(text);
    archai_network_fini(&net);
    json_decref(torch);
}

static void the_state_dict_is_pytorchs_in_its_order(void **state)
{
    json_t *torch = load_json_data("modules.json");
    const json_t *expected = json_object_get(torch, "state_dict");
    archai_state_entry *at;
    archai_network net;
    size_t n;

    (void)state;
    build(&net);
    assert_int_equal(archai_module_params(net.root),
                     json_integer_value(json_object_get(torch, "num_params")));
    at = archai_module_state(net.root, &n);
    assert_int_equal(n, json_array_size(expected));
    for (size_t i = 0; i < n; i++) {
        const json_t *e = json_array_get(expected, i), *shape = json_array_get(e, 1);

        assert_string_equal(at[i].name, json_string_value(json_array_get(e, 0)));
        assert_string_equal(archai_dtype_name(at[i].dtype),
                            json_string_value(json_array_get(e, 2)));
        assert_int_equal(at[i].ndim, json_array_size(shape));
        for (int d = 0; d < at[i].ndim; d++)
            assert_int_equal(at[i].shape[d],
                             json_integer_value(json_array_get(shape, (size_t)d)));
    }
    archai_state_free(at, n);
    archai_network_fini(&net);
    json_decref(torch);
}

static void shapes_and_counts_follow_the_data_flow(void **state)
{
    /* a: 3 x 21 x 18 -> 8 x 10 x 8; c.0 keeps it, c.2: 8 x 5 x 4; d: 10 x 8; e: 9 x 7; f: 2 x 1
     */
    const int64_t a = 5 * 5 * 3 * 8 * 80, depthwise = 9 * 8 * 80, linear = 16 * 4;
    archai_network net;
    archai_counts counts;

    (void)state;
    build(&net);
    run_all(&net);
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_int_equal(counts.macs, a + depthwise + linear);
    assert_int_equal(counts.flops, 2 * a + 2 * 640 + (2 * depthwise + 640) + 640 + 640 + 160 +
                                       9 * 7 + 8 * 63 + 2 * linear);
    assert_int_equal(counts.madd, (2 * 75 - 1) * 640 + 4 * 640 + 2 * depthwise + 640 + 3 * 160 +
                                      4 * (2 * 16 - 1));
    assert_int_equal(counts.output.ndim, 1);
    assert_int_equal(counts.output.dim[0], 4);
    net.input[1] = 0; /* unknown size: parameters only */
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_true(counts.params > 0);
    assert_int_equal(counts.macs, -1);
    assert_int_equal(counts.flops, -1);
    archai_network_fini(&net);
}

static void inputs_that_do_not_fit_are_named(void **state)
{
    archai_network net;
    archai_counts counts;
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    build(&net);
    run_all(&net);
    net.input[0] = 4;
    assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "module 'a': its input is [4, 21, 18], expected channels: 3");
    net.input[0] = 3;
    net.input[1] = 2;
    assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_EINVAL);
    net.input[1] = 100; /* fits: the adaptive pooling evens it out */
    assert_int_equal(archai_network_count(&net, &counts, &err), 0);
    net.input[1] = net.input[2] = INT32_MAX;
    assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_EINVAL);
    archai_network_fini(&net);
}

static void sums_need_equal_shapes_and_written_registers(void **state)
{
    archai_network net = {.input = {2, 8, 8}};
    archai_module *wide, *same;
    archai_counts counts;
    archai_err err = ARCHAI_ERR_INIT;
    int a, b;

    (void)state;
    net.root = archai_module_container(NULL, "", "Net");
    wide = archai_module_conv2d(net.root, "wide", 2, 3, 1, 1, 0, 1, true);
    same = archai_module_conv2d(net.root, "same", 2, 2, 1, 1, 0, 1, true);
    a = archai_network_call(&net, same, 0);
    b = archai_network_add(&net, a, 0);
    assert_int_equal(archai_network_count(&net, &counts, &err), 0);
    assert_int_equal(counts.output.dim[0], 2);
    assert_int_equal(counts.output.ndim, 3);
    (void)archai_network_add(&net, b, archai_network_call(&net, wide, b));
    assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_EINVAL);
    net.steps[0].inputs[0] = 3; /* not yet written */
    assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_EINTERNAL);
    net.steps[0].inputs[0] = 77; /* no register */
    assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_EINTERNAL);
    archai_network_fini(&net);
}

static void the_drawing_names_every_step(void **state)
{
    archai_network net;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    build(&net);
    run_all(&net);
    assert_int_equal(archai_network_dot(&net, "a \"title\"", out), 0);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "digraph \"a \\\"title\\\"\" {"));
    assert_non_null(strstr(text, "v0 [label=\"input [3, 21, 18]\"]"));
    assert_non_null(strstr(text, "v1 [label=\"Conv2d(3, 8, kernel_size=(5, 5)"));
    assert_non_null(strstr(text, "v0 -> v1;"));
    assert_non_null(strstr(text, "[label=\"flatten\"]"));
    free(text);
    archai_network_fini(&net);
}

/* With all arguments 1. What they print, count and compute is compared with PyTorch's in shim_kinds.c. */
static void every_kind_is_found_with_its_arguments(void **state)
{
    double ones[ARCHAI_MODULE_MAX_ARGS];

    (void)state;
    for (size_t i = 0; i < ARCHAI_MODULE_MAX_ARGS; i++)
        ones[i] = 1;
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++) {
        const archai_module_kind *kind = archai_module_kinds[i];
        archai_module *layer = archai_module_layer(NULL, "0", kind, ones);
        char *text = NULL;
        size_t size, n, k;
        FILE *out;

        out = open_memstream(&text, &size);
        assert_ptr_equal(archai_module_kind_find(kind->name), kind);
        k = 0;
        for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; a++) {
            assert_ptr_equal(archai_module_arg(layer, a->name), &layer->args[k]);
            k += archai_arg_width(a);
        }
        assert_true(k <= ARCHAI_MODULE_MAX_ARGS);
        assert_null(archai_module_arg(layer, "colour"));
        assert_int_equal(archai_module_print(layer, out), 0);
        assert_int_equal(fclose(out), 0);
        n = strlen(archai_module_class(layer));
        assert_memory_equal(text, archai_module_class(layer), n);
        assert_int_equal(text[n], '(');
        assert_int_equal(text[size - 1], ')');
        free(text);
        archai_module_destroy(layer);
    }
    assert_null(archai_module_kind_find("Conv7d"));
}

/* By hand, from the rules of Archai's profiler (FLOPs) and tensorwatch (MAdd); MACs are in shim_kinds.c. */
static void costs_are_those_of_the_profilers(void **state)
{
    static const struct {
        const char *kind;
        double args[12];
        archai_shape in;
        int64_t macs, flops, madd;
    } cases[] = {
        {"GELU", {0}, {.dim = {3, 5}, .ndim = 2}, 0, 15, 0},
        {"ReLU6", {0}, {.dim = {3, 5}, .ndim = 2}, 0, 15, 15},
        {"Dropout", {0.5, 0}, {.dim = {3, 5}, .ndim = 2}, 0, 0, 0},
        {"Softmax", {-1}, {.dim = {3, 5}, .ndim = 2}, 0, 15, 3 * (5 + 4 + 5)},
        {"LayerNorm", {1, 5, [8] = 1e-5, 1, 1}, {.dim = {3, 5}, .ndim = 2}, 0, 5 * 15, 0},
        {"LayerNorm", {1, 5, [8] = 1e-5, 0, 1}, {.dim = {3, 5}, .ndim = 2}, 0, 4 * 15, 0},
        {"GroupNorm", {2, 4, 1e-5, 1}, {.dim = {4, 3, 2}, .ndim = 3}, 0, 5 * 24, 0},
        {"BatchNorm2d", {4, 1e-5, 0.1, 0, 1}, {.dim = {4, 3, 2}, .ndim = 3}, 0, 24, 2 * 24},
        {"AvgPool2d", {2, 2, 2, 2, 0, 0, 0, 1, NAN}, {.dim = {3, 4, 6}, .ndim = 3}, 0, 72, 4 * 18},
        {"MaxPool2d", {2, 2, 2, 2, 0, 0, 1, 1, 0}, {.dim = {3, 4, 6}, .ndim = 3}, 0, 72, 3 * 18},
        {"ConvTranspose2d", /* 4 to 6 channels, kernel 3, stride 2, with bias: [6, 9, 7] */
         {4, 6, 3, 3, 2, 2, 0, 0, 0, 0, 1, 1},
         {.dim = {4, 4, 3}, .ndim = 3},
         9 * 4 * 6 * 12, 2 * 9 * 4 * 6 * 12 + 6 * 9 * 7, 2 * 9 * 4 * 6 * 12},
        {"MultiheadAttention", /* projections of 5 rows, 8 to 32 values; products; softmaxes of 2 heads */
         {8, 2, 0, 1, 1, 0},
         {.dim = {5, 8}, .ndim = 2},
         5 * 8 * 32 + 2 * 25 * 8, 2 * (5 * 8 * 32 + 2 * 25 * 8) + 2 * 25, 0},
        {"scale", {2}, {.dim = {3, 5}, .ndim = 2}, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const archai_module_kind *kind = archai_module_kind_find(cases[i].kind);
        archai_module *m = archai_module_layer(NULL, "m", kind, NULL);
        archai_err err = ARCHAI_ERR_INIT;
        archai_counts c = {.params = 0};
        archai_shape out;
        size_t n = 0;

        for (const archai_arg *a = kind->args; a->name != NULL; a++)
            n += archai_arg_width(a);
        for (size_t k = 0; k < n && k < 12; k++)
            m->args[k] = cases[i].args[k];
        if (archai_kind_conv_transpose2d.name == kind->name)
            m->args[12] = m->args[13] = 1; /* dilation */
        if (archai_module_infer(m, &cases[i].in, 1, &c, &out, &err) != ARCHAI_OK)
            fail_msg("%s: %s", kind->name, err.text);
        if (c.macs != cases[i].macs || c.flops != cases[i].flops || c.madd != cases[i].madd)
            fail_msg("%s: %lld MACs, %lld FLOPs, %lld MAdd", kind->name, (long long)c.macs,
                     (long long)c.flops, (long long)c.madd);
        archai_module_destroy(m);
    }
}

static uint64_t next_random(void)
{
    static uint64_t x = 1;

    x = x * 6364136223846793005u + 1442695040888963407u;
    return x >> 33;
}

static double wild_number(void)
{
    static const double odd[] = {0,   -0.0, 1,    -1,   2,         3,          0.5,       NAN,  INFINITY,
                                 -2,  -3,   7,    1e9,  INT32_MAX, -INT32_MAX, -INFINITY, 1e18, 1e300,
                                 4e9, -1e9, 1e-9, 1e-300};

    return odd[next_random() % (sizeof odd / sizeof odd[0])];
}

/* From a file or plug-in may come any numbers: refused or counted, but never divided by 0 or overflowed (which
 * the sanitizers see). A shape that comes out has sizes that the next one can take. */
static void no_numbers_break_a_kind(void **state)
{
    enum { TRIES = 4000, INPUTS = 3 };
    size_t accepted = 0;

    (void)state;
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++)
        for (size_t k = 0; k < TRIES; k++) {
            archai_module *m = archai_module_layer(NULL, "m", archai_module_kinds[i], NULL);
            archai_shape in[INPUTS], out;
            archai_err err = ARCHAI_ERR_INIT;
            archai_counts counts = {.params = 0};
            char *text = NULL;
            size_t size, n;
            archai_state_entry *entries;
            FILE *to;

            for (size_t a = 0; a < ARCHAI_MODULE_MAX_ARGS; a++)
                if (next_random() % 3 == 0)
                    m->args[a] = wild_number();
            for (size_t v = 0; v < INPUTS; v++) {
                in[v] = (archai_shape){.ndim = 1 + (int)(next_random() % 4), .tokens = next_random() % 8 == 0};
                for (int d = 0; d < in[v].ndim; d++)
                    in[v].dim[d] = next_random() % 6 == 0 ? INT32_MAX : 1 + (int64_t)(next_random() % 4);
                if (v > 0 && next_random() % 2 == 0)
                    in[v] = in[0];
            }
            n = 1 + next_random() % INPUTS;
            if (next_random() % 2 == 0)
                archai_module_deduce(m, in, n);
            if (archai_module_infer(m, in, n, &counts, &out, &err) == ARCHAI_OK) {
                accepted++;
                assert_in_range(out.ndim, 1, ARCHAI_SHAPE_MAX);
                for (int d = 0; d < out.ndim; d++)
                    assert_in_range(out.dim[d], 1, INT32_MAX);
                assert_true(counts.macs >= 0 && counts.flops >= 0 && counts.madd >= 0);
                assert_true(archai_module_params(m) >= 0);
            } else {
                assert_non_null(strstr(err.text, " "));
            }
            entries = archai_module_state(m, &n); /* also before the arguments are checked */
            archai_state_free(entries, n);
            to = open_memstream(&text, &size);
            assert_int_equal(archai_module_print(m, to), ARCHAI_OK);
            assert_int_equal(fclose(to), 0);
            free(text);
            archai_module_destroy(m);
        }
    assert_true(accepted > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_as_pytorch_does),
        cmocka_unit_test(the_state_dict_is_pytorchs_in_its_order),
        cmocka_unit_test(shapes_and_counts_follow_the_data_flow),
        cmocka_unit_test(inputs_that_do_not_fit_are_named),
        cmocka_unit_test(sums_need_equal_shapes_and_written_registers),
        cmocka_unit_test(the_drawing_names_every_step),
        cmocka_unit_test(every_kind_is_found_with_its_arguments),
        cmocka_unit_test(costs_are_those_of_the_profilers),
        cmocka_unit_test(no_numbers_break_a_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
