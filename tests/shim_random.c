/* Every kind with random arguments and inputs: what it accepts runs in libtorch, forwards and backwards, and gives
 * the shape and the tensors that it says, also with a ReLU behind it that overwrites its output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "core/network/kind/kind.h"
#include "io/file/tensors.h"
#include "shim_device.h"

enum { ACCEPTED = 60, TRIES = 60000, SAMPLES = 2, LARGEST = 20000, INPUTS = 3 };

static uint64_t state_of_rng = 1;

static int64_t below(int64_t n)
{
    state_of_rng = state_of_rng * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state_of_rng >> 33) % (uint64_t)n);
}

static bool chance(int percent)
{
    return below(100) < percent;
}

/* -- arguments ----------------------------------------------------------------------------------- */

static double random_number(const archai_arg *a)
{
    const bool any = a->low == 0 && a->high == 0;
    double v;

    switch (a->type) {
    case ARCHAI_ARG_FLAG:
        return (double)below(2);
    case ARCHAI_ARG_WORD: {
        int n = 0;

        while (a->words[n] != NULL)
            n++;
        return (double)below(n);
    }
    case ARCHAI_ARG_REAL:
        v = (double)below(1000) / 1000 * (chance(50) ? 1 : 3);
        return any ? v - 0.5 : fmin(fmax(v, a->low), a->high);
    default:
        v = (double)below(chance(80) ? 4 : 8) + (any ? 1 : fmax(a->low, -2));
        return any ? v : fmin(v, a->high);
    }
}

/* Arguments that may be left out mostly are. */
static void random_args(const archai_module_kind *kind, double *args)
{
    archai_module_defaults(kind, args);
    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; args += archai_arg_width(a), a++) {
        const double one = random_number(a);
        const bool same = chance(50);

        if (a->need != ARCHAI_ARG_GIVEN && chance(a->need == ARCHAI_ARG_DEDUCED ? 90 : 50))
            continue;
        if (a->type == ARCHAI_ARG_LIST) {
            args[0] = (double)below(5);
            for (int i = 1; i <= (int)args[0]; i++)
                args[i] = random_number(a);
        } else {
            for (size_t i = 0; i < archai_arg_width(a); i++)
                args[i] = same ? one : random_number(a);
        }
    }
}

static archai_shape random_shape(bool tokens)
{
    archai_shape s = {.ndim = 1 + (int)below(4), .tokens = tokens};

    for (int i = 0; i < s.ndim; i++)
        s.dim[i] = chance(50) ? 4 : 1 + below(9);
    return s;
}

/* Like the first, or broadcast to it, or another size somewhere. */
static archai_shape related_shape(const archai_shape *first)
{
    archai_shape s = *first;

    s.tokens = false;
    if (chance(40))
        s.dim[below(s.ndim)] = 1 + below(4);
    if (s.ndim > 1 && chance(15)) {
        s.ndim--;
        for (int i = 0; i < s.ndim; i++)
            s.dim[i] = s.dim[i + 1];
    }
    return s;
}

/* -- one network --------------------------------------------------------------------------------- */

static int64_t volume(const archai_shape *s)
{
    int64_t n = 1;

    for (int i = 0; i < s->ndim; i++)
        n *= s->dim[i];
    return n;
}

/* A Parameter, drawn from a normal distribution. */
static int parameter(archai_network *net, const char *name, const archai_shape *s)
{
    enum { STD = 3 + ARCHAI_ARG_LIST_MAX };
    double args[ARCHAI_MODULE_MAX_ARGS];
    archai_module *m;

    archai_module_defaults(&archai_kind_parameter, args);
    args[0] = s->ndim;
    for (int d = 0; d < s->ndim; d++)
        args[1 + d] = (double)s->dim[d];
    args[STD] = 1;
    m = archai_module_layer(net->root, name, &archai_kind_parameter, args);
    archai_module_deduce(m, s, 1);
    return archai_network_call(net, m, 0);
}

