/* io/dataset/normalize.h - [data] normalize: means and deviations of the pictures' channels.
 *
 *   normalize = none | auto | 0.4914 0.4822 0.4465 / 0.2470 0.2435 0.2616
 *
 * Of x in [0, 1] for uint8 pictures: the network sees (x - mean) / deviation. auto: those of
 * the training pictures, after the validation pictures were split off. What is used is in the
 * data set's `about`:
 * {"normalize": {"mean": [...], "std": [...]}}.
 */
#ifndef ARCHAI_IO_DATASET_NORMALIZE_H
#define ARCHAI_IO_DATASET_NORMALIZE_H
#include <jansson.h>
#include "io/dataset/dataset.h"

/* The text alone: "data.normalize: ..." */
void archai_dataset_normalize_check(const archai_dataset_source *s, archai_check *c);
/* With what the files promise: as many numbers as channels (or one for all). */
int archai_dataset_normalize_fits(const archai_dataset_source *s, const archai_dataset_facts *f,
                                  archai_err *err);
/* The same of [data] augment. ignore_index: of the data, -1: none. */
int archai_dataset_augment_fits(const archai_dataset_source *s, const archai_dataset_facts *f,
                                int ignore_index, archai_err *err);
/* auto, measured: see() takes the training pictures in order, in blocks, in each of `passes` passes (0: there is nothing to
 * measure), and turn() ends each. put() then says in `about` what is used. */
enum { ARCHAI_NORMALIZE_CHANNELS = 64 };
typedef struct archai_normalize {
    const struct archai_dataset_plan *plan; /* borrowed */
    int passes, pass;
    int64_t n; /* pictures, in this pass */
    uint64_t sum_bytes[ARCHAI_NORMALIZE_CHANNELS], square_bytes[ARCHAI_NORMALIZE_CHANNELS];
    double sum[ARCHAI_NORMALIZE_CHANNELS], squares[ARCHAI_NORMALIZE_CHANNELS];
} archai_normalize;
void archai_normalize_begin(archai_normalize *m, const archai_dataset_source *s,
                            const struct archai_dataset_plan *plan);
void archai_normalize_see(archai_normalize *m, const void *images, int64_t n);
void archai_normalize_turn(archai_normalize *m);
int archai_normalize_put(const archai_normalize *m, const archai_dataset_source *s, json_t *about,
                         archai_err *err);
/* mean, deviation [channels]; false: pictures are not normalised. */
bool archai_dataset_normalization(const archai_dataset_header *d, double *mean,
                                  double *deviation);
#endif
