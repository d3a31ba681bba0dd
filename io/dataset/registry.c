/* io/dataset/registry.c - the data formats, in the order in which --help prints them. Nothing but this
 * table: a program that defines one of its own replaces it. */
#include "io/dataset/format.h"

extern const archai_dataset_format archai_dataset_synthetic;
extern const archai_dataset_format archai_dataset_idx;
extern const archai_dataset_format archai_dataset_cifar10;
extern const archai_dataset_format archai_dataset_hdf5;

const archai_dataset_format *const archai_dataset_formats[] = {
    &archai_dataset_synthetic,
    &archai_dataset_idx,
    &archai_dataset_cifar10,
    &archai_dataset_hdf5,
    NULL,
};