/* The first input is the network's, the others are parameters. */
static archai_module *add(archai_network *net, const archai_module_kind *kind, const double *args,
                          const archai_shape *in, size_t n)
{
    int inputs[INPUTS] = {0};
    archai_module *m;

    net->root = archai_module_container(NULL, "", "Case");
    for (size_t i = 1; i < n; i++) {
        char name[] = {'p', (char)('0' + i), '\0'};

        inputs[i] = parameter(net, name, &in[i]);
    }
    if (archai_kind_is_operation(kind)) {
        (void)archai_network_apply(net, kind, args, inputs, n);
        m = net->operations->children[0];
    } else {
        m = archai_module_layer(net->root, "m", kind, args);
        (void)archai_network_call_many(net, m, inputs, n);
    }
    return m;
}

static void same_tensors(const archai_network *net, const archai_tensor *got, size_t n)
{
    size_t n_described;
    archai_state_entry *described = archai_module_state(net->root, &n_described);
    int64_t trained = 0;

    assert_int_equal(n, n_described);
    for (size_t i = 0; i < n; i++) {
        const char *name = strchr(got[i].name, '/') + 1;
        int64_t values = 1;

        assert_string_equal(name, described[i].name);
        assert_int_equal(got[i].dtype, described[i].dtype);
        assert_int_equal(got[i].ndim, described[i].ndim);
        for (int d = 0; d < got[i].ndim; d++) {
            assert_int_equal(got[i].shape[d], described[i].shape[d]);
            values *= got[i].shape[d];
        }
        trained += strncmp(got[i].name, "grad/", 5) == 0 ? values : 0;
    }
    assert_int_equal(trained, archai_module_params(net->root));
    archai_state_free(described, n_described);
}

/* A model of the network, run once; its results are in `got`. */
static shim_model *run(const archai_network *net, const archai_tensor *input, const float *weights,
                       bool training, const archai_tensor **got, size_t *n)
{
    archai_err err = ARCHAI_ERR_INIT;
    shim_model *model = NULL;

    if (shim_model_build(&model, device, net, 1, &err) != ARCHAI_OK ||
        shim_test_gradients(model, input, weights, training, got, n, &err) != ARCHAI_OK) {
        (void)archai_module_print(net->steps[net->n_steps - 1].module, stderr);
        fail_msg(" behind %s: %s", archai_module_class(net->steps[0].module), err.text);
    }
    return model;
}

/* A ReLU behind it that overwrites its output must not change the gradients: they are those of weights that are 0
 * where the output is not positive (NaN passes). */
static void bears_a_relu(archai_network *net, const archai_tensor *input, const archai_tensor *plain,
                         const float *weights, bool training, size_t n)
{
    const archai_tensor *want, *got;
    const size_t values = plain->bytes / sizeof(float);
    float *masked = malloc(plain->bytes);
    shim_model *a, *b;

    assert_non_null(masked);
    for (size_t i = 0; i < values; i++)
        masked[i] = ((const float *)plain->data)[i] <= 0 ? 0 : weights[i];
    a = run(net, input, masked, training, &want, &n);
    (void)archai_network_call(net, archai_module_relu(net->root, "relu"), net->n_values - 1);
    b = run(net, input, weights, training, &got, &n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < got[i].bytes / sizeof(float) && got[i].dtype == ARCHAI_F32; k++) {
            const double g = ((const float *)got[i].data)[k], w = ((const float *)want[i].data)[k];

            if (!(fabs(g - w) <= 1e-5 * fmax(1, fabs(w))) && !(isnan(g) && isnan(w)) &&
                !(isinf(g) && isinf(w) && signbit(g) == signbit(w))) {
                (void)archai_module_print(net->steps[net->n_steps - 2].module, stderr);
                fail_msg(" before a ReLU: %s[%zu] is %g, expected %g", got[i].name, k, g, w);
            }
        }
    shim_model_destroy(a);
    shim_model_destroy(b);
    free(masked);
}

