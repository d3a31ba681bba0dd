#!/usr/bin/python3
"""A GPT-2 of the transformer_flex space on a text of one megabyte, by archai-run and as written in PyTorch: how perplexity falls.

usage: train_gpt.py BIN [--epochs N] [--seeds N] [--keep DIRECTORY] [--output FILE]

The text is words of a Markov chain, drawn by Python's generator: the same everywhere. Both sides take it as bytes, in the
same batches (the recorded order of the same seeds). The PyTorch model is written after Hugging Face's GPT2LMHeadModel. It is
trained twice: from archai-run's initial weights (those after a step of 1e-9) with dropout drawn from the same seeds, and from
weights of its own. Trainings that lie in --keep are not run again."""
import argparse
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys

import h5py
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

BYTES, LENGTH, WIDTH, INNER, HEADS, LAYERS, BATCH, RATE = 1_000_000, 64, 32, 128, 2, 2, 32, 3e-3
SHORT = 0.05 # epochs: so few steps that rounding has not been magnified yet
CONFIG = """[search]
algorithm = random_search
max_evaluations = 1
[space]
name = transformer_flex
arch_type = gpt2
min_layers = {layers}
max_layers = {layers}
d_model_options = {width}
d_inner_options = {inner}
n_head_options = {heads}
vocab_size = 256
max_sequence_length = {length}
[data]
format = tokens
file = {text}
sequence_length = {length}
validation = 0.1
[train]
epochs = {epochs}
batch_size = {batch}
optimizer = adamw
learning_rate = {rate}
learning_rate_schedule = cosine
warmup = 0.1
clip_grad_norm = 1
[objective.perplexity]
source = val_perplexity
direction = minimize
[evaluator]
device = cpu
threads = 1
[output]
weights = none
report = no
"""


def write_text(path):
    """Sentences of words, each followed by one of six, the first of them most often."""
    r = random.Random(1)
    parts = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    words = sorted({"".join(r.choice(parts) for _ in range(r.randint(1, 4))) for _ in range(120)})
    follow = {w: [r.choice(words) for _ in range(6)] for w in words}
    weights = [1 / (k + 1) for k in range(6)]
    out, size, word = [], 0, words[0]
    while size < BYTES:
        sentence = []
        for _ in range(r.randint(4, 14)):
            word = r.choices(follow[word], weights)[0]
            sentence.append(word)
        line = " ".join(sentence).capitalize() + (".\n" if r.random() < 0.2 else ". ")
        out.append(line)
        size += len(line)
    path.write_text("".join(out)[:BYTES])


def options():
    p = argparse.ArgumentParser()
    p.add_argument("bin")
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--keep", default="/tmp/train_gpt")
    p.add_argument("--output", default=str(HERE / "results" / "train_gpt.md"))
    return p.parse_args()


def train(o, seed, name="run", *sets):
    """The validation perplexities, the number of parameters and the results file."""
    out = pathlib.Path(o.keep, f"{name}-{seed}")
    if not (out / "exit_code").exists():
        config = pathlib.Path(o.keep, "gpt.ini")
        config.write_text(CONFIG.format(layers=LAYERS, width=WIDTH, inner=INNER, heads=HEADS, length=LENGTH, batch=BATCH, rate=RATE,
                                        text=pathlib.Path(o.keep, "text.txt"), epochs=o.epochs))
        subprocess.run(["rm", "-rf", str(out)], check=True)
        subprocess.run([f"{o.bin}/archai-run", str(config), "--output", str(out), "--progress", "none", "--set", f"search.seed={seed}",
                        *[x for s in sets for x in ("--set", s)]], check=True, stdout=subprocess.DEVNULL)
    with h5py.File(out / "results.h5", "r") as f:
        return f["curves/val_perplexity"][0].tolist(), int(f["metrics/params"][0]), out / "results.h5"


def gpt2():
    """GPT2LMHeadModel of this size, as Hugging Face writes and initialises it."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.c_attn, self.c_proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.c_fc, self.c_out = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
            self.drop, self.act = nn.Dropout(0.1), nn.GELU("tanh")
            for m in (self.c_attn, self.c_proj, self.c_fc, self.c_out):
                nn.init.normal_(m.weight, std=0.02 / (math.sqrt(2 * LAYERS) if m in (self.c_proj, self.c_out) else 1))
                nn.init.zeros_(m.bias)
            self.register_buffer("mask", torch.full((LENGTH, LENGTH), -math.inf).triu(1))

        def forward(self, x):
            n, t, _ = x.shape
            q, k, v = (y.view(n, t, HEADS, -1).transpose(1, 2) for y in self.c_attn(self.ln_1(x)).split(WIDTH, 2))
            a = (q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + self.mask[:t, :t]).softmax(-1) @ v
            x = x + self.drop(self.c_proj(a.transpose(1, 2).reshape(n, t, WIDTH)))
            return x + self.drop(self.c_out(self.act(self.c_fc(self.ln_2(x)))))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(256, WIDTH), nn.Embedding(LENGTH, WIDTH)
            self.h, self.ln_f, self.drop = nn.Sequential(*[Block() for _ in range(LAYERS)]), nn.LayerNorm(WIDTH), nn.Dropout(0.1)
            nn.init.normal_(self.wte.weight, std=0.02)
            nn.init.normal_(self.wpe.weight, std=0.02)

        def forward(self, tokens):
            x = self.drop(self.wte(tokens) + self.wpe.weight[: tokens.shape[1]])
            return self.ln_f(self.h(x)) @ self.wte.weight.T

    return Model()


def take_over(model, results):
    """The weights of the one model in a results file, under the names above; Hugging Face's layers have [in, out]."""
    import torch

    with h5py.File(results, "r") as f:
        given = {k: torch.from_numpy(v[()]) for k, v in next(iter(f["models"].values())).items()}
    own = {}
    for name in model.state_dict():
        theirs = "transformer." + (name.replace(".c_out.", ".mlp.c_proj.").replace(".c_fc.", ".mlp.c_fc.")
                                   .replace(".c_attn.", ".attn.c_attn."))
        if ".c_proj." in name:
            theirs = "transformer." + name.replace(".c_proj.", ".attn.c_proj.")
        if not name.endswith(".mask"):
            own[name] = given[theirs].T if name.split(".")[-2].startswith("c_") and name.endswith("weight") else given[theirs]
    assert len(own) == 4 + 12 * LAYERS, sorted(own)
    missing = model.load_state_dict(own, strict=False).missing_keys
    assert all(k.endswith(".mask") for k in missing), missing


