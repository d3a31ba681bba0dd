/* The generators against CPython 3.11 and numpy 1.24 (tests/data/rng.json, made by
 * make_rng.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>

#include "core/base/rng.h"
#include "json_data.h"

static json_t *vectors;

static json_int_t integer(const json_t *array, size_t i)
{
    return json_integer_value(json_array_get(array, i));
}

static void assert_indices(const json_t *expected, const size_t *got)
{
    for (size_t i = 0; i < json_array_size(expected); i++)
        assert_int_equal(got[i], integer(expected, i));
}

static void replay_python(const json_t *c)
{
    archai_rng r;
    double weights[5];
    size_t index[64], i;
    json_t *v;

    archai_rng_seed(&r, (uint64_t)json_integer_value(json_object_get(c, "seed")));
    json_array_foreach(json_object_get(c, "u32"), i, v)
        assert_int_equal(archai_rng_u32(&r), json_integer_value(v));
    json_array_foreach(json_object_get(c, "random"), i, v)
        assert_true(archai_rng_random(&r) == json_real_value(v));
    json_array_foreach(json_object_get(c, "below"), i, v)
        assert_int_equal(archai_rng_below(&r, (uint64_t)integer(v, 0)), integer(v, 1));
    json_array_foreach(json_object_get(c, "randint"), i, v)
        assert_int_equal(archai_rng_randint(&r, integer(v, 0), integer(v, 1)), integer(v, 2));
    json_array_foreach(json_object_get(c, "weights"), i, v) weights[i] = json_number_value(v);
    json_array_foreach(json_object_get(c, "choices_weighted"), i, v)
        assert_int_equal(archai_rng_choices(&r, weights, 5), json_integer_value(v));
    json_array_foreach(json_object_get(c, "choices"), i, v)
        assert_int_equal(archai_rng_choices(&r, NULL, 7), json_integer_value(v));
    json_array_foreach(json_object_get(c, "sample"), i, v)
    {
        assert_int_equal(
            archai_rng_sample(&r, (size_t)integer(v, 0), (size_t)integer(v, 1), index, NULL),
            0);
        assert_indices(json_array_get(v, 2), index);
    }
    for (i = 0; i < 33; i++)
        index[i] = i;
    archai_rng_shuffle(&r, index, 33);
    assert_indices(json_object_get(c, "shuffle"), index);
    json_array_foreach(json_object_get(c, "normal"), i, v)
        assert_true(archai_rng_normal(&r) == json_real_value(v));
}

static void draws_are_those_of_python(void **state)
{
    size_t i;
    json_t *c;

    (void)state;
    json_array_foreach(json_object_get(vectors, "python"), i, c) replay_python(c);
}

static void draws_are_those_of_numpy(void **state)
{
    archai_rng r;
    size_t index[64], i, j;
    json_t *c, *v;

    (void)state;
    json_array_foreach(json_object_get(vectors, "numpy"), i, c)
    {
        archai_rng_seed_numpy(&r, (uint32_t)json_integer_value(json_object_get(c, "seed")));
        json_array_foreach(json_object_get(c, "u32"), j, v)
            assert_int_equal(archai_rng_u32(&r), json_integer_value(v));
        json_array_foreach(json_object_get(c, "randn"), j, v)
            assert_true(archai_rng_randn_numpy(&r) == json_real_value(v));
        json_array_foreach(json_object_get(c, "shuffle"), j, v)
        {
            for (size_t k = 0; k < json_array_size(v); k++)
                index[k] = k;
            archai_rng_shuffle_numpy(&r, index, json_array_size(v));
            assert_indices(v, index);
        }
        json_array_foreach(json_object_get(c, "randn_again"), j, v)
            assert_true(archai_rng_randn_numpy(&r) == json_real_value(v));
    }
}

static void a_copy_continues_the_stream(void **state)
{
    archai_rng a, b;

    (void)state;
    archai_rng_seed(&a, 3);
    (void)archai_rng_random(&a);
    b = a;
    for (int i = 0; i < 2000; i++)
        assert_int_equal(archai_rng_u32(&a), archai_rng_u32(&b));
}

static void more_than_there_is_cannot_be_drawn(void **state)
{
    archai_rng r;
    archai_err err = ARCHAI_ERR_INIT;
    size_t out[4];

    (void)state;
    archai_rng_seed(&r, 1);
    assert_int_equal(archai_rng_sample(&r, 3, 4, out, &err), ARCHAI_EINVAL);
}

/* First outputs of SplitMix64 seeded with 1234567, as the reference implementation gives them
 * (https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64), without their last bit. */
static void evaluations_get_splitmix_seeds(void **state)
{
    static const uint64_t expected[] = {UINT64_C(6457827717110365317),
                                        UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423)};

    (void)state;
    for (uint64_t id = 0; id < 3; id++)
        assert_true(archai_rng_derive(1234567, id) == expected[id] >> 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_those_of_python),
        cmocka_unit_test(draws_are_those_of_numpy),
        cmocka_unit_test(a_copy_continues_the_stream),
        cmocka_unit_test(more_than_there_is_cannot_be_drawn),
        cmocka_unit_test(evaluations_get_splitmix_seeds),
    };
    int failed;

    vectors = load_json_data("rng.json");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(vectors);
    return failed;
}
