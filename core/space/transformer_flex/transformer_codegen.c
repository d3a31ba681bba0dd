/* Hugging Face's CodeGenForCausalLM. */
#include "core/space/transformer_flex/transformer_layers.h"

enum { ROTARY = 64 }; /* rotary_dim */

/* Its checkpoints were written by four cores: qkv_proj holds their queries, values and keys
 * core by core. Heads that do not come in fours, which Hugging Face cannot run, are shared out
 * among fewer. */
static int64_t codegen_cores(int64_t heads)
{
    return heads % 4 == 0 ? 4 : heads % 2 == 0 ? 2 : 1;
}

static int codegen_part(const builder *b, int cores, int64_t width, int which)
{
    const double whole[] = {-1, (double)b->t->d_model};

    return reshape(b, slice(b, cores, which * width, (which + 1) * width), 2, whole);
}

/* On the first features of each head, an even number of them. */
static int codegen_rotary(const builder *b, int64_t heads, int x)
{
    const int64_t dim = b->t->d_model / heads, turned = dim < ROTARY ? dim - dim % 2 : ROTARY;

    if (turned == 0)
        return x;
    return apply(b, "rotary",
                 NAMED({"num_heads", (double)heads}, {"rotary_dim", (double)turned}), &x, 1);
}

static int codegen_attention(const builder *b, archai_module *block, int64_t heads, int x)
{
    static const char *const masks[] = {"causal_mask", NULL};
    const int64_t d = b->t->d_model, cores = codegen_cores(heads);
    const double by_core[] = {-1, (double)cores, (double)(3 * d / cores)};
    archai_module *attn = archai_module_container(block, "attn", "CodeGenAttention");
    const archai_module *resid, *qkv_proj, *out_proj;
    int q, k, v;

    attn->unused = masks;
    (void)dropout(attn, "attn_dropout", 0);
    resid = dropout(attn, "resid_dropout", 0);
    qkv_proj = linear(attn, "qkv_proj", d, 3 * d, false);
    out_proj = linear(attn, "out_proj", d, d, false);
    x = reshape(b, call(b, qkv_proj, x), 3, by_core);
    q = codegen_rotary(b, heads, codegen_part(b, x, d / cores, 0));
    v = codegen_part(b, x, d / cores, 1);
    k = codegen_rotary(b, heads, codegen_part(b, x, d / cores, 2));
    x = attention(b, heads, 0, (const int[]){q, k, v});
    return call(b, resid, call(b, out_proj, x));
}

static int codegen_mlp(const builder *b, archai_module *block, int64_t inner, int x)
{
    archai_module *mlp = archai_module_container(block, "mlp", "CodeGenMLP");
    const archai_module *fc_in = linear(mlp, "fc_in", b->t->d_model, inner, true);
    const archai_module *fc_out = linear(mlp, "fc_out", inner, b->t->d_model, true);
    const archai_module *act = new_gelu(mlp, "act"), *drop = dropout(mlp, "dropout", 0);

    return call(b, drop, call(b, fc_out, call(b, act, call(b, fc_in, x))));
}

/* Attention and feed-forward network side by side. */
static int codegen_block(const builder *b, archai_module *h, int64_t layer, int x)
{
    archai_module *block = element(h, layer, "CodeGenBlock");
    const int normed = call(b, layer_norm(block, "ln_1", b->t->d_model), x);
    const int attended =
        codegen_attention(b, block, archai_per_layer_at(&b->t->n_head, layer), normed);
    const int fed = codegen_mlp(b, block, archai_per_layer_at(&b->t->d_inner, layer), normed);

    return add(b, add(b, attended, fed), x);
}

void archai_describe_codegen(const builder *b)
{
    const archai_transformer *t = b->t;
    archai_module *root = archai_module_container(NULL, "", "CodeGenForCausalLM");
    archai_module *body = archai_module_container(root, "transformer", "CodeGenModel");
    archai_module *wte = table(body, "wte", "Embedding", t->vocab_size, t->d_model);
    archai_module *drop = dropout(body, "drop", 0);
    archai_module *h = archai_module_container(body, "h", "ModuleList"), *ln_f;
    int x = call(b, drop, call(b, wte, 0));

    b->net->root = root;
    for (int64_t i = 0; i < t->n_layer; i++)
        x = codegen_block(b, h, i, x);
    ln_f = layer_norm(body, "ln_f", t->d_model);
    (void)call(b, linear(root, "lm_head", t->d_model, t->vocab_size, true), call(b, ln_f, x));
}
