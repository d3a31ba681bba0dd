/* Hugging Face's GPT2LMHeadModel, and Archai's GPT2FlexLMHeadModel, whose layers differ in
 * size. */
#include <math.h>

#include "core/space/transformer_flex/transformer_layers.h"

/* embd_pdrop and resid_pdrop, which Archai leaves as they are. */
static const double gpt2_dropout = 0.1;

/* Names that tell GPT2FlexBlock from GPT2Block and so on. */
static const char *gpt2_class(const builder *b, const char *gpt2, const char *flex)
{
    return b->t->type == ARCHAI_GPT2_FLEX ? flex : gpt2;
}

/* The last layer of each residual branch begins smaller, the more branches there are. */
static archai_module *gpt2_projection(const builder *b, archai_module *parent, int64_t in)
{
    archai_module *m = conv1d(parent, "c_proj", b->t->d_model, in);

    m->init_std = ARCHAI_HF_INIT_STD / sqrt(2.0 * (double)b->t->n_layer);
    return m;
}

static int gpt2_attention(const builder *b, archai_module *block, int64_t heads, int x)
{
    static const char *const masks[] = {"bias", "masked_bias", NULL};
    const int64_t d = b->t->d_model;
    archai_module *attn = archai_module_container(
        block, "attn", gpt2_class(b, "GPT2Attention", "GPT2FlexAttention"));
    const archai_module *c_attn = conv1d(attn, "c_attn", 3 * d, d);
    const archai_module *c_proj = gpt2_projection(b, attn, d);
    const archai_module *resid;
    int qkv[3];

    attn->unused = masks;
    (void)dropout(attn, "attn_dropout", b->t->dropatt); /* the attention step does it */
    resid = dropout(attn, "resid_dropout", gpt2_dropout);
    x = call(b, c_attn, x);
    for (int i = 0; i < 3; i++)
        qkv[i] = slice(b, x, i * d, (i + 1) * d);
    x = attention(b, heads, b->t->dropatt, qkv);
    return call(b, resid, call(b, c_proj, x));
}

static int gpt2_mlp(const builder *b, archai_module *block, int64_t inner, int x)
{
    archai_module *mlp =
        archai_module_container(block, "mlp", gpt2_class(b, "GPT2MLP", "GPT2FlexMLP"));
    const archai_module *c_fc = conv1d(mlp, "c_fc", inner, b->t->d_model);
    const archai_module *c_proj = gpt2_projection(b, mlp, inner);
    const archai_module *act = new_gelu(mlp, "act");
    const archai_module *drop = dropout(mlp, "dropout", gpt2_dropout);

    return call(b, drop, call(b, c_proj, call(b, act, call(b, c_fc, x))));
}

static int gpt2_block(const builder *b, archai_module *h, int64_t layer, int x)
{
    archai_module *block = element(h, layer, gpt2_class(b, "GPT2Block", "GPT2FlexBlock"));
    const archai_module *ln_1 = layer_norm(block, "ln_1", b->t->d_model), *ln_2;

    x = add(
        b,
        gpt2_attention(b, block, archai_per_layer_at(&b->t->n_head, layer), call(b, ln_1, x)),
        x);
    ln_2 = layer_norm(block, "ln_2", b->t->d_model);
    return add(
        b, gpt2_mlp(b, block, archai_per_layer_at(&b->t->d_inner, layer), call(b, ln_2, x)), x);
}

void archai_describe_gpt2(const builder *b)
{
    const archai_transformer *t = b->t;
    archai_module *root = archai_module_container(
        NULL, "", gpt2_class(b, "GPT2LMHeadModel", "GPT2FlexLMHeadModel"));
    archai_module *body = archai_module_container(root, "transformer",
                                                  gpt2_class(b, "GPT2Model", "GPT2FlexModel"));
    archai_module *wte = table(body, "wte", "Embedding", t->vocab_size, t->d_model);
    archai_module *wpe =
        table(body, "wpe", "LearnedPositions", t->max_sequence_length, t->d_model);
    archai_module *drop = dropout(body, "drop", gpt2_dropout);
    archai_module *h = archai_module_container(body, "h", "ModuleList"), *ln_f, *lm_head;
    int x = call(b, drop, add(b, call(b, wte, 0), call(b, wpe, 0)));

    b->net->root = root;
    for (int64_t i = 0; i < t->n_layer; i++)
        x = gpt2_block(b, h, i, x);
    ln_f = layer_norm(body, "ln_f", t->d_model);
    lm_head = linear(root, "lm_head", t->d_model, t->vocab_size, false);
    lm_head->tied = wte;
    (void)call(b, lm_head, call(b, ln_f, x));
}
