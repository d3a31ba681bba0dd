/* io/dataset/read.h - reading many examples of a split, with several threads; for io/dataset/ alone. */
#ifndef ARCHAI_IO_DATASET_READ_H
#define ARCHAI_IO_DATASET_READ_H
#include "io/dataset/format.h"

/* Threads that read: data.workers, else as many as this process has cores; 1 where a file is read in order. */
int archai_dataset_workers(const archai_dataset_source *s, const archai_dataset_plan *p);
/* Read n examples: those that map [n] numbers, or (NULL) those from `first` on. Tokens read by a map lie T + 1 apart, else in
 * one run. Of several that cannot be read the first is reported. */
int archai_dataset_fill(const archai_dataset_reader *r, const int64_t *map, int64_t first, int64_t n,
                        int workers, void *images, void *labels, archai_err *err);
/* The same in blocks of bounded size, which `see` (may be NULL) gets in order; `labels` are checked and dropped. */
typedef int (*archai_dataset_see)(void *payload, const void *images, int64_t n, archai_err *err);
int archai_dataset_each(const archai_dataset_reader *r, const int64_t *map, int64_t n, int workers,
                        archai_dataset_see see, void *payload, archai_err *err);
#endif
