/* Language models against Hugging Face and PyTorch: transformer_forward.h5 is what Hugging
 * Face's classes computed, transformers.json what autograd made of the same models written out
 * (data/make_transformers.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/python_text.h"
#include "io/file/array.h"
#include "json_data.h"
#include "near.h"
#include "shim_device.h"
#include "transformer.h"

static const char vectors[] = ARCHAI_TEST_DATA "/transformer_forward.h5";
static const double tolerance = 1e-4;
/* -- a model
 * ----------------------------------------------------------------------------------- */

typedef struct subject {
    archai_space *space;
    archai_model arch;
    archai_network net;
    shim_model *model;
} subject;

static void build(subject *s, const char *arch_type, const char *keys, const char *arch)
{
    archai_err err = ARCHAI_ERR_INIT;

    s->space = open_space(arch_type, keys);
    if (archai_space_load_arch(s->space, arch, strlen(arch), &s->arch, &err) != 0 ||
        archai_space_describe(s->space, &s->arch, &s->net, &err) != 0 ||
        shim_model_build(&s->model, device, &s->net, 1, &err) != 0)
        fail_msg("%s: %s", arch_type, err.text);
}

static void destroy(subject *s)
{
    shim_model_destroy(s->model);
    archai_network_fini(&s->net);
    archai_model_fini(&s->arch);
    archai_space_destroy(s->space);
}

static float *predict(const subject *s, const int64_t *tokens, const int64_t shape[2], size_t n)
{
    archai_err err = ARCHAI_ERR_INIT;
    int64_t got[8];
    float *out = NULL;
    int ndim;

    if (shim_model_predict(s->model, tokens, shape, allocate, NULL, &out, got, &ndim, &err) !=
        0)
        fail_msg("%s", err.text);
    assert_int_equal(ndim, 3);
    assert_int_equal(got[0] * got[1] * got[2], n);
    return out;
}

/* -- Hugging Face's outputs
 * ---------------------------------------------------------------------- */

static bool is_mask(const archai_tensor *t)
{
    return strstr(t->name, ".attn.bias") != NULL || strstr(t->name, "mask") != NULL;
}

/* The weights as they are; without masks; without the second name of the embedding where it has one. */
static void load(const subject *s, archai_tensor *weights, size_t n, bool second_name)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensor few[64];
    size_t kept = 0, loaded;

    assert_true(n <= 64);
    if (shim_model_load(s->model, weights, n, true, &loaded, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n; i++)
        if (!is_mask(&weights[i]))
            few[kept++] = weights[i];
    assert_int_equal(loaded, kept);
    assert_true(kept > 10);
    assert_int_equal(shim_model_load(s->model, few, kept, true, &loaded, &err), 0);
    for (size_t i = 0; i < kept; i++)
        if (strcmp(few[i].name, "lm_head.weight") == 0 && second_name)
            few[i] = few[--kept];
    assert_int_equal(shim_model_load(s->model, few, kept, true, &loaded, &err), 0);
    few[0] = few[--kept];
    assert_int_equal(shim_model_load(s->model, few, kept, true, &loaded, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "the weights lack '"));
}

static void assert_outputs(const char *name, const char *arch_type, const char *keys,
                           const char *arch)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensor *weights = NULL, input = {0}, output = {0};
    char path[64];
    size_t n = 0;
    float *got;
    subject s;

    build(&s, arch_type, keys, arch);
    (void)snprintf(path, sizeof path, "/%s/weights", name);
    if (archai_array_read_group(vectors, path, &weights, &n, &err) != 0)
        fail_msg("%s", err.text);
    (void)snprintf(path, sizeof path, "/%s/input", name);
    assert_int_equal(archai_array_read(vectors, path, &input, &err), 0);
    (void)snprintf(path, sizeof path, "/%s/output", name);
    assert_int_equal(archai_array_read(vectors, path, &output, &err), 0);
    load(&s, weights, n, strcmp(arch_type, "codegen") != 0);
    got = predict(&s, input.data, input.shape, output.bytes / sizeof *got);
    assert_near_floats(got, (const float *)output.data, output.bytes / sizeof *got, tolerance);
    free(got);
    archai_array_free(&output);
    archai_array_free(&input);
    archai_arrays_free(weights, n);
    destroy(&s);
}

#define ARCH(type, layers, inner, width, heads)                                                \
    "{\"arch_type\": \"" type "\", \"n_layer\": " layers ", \"d_inner\": " inner               \
    ", \"d_model\": " width ", \"n_head\": " heads                                             \
    ", \"vocab_size\": 100, \"dropatt\": 0.0, \"max_sequence_length\": 48}"

