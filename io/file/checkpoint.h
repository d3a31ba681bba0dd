/* io/file/checkpoint.h - how far a training got: a file beside the results, until its row is
 * committed.
 *
 *   checkpoint-<id>.safetensors   a safetensors file of
 *       <state_dict name>         the model's tensors
 *       archai:<what>:<name>      the optimizer's, and archai:step
 *       archai:about      int64   [ARCHAI_ABOUT] id, seed, epochs done, epochs of the training
 *       archai:arch       uint8   the architecture's text: the same id may name another one
 *       archai:candidate  uint8   a `work` message with this candidate (io/wire/message.h)
 *       archai:seconds    float64 [1] spent in the training loop
 *       archai:curve:<name>       float32 [epochs done]
 *       archai:crc        int64   [1] crc32 of all entries before it, names and shapes included
 *
 *   checkpoint-<id>.command       what the user's program wrote (kind = command). Beside it lies a
 * marker, a checkpoint as above without tensors, at epoch 1 of 1: it tells a later start which
 * candidate the file belongs to.
 *
 * The shuffling generator's state follows from the seed and the number of epochs. A checkpoint is
 * published with archai_file_publish(): it is complete, or was damaged later, which the checksum
 * shows. Not collective.
 */
#ifndef ARCHAI_IO_FILE_CHECKPOINT_H
#define ARCHAI_IO_FILE_CHECKPOINT_H
#include "core/search/trial.h"
#include "io/file/tensors.h"

#define ARCHAI_STATE_PREFIX "archai:"          /* of tensors that are not the model's */
bool archai_tensor_is_state(const char *name); /* does it begin so? */
/* Length of archai:about, in checkpoints and among the stored tensors of an evaluation that may be
 * continued. */
enum { ARCHAI_ABOUT = 4 };

typedef struct archai_checkpoint {
    archai_tensors file;
    int64_t id, epoch, epochs;
    uint64_t seed;
    double train_seconds;
    const archai_tensor *arch, *candidate; /* borrowed from file */
} archai_checkpoint;

/* Remove a candidate's checkpoint and its program's, if there are any. */
void archai_checkpoint_remove(const char *directory, int64_t id);
/* Remove all checkpoints and the remains of unfinished ones, or only the remains. */
void archai_checkpoints_sweep(const char *directory, bool only_unfinished);
/* Ids of the checkpoints in a directory, ascending; caller frees. */
int archai_checkpoints_list(const char *directory, int64_t **ids, size_t *n, archai_err *err);

/* Write `state` [n_state], and the first `epoch` values of each curve. */
int archai_checkpoint_write(const char *directory, const archai_trial *c, int64_t epoch,
                            int64_t epochs, double train_seconds, const archai_tensor *state,
                            size_t n_state, const archai_curve *curves, size_t n_curves,
                            archai_err *err);
/* ARCHAI_ENOTFOUND: there is no checkpoint. ARCHAI_EFORMAT: it is damaged. */
int archai_checkpoint_open(archai_checkpoint *out, const char *directory, int64_t id,
                           archai_err *err);
/* Check k->file and read the rest of *k out of it. */
int archai_checkpoint_check(archai_checkpoint *k, archai_err *err);
void archai_checkpoint_close(archai_checkpoint *c); /* safe on a zeroed struct */
/* The archai:crc that belongs after these entries. */
int64_t archai_checkpoint_sum(const archai_tensor *at, size_t n);
/* Does it belong to exactly this candidate? */
bool archai_checkpoint_is_of(const archai_checkpoint *k, const archai_trial *c);
/* Is it the marker of a program's checkpoint? */
bool archai_checkpoint_is_marker(const archai_checkpoint *k);
/* For a candidate that a program is about to evaluate: write the marker, and remove what another
 * candidate with this id may have left. *path: where the program may leave its checkpoint;
 * absolute; caller frees. */
int archai_checkpoint_mark(const char *directory, const archai_trial *c, char **path,
                           archai_err *err);
/* The candidate in it (caller fini). */
int archai_checkpoint_candidate(const archai_checkpoint *k, archai_trial *out,
                                archai_err *err);
#endif
