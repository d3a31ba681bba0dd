#!/usr/bin/python3
"""Makes transformers.json: what PyTorch's autograd says of Hugging Face's language models, written out here with
functions of torch (Debian's 1.13.1). usage: make_transformers.py transformer_forward.h5 > transformers.json

The functions must first give the outputs of transformer_forward.h5, which Hugging Face's own classes computed, from
its weights. Then models of other sizes are filled with a pattern, and of sum(logits * coefficients), with a pattern for
coefficients, the gradient of each parameter is kept: its sum, its sum of squares, 16 of its elements; all in float64.
Patterns are repeated by tests/shim_transformer.c.
"""
import json
import math
import sys

import h5py
import numpy as np
import torch
import torch.nn.functional as F


def pattern(n, scale):
    """Whole numbers from -11 to 11 times a power of two."""
    return (np.arange(n, dtype=np.int64) * 7919 % 23 - 11) * scale


def heads(x, n):
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


def attention(q, k, v):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return (scores.masked_fill(hidden, -math.inf).softmax(-1) @ v).transpose(1, 2).flatten(2)


def gelu_new(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def rotary(x, dim):
    turned, rest = x[..., :dim], x[..., dim:]
    angle = torch.outer(torch.arange(x.shape[2]).to(x), 10000 ** (-torch.arange(0, dim, 2).to(x) / dim))
    sin, cos = (t.repeat_interleave(2, -1) for t in (angle.sin(), angle.cos()))
    across = torch.stack((-turned[..., 1::2], turned[..., ::2]), -1).flatten(-2)
    return torch.cat((turned * cos + across * sin, rest), -1)


class Model:
    """weights by state_dict name."""

    def __init__(self, arch, weights):
        self.c, self.w = arch, weights

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"])

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w.get(name + ".bias"))

    def conv1d(self, x, name):
        return x @ self.w[name + ".weight"] + self.w[name + ".bias"]

    def heads_of(self, i):
        return self.c["n_head"][i] if isinstance(self.c["n_head"], list) else self.c["n_head"]

    def gpt2(self, tokens):
        x = self.w["transformer.wte.weight"][tokens] + self.w["transformer.wpe.weight"][: tokens.shape[1]]
        for i in range(self.c["n_layer"]):
            p, n = f"transformer.h.{i}.", self.heads_of(i)
            q, k, v = (heads(t, n) for t in self.conv1d(self.norm(x, p + "ln_1"), p + "attn.c_attn").chunk(3, -1))
            x = x + self.conv1d(attention(q, k, v), p + "attn.c_proj")
            x = x + self.conv1d(gelu_new(self.conv1d(self.norm(x, p + "ln_2"), p + "mlp.c_fc")), p + "mlp.c_proj")
        return F.linear(self.norm(x, "transformer.ln_f"), self.w["transformer.wte.weight"])

    def codegen(self, tokens):
        x = self.w["transformer.wte.weight"][tokens]
        for i in range(self.c["n_layer"]):
            p, n = f"transformer.h.{i}.", self.heads_of(i)
            y = self.norm(x, p + "ln_1")
            cores = self.linear(y, p + "attn.qkv_proj").unflatten(-1, (4, -1))
            q, v, k = (heads(t.flatten(2), n) for t in cores.chunk(3, -1))
            dim = min(64, q.shape[-1])
            attended = self.linear(attention(rotary(q, dim), rotary(k, dim), v), p + "attn.out_proj")
            x = attended + self.linear(gelu_new(self.linear(y, p + "mlp.fc_in")), p + "mlp.fc_out") + x
        return self.linear(self.norm(x, "transformer.ln_f"), "lm_head")

    def opt(self, tokens):
        p = "model.decoder."
        x = self.w[p + "embed_tokens.weight"]
        x = F.embedding(tokens, x, padding_idx=1) + self.w[p + "embed_positions.weight"][2 : 2 + tokens.shape[1]]
        for i in range(self.c["n_layer"]):
            q, n = f"{p}layers.{i}.", self.heads_of(i)
            y = self.norm(x, q + "self_attn_layer_norm")
            x = x + self.linear(attention(*(heads(self.linear(y, f"{q}self_attn.{t}_proj"), n) for t in "qkv")),
                                q + "self_attn.out_proj")
            x = x + self.linear(F.relu(self.linear(self.norm(x, q + "final_layer_norm"), q + "fc1")), q + "fc2")
        return F.linear(self.norm(x, p + "final_layer_norm"), self.w[p + "embed_tokens.weight"])

    def __call__(self, tokens):
        return {"gpt2": self.gpt2, "gpt2-flex": self.gpt2, "codegen": self.codegen, "opt": self.opt}[self.c["arch_type"]](tokens)