static void outputs_are_those_of_hugging_face(void **state)
{
    (void)state;
    assert_outputs("gpt2-0", "gpt2", "", ARCH("gpt2", "2", "64", "32", "4"));
    assert_outputs("gpt2-1", "gpt2", "", ARCH("gpt2", "1", "40", "24", "2"));
    assert_outputs("gpt2-flex-2", "gpt2-flex", "share_d_inner = no\nmax_layers = 3\n",
                   ARCH("gpt2-flex", "3", "[48, 64, 16]", "32", "4"));
    assert_outputs("codegen-3", "codegen", "", ARCH("codegen", "2", "96", "64", "4"));
    assert_outputs("opt-4", "opt", "", ARCH("opt", "2", "64", "32", "4"));
}

/* -- gradients
 * ----------------------------------------------------------------------------------- */

/* Whole numbers from -11 to 11 times a power of two. */
static float *pattern(size_t n, float scale)
{
    float *v = malloc((n > 0 ? n : 1) * sizeof *v);

    assert_non_null(v);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)((int)(i * 7919 % 23) - 11) * scale;
    return v;
}

static void fill(shim_model *m, double scale)
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
        filled[i].data = pattern(state[i].bytes / sizeof(float), (float)scale);
    }
    assert_int_equal(shim_model_load(m, filled, n, true, &loaded, &err), 0);
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)filled[i].data);
    free(filled);
}

static void assert_gradient(const archai_tensor *got, const json_t *want)
{
    const size_t n = (size_t)json_integer_value(json_object_get(want, "n"));
    const double squares = json_number_value(json_object_get(want, "squares"));
    const float *g = got->data;
    double sum = 0, sum_of_squares = 0;

    assert_int_equal(got->bytes, n * sizeof *g);
    for (size_t i = 0; i < n; i++) {
        sum += (double)g[i];
        sum_of_squares += (double)g[i] * (double)g[i];
    }
    for (size_t k = 0; k < 16; k++)
        assert_near((double)g[k * n / 16],
                    json_number_value(json_array_get(json_object_get(want, "at"), k)),
                    tolerance);
    /* Sums of float32 numbers of either sign. */
    assert_near(sum, json_number_value(json_object_get(want, "sum")),
                tolerance + 1e-6 * sqrt((double)n * squares));
    assert_near(sum_of_squares, squares, tolerance * (1 + squares));
}

static const archai_tensor *find(const archai_tensor *at, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(at[i].name, name) == 0)
            return &at[i];
    fail_msg("%s has no gradient", name);
    return NULL;
}

static archai_tensor batch(const int64_t *tokens, const int64_t shape[2])
{
    return (archai_tensor){.dtype = ARCHAI_I64,
                           .ndim = 2,
                           .shape = {shape[0], shape[1]},
                           .data = tokens,
                           .bytes = (size_t)(shape[0] * shape[1]) * sizeof *tokens};
}

/* The second name of a tied weight has the gradient of both. */
static void assert_gradients(const subject *s, const int64_t *tokens, const int64_t shape[2],
                             const float *coefficients, const json_t *wanted)
{
    const archai_tensor input = batch(tokens, shape);
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *got;
    const char *name;
    json_t *want;
    size_t n;

    if (shim_test_gradients(s->model, &input, coefficients, false, &got, &n, &err) != 0)
        fail_msg("%s", err.text);
    json_object_foreach((json_t *)wanted, name, want)
    {
        char grad[128];

        (void)snprintf(grad, sizeof grad, "grad/%s", name);
        assert_gradient(find(got, n, grad), want);
    }
    assert_in_range(n, json_object_size(wanted) + 1,
                    json_object_size(wanted) + 2); /* and the output */
}

static void gradients_are_those_of_pytorch(void **state)
{
    const int64_t shape[2] = {2, 9};
    json_t *cases = load_json_data("transformers.json"), *c;
    int64_t tokens[18];
    const char *name;

    (void)state;
    for (int i = 0; i < 18; i++)
        tokens[i] = i * 5 % 13;
    json_object_foreach(cases, name, c)
    {
        const json_t *logits = json_object_get(c, "logits");
        char *arch = archai_python_json(json_object_get(c, "arch"), true);
        const size_t n = json_array_size(logits);
        float *coefficients = pattern(n, 1.0f / 16), *got;
        subject s;

        build(&s, member(json_object_get(c, "arch"), "arch_type"), "", arch);
        fill(s.model, json_number_value(json_object_get(c, "scale")));
        got = predict(&s, tokens, shape, n);
        for (size_t i = 0; i < n; i++)
            assert_near((double)got[i], json_number_value(json_array_get(logits, i)),
                        tolerance);
        assert_gradients(&s, tokens, shape, coefficients, json_object_get(c, "gradients"));
        free(got);
        free(coefficients);
        free(arch);
        destroy(&s);
    }
    assert_int_equal(json_object_size(cases), 5);
    json_decref(cases);
}

