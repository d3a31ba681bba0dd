/* tests/fuzz/fuzz.h - what a fuzz target is: libFuzzer's one function.
 *
 * A target returns 0 for every input. What must not happen it says with FUZZ_CHECK, which stops
 * the process so that libFuzzer, or driver.c in its place, keeps the input.
 */
#ifndef ARCHAI_TESTS_FUZZ_H
#define ARCHAI_TESTS_FUZZ_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A refused input must say why: a code, a place and a text of one line. */
#define FUZZ_CHECK_ERROR(rc, err)                                                                  \
    do {                                                                                           \
        FUZZ_CHECK((err).code == (rc) && (err).line > 0 && (err).text[0] != '\0');                 \
    } while (0)
#endif
