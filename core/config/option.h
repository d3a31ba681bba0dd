/* core/config/option.h - option tables: one table drives parsing, defaults, ranges, help text, the
 * list of keys (configs/KEYS.md) and the resolved configuration, so that none of them can drift.
 *
 * A table is a static const array that ends with ARCHAI_OPTION_END; each entry names a field of
 * a plain struct by offset:
 *
 *   {"noise", ARCHAI_OPT_DOUBLE, offsetof(my_keys, noise), 0, 1, "0", "", NULL, "what it means"},
 *     key, kind, field, min, max, default, unit, choices, help
 *
 * Field types by kind:
 *
 *   ARCHAI_OPT_INT      int64_t            "12", "1e6" (must be whole)
 *   ARCHAI_OPT_DOUBLE   double             "0.1"; also inf
 *   ARCHAI_OPT_BOOL     bool               yes no true false on off 1 0
 *   ARCHAI_OPT_STRING   char *             owned, never NULL after defaults ("" when empty)
 *   ARCHAI_OPT_CHOICE   int                index into `choices` (a blank-separated list)
 *   ARCHAI_OPT_SECONDS  double             "250ms" "30s" "5m" "2h" "1d"; a bare number is seconds
 *   ARCHAI_OPT_BYTES    int64_t            "4K" "1M" "2G" (powers of 1024)
 *   ARCHAI_OPT_INTS     archai_ints        "3 5" or "3, 5"; every element within [min, max]
 *   ARCHAI_OPT_DOUBLES  archai_doubles
 *   ARCHAI_OPT_STRINGS  archai_strings
 *
 * A word of ARCHAI_OPT_STRINGS that holds blanks, commas or quotes stands in "...", with \" and \\ inside; a
 * list of unit "paths" that stands in quotes as a whole is one path.
 *
 * `def` is the default as text; NULL: required. min and max bound numbers and the elements of lists
 * (both inclusive); STRING does not use them. `choices` of a number may be one word that stands for a
 * value, inside or outside the range: "auto=0", "none=inf".
 */
#ifndef ARCHAI_CORE_CONFIG_OPTION_H
#define ARCHAI_CORE_CONFIG_OPTION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "core/base/err.h"
#include "core/base/number.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum archai_option_kind {
    ARCHAI_OPT_INT,
    ARCHAI_OPT_DOUBLE,
    ARCHAI_OPT_BOOL,
    ARCHAI_OPT_STRING,
    ARCHAI_OPT_CHOICE,
    ARCHAI_OPT_SECONDS,
    ARCHAI_OPT_BYTES,
    ARCHAI_OPT_INTS,
    ARCHAI_OPT_DOUBLES,
    ARCHAI_OPT_STRINGS
} archai_option_kind;

typedef struct archai_ints {
    int64_t *at; /* owned */
    size_t n;
} archai_ints;
typedef struct archai_doubles {
    double *at; /* owned */
    size_t n;
} archai_doubles;
typedef struct archai_strings {
    char **at; /* owned, as is each string */
    size_t n;
} archai_strings;
void archai_strings_free(archai_strings *s); /* and zeroes it; safe on a zeroed struct */

typedef struct archai_option {
    const char *key;
    archai_option_kind kind;
    size_t offset;       /* of the field in the struct */
    double min, max;     /* inclusive */
    const char *def;     /* default as text; NULL: required */
    const char *unit;    /* "models", "s", "bytes"; "" or NULL when the number counts nothing */
    const char *choices; /* CHOICE: "idx hdf5 synthetic"; numbers: NULL or a word, "auto=0" */
    const char *help;    /* one line */
} archai_option;

#define ARCHAI_OPTION_END                                                                          \
    {                                                                                              \
        .key = NULL                                                                                \
    }

extern const archai_option archai_no_options[]; /* a table without keys */

/* Set every field that has a default; fields of required options become empty/zero. The struct
 * must be zeroed first. A default that does not parse is ARCHAI_EINTERNAL. */
int archai_option_defaults(const archai_option *table, void *obj, archai_err *err);
/* Parse `text` into the field. Errors (ARCHAI_EINVAL) read "<key>: what is wrong, what was expected";
 * the field is unchanged then. */
int archai_option_set(const archai_option *opt, void *obj, const char *text, archai_err *err);
/* Every field of `from` into `to`, zeroed or filled before; each then owns its own. */
int archai_option_copy(const archai_option *table, void *to, const void *from, archai_err *err);
/* The current value as text that parses back to itself; caller frees. */
char *archai_option_format(const archai_option *opt, const void *obj);
/* Does `text` say the same as the default? Errors as those of archai_option_set, without the key. */
int archai_option_is_default(const archai_option *opt, const char *text, bool *out, archai_err *err);
const archai_option *archai_option_find(const archai_option *table, const char *key); /* or NULL */
/* Release strings and lists. Safe on a zeroed struct and to call twice. */
void archai_option_free(const archai_option *table, void *obj);
/* A Markdown table row for each option: `section.key` | type | default | range | meaning. */
void archai_option_markdown(const archai_option *table, const char *section, FILE *out);
/* Plain text for --help: key, default, range, help. */
void archai_option_help(const archai_option *table, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