static void compare(archai_network *net, const archai_shape *in, const archai_shape *out)
{
    const int64_t n_in = SAMPLES * volume(in), n_out = SAMPLES * volume(out);
    archai_tensor input = {.dtype = in->tokens ? ARCHAI_I64 : ARCHAI_F32, .ndim = in->ndim + 1};
    float *weights = malloc((size_t)n_out * sizeof *weights), *values = calloc((size_t)n_in, sizeof(int64_t));
    const bool training = chance(50);
    const size_t skip = in->tokens ? 1 : 2; /* output, input */
    const archai_tensor *got;
    archai_err err = ARCHAI_ERR_INIT;
    char text[ARCHAI_SHAPE_TEXT];
    shim_model *model;
    size_t n;

    assert_true(weights != NULL && values != NULL);
    for (int64_t i = 0; i < n_in && !in->tokens; i++)
        values[i] = (float)below(100) / 50 - 1;
    for (int64_t i = 0; i < n_out; i++)
        weights[i] = (float)below(100) / 50 - 1;
    input.shape[0] = SAMPLES;
    for (int i = 0; i < in->ndim; i++)
        input.shape[1 + i] = in->dim[i];
    input.data = values;
    model = run(net, &input, out->tokens ? NULL : weights, training, &got, &n);
    assert_int_equal(got[0].shape[0], SAMPLES);
    assert_int_equal(got[0].dtype, out->tokens ? ARCHAI_I64 : ARCHAI_F32);
    for (int i = 0; i < out->ndim; i++)
        if (got[0].ndim != out->ndim + 1 || got[0].shape[1 + i] != out->dim[i]) {
            (void)archai_module_print(net->steps[net->n_steps - 1].module, stderr);
            fail_msg(" %s: dimension %d of %d is %lld", archai_shape_text(out, text), i + 1,
                     got[0].ndim, (long long)got[0].shape[1 + i]);
        }
    same_tensors(net, got + skip, n - skip);
    if (!out->tokens)
        bears_a_relu(net, &input, &got[0], weights, training, n);
    shim_test_precision(model, ARCHAI_PRECISION_BF16); /* it runs so, too */
    if (shim_test_gradients(model, &input, out->tokens ? NULL : weights, training, &got, &n, &err) != ARCHAI_OK) {
        (void)archai_module_print(net->steps[0].module, stderr);
        fail_msg(" in bf16: %s", err.text);
    }
    shim_model_destroy(model);
    free(weights);
    free(values);
}

/* Was it accepted? */
static bool try_one(const archai_module_kind *kind)
{
    const size_t least = kind->max_inputs > 0 ? kind->min_inputs : 1;
    const size_t most = kind->max_inputs < 1 ? 1 : kind->max_inputs > INPUTS ? INPUTS : kind->max_inputs;
    const size_t n = least + (size_t)below((int64_t)(most - least + 1));
    archai_shape in[INPUTS] = {random_shape(kind->takes_tokens && chance(50))}, out;
    archai_network net = {.root = NULL};
    archai_err err = ARCHAI_ERR_INIT;
    double args[ARCHAI_MODULE_MAX_ARGS];
    archai_module *m;
    bool accepted;

    for (size_t i = 1; i < n; i++)
        in[i] = related_shape(&in[0]);
    random_args(kind, args);
    m = add(&net, kind, args, in, n);
    archai_module_deduce(m, in, n);
    accepted = archai_module_infer(m, in, n, NULL, &out, &err) == ARCHAI_OK;
    if (!accepted)
        assert_true(err.text[0] != '\0');
    else if (volume(&out) < LARGEST && archai_module_params(net.root) < LARGEST)
        compare(&net, &in[0], &out);
    archai_network_fini(&net);
    return accepted;
}

