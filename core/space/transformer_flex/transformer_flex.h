/* core/space/transformer_flex/transformer_flex.h - shared by the files of the space. */
#ifndef ARCHAI_CORE_SPACE_TRANSFORMER_FLEX_TRANSFORMER_FLEX_H
#define ARCHAI_CORE_SPACE_TRANSFORMER_FLEX_TRANSFORMER_FLEX_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/network/network.h"

enum {
    ARCHAI_TRANSFORMER_MAX_LAYERS = 1024,
    ARCHAI_TRANSFORMER_MAX_WIDTH = 1 << 20, /* of every size but the two below */
    ARCHAI_TRANSFORMER_MAX_VOCAB = 1 << 26,
    ARCHAI_TRANSFORMER_MAX_TOKENS = 1 << 24
};

/* In the order of the choices of `arch_type`. */
typedef enum archai_transformer_type {
    ARCHAI_CODEGEN,
    ARCHAI_GPT2,
    ARCHAI_GPT2_FLEX,
    ARCHAI_MEM_TRANSFORMER,
    ARCHAI_OPT,
    ARCHAI_TRANSFO_XL,
    ARCHAI_TRANSFORMER_TYPES
} archai_transformer_type;
extern const char *const archai_transformer_types[ARCHAI_TRANSFORMER_TYPES];

/* One number for all layers, or a list with one for each. */
typedef struct archai_per_layer {
    bool list;
    int n; /* numbers given; 1 without a list */
    int64_t at[ARCHAI_TRANSFORMER_MAX_LAYERS];
} archai_per_layer;
/* The number of a layer, from 0. As gpt2-flex has it, a list that is too short goes on with its
 * first number. */
static inline int64_t archai_per_layer_at(const archai_per_layer *v, int64_t layer)
{
    return v->list && layer < v->n ? v->at[layer] : v->at[0];
}

/* A model's configuration under Archai's names. */
typedef struct archai_transformer {
    archai_transformer_type type;
    int64_t n_layer, d_model, vocab_size, max_sequence_length;
    archai_per_layer d_inner, n_head;
    double dropatt;
    bool dropatt_whole; /* written without a decimal point, which the archid sees */
} archai_transformer;

/* ARCHAI_OK, or `code` with a message that begins "n_head: ": the heads of each layer must
 * divide d_model. */
int archai_transformer_check_heads(const archai_transformer *t, int code, archai_err *err);

/* The arch file: the configuration and arch_type. Reading checks everything; `type` is the
 * space's. */
json_t *archai_transformer_to_json(const archai_transformer *t);
int archai_transformer_from_json(archai_transformer *t, const json_t *arch,
                                 archai_transformer_type type, archai_err *err);
/* Its text as json.dump(sort_keys=True, indent=2) writes it; caller frees. */
char *archai_transformer_text(const json_t *arch);

enum { ARCHAI_TRANSFORMER_ARCHID = 64 };
/* "gpt2_" and the sha1 of the configuration without arch_type, lists cut to n_layer. */
int archai_transformer_archid(const archai_transformer *t, char out[ARCHAI_TRANSFORMER_ARCHID],
                              archai_err *err);

/* The longest sequence that its network takes: codegen and opt have Hugging Face's 2048 places.
 */
int64_t archai_transformer_longest(const archai_transformer *t);
/* The network, for sequences of that many tokens; not for mem-transformer and transfo-xl. */
void archai_transformer_describe(const archai_transformer *t, int64_t tokens,
                                 archai_network *out);
#endif
