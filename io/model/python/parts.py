"""What exported Python files are made of. `# == NAME` begins a part, `# == NAME: OTHER` one that needs another. The parts `head` and
`tail` are in every file; the others are there where a kind of core/network/kind/ has that name: a class for a layer that
torch.nn lacks (in 1.13 or later), a function op_NAME for an operation. Arguments have the names of the kind's table."""
# == head
import argparse
import gzip
import json
import math
import os
import random
import urllib.parse

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Box(nn.Module):
    """A container, shown under its class in the search space."""

    def __init__(self, name):
        super().__init__()
        self._class = name

    def _get_name(self):
        return self._class

    def __setattr__(self, name, value):
        if name == "training":  # a child may be called so, too
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)


def part(module, path):
    """The module or parameter at the end of a path of names."""
    for name in path:
        module = module._modules[name] if name in module._modules else module._parameters[name]
    return module


def put(root, path, what):
    """Any name will do: not through attributes, which have names of their own."""
    holder = part(root, path[:-1])
    (holder._parameters if isinstance(what, nn.Parameter) else holder._modules)[path[-1]] = what


def init_normal(layer, std):
    """As language models begin: a normal weight, a bias of 0."""
    for name, p in layer.named_parameters(recurse=False):
        nn.init.zeros_(p) if name == "bias" else nn.init.normal_(p, std=std)
    if getattr(layer, "padding_idx", None) is not None:
        nn.init.zeros_(layer.weight.data[layer.padding_idx])


# == Parameter: op_parameter
def Parameter(shape, batch=False, init=None, std=None, value=None, view=None):
    p = nn.Parameter(torch.zeros(shape))
    if init == "ones":
        nn.init.ones_(p)
    elif init == "normal":
        nn.init.normal_(p, std=std)
    elif init == "constant":
        nn.init.constant_(p, value)
    return p


# == op_parameter: op_sizes
def op_parameter(p, x, shape, batch=False, init=None, std=None, value=None, view=None):
    """The tensor for each sample of x."""
    sizes = op_sizes(shape if view is None else view) or (1,)
    sizes = sizes if batch else (1, *sizes)
    return p.reshape(sizes).expand(len(x), *sizes[1:])


# == Conv1D
class Conv1D(nn.Module):
    """Hugging Face's: the weight is [in, out]."""

    def __init__(self, nf, nx):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(nx, nf) * 0.02), nn.Parameter(torch.zeros(nf))

    def forward(self, x):
        return x @ self.weight + self.bias


# == LearnedPositions
class LearnedPositions(nn.Embedding):
    """A row of the table for each place of the sequence, whatever the tokens are."""
    first = 0

    def forward(self, x):
        return self.weight[self.first:self.first + x.shape[1]].expand(len(x), -1, -1)


# == OPTLearnedPositionalEmbedding: LearnedPositions
class OPTLearnedPositionalEmbedding(LearnedPositions):
    first = 2


# == LayerNorm
class LayerNorm(nn.LayerNorm):
    """With `bias`, which PyTorch has since 2.1."""

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True):
        super().__init__(normalized_shape, eps, elementwise_affine)
        if not bias:
            self.bias = None


# == RMSNorm
class RMSNorm(nn.Module):
    def __init__(self, normalized_shape, eps=None, elementwise_affine=True):
        super().__init__()
        self.shape, self.eps = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,), eps
        self.weight = nn.Parameter(torch.ones(self.shape)) if elementwise_affine else None

    def forward(self, x):
        eps = torch.finfo(torch.float32).eps if self.eps is None else self.eps
        y = x * torch.rsqrt(x.square().mean(tuple(range(-len(self.shape), 0)), keepdim=True) + eps)
        return y if self.weight is None else y * self.weight


# == NewGELUActivation
class NewGELUActivation(nn.Module):
    def forward(self, x):
        return F.gelu(x, approximate="tanh")


