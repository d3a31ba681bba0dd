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
} archai_dataset_plan;

typedef struct archai_dataset_format {
    const char *name, *help;      /* `data.format`; one line */
    const archai_option *options; /* its own keys of [data]; offsets are those of a struct */
    size_t settings_size;         /* of this size, which source->settings points to */
    /* (optional) Keys that need each other. */
    void (*check)(const archai_dataset_source *source, archai_check *c);
    /* Fill the plan, which starts as uint8 pictures, a class for each, from headers alone (label files,
     * which are small, may be read, and files without a header). Errors begin with the key: "data.file: path: what is wrong". */
    int (*plan)(const archai_dataset_source *source, archai_dataset_plan *out, archai_err *err);
    /* Read the first plan->n[split] pictures and labels into memory of exactly that size (of tokens: one
     * run of n * T + 1 into `images`). The plan is what plan() gave, perhaps with fewer pictures; files
     * may have changed since. */
    int (*read)(const archai_dataset_source *source, const archai_dataset_plan *plan, int split,
                void *images, void *labels, archai_err *err);
    /* (optional) All splits are in place below `base`: change what needs the training split for that, and
     * put into `about` what belongs into the results. */
    int (*finish)(const archai_dataset_source *source, const archai_dataset_header *h, char *base,
                  json_t *about, archai_err *err);
} archai_dataset_format;

extern const archai_dataset_format *const archai_dataset_formats[]; /* NULL-terminated */

/* Bytes of one example and of its label(s); labels that are the next tokens have none. */
size_t archai_dataset_image_bytes(const archai_dataset_plan *p);
size_t archai_dataset_label_bytes(const archai_dataset_plan *p);
/* ARCHAI_EFORMAT "label 12 of picture 3, expected 0 to 9" where a label is not a class (a target is not
 * finite). */
int archai_dataset_check_labels(const archai_dataset_plan *p, const void *labels, int64_t n,
                                archai_err *err);
#endif
