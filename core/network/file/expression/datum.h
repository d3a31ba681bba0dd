/* core/network/file/expression/datum.h - what expressions of a network's file compute with, and
 * where it is kept.
 *
 * Values are small and copied freely. Their texts and items belong to the file, to the
 * parameters or to an arena, which all outlive them.
 */
#ifndef ARCHAI_CORE_NETWORK_FILE_EXPRESSION_DATUM_H
#define ARCHAI_CORE_NETWORK_FILE_EXPRESSION_DATUM_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that is freed all at once. Zeroed: empty. */
typedef struct archai_arena {
    struct archai_arena_block *last; /* owned */
    size_t bytes;                    /* taken so far */
} archai_arena;

void *archai_arena_take(archai_arena *a, size_t bytes); /* zeroed; aligned for anything */
char *archai_arena_printf(archai_arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void archai_arena_free(archai_arena *a); /* empty afterwards */

typedef enum archai_datum_type {
    ARCHAI_DATUM_NULL,
    ARCHAI_DATUM_FLAG,
    ARCHAI_DATUM_WHOLE,
    ARCHAI_DATUM_REAL, /* finite */
    ARCHAI_DATUM_TEXT,
    ARCHAI_DATUM_LIST,
    ARCHAI_DATUM_GROUP,  /* of parameters: members by name */
    ARCHAI_DATUM_TENSOR, /* `x` or a saved value: has a shape */
    ARCHAI_DATUM_BATCH,  /* the size of the batch, which nothing may depend on */
    ARCHAI_DATUM_BODY    /* items that a block was given */
} archai_datum_type;

/* Where an element stands in what a loop goes through. */
typedef struct archai_datum_place {
    int64_t index, count;
} archai_datum_place;

typedef struct archai_datum archai_datum;
struct archai_datum {
    archai_datum_type type;
    union {
        bool flag;
        int64_t whole;
        double real;
        const char *text;
        const json_t *group;
        const void *body;
        struct {
            const archai_datum *items; /* of a tensor: its shape, the batch in front */
            size_t n;
            int value; /* of a tensor: the register that it is in */
        } list;
    };
    const archai_datum_place *place; /* of a loop's element; else NULL */
};

archai_datum archai_datum_whole(int64_t v);
archai_datum archai_datum_text(const char *text); /* borrowed */
/* A JSON value; the items of lists are taken from the arena. `work` is how many items may still
 * be made of lists; false: that was not enough. */
bool archai_datum_from_json(const json_t *v, archai_arena *a, int64_t *work, archai_datum *out);

bool archai_datum_is_number(const archai_datum *v); /* a flag counts, as 0 or 1 */
double archai_datum_real(const archai_datum *v);    /* of a number */
bool archai_datum_true(const archai_datum *v);      /* as Python's bool() */
/* As Python's ==. *work grows by the values looked at; when it reaches the limit, the answer means
 * nothing. */
enum { ARCHAI_DATUM_SAME_MAX = 100000 };
bool archai_datum_same(const archai_datum *a, const archai_datum *b, size_t *work);
/* As a child's name or a choice is compared: 3, 0.5, true, null, conv. NULL: a list or the
 * like. */
const char *archai_datum_name(const archai_datum *v, archai_arena *a);
/* For messages, cut off where it is long: 3, 'conv', [1, 2], a group, null. */
typedef struct archai_datum_words {
    char text[96];
} archai_datum_words;
archai_datum_words archai_datum_describe(const archai_datum *v);
#endif