def torch_training(o, seed, results, initial=None, epochs=None):
    """Validation perplexities after each epoch (the last one may be cut short)."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    from recorded_batches import Batches, derive

    epochs = epochs or o.epochs
    kept = pathlib.Path(o.keep, f"torch-{'same' if initial else 'own'}-{seed}{'' if epochs == o.epochs else '-short'}.json")
    if kept.exists():
        return json.loads(kept.read_text())
    torch.set_num_threads(1)
    torch.manual_seed(1000 + seed)
    text = torch.from_numpy(np.fromfile(pathlib.Path(o.keep, "text.txt"), np.uint8).astype(np.int64))
    count = (len(text) - 1) // LENGTH
    x, y = text[: count * LENGTH].view(count, LENGTH), text[1 : count * LENGTH + 1].view(count, LENGTH)
    with h5py.File(results, "r") as f:
        train, val = (torch.from_numpy(f[f"split/{k}"][()]) for k in ("train", "val"))
    batches = Batches(x[train], y[train], seed, 0, BATCH)
    model = gpt2()
    if initial:
        take_over(model, initial)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0)
    per_epoch = math.ceil(len(train) / BATCH)
    steps = math.ceil(epochs * per_epoch * (1 - 1e-9))
    warm = round(0.1 * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda k: 0.01 + 0.99 * k / warm if k < warm else 0.5 * (1 + math.cos(math.pi * (k - warm) / (steps - warm))))
    curve = []
    for epoch in range(math.ceil(epochs)):
        if initial: # as archai-run seeds what is drawn in an epoch
            torch.manual_seed(derive(batches.seed, epoch))
        model.train()
        for step, (tokens, labels, _, _) in enumerate(batches.next_epoch(), epoch * per_epoch):
            if step == steps:
                break
            optimizer.zero_grad()
            F.cross_entropy(model(tokens).flatten(0, 1), labels.flatten()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            losses = [F.cross_entropy(model(x[i]).flatten(0, 1), y[i].flatten(), reduction="sum").item() for i in val.split(256)]
        curve.append(math.exp(sum(losses) / (len(val) * LENGTH)))
    kept.write_text(json.dumps(curve))
    return curve


def main():
    o = options()
    os.makedirs(o.keep, exist_ok=True)
    text = pathlib.Path(o.keep, "text.txt")
    if not text.exists():
        write_text(text)
    columns = {"archai-run": [], "PyTorch, the same initial weights": [], "PyTorch, weights of its own": []}
    for seed in range(1, o.seeds + 1):
        initial = train(o, seed, "initial", "train.epochs=0.001", "train.learning_rate=1e-9", "output.weights=all")[2]
        curve, params, results = train(o, seed)
        for column, values in zip(columns.values(), (curve, torch_training(o, seed, results, initial), torch_training(o, seed, results))):
            column.append(values)
            print(seed, [round(v, 4) for v in values], flush=True)
    short = train(o, 1, "short", f"train.epochs={SHORT}")
    shorts = short[0][0], torch_training(o, 1, short[2], pathlib.Path(o.keep, "initial-1", "results.h5"), SHORT)[0]
    several = o.seeds > 1
    lines = [f"# A GPT-2 on a megabyte of text\n\n`transformer_flex`, gpt2: {LAYERS} layers, width {WIDTH}, {HEADS} heads, {params} parameters; sequences of {LENGTH} bytes, batches of {BATCH}, adamw, {RATE}, cosine with "
             f"warmup, clipping; {o.seeds} seed{'s' if several else ''}. In PyTorch's Python the same model on the same batches: from the same initial weights and with dropout drawn from the same seeds, and from weights of its own. Perplexity of the "
             f"last tenth of the text{', mean over the seeds ± its standard error' if several else ''}.\n",
             "| epoch | " + " | ".join(columns) + " |", "|---|---|---|---|"]
    for e in range(o.epochs):
        cells = []
        for runs in columns.values():
            v = [r[e] for r in runs]
            cells.append("{:.4f}".format(statistics.mean(v)) + (" ± {:.4f}".format(statistics.stdev(v) / math.sqrt(len(v))) if several else ""))
        lines.append(f"| {e + 1} | " + " | ".join(cells) + " |")
    lines.append(f"\nA training of {SHORT} epochs, from the same initial weights with the same dropout: {shorts[0]:.3f} by archai-run, {shorts[1]:.3f} by PyTorch. From there on rounding is magnified, "
                 "as in any training, until the two are different seeds in effect.")
    pathlib.Path(o.output).write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
