/* Networks in files: whole files, what they include, what comes in, which parameters they use. That whole networks are
 * PyTorch's is tested with configs/spaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/text.h"
#include "network_file.h"
#include "tmpdir.h"

static void input_is_what_the_data_say(void **state)
{
    static const char text[] =
        "input: {channels: 1, height: 4, width: 4, classes: 2}\nnetwork: [flatten, Linear: classes]\n";
    static const archai_data_shape none, half = {.channels = 3, .num_classes = 7}, rows = {.features = 6};
    network_text t;
    char *got;

    (void)state;
    assert_int_equal(network_text_read(&t, text, NULL), ARCHAI_OK);
    assert_int_equal(network_text_build(&t, NULL, &none, NULL), ARCHAI_OK);
    assert_int_equal(t.net.input[0], 1);
    archai_network_fini(&t.net);
    json_decref(t.params);
    assert_int_equal(network_text_build(&t, NULL, &half, NULL), ARCHAI_OK);
    assert_int_equal(t.net.input[0], 3);
    assert_int_equal(t.net.input[1], 4);
    got = network_steps(&t.net);
    assert_string_equal(got, "1 = flatten(0): [48]\n2 = 0(1): [7]\n");
    free(got);
    archai_network_fini(&t.net);
    json_decref(t.params);
    assert_int_equal(network_text_build(&t, NULL, &rows, NULL), ARCHAI_OK);
    got = network_steps(&t.net);
    assert_string_equal(got, "1 = flatten(0): [6]\n2 = 0(1): [2]\n");
    free(got);
    network_text_fini(&t);
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[4200];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void blocks_are_included(void **state)
{
    char dir[TMPDIR_PATH_MAX], path[4200];
    archai_lines *lines = archai_lines_create();
    json_t *document = NULL, *included, *expected;
    archai_network_file *f = NULL;
    archai_err err = ARCHAI_ERR_INIT;
    archai_network net = {.root = NULL};
    char *got;

    (void)state;
    assert_int_equal(tmpdir_create(dir), 0);
    write_file(dir, "a.yaml", "include: b.yaml\nblocks: {a(n): [b: n]}\n");
    write_file(dir, "b.yaml", "include: [a.yaml, main.yaml]\nblocks: {b(n): [MaxPool2d: n]}\n"); /* and back */
    write_file(dir, "main.yaml", "include: [a.yaml, ./b.yaml]\nblocks: {c: []}\nnetwork: [a: 2, b: 2, inline: c]\n");
    (void)snprintf(path, sizeof path, "%s/main.yaml", dir);
    assert_int_equal(archai_document_read_lines(path, &document, lines, NULL), ARCHAI_OK);
    if (archai_network_file_create(&f, path, document, lines, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_int_equal(archai_network_file_build(f, NULL, &small_images, &net, &err), ARCHAI_OK);
    got = network_steps(&net);
    assert_string_equal(got, "1 = 0.0.0(0): [3, 4, 4]\n2 = 1.0(1): [3, 2, 2]\n");
    free(got);
    included = archai_network_file_included(f);
    expected = json_loads("{\"a(n)\": [{\"b\": \"n\"}], \"b(n)\": [{\"MaxPool2d\": \"n\"}]}", 0, NULL);
    assert_true(json_equal(included, expected));
    json_decref(included);
    json_decref(expected);
    archai_network_fini(&net);
    archai_network_file_destroy(f);
    archai_lines_destroy(lines);
    json_decref(document);
    tmpdir_remove(dir);
}

static void uses_of_parameters_are_known(void **state)
{
    static const char text[] = "parameters:\n"
                               "  stages: {repeat: {kernel: {choice: [1, 3]}, unused: {choice: [1]}, blocks: {repeat: "
                               "{w: {choice: [1]}, v: 2}, times: [1]}}, times: [1]}\n"
                               "  cell: {a: {choice: [1]}, b: {choice: [1]}}\n"
                               "  other: {repeat: {a: {choice: [1]}}, times: [1, 2]}\n"
                               "  ignored: {choice: [1]}\n"
                               "  act: {choice: [ReLU]}\n"
                               "  in_block: {choice: [1]}\n"
                               "  in_name: {choice: [1]}\n"
                               "  shown: {choice: [1]}\n"
                               "  one: {repeat: {a: {choice: [1]}, b: {choice: [1]}}, times: [1, 2]}\n"
                               "blocks: {\"b(c, n=in_block)\": [MaxPool2d: c.a, MaxPool2d: n], u(x1): {MaxPool2d: x1}}\n"
                               "network:\n"
                               "  - for: stages\n"
                               "    as: s\n"
                               "    do: [MaxPool2d: kernel, {for: s.blocks, do: {MaxPool2d: w}}]\n"
                               "  - {if: len(other) > 1, then: ReLU}\n"
                               "  - b: {c: cell}\n"
                               "  - make: act\n"
                               "  - MaxPool2d: \"one[0].a\"\n"
                               "  - \"c{in_name}\": ReLU\n"
                               "  - {for: [1], as: ignored, do: {MaxPool2d: ignored}}\n"
                               "  - save: shown\n"
                               "  - MaxPool2d: shown.shape[1] - 2\n";
    static const struct {
        const char *path;
        bool used;
    } table[] = {{"stages", true},
                 {"stages.kernel", true},
                 {"stages.unused", false},
                 {"stages.blocks", true},
                 {"stages.blocks.w", true},
                 {"stages.blocks.v", false},
                 {"cell", true},
                 {"cell.a", true},
                 {"cell.b", true},
                 {"other", true},
                 {"other.a", false},
                 {"ignored", false},
                 {"act", true},
                 {"in_block", true},
                 {"in_name", true},
                 {"shown", false},
                 {"one", true},
                 {"one.a", true},
                 {"one.b", false},
                 {"nothing", false},
                 {"stages.nothing", false},
                 {"", false}};
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;

    (void)state;
    if (network_text_read(&t, text, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (archai_network_file_uses(t.file, table[i].path) != table[i].used)
            fail_msg("%s: expected it to be %s", table[i].path, table[i].used ? "used" : "unused");
    network_text_fini(&t);
}

/* Hugging Face's gpt2 has 124,439,808 parameters under these names. */
static const char gpt2[] =
    "input: {tokens: 1024, vocab: 50257}\n"
    "parameters: {layers: {choice: [2, 12]}, d: {choice: [768]}}\n"
    "blocks:\n"
    "  GPT2Attention(heads):\n"
    "    - c_attn: {Conv1D: in * 3}\n"
    "    - save: qkv\n"
    "    - for: [query, key, value]\n"
    "      as: name\n"
    "      do: [use: qkv, chunk: {chunks: 3, index: index, dim: -1}, save: \"{name}\"]\n"
    "    - attention: {query: query, key: key, value: value, num_heads: heads, is_causal: true}\n"
    "    - c_proj: {Conv1D: in}\n"
    "  GPT2MLP:\n"
    "    - c_fc: {Conv1D: in * 4}\n"
    "    - act: NewGELUActivation\n"
    "    - c_proj: {Conv1D: in}\n"
    "  GPT2Block:\n"
    "    - residual: [ln_1: LayerNorm, attn: {GPT2Attention: 12}]\n"
    "    - residual: [ln_2: LayerNorm, mlp: GPT2MLP]\n"
    "class: GPT2LMHeadModel\n"
    "network:\n"
    "  - transformer:\n"
    "      - add: [{wte: {Embedding: [vocab, d]}}, {positions: , wpe: {Embedding: [tokens, d]}}]\n"
    "      - drop: {Dropout: 0.1}\n"
    "      - h: [{for: layers, do: GPT2Block}]\n"
    "      - ln_f: LayerNorm\n"
    "  - lm_head: {Linear: {out_features: vocab, bias: false, tie: transformer.wte}}\n";

static void gpt2_is_written_down(void **state)
{
    static const struct {
        const char *name;
        int64_t shape[2];
    } some[] = {{"transformer.wpe.weight", {1024, 768}},
                {"transformer.h.11.attn.c_attn.weight", {768, 2304}},
                {"transformer.h.0.mlp.c_fc.bias", {3072, 0}},
                {"lm_head.weight", {50257, 768}}};
    archai_err err = ARCHAI_ERR_INIT;
    archai_state_entry *entries;
    network_text t;
    size_t n, found = 0;

    (void)state;
    if (network_text_read(&t, gpt2, &err) != ARCHAI_OK ||
        network_text_build(&t, "{\"layers\": 12, \"d\": 768}", &(archai_data_shape){.tokens = 1024}, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_int_equal(archai_module_params(t.net.root), 124439808);
    entries = archai_module_state(t.net.root, &n);
    assert_int_equal(n, 2 + 12 * 12 + 2 + 1);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof some / sizeof some[0]; k++)
            if (strcmp(entries[i].name, some[k].name) == 0) {
                assert_int_equal(entries[i].shape[0], some[k].shape[0]);
                assert_int_equal(entries[i].shape[1], some[k].shape[1]);
                found++;
            }
    assert_int_equal(found, sizeof some / sizeof some[0]);
    archai_state_free(entries, n);
    network_text_fini(&t);
}

/* The example that the grammar begins with. */
static void the_readmes_example_is_built(void **state)
{
    static const char page[] = ARCHAI_SOURCE_DIR "/core/network/file/README.md";
    archai_err err = ARCHAI_ERR_INIT;
    network_text t;
    char *text = NULL, *from, *end;
    size_t size;

    (void)state;
    assert_int_equal(archai_text_read(page, 1 << 20, &text, &size, &err), ARCHAI_OK);
    text = realloc(text, size + 1);
    text[size] = '\0';
    from = strstr(text, "```yaml\n");
    assert_non_null(from);
    end = strstr(from + 8, "```");
    assert_non_null(end);
    *end = '\0';
    if (network_text_read(&t, from + 8, &err) != ARCHAI_OK ||
        network_text_build(
            &t, "{\"width\": 16, \"stages\": [{\"depth\": 2, \"kernel\": 3}, {\"depth\": 1, \"kernel\": 5}]}",
            &small_images, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_int_equal(t.net.root->n_children, 4);
    assert_int_equal(t.net.root->children[0]->n_children, 2);
    assert_string_equal(t.net.root->children[1]->children[0]->children[5]->name, "downsample");
    free(text);
    network_text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_is_what_the_data_say),   cmocka_unit_test(blocks_are_included),
        cmocka_unit_test(uses_of_parameters_are_known), cmocka_unit_test(gpt2_is_written_down),
        cmocka_unit_test(the_readmes_example_is_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