# == QuickGELUActivation
class QuickGELUActivation(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


# == StochasticDepth
class StochasticDepth(nn.Module):
    """torchvision's."""

    def __init__(self, p, mode="row"):
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        sizes = [len(x) if self.mode == "row" else 1] + [1] * (x.dim() - 1)
        return x * F.dropout(torch.ones(sizes, dtype=x.dtype, device=x.device), self.p)


# == Zero
class Zero(nn.Module):
    """NAS-Bench-201's."""

    def __init__(self, C_in, C_out, stride=1):
        super().__init__()
        self.C_in, self.C_out, self.stride = C_in, C_out, stride

    def forward(self, x):
        x = x[:, :, ::self.stride, ::self.stride]
        return x * 0 if self.C_in == self.C_out else x.new_zeros(len(x), self.C_out, *x.shape[2:])


# == ChannelShuffle
class ChannelShuffle(nn.Module):
    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, x):
        return x.unflatten(1, (self.groups, x.shape[1] // self.groups)).transpose(1, 2).flatten(1, 2)


# == Unflatten: op_sizes
class Unflatten(nn.Module):
    def __init__(self, dim, unflattened_size):
        super().__init__()
        self.dim, self.sizes = dim, op_sizes(unflattened_size)

    def forward(self, x):
        sizes = [-x.shape[self.dim] // math.prod(self.sizes) if s == -1 else s for s in self.sizes]
        return x.unflatten(self.dim, sizes)


# == op_sizes
def op_sizes(v):
    return tuple(v) if isinstance(v, (tuple, list)) else (v,)


# == op_attend
def op_attend(q, k, v, scale, is_causal, dropout_p):
    """[N, H, T, D], [N, H, S, D], [N, H, S, E]"""
    scores = q * scale @ k.transpose(-2, -1)
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(later, -math.inf)
    return F.dropout(torch.softmax(scores, -1), dropout_p) @ v


def op_split_heads(x, heads):
    return x.unflatten(-1, (heads, x.shape[-1] // heads)).transpose(1, 2)


# == MultiheadAttention: op_attend
class MultiheadAttention(nn.Module):
    """PyTorch's, of one to three inputs [N, T, D]."""

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, batch_first=True, is_causal=False):
        super().__init__()
        self.num_heads, self.dropout, self.is_causal = num_heads, dropout, is_causal
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dim)) if bias else None
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=bias)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, *x):
        x = x[0], x[min(1, len(x) - 1)], x[-1]
        biases = [None] * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = (op_split_heads(F.linear(i, w, b), self.num_heads) for i, w, b in zip(x, self.in_proj_weight.chunk(3), biases))
        y = op_attend(q, k, v, 1 / math.sqrt(q.shape[-1]), self.is_causal, self.dropout if self.training else 0.0)
        return self.out_proj(y.transpose(1, 2).flatten(2))


# == attention: op_attend
def op_attention(q, k, v, num_heads=None, is_causal=False, dropout_p=0.0, scale=None, training=False):
    if num_heads is not None:
        q, k, v = (op_split_heads(x, num_heads) for x in (q, k, v))
    y = op_attend(q, k, v, 1 / math.sqrt(q.shape[-1]) if scale is None else scale, is_causal, dropout_p if training else 0.0)
    return y if num_heads is None else y.transpose(1, 2).flatten(2)


