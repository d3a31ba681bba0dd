/* io/dataset/registry.c - the data formats, a line for each, in the order in which --help prints them.
 * Nothing but this table: a program that defines one of its own replaces it. */
#include "io/dataset/format.h"

/* clang-format off */
#define FORMATS(X) \
    X(synthetic)   \
    X(idx)         \
    X(cifar10)     \
    X(cifar100)    \
    X(hdf5)        \
    X(folder)      \
    X(numbers)     \
    X(tokens)      \
    /* archai_dataset_<name> of format/<name>.c */
/* clang-format on */

#define X(name) extern const archai_dataset_format archai_dataset_##name;
FORMATS(X)
#undef X

#define X(name) &archai_dataset_##name,
const archai_dataset_format *const archai_dataset_formats[] = {FORMATS(X) NULL};
#undef X
