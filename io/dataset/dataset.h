/* io/dataset/dataset.h - examples and what is to be learned of them: held once per node in a sealed memfd, or read as
 * they are needed (feed/feed.h), with a memfd that says what they are.
 *
 * The memfd starts with archai_dataset_header; inputs ("images", whatever they are) and labels follow
 * at the offsets it names (64-byte aligned). A process that has the descriptor maps it read-only.
 *
 *   pictures  channels > 0: uint8 [N,C,H,W] or float32. The network sees uint8 as x / 255 in float32 and
 *             float32 unchanged, so that weights work in PyTorch on the same pictures; with [data] normalize
 *             they are normalised after that (io/dataset/normalize.h).
 *   numbers   features > 0: float32 [N,D]
 *   tokens    tokens > 0: a split is one run of N * T + 1 tokens, uint8 (a vocabulary up to 256) or int32.
 *             Sequence i begins at token i * T, as [N,T]; its labels are the same memory one token on,
 *             where split.labels points.
 *
 * Labels by `targets`: uint8 or int32 [N], a class each; [N,H,W], a class per pixel; the same [N,K], 0 or 1
 * for each of K labels; float32 [N,K], numbers; the next token. K is num_classes.
 */
#ifndef ARCHAI_IO_DATASET_DATASET_H
#define ARCHAI_IO_DATASET_DATASET_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/registry.h"
#include "core/network/network.h"
#include "core/search/space.h"

#define ARCHAI_DATASET_MAGIC "ARCHDATA"
enum { ARCHAI_DATASET_VERSION = 3 };
enum { ARCHAI_SPLIT_TRAIN, ARCHAI_SPLIT_VAL, ARCHAI_SPLIT_TEST, ARCHAI_SPLIT_COUNT };

/* What is to be learned. */
typedef enum archai_targets {
    ARCHAI_TARGETS_CLASS,
    ARCHAI_TARGETS_MASK,       /* a class per pixel */
    ARCHAI_TARGETS_LABELS,     /* several labels, each there or not */
    ARCHAI_TARGETS_NUMBERS,    /* regression */
    ARCHAI_TARGETS_NEXT_TOKEN,
    ARCHAI_TARGETS_COUNT
} archai_targets;
const char *archai_targets_text(archai_targets t); /* "a class for each" */

typedef struct archai_dataset_split {
    int64_t n;               /* pictures, rows, sequences */
    uint64_t images, labels; /* byte offsets from the start of the memfd */
} archai_dataset_split;

typedef struct archai_dataset_header {
    char magic[8]; /* ARCHAI_DATASET_MAGIC, without its NUL */
    uint32_t version;
    int32_t image_dtype;             /* archai_dtype: ARCHAI_U8, ARCHAI_F32 or (tokens) ARCHAI_I32 */
    int32_t label_dtype;             /* ARCHAI_U8, ARCHAI_I32 or (numbers) ARCHAI_F32 */
    int32_t channels, height, width; /* of a picture */
    int32_t tokens, vocab;           /* of a sequence: T, and one more than the highest token may be */
    int32_t features;                /* of a row of numbers: D */
    int32_t num_classes;             /* what a network puts out: classes, K, or the vocabulary */
    int32_t ignore_index;            /* -1: none */
    int32_t targets;                 /* archai_targets */
    int32_t streamed;                /* 1: the examples are not here, and the offsets of the splits are 0 */
    int64_t together;                /* streamed: how many are unpacked to read one (a compressed chunk); 1 */
    archai_dataset_split split[ARCHAI_SPLIT_COUNT];
    uint64_t constants, n_constants; /* offset and number of doubles by which the format adjusts what it reads */
    uint64_t about; /* offset of a JSON object as text, NUL at the end: what people should know, such as
                       "class_names"; 0: nothing */
    uint64_t bytes; /* of the whole memfd */
} archai_dataset_header;

/* Section [data], read: where the data come from. */
struct archai_dataset_format;
typedef struct archai_dataset_source {
    const struct archai_dataset_format *format; /* borrowed, static */
    void *settings;      /* owned; the format's own struct */
    char *name;          /* owned; data.format */
    double validation;   /* share of the training data, [0, 0.9] */
    int64_t max_samples; /* of the training file; 0: all */
    int64_t seed;        /* of the split and of synthetic pictures */
    char *normalize;     /* owned; io/dataset/normalize.h */
    char *augment;       /* owned; core/config/augment.h */
    int resident;        /* ARCHAI_RESIDENT_... */
    int64_t workers;     /* threads that read and decode; 0: as many as the process has cores */
    const struct archai_interrupt *interrupt; /* borrowed; asked by the threads that read, so that a signal need not wait
                                                 for the whole set; NULL: nobody */
} archai_dataset_source;
/* Held in memory, or streamed? auto: held where it takes at most three quarters of what is free. Training sees the
 * same batches either way. */
