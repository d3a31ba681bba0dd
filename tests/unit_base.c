/* Memory that is there or ends the process; growing arrays; the hash table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"

/* The linker puts these in the place of the C library's (tests/CMakeLists.txt). */
void *__real_malloc(size_t n);
void *__real_realloc(void *at, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_realloc(void *at, size_t n);

static bool none_left;

void *__wrap_malloc(size_t n)
{
    return none_left ? NULL : __real_malloc(n);
}

void *__wrap_realloc(void *at, size_t n)
{
    return none_left ? NULL : __real_realloc(at, n);
}

static jmp_buf back;
static size_t asked;

static void caught(size_t bytes)
{
    asked = bytes;
    longjmp(back, 1);
}

/* Does the call end in the handler? */
#define ENDS(call) (setjmp(back) == 0 ? ((void)(call), false) : true)

static void no_memory_goes_to_the_handler(void **state)
{
    static size_t capacity;
    static int *items;

    (void)state;
    archai_on_out_of_memory(caught);
    none_left = true;
    assert_true(ENDS(archai_malloc(100)));
    assert_int_equal(asked, 100);
    assert_true(ENDS(archai_memdup("abc", 4)));
    assert_int_equal(asked, 4);
    assert_true(ENDS(archai_realloc(NULL, 3, 8)));
    assert_int_equal(asked, 24);
    assert_true(ENDS(ARCHAI_RESERVE(items, capacity, 50)));
    none_left = false;
    assert_true(ENDS(archai_realloc(NULL, SIZE_MAX / 2, 4))); /* the product does not fit */
    assert_true(ENDS(archai_there(NULL)));
    assert_true(ENDS(archai_must_have(false)));
    assert_null(items);
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
