/* io/file/pt/pickle_private.h - the machine of pickle.c: its stack, its memo, its objects. */
#ifndef ARCHAI_IO_FILE_PT_PICKLE_PRIVATE_H
#define ARCHAI_IO_FILE_PT_PICKLE_PRIVATE_H
#include "io/file/pt/pickle.h"

typedef struct pickle_machine {
    const unsigned char *at, *end;
    archai_pickle out;
    archai_pickled **stack; /* owned */
    size_t depth, stack_capacity;
    archai_pickled **memo; /* owned */
    size_t memo_n, memo_capacity;
    size_t items; /* in all lists together */
    archai_err *err;
} pickle_machine;

int pickle_refuse(pickle_machine *m, const char *what);
/* The next n bytes of the pickle; a number of so many, the lowest first. */
int pickle_take(pickle_machine *m, size_t n, const unsigned char **out);
uint64_t pickle_number(const unsigned char *at, int bytes);
int pickle_take_number(pickle_machine *m, int bytes, uint64_t *out);

archai_pickled *pickle_push(pickle_machine *m, archai_pickled_kind kind);
int pickle_push_int(pickle_machine *m, int64_t v);
int pickle_push_text(pickle_machine *m, size_t n); /* the next n bytes */
int pickle_add(pickle_machine *m, archai_pickled *to, archai_pickled *item);
int pickle_pop(pickle_machine *m, archai_pickled **out);
int pickle_find_mark(pickle_machine *m, size_t *from); /* the first object above the last mark */
/* The last n objects, or those above the last mark, become one. */
int pickle_gather_few(pickle_machine *m, size_t n);
int pickle_gather_marked(pickle_machine *m, archai_pickled_kind kind);
/* They go into the list or dictionary below them. */
int pickle_append(pickle_machine *m, archai_pickled_kind kind);
int pickle_append_last(pickle_machine *m, archai_pickled_kind kind, size_t n);

int pickle_put(pickle_machine *m, uint64_t at);
int pickle_get(pickle_machine *m, uint64_t at);
#endif