enum { ARCHAI_RESIDENT_AUTO, ARCHAI_RESIDENT_YES, ARCHAI_RESIDENT_NO };
enum { ARCHAI_DATASET_MAX_WORKERS = 256 };
extern const archai_registry archai_dataset_registry;

/* Read [data], which may be missing; marks its entries used. All problems, a line each,
 * "file:line: data.key: ..."; nothing to close then. */
int archai_dataset_source_open(archai_dataset_source *out, archai_ini *ini, archai_err *err);
void archai_dataset_source_close(archai_dataset_source *s); /* safe on a zeroed struct */
/* For archai_config_write; borrows from the source. */
archai_choice archai_dataset_choice(const archai_dataset_source *s);

enum { ARCHAI_DATASET_NOTE = 200 };
typedef struct archai_dataset_facts {
    archai_data_shape shape; /* num_classes: as in the header */
    archai_targets targets;
    archai_dtype image_dtype;
    int64_t n[ARCHAI_SPLIT_COUNT];
    int64_t split_off;              /* of the training file, n[VAL] of them; 0: validation data of its own */
    int64_t seed;                   /* of that split */
    uint64_t bytes;                 /* held per node; streamed: that would be */
    bool streamed;                  /* as things are now, on this node */
    char note[ARCHAI_DATASET_NOTE]; /* what may surprise: "float64 is read as float32"; "": nothing */
} archai_dataset_facts;

/* What the files promise, from their headers (where there are none, from the files): checked on rank 0
 * before any work. Errors read "data.<key>: path: what is wrong". */
int archai_dataset_probe(const archai_dataset_source *s, archai_dataset_facts *out,
                         archai_err *err);
/* "9000 pictures to train on, 1000 to validate, 0 to test: 1 x 28 x 28 uint8, 10 classes; 7.9 MB a node".
 * Returns `text`. */
enum { ARCHAI_DATASET_SENTENCE = 512 };
const char *archai_dataset_sentence(const archai_dataset_facts *f,
                                    char text[ARCHAI_DATASET_SENTENCE]);
/* Load, split and lay out everything in a new sealed memfd (caller closes). Deterministic in
 * (files, [data]), but for whether the examples are in it: see `resident`. Where they are not, all of them were read
 * once all the same, in blocks: what is damaged is found here. ARCHAI_EINVAL with both numbers: they do not fit. Validation data are the files' own, else the last of a shuffle by data.seed (of
 * tokens: the last of the text); max_samples counts before that split. */
int archai_dataset_load(const archai_dataset_source *s, int *fd, archai_err *err);
/* The same without a data set: everything is read in blocks and checked. */
int archai_dataset_check(const archai_dataset_source *s, archai_err *err);
/* Map a data set read-only; checks the header against the size. */
int archai_dataset_map(int fd, const archai_dataset_header **out, archai_err *err);
void archai_dataset_unmap(const archai_dataset_header *d);
/* Bytes of an example and of its labels, as they are read one by one: of tokens T + 1, and no labels. */
size_t archai_dataset_example_bytes(const archai_dataset_header *d, size_t *labels);
/* The JSON object `about`; "": nothing. Borrowed. */
const char *archai_dataset_about(const archai_dataset_header *d);
/* Where the examples of a split lie in the files: out[i] is the number of example i in the order in which
 * the format reads its file. out [f->n[split]]; caller frees. Follows from n, split_off, seed and whether
 * they are tokens. */
int archai_dataset_indices(const archai_dataset_facts *f, int split, int64_t **out, size_t *n,
                           archai_err *err);
/* What belongs into the results, as text for another process: what the indices follow from, and `about` of
 * d. Caller frees. */
char *archai_dataset_record(const archai_dataset_facts *f, const archai_dataset_header *d);
/* The other way round; of the facts only what archai_dataset_indices needs. *about: JSON, "{}": nothing;
 * caller frees. */
int archai_dataset_record_read(const char *text, archai_dataset_facts *f, char **about,
                               archai_err *err);
#endif
