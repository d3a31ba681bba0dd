/* runner/given/chosen.h - models of other results, as `archai-inspect choose` tells them.
 *
 * HDF5 may crash on a damaged file, and weights take memory: a process of its own reads both. Rank 0 only; blocks
 * until that process has ended; a signal ends the wait (ARCHAI_EINTR). Not collective.
 */
#ifndef ARCHAI_RUNNER_GIVEN_CHOSEN_H
#define ARCHAI_RUNNER_GIVEN_CHOSEN_H
#include <jansson.h>
#include "core/search/given.h"

/* A JSON object, checked: {"space": "...", "models": [{"archid": "...", "id": 3, "arch": "...", "metadata": {...},
 * "weights": {"name": [shape]} or null, "lack": "why"}, ...]}, at least one model. "weights" is there if it was asked
 * for. `words` as search.models has them. With `into`, a directory, the weights become into/<k>.safetensors, and what
 * was said into/models.json. *out is a new reference. ARCHAI_EFORMAT, ARCHAI_ENOTFOUND, ...: what is wrong with
 * `results` or with the words. */
int archai_chosen_ask(const char *results, const archai_strings *words, bool weights, const char *into,
                      json_t **out, archai_err *err);
/* The models.json that an earlier start left; ARCHAI_ENOTFOUND: there is none. */
int archai_chosen_read(const char *path, json_t **out, archai_err *err);
/* For a giver. `weights`: model k begins from the weights at place -(k + 1) (runner/worker/worker_fetch.c). */
void archai_chosen_give(const json_t *chosen, bool weights, archai_given **out, size_t *n);
#endif