static void what_is_accepted_runs(void **state)
{
    (void)state;
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++) {
        int accepted = 0;

        for (int k = 0; k < TRIES && accepted < ACCEPTED; k++)
            accepted += try_one(archai_module_kinds[i]);
        if (accepted < ACCEPTED)
            fail_msg("%s: accepts %d of %d", archai_module_kinds[i]->name, accepted, TRIES);
    }
}

/* -- attention over more than one part ----------------------------------------------------------- */

enum { TOKENS = 1100, WIDTH = 3 };

static int apply(archai_network *net, const char *kind, const double *args, int a, int b)
{
    return archai_network_apply(net, archai_module_kind_find(kind), args, (const int[]){a, b}, b < 0 ? 1 : 2);
}

/* By the operation, or by the products that it is made of, with a mask to add. */
static void describe_attention(archai_network *net, bool causal, bool products)
{
    net->root = archai_module_container(NULL, "", "Attention");
    if (products) {
        const int mask =
            parameter(net, "mask", &(archai_shape){.dim = {TOKENS, TOKENS}, .ndim = 2});
        int x;

        x = apply(net, "matmul", NULL, 0, apply(net, "transpose", (const double[]){1, 2}, 0, -1));
        x = apply(net, "scale", (const double[]){1 / sqrt(WIDTH)}, x, -1);
        x = apply(net, "softmax", NULL, apply(net, "add", NULL, x, mask), -1);
        (void)apply(net, "matmul", NULL, x, 0);
    } else {
        (void)archai_network_apply(net, archai_module_kind_find("attention"),
                                   (const double[]){1, causal, 0, NAN}, (const int[]){0, 0, 0}, 3);
    }
}

static void attention_in_parts_is_that_of_products(void **state)
{
    static float x[SAMPLES * TOKENS * WIDTH], weights[SAMPLES * TOKENS * WIDTH], mask[TOKENS * TOKENS];
    const archai_tensor input = {.dtype = ARCHAI_F32, .ndim = 3, .shape = {SAMPLES, TOKENS, WIDTH}, .data = x};
    const archai_tensor given = {.name = (char *)(uintptr_t) "mask", .dtype = ARCHAI_F32, .ndim = 2,
                                 .shape = {TOKENS, TOKENS}, .data = mask, .bytes = sizeof mask};

    (void)state;
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++) {
        x[i] = (float)below(1000) / 250 - 2;
        weights[i] = (float)below(1000) / 500 - 1;
    }
    for (int causal = 0; causal <= 1; causal++) {
        archai_network parts = {.root = NULL}, products = {.root = NULL};
        archai_err err = ARCHAI_ERR_INIT;
        const archai_tensor *got, *want;
        shim_model *a, *b = NULL;
        size_t n;

        for (size_t i = 0; i < TOKENS * TOKENS; i++)
            mask[i] = causal && i % TOKENS > i / TOKENS ? -1e30f : 0;
        describe_attention(&parts, causal, false);
        describe_attention(&products, causal, true);
        a = run(&parts, &input, weights, false, &got, &n);
        assert_int_equal(shim_model_build(&b, device, &products, 1, &err), ARCHAI_OK);
        assert_int_equal(shim_model_load(b, &given, 1, true, NULL, &err), ARCHAI_OK);
        assert_int_equal(shim_test_gradients(b, &input, weights, false, &want, &n, &err), ARCHAI_OK);
        for (int t = 0; t < 2; t++) /* output, input */
            for (size_t k = 0; k < sizeof x / sizeof x[0]; k++) {
                const double g = ((const float *)got[t].data)[k], w = ((const float *)want[t].data)[k];

                if (!(fabs(g - w) <= 1e-4 * fmax(1, fabs(w))))
                    fail_msg("%s[%zu] is %g, expected %g", got[t].name, k, g, w);
            }
        shim_model_destroy(a);
        shim_model_destroy(b);
        archai_network_fini(&parts);
        archai_network_fini(&products);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_accepted_runs),
        cmocka_unit_test(attention_in_parts_is_that_of_products),
    };

    return cmocka_run_group_tests_name("random", tests, open_device, close_device);
}
