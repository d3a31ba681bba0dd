/* io/dataset/layout.h - from a format's plan to the places in the memfd; for io/dataset/ alone. */
#ifndef ARCHAI_IO_DATASET_LAYOUT_H
#define ARCHAI_IO_DATASET_LAYOUT_H
#include "io/dataset/format.h"

/* The format's plan, bounded by max_samples, with the validation split's size in it.
 * *split_off: how many of the n[TRAIN] + n[VAL] examples of the training file become validation. */
int archai_dataset_plan_make(const archai_dataset_source *s, archai_dataset_plan *out,
                             int64_t *split_off, archai_err *err);
/* What is wrong with files is bad input, wherever it is found: a chunk that HDF5 cannot unpack, too. Returns rc, with
 * ARCHAI_EFORMAT for ARCHAI_EIO. */
int archai_dataset_blame(int rc, archai_err *err);
/* The facts that follow from it; bytes: of the memfd. */
archai_dataset_facts archai_dataset_facts_of(const archai_dataset_source *s, const archai_dataset_plan *p,
                                             int64_t split_off, uint64_t bytes);
/* The header. Train and validation lie one behind the other, so that a training file can be read in one
 * go and divided in place. */
int archai_dataset_lay_out(const archai_dataset_plan *p, archai_dataset_header *h, archai_err *err);
/* Held or streamed, by data.resident and what memory is free. ARCHAI_EINVAL says why it cannot be as is wished. */
int archai_dataset_choose(const archai_dataset_source *s, const archai_dataset_plan *p, uint64_t bytes,
                          bool *streamed, archai_err *err);
/* Of a header without examples: `streamed`, and no offsets. */
void archai_dataset_leave_out(const archai_dataset_plan *p, archai_dataset_header *h);
/* Divide the examples, which start as one run in the training split. */
void archai_dataset_split_off(const archai_dataset_source *s, const archai_dataset_plan *p,
                              const archai_dataset_header *h, char *base);
#endif
