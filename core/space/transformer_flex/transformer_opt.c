/* Hugging Face's OPTForCausalLM. */
#include "core/space/transformer_flex/transformer_layers.h"

enum { OFFSET = 2, PADDING = 1 }; /* rows before those of the places; pad_token_id */
static const double opt_dropout = 0.1;

/* It drops out by function: no module bears it. */
static int opt_drop(const builder *b, int x)
{
    return apply(b, "Dropout", NAMED({"p", opt_dropout}), &x, 1);
}

static int opt_block(const builder *b, archai_module *layers, int64_t layer, int x)
{
    const int64_t d = b->t->d_model, inner = archai_per_layer_at(&b->t->d_inner, layer);
    archai_module *block = element(layers, layer, "OPTDecoderLayer");
    archai_module *attn = archai_module_container(block, "self_attn", "OPTAttention");
    const archai_module *k = linear(attn, "k_proj", d, d, true);
    const archai_module *v = linear(attn, "v_proj", d, d, true);
    const archai_module *q = linear(attn, "q_proj", d, d, true);
    const archai_module *out = linear(attn, "out_proj", d, d, true);
    const archai_module *act = archai_module_relu(block, "activation_fn");
    const archai_module *attn_norm = layer_norm(block, "self_attn_layer_norm", d);
    const archai_module *fc1 = linear(block, "fc1", d, inner, true);
    const archai_module *fc2 = linear(block, "fc2", inner, d, true);
    const archai_module *norm = layer_norm(block, "final_layer_norm", d);
    const int normed = call(b, attn_norm, x);
    const int qkv[3] = {call(b, q, normed), call(b, k, normed), call(b, v, normed)};
    const int attended = attention(b, archai_per_layer_at(&b->t->n_head, layer), 0, qkv);
    int y;

    x = add(b, x, opt_drop(b, call(b, out, attended)));
    y = call(b, fc2, call(b, act, call(b, fc1, call(b, norm, x))));
    return add(b, x, opt_drop(b, y));
}

void archai_describe_opt(const builder *b)
{
    const archai_transformer *t = b->t;
    archai_module *root = archai_module_container(NULL, "", "OPTForCausalLM");
    archai_module *model = archai_module_container(root, "model", "OPTModel");
    archai_module *decoder = archai_module_container(model, "decoder", "OPTDecoder");
    archai_module *tokens =
        weighted(decoder, "embed_tokens", "Embedding",
                 NAMED({"num_embeddings", (double)t->vocab_size},
                       {"embedding_dim", (double)t->d_model}, {"padding_idx", PADDING}));
    archai_module *places = table(decoder, "embed_positions", "OPTLearnedPositionalEmbedding",
                                  ARCHAI_HF_POSITIONS + OFFSET, t->d_model);
    archai_module *norm = layer_norm(decoder, "final_layer_norm", t->d_model);
    archai_module *layers = archai_module_container(decoder, "layers", "ModuleList"), *lm_head;
    int x = add(b, call(b, tokens, 0), call(b, places, 0));

    b->net->root = root;
    for (int64_t i = 0; i < t->n_layer; i++)
        x = opt_block(b, layers, i, x);
    lm_head = linear(root, "lm_head", t->d_model, t->vocab_size, false);
    lm_head->tied = tokens;
    (void)call(b, lm_head, call(b, norm, x));
}
