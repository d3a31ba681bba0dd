/* Every kind of layer and operation against PyTorch (data/make_kinds.py): printed form, state_dict, initial
 * weights, shapes, MACs, outputs and gradients. And against libtorch with random arguments: what a kind accepts
 * runs and gives the shape that it infers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "core/network/kind/kind.h"
#include "io/file/tensors.h"
#include "kind_case.h"
#include "shim_device.h"
#include "shim/shim.h"

static const double tolerance = 2e-5; /* of 1, or of the value where that is larger */
enum { SAMPLES = 2, SEED = 11 };      /* as in make_kinds.py */

static archai_tensors arrays;
static json_t *cases;

static int open_all(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    cases = load_json_data("kinds.json");
    if (shim_device_open(&device, test_device(), 1, &err) != ARCHAI_OK ||
        archai_safetensors_open(&arrays, ARCHAI_TEST_DATA "/kinds.safetensors", &err) != ARCHAI_OK) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    archai_tensors_close(&arrays);
    shim_device_close(device);
    json_decref(cases);
    return 0;
}

/* -- one case ------------------------------------------------------------------------------------ */

typedef struct subject {
    kind_case c;
    archai_tensor input;
    shim_model *model;
} subject;

static const char *name_of(const subject *s)
{
    return kind_case_name(&s->c);
}

static void build(subject *s, size_t index)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_shape in;
    size_t n = SAMPLES;
    float *values;
    int64_t tokens;

    memset(s, 0, sizeof *s);
    s->c.index = index;
    s->c.json = json_array_get(cases, index);
    tokens = json_integer_value(json_object_get(s->c.json, "tokens"));
    kind_case_describe(&s->c);
    if (shim_model_build(&s->model, device, &s->c.net, SEED, &err) != ARCHAI_OK)
        fail_msg("%s: %s", name_of(s), err.text);
    in = kind_case_shape(json_object_get(s->c.json, "shape"), false);
    s->input = (archai_tensor){.dtype = tokens > 0 ? ARCHAI_I64 : ARCHAI_F32, .ndim = in.ndim + 1};
    s->input.shape[0] = SAMPLES;
    for (int i = 0; i < in.ndim; i++) {
        s->input.shape[1 + i] = in.dim[i];
        n *= (size_t)in.dim[i];
    }
    values = kind_args_draw((uint32_t)(1000 * index), n);
    s->input.bytes = n * archai_dtype_size(s->input.dtype);
    s->input.data = values;
    if (tokens > 0) {
        int64_t *words = malloc(n * sizeof *words);

        assert_non_null(words);
        for (size_t i = 0; i < n; i++)
            words[i] = (int64_t)floor(((double)values[i] + 1) / 2 * (double)tokens);
        s->input.data = words;
        free(values);
    }
}

static void destroy(subject *s)
{
    shim_model_destroy(s->model);
    archai_network_fini(&s->c.net);
    free((void *)(uintptr_t)s->input.data);
}

static const archai_tensor *wanted(const subject *s, const char *mode, const char *name)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%zu/%s/%s", s->c.index, mode, name);
    return archai_tensors_find(&arrays, path);
}

static void compare(const subject *s, const char *mode, const archai_tensor *got, const archai_tensor *want,
                    size_t bytes)
{
    assert_int_equal(got->dtype, want->dtype);
    if (got->dtype != ARCHAI_F32) {
        assert_memory_equal(got->data, want->data, bytes);
        return;
    }
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        const double g = ((const float *)got->data)[i], w = ((const float *)want->data)[i];

        if (!(fabs(g - w) <= tolerance * fmax(1, fabs(w))))
            fail_msg("%s, %s %s[%zu] is %.9g, expected %.9g", name_of(s), mode, got->name, i, g, w);
    }
}

/* -- tests --------------------------------------------------------------------------------------- */

static void every_kind_has_a_case(void **state)
{
    (void)state;
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++) {
        const char *name = archai_module_kinds[i]->name;
        size_t n = 0;

        for (size_t k = 0; k < json_array_size(cases); k++)
            n += strcmp(name, json_string_value(json_object_get(json_array_get(cases, k), "kind"))) == 0;
        if (n == 0)
            fail_msg("tests/data/make_kinds.py has no case for %s", name);
    }
}

static void layers_print_as_in_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const char *repr = json_string_value(json_object_get(json_array_get(cases, i), "repr"));
        char *text = NULL;
        size_t size;
        FILE *out;
        subject s = {.c = {.index = i, .json = json_array_get(cases, i)}};

        kind_case_describe(&s.c);
        if (repr != NULL) {
            out = open_memstream(&text, &size);
            assert_int_equal(archai_module_print(s.c.layer, out), ARCHAI_OK);
            assert_int_equal(fclose(out), 0);
            assert_string_equal(text, repr);
            free(text);
        }
        archai_network_fini(&s.c.net);
    }
}