# == rotary
def op_rotary(x, num_heads, rotary_dim, base=10000.0):
    """Neighbouring values of a head turn with the place in the sequence."""
    split = x.unflatten(-1, (num_heads, x.shape[-1] // num_heads))
    speeds = torch.pow(base, torch.arange(0, rotary_dim, 2, dtype=torch.float32, device=x.device) / rotary_dim).reciprocal()
    angles = torch.outer(torch.arange(x.shape[1], dtype=torch.float32, device=x.device), speeds).unsqueeze(1)
    a, b = split[..., :rotary_dim:2], split[..., 1:rotary_dim:2]
    turned = torch.stack((a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()), -1).flatten(-2)
    return torch.cat((turned, split[..., rotary_dim:]), -1).flatten(2)


# == op_aligned
def op_aligned(x):
    """The dimensions of a smaller one are the last ones of a sample: sizes of 1 come after the batch."""
    most = max(t.dim() for t in x)
    return [t[(slice(None),) + (None,) * (most - t.dim())] for t in x]


def op_folded(f, x):
    first, *rest = op_aligned(x)
    for t in rest:
        first = f(first, t)
    return first


# == add: op_aligned
def op_add(*x):
    return op_folded(torch.add, x)


# == multiply: op_aligned
def op_multiply(*x):
    return op_folded(torch.mul, x)


# == subtract: op_aligned
def op_subtract(*x):
    return op_folded(torch.sub, x)


# == divide: op_aligned
def op_divide(*x):
    return op_folded(torch.div, x)


# == maximum: op_aligned
def op_maximum(*x):
    return op_folded(torch.maximum, x)


# == minimum: op_aligned
def op_minimum(*x):
    return op_folded(torch.minimum, x)


# == scale
def op_scale(x, factor):
    return x * factor


# == shift
def op_shift(x, amount):
    return x + amount


# == exp
op_exp = torch.exp


# == log
op_log = torch.log


# == sqrt
op_sqrt = torch.sqrt


# == square
op_square = torch.square


# == abs
op_abs = torch.abs


# == sin
op_sin = torch.sin


# == cos
op_cos = torch.cos


# == clamp
op_clamp = torch.clamp


# == pow
op_pow = torch.pow


# == concat
def op_concat(*x, dim=1):
    return torch.cat(x, dim)


# == matmul
op_matmul = torch.matmul


# == mean: op_sizes
def op_mean(x, dim, keepdim=False):
    return x.mean(op_sizes(dim), keepdim=keepdim)


# == sum: op_sizes
def op_sum(x, dim, keepdim=False):
    return x.sum(op_sizes(dim), keepdim=keepdim)


# == amax: op_sizes
def op_amax(x, dim, keepdim=False):
    return x.amax(op_sizes(dim), keepdim=keepdim)


# == softmax
op_softmax = torch.softmax


# == normalize
op_normalize = F.normalize


# == pad
def op_pad(x, pad, value=0.0):
    return F.pad(x, pad, value=value)


# == positions
def op_positions(x, offset=0):
    return torch.arange(offset, offset + x.shape[1], device=x.device).expand(len(x), -1)


# == flatten
op_flatten = torch.flatten


# == permute
op_permute = torch.permute


# == transpose
op_transpose = torch.transpose


# == reshape: op_sizes
def op_reshape(x, shape):
    return x.reshape(len(x), *op_sizes(shape))


# == slice
def op_slice(x, dim=1, start=0, end=None, step=1):
    return x[(slice(None),) * (dim % x.dim()) + (slice(start, end, step),)]


# == select
op_select = torch.select


# == chunk
def op_chunk(x, chunks, index, dim=1):
    return x.chunk(chunks, dim)[index]


# == tail
def load(model, state):
    """Strictly; a tensor that two layers share may be there under one of its names, and a causal mask is not needed."""
    state = {k: v for k, v in state.items() if k not in UNUSED}
    for a, b in TIED:
        if a in state or b in state:
            state.setdefault(a, state.get(b))
            state.setdefault(b, state.get(a))
    model.load_state_dict(state)
    return model


def read_safetensors(path):
    types = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
             "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}
    with open(path, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = bytearray(f.read())
    state = {}
    for name, t in header.items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            raw = torch.frombuffer(data[begin:end], dtype=types[t["dtype"]]) if end > begin else torch.empty(0, dtype=types[t["dtype"]])
            state[name] = raw.reshape(t["shape"])
    return state


def read_weights(path):
    """A state_dict from results.h5, from a file of torch.save, or from safetensors."""
    with open(path, "rb") as f:
        start = f.read(8)
    if start == b"\x89HDF\r\n\x1a\n":
        import h5py
        with h5py.File(path, "r") as f:
            group = f["models"][MODEL]
            return {urllib.parse.unquote(k): torch.from_numpy(np.array(d)) for k, d in group.items()}
    if start[:2] != b"PK":
        return read_safetensors(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state.get("state_dict", state)


# -- the data that it was validated on -----------------------------------------------------------


def read_idx(path):
    with open(path, "rb") as f:
        raw = f.read()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    sizes = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, math.prod(sizes), 4 + 4 * len(sizes)).reshape(sizes)


def read_cifar(data):
    hundred = data["format"] == "cifar100"
    names = ["train.bin"] if hundred else [f"data_batch_{i}.bin" for i in range(1, 6)]
    raw = np.concatenate([np.fromfile(os.path.join(data["file"], n), np.uint8) for n in names])
    raw = raw.reshape(-1, 3072 + 1 + hundred)
    return raw[:, 1 + hundred:].reshape(-1, 3, 32, 32), raw[:, int(hundred and data.get("labels") != "coarse")]


def read_tokens(data, which):
    """One run of tokens, cut into sequences: inputs, and the next token of each place."""
    path = data.get("val_file") if which == "val" and data.get("val_file") else data["file"]
    with open(path, "rb") as f:
        is_hdf5 = f.read(8) == b"\x89HDF\r\n\x1a\n"
    if is_hdf5:
        import h5py
        with h5py.File(path, "r") as f:
            run = f[f"{which}/tokens"][()].astype(np.int64)
    else:
        kind = {"uint16": "<u2", "uint32": "<u4"}.get(data.get("token_type"), np.uint8)
        run = np.fromfile(path, kind).astype(np.int64)
    length = int(data.get("sequence_length", 128))
    n = (len(run) - 1) // length
    return run[:n * length].reshape(n, length), run[1:n * length + 1].reshape(n, length)


def has_own_validation(data):
    if data["format"] in ("hdf5", "tokens"):
        with open(data["file"], "rb") as f:
            if f.read(8) == b"\x89HDF\r\n\x1a\n":
                import h5py
                with h5py.File(data["file"], "r") as f:
                    return "val" in f
    return bool(data.get("val_images") or data.get("val_file"))


def read_examples(data, which):
    """Inputs and targets of the training file (`train`) or of one for validation alone (`val`), in the file's order."""
    if data.get("images"):  # arrays in the training file's order, for formats that are not read here
        return np.load(data["images"]), np.load(data["labels"])
    if data["format"] == "idx":
        x, y = read_idx(data[f"{which}_images"]), read_idx(data[f"{which}_labels"])
        return x[:, None] if x.ndim == 3 else x, y
    if data["format"] in ("cifar10", "cifar100"):
        return read_cifar(data)
    if data["format"] == "tokens":
        return read_tokens(data, which)
    if data["format"] == "hdf5":
        import h5py
        with h5py.File(data["file"], "r") as f:
            x, y = f[f"{which}/images"][()], f[f"{which}/labels"][()]
        return x[:, None] if x.ndim == 3 else x, y
    raise SystemExit(f"format = {data['format']} is not read here: give its examples as arrays, "
                     "--data images=FILE.npy --data labels=FILE.npy")


def validation_indices(n, data, results):
    """Which of the n examples of the training file: as recorded, else by the rule that recorded them."""
    if results and os.path.exists(results):
        import h5py
        with h5py.File(results, "r") as f:
            if "split/val" in f:
                return f["split/val"][()]
    most = data.get("max_samples", "all")
    n = n if most == "all" else min(n, int(most))
    v = max(1, math.floor(float(data.get("validation", 0.1)) * n + 0.5))
    order = list(range(n))
    if data["format"] != "tokens":  # the end of a text
        random.Random(int(data.get("seed", 1))).shuffle(order)
    return np.sort(order[n - v:])


def validation(data, results):
    own = not data.get("images") and has_own_validation(data)
    x, y = read_examples(data, "val" if own else "train")
    if not own:
        index = validation_indices(len(x), data, results)
        x, y = x[index], y[index]
    return x, y


def prepared(x):
    """A batch as the network sees it."""
    if x.dtype == np.uint8 and x.ndim == 4:
        x = torch.from_numpy(x).float().div_(255)
    else:
        x = torch.from_numpy(np.ascontiguousarray(x))
        x = x if x.dtype == torch.int64 else x.float()
    known = ABOUT.get("normalize")
    if known and x.dim() == 4:
        mean, std = (torch.tensor(known[k], dtype=torch.float64).float().view(1, -1, 1, 1) for k in ("mean", "std"))
        x = x.sub(mean).div_(std)
    return x


def ignored_label(data):
    if data["format"] == "hdf5" and not data.get("images"):
        import h5py
        with h5py.File(data["file"], "r") as f:
            ignored = int(f.attrs.get("ignore_index", -1))
        return ignored if ignored >= 0 else None
    return None


def measure(model, x, y, ignored=None, batch=64):
    """What the search measured on its validation data."""
    right = right5 = count = 0
    loss = errors = squares = 0.0
    confusion = None
    for i in range(0, len(x), batch):
        with torch.no_grad():
            out = model(prepared(x[i:i + batch])).float()
        target = torch.from_numpy(np.ascontiguousarray(y[i:i + batch]))
        if target.is_floating_point():
            off = (out - target.reshape(out.shape)).double()
            errors, squares, count = errors + off.abs().sum().item(), squares + off.square().sum().item(), count + off.numel()
            continue
        target = target.long()
        if target.dim() == 2 and out.dim() == 2:  # several labels
            right, count = right + (out > 0).eq(target > 0).sum().item(), count + target.numel()
            loss += F.binary_cross_entropy_with_logits(out, target.float(), reduction="sum").double().item()
            continue
        if out.dim() == 3 and target.dim() == 2:  # tokens
            out, target = out.flatten(0, 1), target.flatten()
        valid = target.ne(-1 if ignored is None else ignored)
        answer = out.argmax(1)
        right, count = right + answer.eq(target).logical_and(valid).sum().item(), count + valid.sum().item()
        loss += F.cross_entropy(out, target, reduction="sum", ignore_index=-100 if ignored is None else ignored).double().item()
        if target.dim() == 1 and out.shape[1] > 5:
            right5 += out.topk(5, 1)[1].eq(target.unsqueeze(1)).sum().item()
        if target.dim() == 3:
            k = out.shape[1]
            more = (target * k + answer)[valid].bincount(minlength=k * k)
            confusion = more if confusion is None else confusion + more
    if errors or squares:
        return {"val_mae": errors / count, "val_rmse": math.sqrt(squares / count)}
    made = {"val_accuracy": right / count, "val_loss": loss / count, "val_top5": right5 / count, "val_perplexity": math.exp(min(loss / count, 700))}
    if confusion is not None:
        table = confusion.view(k, k)
        hits = table.diagonal().double()
        union = (table.sum(0) + table.sum(1)).double() - hits
        made["val_miou"] = (hits / union)[union > 0].mean().item()
    return made


def main():
    p = argparse.ArgumentParser(description="Measures the model on the data that it was validated on.")
    p.add_argument("--weights", default=RESULTS, help="results.h5, a file of torch.save, or safetensors (default: %(default)s)")
    p.add_argument("--data", action="append", default=[], metavar="KEY=VALUE",
                   help="a key of [data] of the search, where the files lie elsewhere now; images=FILE.npy, labels=FILE.npy: all examples "
                        "of the training file as arrays")
    p.add_argument("--predict", nargs=2, metavar=("IN.npy", "OUT.npy"), help="compute the outputs of an array instead")
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    model = load(Model(), read_weights(args.weights)).eval()
    if args.predict:
        x = np.load(args.predict[0])
        with torch.no_grad():
            np.save(args.predict[1], model(torch.from_numpy(x)).detach().numpy())
        return
    data = {**DATA, **dict(d.split("=", 1) for d in args.data)}
    results = args.weights if args.weights.endswith(".h5") else None
    for name, value in measure(model, *validation(data, results), ignored_label(data)).items():
        if name in RECORDED:
            print(f"{name} {value!r} (recorded: {RECORDED[name]!r})")


if __name__ == "__main__":
    main()
