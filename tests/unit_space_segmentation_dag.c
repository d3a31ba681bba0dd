/* The segmentation space: what the document prints, what PyTorch printed and counted (forward.json),
 * bounds, bad input, files. What Archai draws is unit_segmentation_dag_archai.c, the encoding
 * unit_segmentation_dag_encode.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/base/python_text.h"
#include "json_data.h"
#include "segmentation.h"

enum { REPEATS = 10000 };

/* Example B of the facts about Archai, as its save_arch writes it. */
static const char example_b[] =
    "architecture:\n"
    "- inputs: null\n  name: input\n  op: conv3x3\n  scale: 1\n"
    "- inputs:\n  - input\n  name: layer_0\n  op: mbconv3x3_e2\n  scale: 2\n"
    "- inputs:\n  - layer_0\n  - input\n  name: layer_1\n"
    "  op: mbconv5x5_e1\n  scale: 1\n"
    "- inputs:\n  - layer_1\n  - layer_0\n  name: output\n  op: null\n"
    "  scale: 2\n"
    "channels_per_scale:\n  base_channels: 16\n  delta_channels: 8\n"
    "post_upsample_layers: 2\n";

static archai_model load(archai_space *s, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m = {.arch = NULL};

    if (archai_space_load_arch(s, text, strlen(text), &m, &err) != 0)
        fail_msg("%s", err.text);
    return m;
}

/* -- the document and PyTorch ------------------------------------------------------------ */

