/* tests/support/samples.h - evaluations and weights for tests of storage, made from an id
 * alone.
 *
 * Everything can be computed again from the id, by Python too (tests/py_*.py): tensor element k
 * of model `id` is id + k / 8 in float32 (exact for what tests use), and so on.
 */
#ifndef ARCHAI_TESTS_SAMPLES_H
#define ARCHAI_TESTS_SAMPLES_H
#include "core/config/config.h"
#include "core/search/trial.h"
#include "io/segment/segment.h"
#include "io/file/tensors.h"

enum { SAMPLE_TENSORS = 4, SAMPLE_F32 = 24 + 3, SAMPLE_F16 = 6, SAMPLE_I64 = 1 };

/* Evaluation `id`: archid "L=<id>, K=1", objectives accuracy = 0.5 + (id * 37 % 101) / 256 and
 * params = 1000 - (id * 13 % 89), epochs of curve 1 + id % 3; status ok, or failed when id % 7
 * == 6. */
archai_trial sample_evaluation(int64_t id);

/* The four tensors of model `id`: model.0.weight [2,3,2,2] float32, model.0.bias [3] float32,
 * half [2,3] float16 and num_batches_tracked [] int64, in memory of the evaluation's own size.
 * `buffer` has SAMPLE_BYTES bytes and carries the data. */
enum { SAMPLE_BYTES = 24 * 4 + 3 * 4 + 6 * 2 + 8 };
void sample_tensors(int64_t id, char *buffer, archai_tensor tensors[SAMPLE_TENSORS]);

/* Give the evaluation places for its tensors, the `slot`-th of a segment. */
void sample_places(archai_trial *e, const archai_tensor tensors[SAMPLE_TENSORS],
                   int64_t slot);

/* Commit evaluation `id` as row `row` of an open segment, with weights or without, detail at
 * row * SAMPLE_TEXT. Returns an archai_rc. */
enum { SAMPLE_TEXT = 2048 };
int sample_commit(archai_segment *s, int64_t id, int64_t row, int with_weights,
                  archai_err *err);
/* The same for an evaluation that the caller changed; `e` keeps what it owns. */
int sample_commit_as(archai_segment *s, archai_trial *e, int64_t row, int with_weights,
                     archai_err *err);

/* What an index reads of a configuration: a random search, and this output.weights. */
const archai_config *sample_config(int weights);

/* Room for `rows` samples with weights. */
archai_segment_size sample_segment_size(int64_t rows);
#endif
