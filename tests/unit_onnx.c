/* The protobuf writer, byte for byte; what an ONNX file holds beside what onnxruntime sees (e2e_export_kinds); weights that do
 * not fit the description. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/model/onnx/onnx.h"
#include "io/model/onnx/protobuf.h"

static void assert_bytes(protobuf *p, const char *expected, size_t n)
{
    assert_int_equal(p->n, n);
    assert_memory_equal(p->at, expected, n);
    protobuf_free(p);
}

/* The examples of protobuf.dev's page on the encoding. */
static void fields_are_protobufs(void **state)
{
    protobuf p = {.at = NULL}, inner = {.at = NULL};

    (void)state;
    protobuf_int(&p, 1, 150);
    assert_bytes(&p, "\x08\x96\x01", 3);
    protobuf_text(&p, 2, "testing");
    assert_bytes(&p, "\x12\x07testing", 9);
    protobuf_int(&inner, 1, 150);
    protobuf_message(&p, 3, &inner);
    protobuf_message(&p, 3, &inner); /* emptied by the first time */
    assert_bytes(&p, "\x1a\x03\x08\x96\x01\x1a\x00", 7);
    protobuf_int(&p, 1, -2);
    assert_bytes(&p, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    protobuf_float(&p, 2, 1.5f);
    assert_bytes(&p, "\x15\x00\x00\xc0\x3f", 5);
    protobuf_int(&p, 20, 0); /* two bytes of tag */
    assert_bytes(&p, "\xa0\x01\x00", 3);
    protobuf_free(&inner);
}

/* -- a network -------------------------------------------------------------------------------- */

static const float values[] = {1, 2, 3, 4, 5, 6};

static archai_network network(int features)
{
    archai_network net = {.n_input = 1, .input = {features}};
    archai_module *layer;

    net.root = archai_module_container(NULL, "", "Net");
    layer = archai_module_linear(net.root, "fc", 3, 2, false);
    (void)archai_network_call(&net, layer, 0);
    return net;
}

static archai_tensor tensor(const char *name, archai_dtype dtype, int ndim, int64_t rows, const void *data)
{
    return (archai_tensor){.name = (char *)(uintptr_t)name, .dtype = dtype, .ndim = ndim, .shape = {rows, 3},
                           .data = data, .bytes = (size_t)rows * 3 * archai_dtype_size(dtype)};
}

/* NULL: it could be written; else the error. */
static const char *refused(const archai_network *net, const archai_tensor *at, size_t n, unsigned char **bytes, size_t *size)
{
    static archai_err err;
    archai_weights *w = NULL;
    int rc;

    err = (archai_err)ARCHAI_ERR_INIT;
    rc = archai_weights_open(&w, net->root, at, n, &err);
    if (rc == ARCHAI_OK)
        rc = archai_onnx_write(net, w, NULL, 0, bytes, size, &err);
    archai_weights_close(w);
    return rc == ARCHAI_OK ? NULL : err.text;
}

static bool holds(const unsigned char *bytes, size_t size, const void *part, size_t n)
{
    for (size_t i = 0; i + n <= size; i++)
        if (memcmp(bytes + i, part, n) == 0)
            return true;
    return false;
}

static void weights_are_in_the_file_under_their_names(void **state)
{
    archai_network net = network(3);
    const archai_tensor good = tensor("fc.weight", ARCHAI_F32, 2, 2, values);
    unsigned char *bytes;
    size_t size;

    (void)state;
    assert_null(refused(&net, &good, 1, &bytes, &size));
    assert_true(holds(bytes, size, "\x42\x09" "fc.weight", 11)); /* field 8 of a TensorProto: its name */
    assert_true(holds(bytes, size, values, sizeof values));
    assert_true(holds(bytes, size, "input", 5) && holds(bytes, size, "output", 6));
    free(bytes);
    archai_network_fini(&net);
}

static void other_floating_point_numbers_become_float32(void **state)
{
    static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555, 0x8000};
    static const uint16_t brain[] = {0x3f80, 0xc000, 0x0001, 0x7f80, 0x3eab, 0x8000};
    static const double real[] = {1, -2, 1e-40, INFINITY, 0.1, -0.0};
    const float of_half[] = {1, -2, 0x1p-24f, INFINITY, 0x1.554p-2f, -0.0f};
    const float of_brain[] = {1, -2, 0x1p-133f, INFINITY, 0x1.56p-2f, -0.0f};
    const float of_real[] = {1, -2, 1e-40f, INFINITY, 0.1f, -0.0f};
    const struct {
        archai_dtype type;
        const void *from, *to;
    } cases[] = {{ARCHAI_F16, half, of_half}, {ARCHAI_BF16, brain, of_brain}, {ARCHAI_F64, real, of_real}};
    archai_network net = network(3);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const archai_tensor t = tensor("fc.weight", cases[i].type, 2, 2, cases[i].from);
        unsigned char *bytes;
        size_t size;

        assert_null(refused(&net, &t, 1, &bytes, &size));
        assert_true(holds(bytes, size, cases[i].to, 6 * sizeof(float)));
        free(bytes);
    }
    archai_network_fini(&net);
}

