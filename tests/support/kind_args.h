/* tests/support/kind_args.h - a kind's arguments from JSON, by its table; the numbers of make_kinds.py. */
#ifndef ARCHAI_TESTS_KIND_ARGS_H
#define ARCHAI_TESTS_KIND_ARGS_H
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/network/kind/kind.h"
/* cmocka.h and what it needs come first, as in every test. */

static inline double kind_args_number(const archai_arg *a, const json_t *v)
{
    if (json_is_null(v))
        return NAN;
    if (json_is_boolean(v))
        return json_is_true(v);
    for (int i = 0; json_is_string(v) && a->words != NULL && a->words[i] != NULL; i++)
        if (strcmp(a->words[i], json_string_value(v)) == 0)
            return a->type == ARCHAI_ARG_WORD ? i : -1 - i;
    assert_true(json_is_number(v));
    return json_number_value(v);
}

/* Sets what is given in the object; fails on other names. */
static inline void kind_args_read(const archai_module_kind *kind, double *args, const json_t *given)
{
    size_t used = 0;

    for (const archai_arg *a = kind->args; a != NULL && a->name != NULL; args += archai_arg_width(a), a++) {
        const json_t *v = json_object_get(given, a->name);
        const bool many = json_is_array(v), list = a->type == ARCHAI_ARG_LIST;
        const size_t n = list ? (many ? json_array_size(v) : 1) : archai_arg_width(a);

        if (v == NULL)
            continue;
        used++;
        assert_true(n <= ARCHAI_ARG_LIST_MAX && (!many || json_array_size(v) == n));
        if (list)
            args[0] = (double)n;
        for (size_t i = 0; i < n; i++)
            args[list + i] = kind_args_number(a, many ? json_array_get(v, i) : v);
    }
    assert_int_equal(used, json_object_size(given));
}
/* make_kinds.py's draw(). Caller frees. */
static inline float *kind_args_draw(uint32_t seed, size_t n)
{
    uint32_t x = seed * 2654435761u + 12345u;
    float *out = malloc((n > 0 ? n : 1) * sizeof *out);

    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (float)(x >> 8) / 8388608.0f - 1.0f;
    }
    return out;
}

#endif