static char *printed(archai_space *s, const archai_model *m)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(archai_space_print(s, m, out, NULL), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_document_is_reproduced(void **state)
{
    static const char expected[] =
        "ArchaiModel(\n\tarchid=74f66612a0d01c5b7d4702234756b0ee4ffa5abc_64_64, \n"
        "\tmetadata={'parent': '32fa5956ab3ce9e05bc42836599a8dc9dd53e847_64_64'}, \n"
        "\tarch=SegmentationDagModel(\n"
        "  (edge_dict): ModuleDict(\n"
        "    (input-output): Block(\n"
        "      (op): Sequential(\n"
        "        (0): NormalConvBlock(\n"
        "          (conv): Conv2d(40, 40, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "          (bn): BatchNorm2d(40, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "          (relu): ReLU()\n"
        "        )\n"
        "      )\n"
        "    )\n"
        "  )\n"
        "  (stem_block): NormalConvBlock(\n"
        "    (conv): Conv2d(3, 40, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))\n"
        "    (bn): BatchNorm2d(40, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "    (relu): ReLU()\n"
        "  )\n"
        "  (up): Upsample(size=(64, 64), mode=nearest)\n"
        "  (post_upsample): Sequential(\n"
        "    (0): NormalConvBlock(\n"
        "      (conv): Conv2d(40, 40, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "      (bn): BatchNorm2d(40, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "      (relu): ReLU()\n"
        "    )\n"
        "    (1): NormalConvBlock(\n"
        "      (conv): Conv2d(40, 40, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "      (bn): BatchNorm2d(40, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "      (relu): ReLU()\n"
        "    )\n"
        "    (2): NormalConvBlock(\n"
        "      (conv): Conv2d(40, 40, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "      (bn): BatchNorm2d(40, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "      (relu): ReLU()\n"
        "    )\n"
        "  )\n"
        "  (classifier): Conv2d(40, 1, kernel_size=(1, 1), stride=(1, 1))\n"
        ")\n)";
    archai_space *s = open_space("nb_classes = 1\nimg_size = 64 64\nmax_layers = 3\n");
    archai_model m, child;
    char *text;

    (void)state;
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    assert_string_equal(m.archid, "32fa5956ab3ce9e05bc42836599a8dc9dd53e847_64_64");
    assert_int_equal(json_integer_value(json_object_get(m.metadata, "macs")), 270008320);
    assert_int_equal(archai_space_mutate(s, &m, &child, NULL), 0);
    text = printed(s, &child);
    assert_string_equal(text, expected);
    free(text);
    archai_model_fini(&child);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void assert_state(const json_t *expected, const archai_network *net)
{
    archai_state_entry *at;
    size_t n;

    at = archai_module_state(net->root, &n);
    assert_int_equal(n, json_object_size(expected));
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_object_get(expected, at[i].name);
        const json_t *shape = json_array_get(entry, 0);

        assert_non_null(entry);
        assert_string_equal(archai_dtype_name(at[i].dtype),
                            json_string_value(json_array_get(entry, 1)));
        assert_int_equal(at[i].ndim, json_array_size(shape));
        for (int d = 0; d < at[i].ndim; d++)
            assert_int_equal(at[i].shape[d],
                             json_integer_value(json_array_get(shape, (size_t)d)));
    }
    archai_state_free(at, n);
}

static void assert_described(const json_t *c)
{
    json_t *params = json_loads(member(c, "params"), 0, NULL);
    archai_space *s = open_params(params, NULL);
    archai_model m = load(s, member(c, "arch"));
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    archai_network net;
    archai_counts counts;

    assert_string_equal(m.archid, member(c, "archid"));
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(archai_module_print(net.root, out), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, member(c, "repr"));
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_int_equal(counts.params, json_integer_value(json_object_get(c, "num_params")));
    assert_state(json_object_get(c, "state_dict"), &net);
    free(text);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
    json_decref(params);
}

static void descriptions_are_those_of_pytorch(void **state)
{
    json_t *forward = load_json_data("forward.json"), *c;
    const char *name;
    int n = 0;

    (void)state;
    json_object_foreach(forward, name,
                        c) if (strcmp(member(c, "space"), "segmentation_dag") == 0)
    {
        assert_described(c);
        n++;
    }
    assert_int_equal(n, 2);
    json_decref(forward);
}

/* Names, places in the state_dict and shapes of example B, and its counts. */
static void example_b_has_the_counts_that_archai_measured(void **state)
{
    static const struct {
        size_t at; /* SIZE_MAX: somewhere */
        const char *name;
        int64_t shape[4];
    } expected[] = {
        {0, "edge_dict.input-layer_0.op.0.conv.weight", {24, 16, 3, 3}},
        {7, "edge_dict.layer_0-layer_1.op.0._expand_conv.weight", {48, 24, 1, 1}},
        {SIZE_MAX, "edge_dict.layer_0-layer_1.op.0._depthwise_conv.weight", {48, 1, 3, 3}},
        {SIZE_MAX, "edge_dict.layer_0-layer_1.op.0._project_conv.weight", {16, 48, 1, 1}},
        {SIZE_MAX, "edge_dict.input-layer_1.op.0.conv.weight", {16, 16, 3, 3}},
        {SIZE_MAX, "edge_dict.layer_1-output.op.0._depthwise_conv.weight", {16, 1, 5, 5}},
        {SIZE_MAX, "edge_dict.layer_0-output.op.0._project_conv.weight", {24, 48, 1, 1}},
        {SIZE_MAX, "stem_block.conv.weight", {16, 3, 3, 3}},
        {SIZE_MAX, "post_upsample.0.conv.weight", {16, 24, 3, 3}},
        {SIZE_MAX, "post_upsample.1.conv.weight", {16, 16, 3, 3}},
        {91, "classifier.weight", {3, 16, 1, 1}},
    };
    archai_space *s = open_space("nb_classes = 3\nimg_size = 64 32\n");
    archai_model m = load(s, example_b);
    archai_network net;
    archai_counts counts;
    archai_state_entry *at;
    char *text;
    size_t n;

    (void)state;
    assert_string_equal(m.archid, "16ddd6931683d321d11eb43b1521b85332a150ba_64_32");
    assert_int_equal(archai_space_save_arch(s, &m, &text, NULL), 0);
    assert_string_equal(text, example_b);
    free(text);
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_int_equal(counts.params, 18955);
    assert_int_equal(counts.madd, 29557760);
    assert_int_equal(counts.macs, 14489600);
    assert_int_equal(counts.flops, 29448192);
    at = archai_module_state(net.root, &n);
    assert_int_equal(n, 93);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        size_t k = expected[i].at != SIZE_MAX ? expected[i].at : 0;

        while (expected[i].at == SIZE_MAX && k + 1 < n &&
               strcmp(at[k].name, expected[i].name) != 0)
            k++;
        assert_string_equal(at[k].name, expected[i].name);
        assert_memory_equal(at[k].shape, expected[i].shape, sizeof expected[i].shape);
    }
    archai_state_free(at, n);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* Going up, the operation keeps its stride and its result is enlarged. */
static void edges_upwards_enlarge(void **state)
{
    const char *arch =
        "{\"architecture\": [{\"name\": \"input\", \"op\": \"conv5x5\", \"inputs\": null, "
        "\"scale\": 1},"
        "{\"name\": \"a\", \"op\": \"conv7x7\", \"inputs\": [\"input\"], \"scale\": 8},"
        "{\"name\": \"output\", \"op\": null, \"inputs\": [\"a\", \"a\"], \"scale\": 2}],"
        "\"channels_per_scale\": {\"base_channels\": 4, \"delta_channels\": 2, \"mult_delta\": "
        "true},"
        "\"post_upsample_layers\": 1}";
    archai_space *s = open_space("nb_classes = 2\nimg_size = 64 32\n");
    archai_model m = load(s, arch);
    archai_network net;
    archai_counts counts;
    char *text = printed(s, &m);

    (void)state;
    assert_non_null(strstr(
        text, "    (a-output): Block(\n      (op): Sequential(\n        (0): NormalConvBlock(\n"
              "          (conv): Conv2d(32, 8, kernel_size=(7, 7), stride=(1, 1), padding=(3, "
              "3))\n"));
    assert_non_null(strstr(text, "        (1): Upsample(scale_factor=4.0, mode=nearest)\n"));
    assert_non_null(
        strstr(text, "Conv2d(4, 32, kernel_size=(5, 5), stride=(8, 8), padding=(2, 2))"));
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_int_equal(counts.output.dim[0], 2);
    assert_int_equal(counts.output.dim[1], 32);
    assert_int_equal(counts.output.dim[2], 64);
    free(text);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* -- bounds ------------------------------------------------------------------------------ */

static void no_node_has_a_single_pixel(void **state)
{
    archai_space *s =
        open_space("nb_classes = 1\nimg_size = 32 32\nmin_layers = 8\nmax_scale_delta = 3\n");
    archai_model m;

    (void)state;
    for (int i = 0; i < 300; i++) {
        size_t k;
        const json_t *node;

        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        json_array_foreach(json_object_get(m.arch, "architecture"), k, node)
            assert_true(json_integer_value(json_object_get(node, "scale")) < 16);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

static void madd_stays_within_its_bounds(void **state)
{
    archai_space *s = open_space(
        "nb_classes = 1\nimg_size = 64 64\nmin_mac = 200000000\nmax_mac = 300000000\n");
    archai_model m, child;

    (void)state;
    for (int i = 0; i < 100; i++) {
        archai_network net;
        archai_counts counts;

        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        if (archai_space_mutate(s, &m, &child, NULL) == 0) {
            assert_int_equal(archai_space_describe(s, &child, &net, NULL), 0);
            assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
            assert_in_range(counts.madd, 200000000, 300000000);
            archai_network_fini(&net);
            archai_model_fini(&child);
        }
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

static void bounds_that_nothing_meets_end(void **state)
{
    archai_space *s =
        open_space("nb_classes = 1\nimg_size = 64 64\nmax_layers = 1\nmax_mac = 1000\n");
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m;

    (void)state;
    assert_int_equal(archai_space_random_sample(s, &m, &err), ARCHAI_ENONE);
    assert_non_null(strstr(err.text, "max_mac = 1000"));
    archai_space_destroy(s);
}

static void a_skip_length_of_one_is_a_chain(void **state)
{
    archai_space *s =
        open_space("nb_classes = 1\nimg_size = 64 64\nmax_skip_connection_length = 1\n");
    archai_model m;

    (void)state;
    for (int i = 0; i < 100; i++) {
        size_t k;
        const json_t *node;

        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        json_array_foreach(json_object_get(m.arch, "architecture"), k, node)
            assert_int_equal(json_array_size(json_object_get(node, "inputs")), k > 0 ? 1 : 0);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

static void the_data_set_gives_size_and_classes(void **state)
{
    const archai_data_shape data = {
        .channels = 1, .height = 64, .width = 96, .num_classes = 11};
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;
    archai_network net;
    archai_counts counts;
    archai_model m;

    (void)state;
    assert_int_equal(try_space(&s, "", &data, &err), 0);
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    assert_string_equal(m.archid + 40, "_96_64");
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(net.input[0], 1);
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_int_equal(counts.output.dim[0], 11);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
    assert_int_equal(try_space(&s, "img_size = 64 64\n", &data, &err), ARCHAI_EINVAL);
    assert_string_equal(
        err.text, "t.ini:3: space.img_size: 64 64, but the data set's images are 96 x 64");
}

/* -- bad input --------------------------------------------------------------------------- */

static void bad_configurations_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *keys, *message;
    } cases[] = {
        {"img_size = 64 64\n", "space.nb_classes: missing"},
        {"nb_classes = 2\n", "space.img_size: missing"},
        {"nb_classes = 2\nimg_size = 64\n",
         "t.ini:4: space.img_size: 1 numbers, expected width and height"},
        {"nb_classes = 2\nimg_size = 64 65\n",
         "t.ini:4: space.img_size: 64 x 65, expected multiples of 32"},
        {"nb_classes = 2\nimg_size = 64 64\nmax_downsample_factor = 3\n",
         "t.ini:5: space.max_downsample_factor:"},
        {"nb_classes = 2\nimg_size = 64 64\nmax_scale_delta = 4\n",
         "t.ini:5: space.max_scale_delta: 4 is outside 1..3"},
        {"nb_classes = 2\nimg_size = 64 64\nmax_post_upsample_layers = 5\n",
         "t.ini:5: space.max_post_upsample_layers:"},
        {"nb_classes = 2\nimg_size = 64 64\nmax_skip_connection_length = 0\n",
         "t.ini:5: space.max_skip_connection_length:"},
        {"nb_classes = 2\nimg_size = 64 64\nmax_base_channels = 8\n",
         "t.ini:5: space.max_base_channels: 1 widths"},
        {"nb_classes = 2\nimg_size = 64 64\nmax_delta_channels = 4\n",
         "t.ini:5: space.max_delta_channels: 4 is less"},
        {"nb_classes = 2\nimg_size = 64 64\nmax_layers = 0\n", "t.ini:5: space.max_layers:"},
        {"nb_classes = 2\nimg_size = 64 64\nmin_layers = 13\n",
         "space.max_layers: 12 is less than min_layers 13"},
        {"nb_classes = 2\nimg_size = 64 64\nop_subset = conv3x3,con5x5\n",
         "t.ini:5: space.op_subset: unknown operation 'con5x5', expected names separated by commas, "
         "without blanks; did you mean 'conv5x5'?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_space *s = NULL;

        assert_int_equal(try_space(&s, cases[i].keys, NULL, &err), ARCHAI_EINVAL);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
    }
}

#define NODE(name, op, inputs, scale)                                                          \
    "- {name: " name ", op: " op ", inputs: " inputs ", scale: " scale "}\n"
#define REST                                                                                   \
    "channels_per_scale: {base_channels: 8, delta_channels: 8}\npost_upsample_layers: 1\n"

static void bad_arch_files_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("a", "conv3x3", "[b]", "1") NODE("b", "conv3x3", "[a]", "1")
                 NODE("output", "null", "[b]", "1") REST,
         "3: architecture[1].inputs: node 'b' is not an earlier one: the graph is cyclic"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("a", "conv3x3", "[a]", "1") NODE("output", "null", "[a]", "1") REST,
         "3: architecture[1].inputs: node 'a' is not an earlier one"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("a", "conv3x3", "[input]", "1") NODE("output", "null", "[input]", "1") REST,
         "3: architecture[1].name: nothing uses node 'a', the graph is disconnected"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1") NODE("a", "conv3x3", "[]", "1")
             NODE("output", "null", "[input, a]", "1") REST,
         "3: architecture[1].inputs: node 'a' has none, the graph is disconnected"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("output", "null", "[c]", "1") REST,
         "architecture[1].inputs: there is no node 'c'"},
        {"architecture:\n" NODE("input", "conv4x4", "null", "1")
             NODE("output", "null", "[input]", "1") REST,
         "2: architecture[0].op: unknown operation 'conv4x4', expected one of conv3x3, conv5x5, ...; "
         "did you mean 'conv"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("output", "conv3x3", "[input]", "1") REST,
         "3: architecture[1].op: the output has none"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("output", "null", "[input]", "32") REST,
         "3: architecture[1].scale: no operation reaches this scale"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("output", "null", "[input]", "3") REST,
         "3: architecture[1].scale: no operation reaches this scale"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "2")
             NODE("output", "null", "[input]", "2") REST,
         "2: architecture[0].scale: the input's scale is 1"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("a.b", "conv3x3", "[input]", "1") NODE("output", "null", "[a.b]", "1") REST,
         "3: architecture[1].name: 'a.b', expected"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1") NODE(
             "input", "conv3x3", "[input]", "1") NODE("output", "null", "[input]", "1") REST,
         "3: architecture[1].name: 'input' appears twice"},
        {"architecture:\n" NODE("in", "conv3x3", "null", "1")
             NODE("output", "null", "[in]", "1") REST,
         "2: architecture[0].name: the first node is 'in', expected 'input'"},
        {"architecture: []\n" REST, "1: architecture: 0 nodes"},
        {"architecture: 7\n" REST, "1: architecture: not a list"},
        {REST, "architecture: missing"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1") NODE(
             "output", "null", "[input]", "2") "channels_per_scale: {base_channels: 8, "
                                               "delta_channels: 8}\npost_upsample_layers: 0\n",
         "5: post_upsample_layers: 0 leaves 16 channels"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1") NODE(
             "output", "null", "[input]", "16") "channels_per_scale: {base_channels: 8, "
                                                "delta_channels: 60000, mult_delta: true}\n"
                                                "post_upsample_layers: 1\n",
         "4: channels_per_scale: more than 1048576 channels at scale 16"},
        {"architecture:\n" NODE("input", "conv7x7", "null", "1") NODE(
             "output", "null", "[input]", "1") "channels_per_scale: {base_channels: 1048577, "
                                               "delta_channels: 0}\npost_upsample_layers: 1\n",
         "base_channels: 1048577 is outside"},
        {"architecture:\n" NODE("input", "conv3x3", "null", "1")
             NODE("output", "null", "[input]",
                  "1") "channels_per_scale: {1: 8, 2: 16}\npost_upsample_layers: 1\n",
         "channels_per_scale.1: unknown key"},
        {"architecture: [\n", "2: "},
        {"architecture: 1\narchitecture: 2\n", "2: key 'architecture' appears twice"},
        {"[]", "1: expected a mapping with architecture"},
        {"", "1: the document is empty"},
    };
    archai_space *s = open_space("nb_classes = 1\nimg_size = 64 64\n");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_model m;
        int rc = archai_space_load_arch(s, cases[i].text, strlen(cases[i].text), &m, &err);

        if (archai_rc_exit_status(rc) != 2 || strstr(err.text, cases[i].message) == NULL)
            fail_msg("%d '%s' lacks '%s'", rc, err.text, cases[i].message);
        assert_null(strchr(err.text, '\n'));
    }
    archai_space_destroy(s);
}

/* -- files ------------------------------------------------------------------------------- */

static void save_and_load_keep_the_archid(void **state)
{
    archai_space *s = open_space("nb_classes = 5\nimg_size = 96 64\nseed = 9\n");
    archai_model m, loaded;
    char *text;

    (void)state;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        assert_int_equal(archai_space_save_arch(s, &m, &text, NULL), 0);
        loaded = load(s, text);
        assert_string_equal(loaded.archid, m.archid);
        assert_true(json_equal(loaded.arch, m.arch));
        free(text);
        archai_model_fini(&loaded);
        text = archai_python_json(m.arch, false);
        loaded = load(s, text);
        assert_string_equal(loaded.archid, m.archid);
        free(text);
        archai_model_fini(&loaded);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

static void a_drawing_names_every_node(void **state)
{
    archai_space *s = open_space("nb_classes = 3\nimg_size = 64 32\n");
    archai_model m = load(s, example_b);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_int_equal(s->ops->dot(s, &m, out, NULL), 0);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "layer_0\\nmbconv3x3_e2\\nscale 2, 24 x 8 x 16"));
    assert_non_null(strstr(text, "n1 -> n2;"));
    assert_non_null(strstr(text, "n3 -> head;"));
    free(text);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void ten_thousand_samples_and_mutants_can_be_made(void **state)
{
    archai_space *s = open_space("nb_classes = 1\nimg_size = 256 256\n");
    archai_model m, child;

    (void)state;
    for (int i = 0; i < REPEATS; i++) {
        int rc;

        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        rc = archai_space_mutate(s, &m, &child, NULL);
        assert_true(rc == 0 || rc == ARCHAI_ENONE);
        if (rc == 0)
            archai_model_fini(&child);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_is_reproduced),
        cmocka_unit_test(descriptions_are_those_of_pytorch),
        cmocka_unit_test(example_b_has_the_counts_that_archai_measured),
        cmocka_unit_test(edges_upwards_enlarge),
        cmocka_unit_test(no_node_has_a_single_pixel),
        cmocka_unit_test(madd_stays_within_its_bounds),
        cmocka_unit_test(bounds_that_nothing_meets_end),
        cmocka_unit_test(a_skip_length_of_one_is_a_chain),
        cmocka_unit_test(the_data_set_gives_size_and_classes),
        cmocka_unit_test(bad_configurations_are_refused_with_line_and_key),
        cmocka_unit_test(bad_arch_files_are_refused_with_line_and_key),
        cmocka_unit_test(save_and_load_keep_the_archid),
        cmocka_unit_test(a_drawing_names_every_node),
        cmocka_unit_test(ten_thousand_samples_and_mutants_can_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
