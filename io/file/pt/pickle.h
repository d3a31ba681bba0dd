/* io/file/pt/pickle.h - the pickle of a state_dict, read without running anything.
 *
 * A pickle is a program for a machine with a stack. Of its opcodes those are known that PyTorch and Archai write for
 * dictionaries of tensors; of what it may call, the functions below; all else is refused
 * (https://docs.python.org/3/library/pickletools.html). Nothing in it is trusted: the number of objects is bounded by
 * its bytes.
 */
#ifndef ARCHAI_IO_FILE_PT_PICKLE_H
#define ARCHAI_IO_FILE_PT_PICKLE_H
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

typedef enum archai_pickled_kind {
    ARCHAI_PICKLED_NONE, /* also what is of no interest: numbers with a point, hooks */
    ARCHAI_PICKLED_INT,  /* and truth values */
    ARCHAI_PICKLED_TEXT,
    ARCHAI_PICKLED_TUPLE, /* or list */
    ARCHAI_PICKLED_DICT,  /* items: key, value, key, value, ... */
    ARCHAI_PICKLED_GLOBAL, /* text: "torch FloatStorage" */
    ARCHAI_PICKLED_STORAGE, /* items: "storage", type, key, place, count */
    ARCHAI_PICKLED_TENSOR,  /* items: storage, offset, shape, strides */
    ARCHAI_PICKLED_MARK
} archai_pickled_kind;

typedef struct archai_pickled {
    archai_pickled_kind kind;
    int64_t number;
    const char *text; /* borrowed from the pickle; not terminated. GLOBAL: module, a line end, name */
    size_t length;
    struct archai_pickled **items; /* owned; [n]; each belongs to the whole */
    size_t n, capacity;
} archai_pickled;

typedef struct archai_pickle {
    archai_pickled **all; /* owned, as is each */
    size_t n, capacity;
    archai_pickled *top; /* what the pickle is; one of `all` */
} archai_pickle;

int archai_pickle_read(archai_pickle *out, const void *data, size_t size, archai_err *err);
void archai_pickle_free(archai_pickle *p); /* safe on a zeroed struct */
#endif