/* -- training
 * ------------------------------------------------------------------------------------ */

/* A backward pass on random tokens: finite, and in training another one each time, since it
 * drops out. */
static void assert_trains(const char *arch_type, const char *arch, bool drops)
{
    const int64_t shape[2] = {3, 48};
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *got;
    float *coefficients = pattern(3 * 48 * 100, 1.0f / 16);
    double sums[4] = {0, 0, 0, 0};
    int64_t tokens[3 * 48];
    archai_rng rng;
    subject s;
    size_t n;

    archai_rng_seed(&rng, 1);
    for (size_t i = 0; i < 3 * 48; i++)
        tokens[i] = (int64_t)archai_rng_below(&rng, 100);
    build(&s, arch_type, "", arch);
    for (int pass = 0; pass < 4; pass++) { /* two in training, two not */
        const archai_tensor input = batch(tokens, shape);

        if (shim_test_gradients(s.model, &input, coefficients, pass < 2, &got, &n, &err) != 0)
            fail_msg("%s", err.text);
        for (size_t i = 1; i < n; i++) /* 0 is the output */
            for (size_t k = 0; k < got[i].bytes / sizeof(float); k++)
                sums[pass] += fabs((double)((const float *)got[i].data)[k]);
    }
    assert_true(isfinite(sums[0]) && sums[0] > 0);
    assert_true((sums[0] != sums[1]) == drops);
    assert_true(sums[2] == sums[3]);
    free(coefficients);
    destroy(&s);
}

static void a_backward_pass_on_random_tokens_is_finite(void **state)
{
    (void)state;
    assert_trains("gpt2", ARCH("gpt2", "2", "64", "32", "4"), true);
    assert_trains("gpt2-flex", ARCH("gpt2-flex", "3", "[48, 64, 16]", "32", "[2, 4, 8]"), true);
    assert_trains("codegen", ARCH("codegen", "2", "96", "64", "4"), false);
    assert_trains("codegen", ARCH("codegen", "1", "96", "66", "6"), false); /* an odd head */
    assert_trains("opt", ARCH("opt", "2", "64", "32", "4"), true);
}

/* -- the beginning
 * --------------------------------------------------------------------------------- */

static double deviation(const archai_tensor *t)
{
    const size_t n = t->bytes / sizeof(float);
    double squares = 0;

    for (size_t i = 0; i < n; i++)
        squares += (double)((const float *)t->data)[i] * (double)((const float *)t->data)[i];
    return sqrt(squares / (double)n);
}

static void weights_begin_as_those_of_hugging_face(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *at, *row;
    size_t n;
    subject s;

    (void)state;
    build(&s, "gpt2", "", ARCH("gpt2", "2", "512", "128", "4"));
    assert_int_equal(shim_model_state(s.model, &at, &n, &err), 0);
    assert_near(deviation(find(at, n, "transformer.wte.weight")), 0.02, 0.001);
    assert_near(deviation(find(at, n, "transformer.wpe.weight")), 0.02, 0.001);
    assert_near(deviation(find(at, n, "transformer.h.1.attn.c_attn.weight")), 0.02, 0.001);
    assert_near(deviation(find(at, n, "transformer.h.1.mlp.c_proj.weight")), 0.01, 0.0005);
    assert_near(deviation(find(at, n, "transformer.h.1.mlp.c_fc.bias")), 0, 0);
    assert_near(deviation(find(at, n, "transformer.ln_f.weight")), 1, 0);
    destroy(&s);
    build(&s, "opt", "", ARCH("opt", "1", "512", "128", "4"));
    assert_int_equal(shim_model_state(s.model, &at, &n, &err), 0);
    row = find(at, n, "model.decoder.embed_tokens.weight");
    assert_near(deviation(row), 0.02, 0.001);
    for (int i = 0; i < 128; i++) /* the row of the padding token */
        assert_true(((const float *)row->data)[128 + i] == 0.0f);
    assert_near(deviation(find(at, n, "model.decoder.layers.0.fc2.weight")), 0.02, 0.001);
    assert_near(deviation(find(at, n, "model.decoder.layers.0.self_attn.q_proj.bias")), 0, 0);
    destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_those_of_hugging_face),
        cmocka_unit_test(gradients_are_those_of_pytorch),
        cmocka_unit_test(a_backward_pass_on_random_tokens_is_finite),
        cmocka_unit_test(weights_begin_as_those_of_hugging_face),
    };

    return cmocka_run_group_tests(tests, open_device, close_device);
}
