/* io/dataset/split.c - which examples of the training file are for validation. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/rng.h"
#include "io/dataset/layout.h"
#include "io/file/file.h"

static void swap_bytes(char *a, char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = a[i];

        a[i] = b[i];
        b[i] = c;
    }
}

/* One array that moves with the others. */
typedef struct column {
    char *at;
    size_t each; /* bytes */
} column;

/* Those of the n items that a shuffle puts last are swapped behind the first n_train. */
static void divide(uint64_t seed, size_t n, size_t n_train, const column *columns, size_t n_columns)
{
    size_t *order = archai_malloc(n * sizeof *order);
    bool *leaves = archai_calloc(n, sizeof *leaves);
    archai_rng rng;

    for (size_t i = 0; i < n; i++)
        order[i] = i;
    archai_rng_seed(&rng, seed);
    archai_rng_shuffle(&rng, order, n);
    for (size_t i = n_train; i < n; i++)
        leaves[order[i]] = true;
    for (size_t i = 0, j = n_train; i < n_train; i++) {
        if (!leaves[i])
            continue;
        while (leaves[j])
            j++; /* there are as many stayers behind n_train as leavers before it */
        for (size_t k = 0; k < n_columns; k++)
            swap_bytes(columns[k].at + i * columns[k].each, columns[k].at + j * columns[k].each,
                       columns[k].each);
        j++;
    }
    free(leaves);
    free(order);
}

void archai_dataset_split_off(const archai_dataset_source *s, const archai_dataset_plan *p,
                              const archai_dataset_header *h, char *base)
{
    const archai_dataset_split *train = &h->split[ARCHAI_SPLIT_TRAIN];
    const archai_dataset_split *val = &h->split[ARCHAI_SPLIT_VAL];
    const size_t image = archai_dataset_image_bytes(p), label = archai_dataset_label_bytes(p);
    const size_t n_train = (size_t)train->n, n_val = (size_t)val->n;
    const column columns[] = {{base + train->images, image}, {base + train->labels, label}};

    if (p->tokens > 0) { /* a text is cut in two; both parts hold the token at the cut */
        memmove(base + val->images, base + train->images + n_train * image,
                n_val * image + archai_dtype_size(p->image_dtype));
        return;
    }
    divide((uint64_t)s->seed, n_train + n_val, n_train, columns, 2);
    memmove(base + val->images, base + train->images + n_train * image, n_val * image);
    memmove(base + val->labels, base + train->labels + n_train * label, n_val * label);
}

int archai_dataset_indices(const archai_dataset_facts *f, int split, int64_t **out, size_t *n,
                           archai_err *err)
{
    const size_t n_train = (size_t)f->n[ARCHAI_SPLIT_TRAIN], wanted = (size_t)f->n[split];
    const bool divided = f->split_off > 0 && split != ARCHAI_SPLIT_TEST;
    const size_t all = divided ? n_train + (size_t)f->split_off : wanted;
    int64_t *index = archai_file_room(all + 1, sizeof *index, err);

    if (index == NULL)
        return ARCHAI_ENOMEM;
    for (size_t i = 0; i < all; i++)
        index[i] = (int64_t)i;
    if (divided && f->shape.tokens == 0)
        divide((uint64_t)f->seed, all, n_train, &(column){(char *)index, sizeof *index}, 1);
    if (divided && split == ARCHAI_SPLIT_VAL)
        memmove(index, index + n_train, wanted * sizeof *index);
    *out = index;
    *n = wanted;
    return ARCHAI_OK;
}
