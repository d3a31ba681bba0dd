/* core/base/number.h - numbers as text: durations, sizes in bytes, Python's repr of a double; and
 * suggestions for misspelled words. */
#ifndef ARCHAI_CORE_BASE_NUMBER_H
#define ARCHAI_CORE_BASE_NUMBER_H
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The name among n that is nearest to `word` by edit distance; NULL: none is near. */
const char *archai_nearest(const char *word, const char *const *names, size_t n);
/* The end of a message about an unknown word: "; did you mean 'NAME'?", or "" where none is near. */
typedef struct archai_suggestion {
    char text[128];
} archai_suggestion;
archai_suggestion archai_suggest(const char *word, const char *const *names, size_t n);
/* Durations ("250ms", "2h") and sizes ("4K", "1.5G"). ARCHAI_EINVAL quotes what is wrong. */
int archai_parse_seconds(const char *text, double *out, archai_err *err);
int archai_parse_bytes(const char *text, int64_t *out, archai_err *err);
/* "471 KiB", "11.8 GiB" */
enum { ARCHAI_BYTES_TEXT = 32 };
void archai_format_bytes(double bytes, char out[ARCHAI_BYTES_TEXT]);
/* The shortest decimal that reads back as v, as Python's repr(float): 3.0, 0.1, 1e-05, nan, inf. */
void archai_format_double(double v, char out[32]);

#ifdef __cplusplus
}
#endif
#endif