/* Names, types and shapes as described and as built, and the values that training begins with. */
static void tensors_are_pytorchs(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *expected = json_object_get(json_array_get(cases, i), "state");
        archai_err err = ARCHAI_ERR_INIT;
        const archai_tensor *built;
        archai_state_entry *described;
        size_t n, n_described;
        subject s;

        build(&s, i);
        assert_int_equal(shim_model_state(s.model, &built, &n, &err), ARCHAI_OK);
        described = archai_module_state(s.c.net.root, &n_described);
        assert_int_equal(n, json_array_size(expected));
        assert_int_equal(n_described, n);
        for (size_t k = 0; k < n; k++) {
            const json_t *e = json_array_get(expected, k), *shape = json_array_get(e, 1);
            const archai_tensor *initial = wanted(&s, "initial", built[k].name);

            assert_string_equal(built[k].name, json_string_value(json_array_get(e, 0)));
            assert_string_equal(described[k].name, built[k].name);
            assert_string_equal(archai_dtype_name(built[k].dtype), json_string_value(json_array_get(e, 2)));
            assert_int_equal(described[k].dtype, built[k].dtype);
            assert_int_equal(built[k].ndim, json_array_size(shape));
            assert_int_equal(described[k].ndim, built[k].ndim);
            for (int d = 0; d < built[k].ndim; d++) {
                assert_int_equal(built[k].shape[d], json_integer_value(json_array_get(shape, (size_t)d)));
                assert_int_equal(described[k].shape[d], built[k].shape[d]);
            }
            assert_non_null(initial);
            compare(&s, "initial", &built[k], initial, initial->bytes);
        }
        archai_state_free(described, n_described);
        destroy(&s);
    }
}

static void load_drawn_weights(subject *s)
{
    const json_t *expected = json_object_get(s->c.json, "state");
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *built;
    archai_tensor *given;
    size_t n;

    assert_int_equal(shim_model_state(s->model, &built, &n, &err), ARCHAI_OK);
    given = calloc(n + 1, sizeof *given);
    assert_non_null(given);
    for (size_t k = 0; k < n; k++) {
        const int64_t seed = json_integer_value(json_array_get(json_array_get(expected, k), 3));
        const size_t values = built[k].bytes / archai_dtype_size(built[k].dtype);
        float *v = kind_args_draw((uint32_t)seed, built[k].dtype == ARCHAI_I64 ? 2 : values);

        given[k] = built[k];
        given[k].data = v;
        if (built[k].dtype == ARCHAI_I64)
            memcpy(v, &(int64_t){3}, sizeof(int64_t));
        else if (strstr(built[k].name, "running_var") != NULL)
            for (size_t j = 0; j < values; j++)
                v[j] = fabsf(v[j]) + 0.5f;
    }
    if (shim_model_load(s->model, given, n, true, NULL, &err) != ARCHAI_OK)
        fail_msg("%s: %s", name_of(s), err.text);
    for (size_t k = 0; k < n; k++)
        free((void *)(uintptr_t)given[k].data);
    free(given);
}

static void run(subject *s, const char *mode)
{
    const json_t *output = json_object_get(s->c.json, "output");
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *got;
    size_t n, values = 1;
    float *weights;

    for (size_t i = 0; i < json_array_size(output); i++)
        values *= (size_t)json_integer_value(json_array_get(output, i));
    weights = kind_args_draw((uint32_t)(1000 * s->c.index + 999), values);
    if (shim_test_gradients(s->model, &s->input, weights, strcmp(mode, "train") == 0, &got, &n, &err) !=
        ARCHAI_OK)
        fail_msg("%s: %s", name_of(s), err.text);
    assert_int_equal(got[0].ndim, json_array_size(output));
    assert_int_equal(s->c.out.ndim, got[0].ndim - 1);
    assert_int_equal(s->c.out.tokens, got[0].dtype == ARCHAI_I64);
    for (int d = 0; d < got[0].ndim; d++) {
        assert_int_equal(got[0].shape[d], json_integer_value(json_array_get(output, (size_t)d)));
        if (d > 0)
            assert_int_equal(s->c.out.dim[d - 1], got[0].shape[d]);
    }
    for (size_t k = 0; k < n; k++) {
        const archai_tensor *want = wanted(s, mode, got[k].name);

        if (want == NULL) /* no other than in evaluation */
            want = wanted(s, "eval", got[k].name);
        if (want == NULL && (s->c.out.tokens || strncmp(got[k].name, "buffer/", 7) == 0))
            continue;
        if (want == NULL)
            fail_msg("%s: nothing to compare %s with", name_of(s), got[k].name);
        assert_int_equal(got[k].bytes, want->bytes);
        compare(s, mode, &got[k], want, want->bytes);
    }
    free(weights);
}

static void outputs_and_gradients_are_pytorchs(void **state)
{
    char version[64];

    (void)state;
    shim_version(version, sizeof version);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        subject s;

        build(&s, i);
        load_drawn_weights(&s);
        run(&s, "eval");
        /* Other versions draw other numbers for what is random. */
        if (!json_is_true(json_object_get(s.c.json, "random")) || strstr(version, "libtorch 1.") != NULL)
            run(&s, "train");
        assert_int_equal(s.c.counts.macs, json_integer_value(json_object_get(s.c.json, "macs")));
        destroy(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_case),
        cmocka_unit_test(layers_print_as_in_pytorch),
        cmocka_unit_test(tensors_are_pytorchs),
        cmocka_unit_test(outputs_and_gradients_are_pytorchs),
    };

    return cmocka_run_group_tests_name("kinds", tests, open_all, close_all);
}