def arch(arch_type, n_layer, d_inner, d_model, n_head):
    return {"arch_type": arch_type, "n_layer": n_layer, "d_inner": d_inner, "d_model": d_model, "n_head": n_head,
            "vocab_size": 13, "max_sequence_length": 9, "dropatt": 0.0}


def shapes(c):
    """Parameters, without the second name of those that are tied."""
    t, d, v = c["arch_type"], c["d_model"], c["vocab_size"]
    inner = c["d_inner"] if isinstance(c["d_inner"], list) else [c["d_inner"]] * c["n_layer"]
    s = {}

    def both(name, weight, bias):
        s[name + ".weight"], s[name + ".bias"] = weight, [bias]

    if t == "opt":
        p = "model.decoder."
        s[p + "embed_tokens.weight"], s[p + "embed_positions.weight"] = [v, d], [2050, d]
        both(p + "final_layer_norm", [d], d)
    else:
        p = "transformer."
        s[p + "wte.weight"] = [v, d]
        if t != "codegen":
            s[p + "wpe.weight"] = [c["max_sequence_length"], d]
        both(p + "ln_f", [d], d)
    for i, f in enumerate(inner[: c["n_layer"]]):
        q = f"{p}{'layers' if t == 'opt' else 'h'}.{i}."
        if t == "opt":
            for name in "kvq":
                both(f"{q}self_attn.{name}_proj", [d, d], d)
            both(q + "self_attn.out_proj", [d, d], d)
            both(q + "self_attn_layer_norm", [d], d)
            both(q + "fc1", [f, d], f)
            both(q + "fc2", [d, f], d)
            both(q + "final_layer_norm", [d], d)
        elif t == "codegen":
            both(q + "ln_1", [d], d)
            s[q + "attn.qkv_proj.weight"], s[q + "attn.out_proj.weight"] = [3 * d, d], [d, d]
            both(q + "mlp.fc_in", [f, d], f)
            both(q + "mlp.fc_out", [d, f], d)
        else:
            both(q + "ln_1", [d], d)
            both(q + "attn.c_attn", [d, 3 * d], 3 * d)
            both(q + "attn.c_proj", [d, d], d)
            both(q + "ln_2", [d], d)
            both(q + "mlp.c_fc", [d, f], f)
            both(q + "mlp.c_proj", [f, d], d)
    if t == "codegen":
        both("lm_head", [v, d], v)
    return s


def digest(g):
    g = g.flatten().double().numpy()
    return {"n": len(g), "sum": g.sum(), "squares": (g * g).sum(), "at": [g[k * len(g) // 16] for k in range(16)]}


def main():
    with h5py.File(sys.argv[1]) as file:
        for name, case in file.items():
            weights = {}
            case["weights"].visititems(
                lambda key, at: weights.update({key: torch.tensor(at[()])}) if isinstance(at, h5py.Dataset) else None)
            got = Model(json.loads(case.attrs["arch"]), weights)(torch.tensor(case["input"][()]))
            error = (got - torch.tensor(case["output"][()])).abs().max().item()
            print(name, error, file=sys.stderr)
            assert error < 1e-5, name
    out = {}
    for name, c in {
        "gpt2": arch("gpt2", 2, 24, 16, 4),
        "gpt2-flex": arch("gpt2-flex", 3, [20, 12, 28], 16, [2, 4, 8]),
        "codegen": arch("codegen", 2, 24, 16, 4),
        "codegen, rotary in a part of a head": arch("codegen", 1, 8, 264, 4),
        "opt": arch("opt", 2, 24, 16, 2),
    }.items():
        scale = 1 / 16 if c["d_model"] < 100 else 1 / 64
        weights = {key: torch.tensor(pattern(math.prod(shape), scale).reshape(shape)).requires_grad_()
                   for key, shape in shapes(c).items()}
        tokens = torch.tensor((np.arange(18) * 5 % 13).reshape(2, 9))
        logits = Model(c, weights)(tokens)
        (logits * torch.tensor(pattern(logits.numel(), 1 / 16).reshape(logits.shape))).sum().backward()
        out[name] = {"arch": c, "scale": scale, "logits": [round(v, 7) for v in logits.flatten().tolist()],
                     "gradients": {key: digest(w.grad) for key, w in weights.items()}}
    json.dump(out, sys.stdout)
    print()


main()
