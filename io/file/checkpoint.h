/* io/file/checkpoint.h - where a training stood: a file beside the results, until its row is committed.
 *
 *   checkpoint-<id>.safetensors   a safetensors file of
 *       <state_dict name>         the model's tensors
 *       archai:<what>:<name>      the optimizer's, and archai:step
 *       archai:about      int64   [ARCHAI_ABOUT] id, seed, epochs done, epochs of the whole training
 *       archai:arch       uint8   the architecture's text: an id alone may mean another one
 *       archai:candidate  uint8   a `work` message with this candidate (io/wire/message.h)
 *       archai:seconds    float64 [1] spent in the training loop
 *       archai:curve:<name>       float32 [epochs done]
 *       archai:crc        int64   [1] crc32 of all entries before it, names and shapes included
 *
 *   checkpoint-<id>.command       what a program of the user's own wrote there (kind = command). Beside it
 *       lies a checkpoint as above with no tensors, epoch 1 of 1: the marker, by which a later start knows
 *       the candidate, and that the file is of this one.
 *
 * The shuffling generator's state follows from the seed and the number of epochs. Written beside,
 * synced and renamed: a file of this name is whole, or damaged by others, which the checksum tells.
 * Not collective.
 */
#ifndef ARCHAI_IO_FILE_CHECKPOINT_H
#define ARCHAI_IO_FILE_CHECKPOINT_H
#include "core/search/trial.h"
#include "io/file/tensors.h"

#define ARCHAI_STATE_PREFIX "archai:" /* of what is not a model's own */
bool archai_tensor_is_state(const char *name); /* has it this prefix? */
/* archai:about, in checkpoints and among the stored tensors of an evaluation that may be gone on from. */
enum { ARCHAI_ABOUT = 4 };

typedef struct archai_checkpoint {
    archai_tensors file;
    int64_t id, epoch, epochs;
    uint64_t seed;
    double train_seconds;
    const archai_tensor *arch, *candidate; /* borrowed from file */
} archai_checkpoint;

char *archai_checkpoint_path(const char *directory, int64_t id); /* caller frees; NULL: no memory */
/* Remove a candidate's checkpoint, if there is one, and a program's with it. */
void archai_checkpoint_remove(const char *directory, int64_t id);
/* Remove all of them, and what was left of unfinished ones; or only the latter. */
void archai_checkpoints_sweep(const char *directory, bool only_unfinished);
/* Ids of the checkpoints in a directory, ascending; caller frees. */
int archai_checkpoints_list(const char *directory, int64_t **ids, size_t *n, archai_err *err);

/* Write `state` [n_state], and `curves` as far as epochs are done. */
int archai_checkpoint_write(const char *directory, const archai_trial *c, int64_t epoch,
                            int64_t epochs, double train_seconds, const archai_tensor *state,
                            size_t n_state, const archai_curve *curves, size_t n_curves,
                            archai_err *err);
/* ARCHAI_ENOTFOUND: there is none. ARCHAI_EFORMAT: it is damaged. */
int archai_checkpoint_open(archai_checkpoint *out, const char *directory, int64_t id,
                           archai_err *err);
/* The same of bytes in memory, which stay where they are until the checkpoint is closed. */
int archai_checkpoint_parse(archai_checkpoint *out, const void *bytes, size_t size,
                            archai_err *err);
void archai_checkpoint_close(archai_checkpoint *c); /* safe on a zeroed struct */
/* What archai:crc must be after these entries. */
int64_t archai_checkpoint_sum(const archai_tensor *at, size_t n);
/* Is it of this very candidate? */
bool archai_checkpoint_is_of(const archai_checkpoint *k, const archai_trial *c);
/* Is it the marker of a program's checkpoint? */
bool archai_checkpoint_is_marker(const archai_checkpoint *k);
/* For a candidate that a program is about to evaluate: write the marker and remove what another candidate
 * of this id may have left. *path: where the program may leave its checkpoint, absolute; caller frees. */
int archai_checkpoint_mark(const char *directory, const archai_trial *c, char **path,
                           archai_err *err);
/* The candidate in it (caller fini). */
int archai_checkpoint_candidate(const archai_checkpoint *k, archai_trial *out,
                                archai_err *err);
#endif
