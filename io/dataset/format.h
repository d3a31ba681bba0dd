/* io/dataset/format.h - what a data format offers; for io/dataset/ alone.
 *
 * A format is one file with one table, and one line in registry.c. It reads; the validation split, the
 * memfd and max_samples are handled once, in dataset.c.
 */
#ifndef ARCHAI_IO_DATASET_FORMAT_H
#define ARCHAI_IO_DATASET_FORMAT_H
#include <jansson.h>
#include "io/dataset/dataset.h"

enum { ARCHAI_DATASET_MAX_SIDE = 1 << 16, ARCHAI_DATASET_MAX_CLASSES = 1 << 16 };

/* What the headers promise. */
typedef struct archai_dataset_plan {
    archai_dtype image_dtype, label_dtype; /* as in archai_dataset_header */
    int channels, height, width;           /* of a picture; or */
    int tokens, vocab;                     /* of a sequence; or */
    int features;                          /* of a row of numbers */
    int num_classes;
    int ignore_index; /* -1: none */
    archai_targets targets;
    int64_t n[ARCHAI_SPLIT_COUNT];  /* examples; none for validation: a share of the training ones */
    char note[ARCHAI_DATASET_NOTE]; /* for people; "": nothing */
    const char *held;  /* why such data must be held in memory to train on them: "a gzip file is read from its
                          beginning"; static; NULL: examples can be read in any order */
    bool in_order;     /* they can be read forwards only, by one thread */
    int64_t together;  /* how many are unpacked to read one: a compressed chunk; else 0 or 1 */
} archai_dataset_plan;

/* A split that is open for reading. */
typedef struct archai_dataset_reader {
    const archai_dataset_source *source; /* borrowed, as is the plan */
    const archai_dataset_plan *plan;
    int split;
    void *own; /* the format's */
} archai_dataset_reader;

typedef struct archai_dataset_format {
    const char *name, *help;      /* `data.format`; one line */
    const archai_option *options; /* its own keys of [data]; offsets are those of a struct */
    size_t settings_size;         /* of this size, which source->settings points to */
    /* (optional) Keys that need each other. */
    void (*check)(const archai_dataset_source *source, archai_check *c);
    /* Fill the plan, which starts as uint8 pictures, a class for each, from headers alone (label files,
     * which are small, may be read, and files without a header). Errors begin with the key: "data.file: path: what is wrong". */
    int (*plan)(const archai_dataset_source *source, archai_dataset_plan *out, archai_err *err);
    /* Open a split, of which the first plan->n[split] examples are wanted; sets r->own. The plan is what plan()
     * gave, perhaps with fewer pictures; files may have changed since. */
    int (*open)(archai_dataset_reader *r, archai_err *err);
    /* Read the examples from `first` on into memory of exactly n (of tokens: one run of n * T + 1 into `images`),
     * and check the labels. Called from several threads at once, in any order, unless plan->in_order. */
    int (*read)(const archai_dataset_reader *r, int64_t first, int64_t n, void *images, void *labels,
                archai_err *err);
    void (*close)(archai_dataset_reader *r);
    /* (optional) What belongs into the results: members of `about`. */
    int (*finish)(const archai_dataset_source *source, const archai_dataset_plan *plan, json_t *about,
                  archai_err *err);
    /* (optional) For what follows from the training examples. n_constants: how many numbers (0: none). measure() gets
     * all examples, in order and in blocks, once for each pass, and at the end of each pass rows == NULL with the number of
     * all; `constants` start as 0, and in the end are what adjust() needs to change examples that were read, in place.
     * `about` may be filled at the end of the last pass. */
    int measure_passes;
    size_t (*n_constants)(const archai_dataset_source *source, const archai_dataset_plan *plan);
    int (*measure)(const archai_dataset_source *source, const archai_dataset_plan *plan, int pass,
                   const void *rows, int64_t n, double *constants, json_t *about, archai_err *err);
    void (*adjust)(const archai_dataset_plan *plan, const double *constants, void *rows, int64_t n);
} archai_dataset_format;

extern const archai_dataset_format *const archai_dataset_formats[]; /* NULL-terminated */

/* Bytes of one example and of its label(s); labels that are the next tokens have none. */
size_t archai_dataset_image_bytes(const archai_dataset_plan *p);
size_t archai_dataset_label_bytes(const archai_dataset_plan *p);
/* The first of n labels that is not a class, counted in elements (of targets: one that is not finite); -1: none. */
int64_t archai_dataset_bad_label(const archai_dataset_plan *p, const void *labels, int64_t n);
/* ARCHAI_EFORMAT "label 12 of picture 3, expected 0 to 9" where there is one; labels [n] of the examples from `first`
 * on. */
int archai_dataset_check_labels(const archai_dataset_plan *p, const void *labels, int64_t first,
                                int64_t n, archai_err *err);
/* The same of a label that was found wrong; text: as the file has it. */
int archai_dataset_refuse_label(const archai_dataset_plan *p, const char *text, int64_t picture,
                                archai_err *err);

/* Open and close a split; the format's own open() is for these. */
int archai_dataset_open_split(archai_dataset_reader *out, const archai_dataset_source *source,
                              const archai_dataset_plan *plan, int split, archai_err *err);
void archai_dataset_close_split(archai_dataset_reader *r); /* safe on a zeroed struct */
#endif