static void what_does_not_fit_is_named(void **state)
{
    archai_network net = network(3), open_size = network(0), narrow = network(4);
    const archai_tensor good = tensor("fc.weight", ARCHAI_F32, 2, 2, values);
    const archai_tensor two[] = {good, tensor("fc.bias", ARCHAI_F32, 1, 2, values)};
    const archai_tensor flat = tensor("fc.weight", ARCHAI_F32, 1, 2, values), long_ = tensor("fc.weight", ARCHAI_F32, 2, 1, values);
    const archai_tensor bytes = tensor("fc.weight", ARCHAI_U8, 2, 2, values), integers = tensor("fc.weight", ARCHAI_I64, 2, 2, values);

    (void)state;
    assert_string_equal(refused(&net, NULL, 0, NULL, NULL), "the weights lack 'fc.weight'");
    assert_string_equal(refused(&net, two, 2, NULL, NULL), "the weights hold 'fc.bias', which the model lacks");
    assert_string_equal(refused(&net, &flat, 1, NULL, NULL), "'fc.weight' has another shape in the weights than in the model");
    assert_string_equal(refused(&net, &long_, 1, NULL, NULL), "'fc.weight' has another shape in the weights than in the model");
    assert_string_equal(refused(&net, &bytes, 1, NULL, NULL), "'fc.weight' is uint8 in the weights, expected float32");
    assert_string_equal(refused(&net, &integers, 1, NULL, NULL), "'fc.weight' is int64 in the weights, expected float32");
    assert_non_null(strstr(refused(&narrow, &good, 1, NULL, NULL), "module 'fc'"));
    assert_non_null(refused(&open_size, &good, 1, NULL, NULL));
    archai_network_fini(&net);
    archai_network_fini(&open_size);
    archai_network_fini(&narrow);
}

/* A tensor of the user's may be called as the graph's own values are. */
static void names_do_not_meet(void **state)
{
    archai_network net = {.n_input = 1, .input = {3}};
    const archai_tensor taken[] = {tensor("/1", ARCHAI_F32, 1, 1, values), tensor("input", ARCHAI_F32, 1, 1, values)};
    archai_tensor at[2];
    unsigned char *bytes;
    size_t size;
    int a, b;

    (void)state;
    net.root = archai_module_container(NULL, "", "Net");
    for (int i = 0; i < 2; i++) {
        double args[ARCHAI_MODULE_MAX_ARGS];
        const archai_module_kind *kind = archai_module_kind_find("Parameter");
        archai_module *m = archai_module_layer(net.root, taken[i].name, kind, NULL);

        memcpy(args, m->args, sizeof args);
        m->args[0] = 1; /* shape [3] */
        m->args[1] = 3;
        *(double *)(uintptr_t)archai_module_arg(m, "batch") = 0;
        *(double *)(uintptr_t)archai_module_arg(m, "init") = 0;
        at[i] = taken[i];
        at[i].shape[0] = 3;
        at[i].bytes = 12;
    }
    a = archai_network_call(&net, net.root->children[0], 0);
    b = archai_network_call(&net, net.root->children[1], 0);
    (void)archai_network_add(&net, a, b);
    assert_null(refused(&net, at, 2, &bytes, &size));
    assert_true(holds(bytes, size, "input_", 6) && holds(bytes, size, "//0", 3) == false && holds(bytes, size, "//", 2));
    free(bytes);
    archai_network_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_protobufs),
        cmocka_unit_test(weights_are_in_the_file_under_their_names),
        cmocka_unit_test(other_floating_point_numbers_become_float32),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(names_do_not_meet),
    };

    return cmocka_run_group_tests_name("onnx", tests, NULL, NULL);
}
