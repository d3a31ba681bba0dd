/* core/base/number.h - numbers as text: durations, sizes, Python's repr of a double; and the nearest
 * known word to one that is wrong. */
#ifndef ARCHAI_CORE_BASE_NUMBER_H
#define ARCHAI_CORE_BASE_NUMBER_H
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Name in `names` (n of them) nearest to `word` by edit distance, or NULL when none is near. */
const char *archai_nearest(const char *word, const char *const *names, size_t n);
/* Durations and sizes outside tables ("lognormal 1.5s 0.8"). */
int archai_parse_seconds(const char *text, double *out, archai_err *err);
int archai_parse_bytes(const char *text, int64_t *out, archai_err *err);
/* Shortest decimal text that reads back as v, as Python's repr(float): 3.0, 0.1, 1e-05, nan, inf. */
void archai_format_double(double v, char out[32]);

#ifdef __cplusplus
}
#endif
#endif
