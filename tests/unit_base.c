/* Memory that is there or ends the process; growing arrays; the hash table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"

#ifdef __SANITIZE_ADDRESS__
/* A size that cannot be had is what is tested here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
#endif

static jmp_buf back;
static size_t asked;

static void caught(size_t bytes)
{
    asked = bytes;
    longjmp(back, 1);
}

static void no_memory_goes_to_the_handler(void **state)
{
    volatile int cases = 0;
    int *volatile at = NULL;
    size_t capacity = 0;

    (void)state;
    archai_on_out_of_memory(caught);
    if (setjmp(back) == 0)
        at = archai_malloc(SIZE_MAX / 2);
    else
        cases++;
    assert_int_equal(asked, SIZE_MAX / 2);
    if (setjmp(back) == 0)
        at = archai_realloc(NULL, SIZE_MAX / 2, 4); /* the product does not fit */
    else
        cases++;
    if (setjmp(back) == 0)
        archai_there(NULL);
    else
        cases++;
    if (setjmp(back) == 0) {
        int *items = NULL;

        ARCHAI_RESERVE(items, capacity, SIZE_MAX / sizeof *items);
        at = items;
    } else {
        cases++;
    }
    assert_int_equal(cases, 4);
    assert_null(at);
    assert_int_equal(capacity, 0);
    archai_on_out_of_memory(NULL);
}

static void nothing_is_something(void **state)
{
    char *a = archai_malloc(0), *b = archai_calloc(0, 0), *c = archai_memdup(NULL, 0);
    char *d = archai_printf("%d %s", 3, "four"), *e = archai_strndup("abcdef", 3);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_string_equal(d, "3 four");
    assert_string_equal(e, "abc");
    free(a), free(b), free(c), free(d), free(e);
}

static void an_array_grows(void **state)
{
    size_t capacity = 0, moves = 0;
    int *at = NULL;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        const size_t before = capacity;

        ARCHAI_RESERVE(at, capacity, i + 1);
        moves += capacity != before;
        at[i] = i;
    }
    for (int i = 0; i < 100000; i++)
        assert_int_equal(at[i], i);
    assert_true(capacity >= 100000 && moves < 20);
    free(at);
}

static bool same(const void *items, size_t index, const void *key)
{
    return strcmp(((char *const *)items)[index], key) == 0;
}

static void keys_are_found(void **state)
{
    enum { N = 20000 };
    archai_hash_table t = {.slots = NULL};
    char **names = archai_calloc(N, sizeof *names);

    (void)state;
    assert_int_equal(archai_hash_find(&t, archai_hash("0"), same, names, "0"), SIZE_MAX);
    for (size_t i = 0; i < N; i++) {
        names[i] = archai_printf("%zu", i / 2); /* each twice: the first is found */
        archai_hash_add(&t, archai_hash(names[i]), i);
    }
    for (size_t i = 0; i < N; i++)
        assert_int_equal(archai_hash_find(&t, archai_hash(names[i]), same, names, names[i]), i / 2 * 2);
    assert_int_equal(archai_hash_find(&t, archai_hash("x"), same, names, "x"), SIZE_MAX);
    /* all in one slot: what tells them apart is the key */
    archai_hash_clear(&t);
    for (size_t i = 0; i < 500; i++)
        archai_hash_add(&t, 7, i);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(archai_hash_find(&t, 7, same, names, names[i]), i / 2 * 2);
    archai_hash_clear(&t);
    for (size_t i = 0; i < N; i++)
        free(names[i]);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_goes_to_the_handler),
        cmocka_unit_test(nothing_is_something),
        cmocka_unit_test(an_array_grows),
        cmocka_unit_test(keys_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
