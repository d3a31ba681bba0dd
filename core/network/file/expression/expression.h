/* core/network/file/expression/expression.h - expressions of a network's file: a small part of
 * Python.
 *
 * Numbers, 'texts', true false null (also True False None), lists, names, a.b, a[i], + - * / //
 * %
 * **, comparisons, and or not, `a if c else b`, and the functions that the README lists. Whole
 * numbers are 64 bits wide and stay whole, one too large is an error, and so is a real number
 * that is not finite. An expression is parsed once and then evaluated as often as one likes;
 * without names it is a constant and is computed at once.
 *
 * Errors (ARCHAI_EINVAL) quote the expression: "'width * kernl': there is nothing ...".
 */
#ifndef ARCHAI_CORE_NETWORK_FILE_EXPRESSION_EXPRESSION_H
#define ARCHAI_CORE_NETWORK_FILE_EXPRESSION_EXPRESSION_H
#include "core/base/err.h"
#include "core/network/file/expression/datum.h"

enum {
    ARCHAI_EXPRESSION_CHARS = 4000, /* of a text */
    ARCHAI_EXPRESSION_DEPTH = 64,   /* of operations in operations */
    ARCHAI_EXPRESSION_TERMS = 100000,
    ARCHAI_EXPRESSION_BYTES = 128 * 1024 * 1024 /* of the arena, which values are made in */
};

typedef struct archai_expression archai_expression;

/* What names mean, and what evaluation may cost. */
typedef struct archai_expression_scope archai_expression_scope;
struct archai_expression_scope {
    /* ARCHAI_ENOTFOUND, with the reason: there is no value of that name here. */
    int (*find)(archai_expression_scope *s, const char *name, archai_datum *out,
                archai_err *err);
    archai_arena *arena; /* for texts and lists that are made */
    int64_t work;        /* operations left */
};

/* From a value of a document: a text is parsed; numbers, true, false and null are what they
 * are; a list holds expressions. A mapping is refused. `document` is not used afterwards. */
int archai_expression_create(archai_expression **out, const json_t *document, archai_err *err);
int archai_expression_parse(archai_expression **out, const char *text, archai_err *err);
void archai_expression_destroy(archai_expression *e); /* NULL is allowed */

/* Take from what may still be done. ARCHAI_EINVAL: "too much to compute". */
int archai_expression_work(archai_expression_scope *s, size_t work, archai_err *err);
int archai_expression_evaluate(const archai_expression *e, archai_expression_scope *s,
                               archai_datum *out, archai_err *err);
/* NULL: it has names in it. Lives as long as the expression. */
const archai_datum *archai_expression_constant(const archai_expression *e);
/* Is it a name, or a.b.c, and nothing else? */
bool archai_expression_is_path(const archai_expression *e);

/* Each name with what follows it: `stages[0].kernel` is {"stages", "kernel"}. `whole`: the
 * value at the end is used itself, not only counted by len(). Stops at the first error and
 * returns it. */
typedef struct archai_expression_mention {
    const char *const *parts;
    size_t n;
    bool whole;
} archai_expression_mention;
typedef int archai_expression_visit(void *data, const archai_expression_mention *m,
                                    archai_err *err);
int archai_expression_names(const archai_expression *e, archai_expression_visit *visit,
                            void *data, archai_err *err);
#endif
