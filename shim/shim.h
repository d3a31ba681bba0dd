/* shim/shim.h - C ABI over libtorch, at the grain of tasks: build, load, train, predict.
 *
 * Includes no C++ and no torch header. No exception crosses it (shim/guard.hpp); every function is
 * noexcept and reports through archai_err. Handles are opaque and distinct; buffers belong to the
 * caller, with explicit sizes; nothing allocated on one side is freed on the other.
 * Only archai-evaluator links this, and only one of its threads calls it.
 */
#ifndef ARCHAI_SHIM_SHIM_H
#define ARCHAI_SHIM_SHIM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/augment.h"
#include "core/config/train.h"
#ifdef __cplusplus
#define SHIM_NOEXCEPT noexcept
extern "C" {
#else
#define SHIM_NOEXCEPT
#endif

struct archai_network;
struct archai_dataset_header;
struct archai_feed;
struct archai_tensor;

typedef struct shim_device shim_device;
typedef struct shim_model shim_model;

/* device: "cpu", "cuda" (the first visible GPU) or "cuda:<n>" (the n-th visible one); threads >= 1. */
int shim_device_open(shim_device **out, const char *device, int threads, archai_err *err) SHIM_NOEXCEPT;
void shim_device_close(shim_device *d) SHIM_NOEXCEPT;
/* On a GPU: this process takes at most the n-th part of its memory, since n workers share it. */
int shim_device_share(shim_device *d, int n, archai_err *err) SHIM_NOEXCEPT;
/* Where the examples of a data set come from that is not held (archai_dataset_header.streamed); borrowed until it is
 * replaced. NULL: from nowhere. */
void shim_device_feed(shim_device *d, struct archai_feed *feed) SHIM_NOEXCEPT;
/* "cpu, 2 threads" or "cuda:0 NVIDIA H100, GPU-<uuid>", the index as CUDA_VISIBLE_DEVICES has it; "libtorch 1.13.1". Buffers of `size` bytes. */
void shim_device_text(const shim_device *d, char *text, size_t size) SHIM_NOEXCEPT;
void shim_version(char *text, size_t size) SHIM_NOEXCEPT;

/* Build the described network with PyTorch's default initialisation, seeded. The network is
 * borrowed and must outlive the model. */
int shim_model_build(shim_model **out, shim_device *d, const struct archai_network *net,
                     uint64_t seed, archai_err *err) SHIM_NOEXCEPT;
void shim_model_destroy(shim_model *m) SHIM_NOEXCEPT;
/* Load by state_dict name. strict: names and shapes must match exactly; else the entries that match are
 * loaded. *loaded: how many were. A tied weight may be left out under one of its names, as
 * may masks that the network makes itself. */
int shim_model_load(shim_model *m, const struct archai_tensor *tensors, size_t n, bool strict,
                    size_t *loaded, archai_err *err) SHIM_NOEXCEPT;
/* The state_dict as CPU tensors: *out [n] and its data belong to the model and last until the next call. */
int shim_model_state(shim_model *m, const struct archai_tensor **out, size_t *n, archai_err *err) SHIM_NOEXCEPT;

/* The measures of an epoch; NaN: the data do not have it (io/dataset/loss.h). Losses are means over images (labelled
 * pixels, tokens, or labels and numbers one by one), accuracies fractions in [0, 1] of what is classified
 * correctly. */
typedef struct shim_epoch {
    int64_t epoch, epochs; /* the epoch that ended, counted from 1; of how many */
    double train_loss, val_loss, val_accuracy;
    double val_top5;       /* accuracy where the class is among the five likeliest; more than five classes */
    double val_miou;       /* mean over the classes of intersection / union; masks */
    double val_mae, val_rmse; /* over all numbers */
    double val_perplexity; /* exp(val_loss); tokens */
    double learning_rate;  /* at the last step of the epoch */
    bool ends;             /* the training ends with it: the last one, or recipe.patience is exhausted */
} shim_epoch;

enum { SHIM_MAX_EPOCHS = 100000 };

typedef struct shim_training shim_training; /* one in progress */

typedef struct shim_train_settings {
    archai_train_settings recipe; /* borrows its lists; its epochs, checkpoint* and inherit_weights are for the
                                     caller */
    double epochs;          /* up to SHIM_MAX_EPOCHS; at least one step is made */
    double schedule_epochs; /* >= epochs; more: the beginning of a longer training; 0: epochs */
    uint64_t seed;          /* of shuffling and of what is drawn during training */
    archai_augment augment; /* of the training pictures */
    /* To continue after this many epochs (0: begin a new training) as if without interruption, from the
     * optimizer's tensors among `start` [n_start], named as in shim_training_state. The model's tensors
     * were loaded before. ARCHAI_EFORMAT: some are missing or do not fit. */
    int64_t first_epoch;
    double train_seconds;       /* spent on those epochs */
    const struct archai_tensor *start;
    size_t n_start;
    /* Called after each epoch; may be NULL. Returning false stops: the result is ARCHAI_EINTR. */
    bool (*on_epoch)(void *payload, const shim_epoch *e, shim_training *t);
    void *payload;
} shim_train_settings;

/* How many epochs such a number takes: the last one may be cut short. */
int64_t shim_train_epochs(double epochs) SHIM_NOEXCEPT;

typedef struct shim_train_result {
    shim_epoch kept;      /* the epoch whose weights the model has: the last, or the best (recipe.keep) */
    int64_t epochs;       /* that were trained; a fraction counts as one */
    double test_loss, test_accuracy, test_top5, test_miou, test_mae, test_rmse, test_perplexity; /* NaN: there
                                                                              is no test split, too */
    double train_seconds; /* in the training loop: no validation, no building, no loading of data; with
                             settings.train_seconds */
    char arithmetic[48];  /* "": fp32 as ever; else what was used: "bf16, channels_last", "tf32" */
    double data_wait;     /* share of that time in which nothing was done but waiting for examples, in [0, 1]; NaN:
                             they lie in memory */
} shim_train_result;

/* Train on the training split, measure on the validation split after each epoch and, with recipe.test = all, on
 * the test split at the end, with the average of the weights where there is one (recipe.ema). `data` is borrowed until the
 * device is closed (a GPU keeps a copy). On a CPU the result depends only on the seeds, the number of threads and
 * what `arithmetic` names.
 * Errors: ARCHAI_ETORCH "val_loss is NaN after epoch 2"; ARCHAI_EDEVMEM; ARCHAI_EINTR; ARCHAI_EINVAL "train.loss: ...":
 * it does not go with the data. */
int shim_model_train(shim_model *m, const struct archai_dataset_header *data,
                     const shim_train_settings *settings, shim_train_result *out,
                     archai_err *err) SHIM_NOEXCEPT;
/* The model as it is, measured on the test split as shim_model_train measures it at its end (recipe.test): fills
 * the test_* fields alone. */
int shim_model_test(shim_model *m, const struct archai_dataset_header *data,
                    const archai_train_settings *recipe, shim_train_result *out,
                    archai_err *err) SHIM_NOEXCEPT;
/* A batch as shim_model_train shows it to the network, with the same settings: step `step` of the epoch, both
 * from 0. images: float32, tokens int64, [batch_size, ...] of one training example each; labels: what is to be
 * learned of them, int64, several labels and numbers float32 (NULL: not wanted); index [batch_size]: which ones they
 * are; *n: how many. *share: of each example in its mixture (mixup, cutmix); the rest is of the one before it in
 * the batch, of the last one in the first.
 * ARCHAI_EINVAL: the epoch has no such step. */
typedef struct shim_batch {
    void *images, *labels;
    int64_t *index;
    int64_t n;
    double share;
} shim_batch;
int shim_train_batch(shim_device *d, const struct archai_dataset_header *data,
                     const shim_train_settings *settings, int64_t epoch, int64_t step,
                     shim_batch *batch, archai_err *err) SHIM_NOEXCEPT;
/* In on_epoch: everything that a training needs to continue from here, as CPU tensors: the weights that count
 * under their names, the rest as "archai:<what>" and "archai:<what>:<name>". They belong to the
 * training and last until the next call or its end. *train_seconds: so far. */
int shim_training_state(shim_training *t, const struct archai_tensor **out, size_t *n,
                        double *train_seconds, archai_err *err) SHIM_NOEXCEPT;
/* Run in evaluation mode. input: float32 [n, c, h, w], or whatever the network takes behind n; int64 where
 * it takes tokens. *out: float32 with the shape out_shape [*ndim], in memory from the caller's `alloc`,
 * called once the size is known. */
int shim_model_predict(shim_model *m, const void *input, const int64_t *shape,
                       void *(*alloc)(void *payload, size_t bytes), void *payload,
                       float **out, int64_t out_shape[8], int *ndim, archai_err *err) SHIM_NOEXCEPT;
/* One measure of the model (core/measure/measure.h), whose kind archai-evaluator takes, with the first training examples of
 * `data`, or with random ones (NULL). net: what the model was built from. The model is of no use afterwards. *spread: NaN, or
 * what is reported as NAME_iqr. recipe: of which the loss counts. Errors: ARCHAI_ETORCH. */
struct archai_measure_spec;
int shim_measure_take(shim_model *m, const struct archai_network *net,
                       const struct archai_measure_spec *spec,
                       const struct archai_dataset_header *data, const archai_train_settings *recipe,
                       double *value, double *spread, archai_err *err) SHIM_NOEXCEPT;
/* A PyTorch file: torch.load returns a dict from names to tensors, as load_state_dict takes it. */
int shim_save_pt(const struct archai_tensor *tensors, size_t n, const char *path, archai_err *err) SHIM_NOEXCEPT;

/* Does the jobs of core/search/surrogate.h. It keeps the rows of all jobs and the last fit. */
struct archai_surrogate_job;
typedef struct shim_surrogate shim_surrogate;
int shim_surrogate_open(shim_surrogate **out, archai_err *err) SHIM_NOEXCEPT;
void shim_surrogate_close(shim_surrogate *s) SHIM_NOEXCEPT; /* NULL is allowed */
/* Fit and predict on the CPU, into mean and var [queries, targets]. They are finite; with one thread and a
 * job that is not warm they depend only on rows, queries and seed. ARCHAI_EINTERNAL: the job continues from
 * other rows than are kept. */
int shim_surrogate_serve(shim_surrogate *s, const struct archai_surrogate_job *job, float *mean,
                         float *var, archai_err *err) SHIM_NOEXCEPT;

/* Tests only: throw an exception of this kind inside the guard. */
enum {
    SHIM_THROW_BAD_ALLOC,
    SHIM_THROW_INT,
    SHIM_THROW_C10,
    SHIM_THROW_OUT_OF_MEMORY,
    SHIM_THROW_STD
};
int shim_test_throw(int kind, archai_err *err) SHIM_NOEXCEPT;
/* Tests only: one step after another of the loss scaling of fp16. grads [steps]: scaled gradients, whose place
 * takes what the optimizer would get; made [steps]: is the step made?; scales [steps]: for the next loss. */
int shim_test_loss_scale(float *grads, bool *made, double *scales, size_t steps, archai_err *err) SHIM_NOEXCEPT;
/* Tests only: shim_test_gradients of this model computes so (ARCHAI_PRECISION_*). */
void shim_test_precision(shim_model *m, int precision) SHIM_NOEXCEPT;
/* Tests only: batch norm with ReLU over random bfloat16 [n, c, h, w] with the channels last, in one pass, against
 * libtorch's two in float32. *worst: the largest difference of the output, the gradients and the running
 * statistics, each as a share of its largest value. ARCHAI_EINVAL: it is not done in one pass. */
int shim_test_batch_norm_relu(const int64_t shape[4], double *worst, archai_err *err) SHIM_NOEXCEPT;
/* Tests only: the output, and the gradients of sum(output * weights), as CPU tensors: "output", "input" (that of
 * a float32 input), "grad/<parameter>", "buffer/<buffer>". They last as those of shim_model_state. weights: as many as the output
 * has values; NULL: the output alone. Errors: ARCHAI_ETORCH. */
int shim_test_gradients(shim_model *m, const struct archai_tensor *input, const float *weights, bool training,
                        const struct archai_tensor **out, size_t *n, archai_err *err) SHIM_NOEXCEPT;
#ifdef __cplusplus
}
#endif
#endif
