#!/usr/bin/python3
"""What PyTorch makes of every kind of layer and operation: tests/data/kinds.json and kinds.safetensors.

For each case: printed form, state_dict, output in evaluation and in training, MACs, and the gradients of
sum(output * weights) by the input and the parameters. Inputs and weights are not stored but drawn by draw(), which
tests/shim_kinds.c repeats. An operation's further inputs are parameters, repeated for each sample.
Layers that PyTorch 1.13 and torchvision 0.14 lack are in kinds_layers.py.

usage: make_kinds.py   (PyTorch 1.13, torchvision 0.14)
"""
import json
import math
import os
import struct

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.ops import StochasticDepth

from kinds_layers import (Conv1D, LayerNorm, LearnedPositions, MultiheadAttention, NewGELUActivation,
                          OPTLearnedPositionalEmbedding, QuickGELUActivation, RMSNorm, Zero, attention, rotary)

N = 2  # samples
SEED = 11  # of the initial weights and of what is random in training


def draw(seed, shape):
    """Numbers in [-1, 1), exact in float32: a 32-bit linear congruential generator."""
    x, out = (seed * 2654435761 + 12345) % 2**32, []
    for _ in range(math.prod(shape)):
        x = (x * 1664525 + 1013904223) % 2**32
        out.append((x >> 8) / 2**23 - 1)
    return torch.tensor(out, dtype=torch.float32).reshape(shape)


# -- a case --------------------------------------------------------------------------------------

class Case(nn.Module):
    def __init__(self, layer, function, extra, source, sink):
        super().__init__()
        for i, shape in enumerate(extra):
            setattr(self, f"p{i}", nn.Parameter(torch.zeros(shape)))
        if source is not None:
            self.src = source
        if layer is not None:
            self.m = layer
        if sink is not None:
            self.sink = sink
        self.function, self.extra = function, len(extra)

    def forward(self, x):
        xs = [self.src(x) if hasattr(self, "src") else x]
        xs += [getattr(self, f"p{i}").expand(N, *getattr(self, f"p{i}").shape) for i in range(self.extra)]
        y = self.m(*xs) if self.function is None else self.function(self, *xs)
        return self.sink(y) if hasattr(self, "sink") else y


class Macs(TorchDispatchMode):
    """Products of convolutions and matrices."""
    n = 0

    def __torch_dispatch__(self, f, types, args=(), kwargs=None):
        out, name = f(*args, **(kwargs or {})), f.__name__.split(".")[0]
        if name == "convolution":
            self.n += math.prod(args[1].shape[1:]) * (args[0] if args[6] else out).numel()
        elif name in ("mm", "bmm"):
            self.n += out.numel() * args[0].shape[-1]
        elif name in ("addmm", "baddbmm"):
            self.n += out.numel() * args[1].shape[-1]
        elif name in ("_native_multi_head_attention", "native_multi_head_attention", "_transformer_encoder_layer_fwd"):
            raise RuntimeError("a fused operator")
        return out


cases, arrays = [], {}


def case(kind, args, shape, make=None, function=None, extra=(), tokens=0, source=None, sink=None, tie=False, random=False):
    """make: builds the module; function(case, *inputs): what is computed instead of calling it. tokens: how many words;
    source, sink: (kind, arguments, make) of a layer before or behind, whose weight the layer shares with `tie`."""
    i = len(cases)
    torch.manual_seed(SEED)
    before = source[2]() if source else None
    net = Case(make() if make else None, function, extra, before, sink[2]() if sink else None)
    if tie:
        net.m.weight = (net.src if source else net.sink).weight
    case_ = {"kind": kind, "args": args, "shape": list(shape), "tokens": tokens, "extra": [list(e) for e in extra]}
    for name, other in (("source", source), ("sink", sink)):
        if other:
            case_[name] = {"kind": other[0], "args": other[1]}
    if tie:
        case_["tied"] = True
    if random:
        case_["random"] = True
    if make and hasattr(net, "m") and isinstance(net.m, nn.Module):
        case_["repr"] = repr(net.m)
    seeds, state = {}, []
    for name, t in net.state_dict().items():
        arrays[f"{i}/initial/{name}"] = t.flatten()[:40].clone()
    for k, (name, t) in enumerate(net.state_dict(keep_vars=True).items()):
        seeds.setdefault(id(t), 1000 * i + k + 1)
        state.append([name, list(t.shape), str(t.dtype).split(".")[1], seeds[id(t)]])
        with torch.no_grad():
            value = draw(seeds[id(t)], t.shape)
            t.copy_(torch.tensor(3) if t.dtype == torch.int64 else value.abs() + 0.5 if "running_var" in name else value)
    case_["state"] = state
    x = draw(1000 * i, (N, *shape))
    if tokens:
        x = ((x + 1) / 2 * tokens).floor().long()
    else:
        x.requires_grad_()
    saved = {k: v.clone() for k, v in net.state_dict().items()}
    net.eval()
    with Macs() as macs:  # with gradients: else MultiheadAttention takes a fused operator
        net(x)
    assert macs.n % N == 0
    case_["macs"] = macs.n // N
    for mode in ("eval", "train"):
        net.load_state_dict(saved)
        net.train(mode == "train")
        net.zero_grad()
        if not tokens:
            x.grad = None
        y = net(x)
        case_["output"], case_["integers"] = list(y.shape), y.dtype == torch.int64
        arrays[f"{i}/{mode}/output"] = y.detach()
        if y.dtype == torch.int64:
            continue
        if y.requires_grad:
            (y * draw(1000 * i + 999, y.shape)).sum().backward()
        if not tokens:
            arrays[f"{i}/{mode}/input"] = torch.zeros_like(x) if x.grad is None else x.grad.clone()
        for name, t in net.state_dict(keep_vars=True).items():
            if isinstance(t, nn.Parameter):
                arrays[f"{i}/{mode}/grad/{name}"] = torch.zeros_like(t) if t.grad is None else t.grad.clone()
            elif mode == "train" and t.dtype == torch.float32:
                arrays[f"{i}/train/buffer/{name}"] = t.clone()
    # What does not differ in training is not stored twice.
    for name in [k for k in arrays if k.startswith(f"{i}/train/")]:
        twin = arrays.get(name.replace("/train/", "/eval/"))
        if twin is not None and torch.equal(twin, arrays[name]):
            del arrays[name]
    cases.append(case_)


def layer(kind, cls, args, shape, deduced=None, **more):
    """A layer of class `cls`; `deduced`: the arguments that follow from the input."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in {**(deduced or {}), **args}.items()}
    case(kind, args, shape, make=lambda: cls(**given), **more)


def operation(kind, args, shape, f, extra=(), **more):
    case(kind, args, shape, function=lambda net, *xs: f(*xs), extra=extra, **more)


# -- layers --------------------------------------------------------------------------------------

image = (4, 7, 6)
c4 = {"in_channels": 4}
for args in ({"out_channels": 6, "kernel_size": 3},
             {"out_channels": 4, "kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0], "dilation": [1, 2], "groups": 2, "bias": False},
             {"out_channels": 3, "kernel_size": [3, 4], "padding": "same", "dilation": 2},
             {"out_channels": 2, "kernel_size": 2, "padding": "valid", "padding_mode": "zeros"}):
    layer("Conv2d", nn.Conv2d, args, image, c4)
# `same` of a stride: the number that torchvision writes
case("Conv2d", {"out_channels": 4, "kernel_size": [5, 3], "stride": 2, "padding": "same", "dilation": [1, 2], "groups": 4}, image,
     make=lambda: nn.Conv2d(4, 4, (5, 3), stride=2, padding=(2, 2), dilation=(1, 2), groups=4))
layer("Conv1d", nn.Conv1d, {"out_channels": 6, "kernel_size": 3, "stride": 2, "padding": 1, "groups": 2}, (4, 9), c4)
layer("Conv1d", nn.Conv1d, {"out_channels": 3, "kernel_size": 2, "padding": "same", "dilation": 3, "bias": False}, (4, 9), c4)
for args in ({"out_channels": 3, "kernel_size": 2, "stride": 2},
             {"out_channels": 6, "kernel_size": [3, 2], "stride": [2, 3], "padding": [1, 0], "output_padding": [1, 2], "groups": 2,
              "bias": False, "dilation": [2, 1]}):
    layer("ConvTranspose2d", nn.ConvTranspose2d, args, (4, 4, 3), c4)
layer("Linear", nn.Linear, {"out_features": 3}, (5,), {"in_features": 5})
layer("Linear", nn.Linear, {"in_features": 5, "out_features": 3, "bias": False}, (2, 3, 5))
layer("Conv1D", Conv1D, {"nf": 6}, (3, 4), {"nx": 4})
layer("Conv1D", Conv1D, {"nf": 3}, (4,), {"nx": 4})
layer("Embedding", nn.Embedding, {"num_embeddings": 7, "embedding_dim": 3}, (5,), tokens=7)
layer("Embedding", nn.Embedding, {"num_embeddings": 4, "embedding_dim": 3, "padding_idx": -2}, (2, 5), tokens=4)
words = ("Embedding", {"num_embeddings": 7, "embedding_dim": 4}, lambda: nn.Embedding(7, 4))
layer("Linear", nn.Linear, {"out_features": 7, "bias": False}, (5,), {"in_features": 4}, tokens=7, source=words, tie=True)
layer("Linear", nn.Linear, {"out_features": 4}, (3, 4), {"in_features": 4}, tie=True,
      source=("Linear", {"out_features": 4, "bias": False}, lambda: nn.Linear(4, 4, bias=False)))
layer("Conv1D", Conv1D, {"nf": 4}, (3, 4), {"nx": 4}, tie=True, source=("Conv1D", {"nf": 4}, lambda: Conv1D(4, 4)))
layer("Embedding", nn.Embedding, {"num_embeddings": 7, "embedding_dim": 3}, (5,), tokens=7, tie=True,
      sink=("Linear", {"out_features": 7, "bias": False}, lambda: nn.Linear(3, 7, bias=False)))


def parameter(args, value, initial):
    case("Parameter", args, (3, 4), make=lambda: nn.Parameter(initial), function=lambda net, x: value(net.m))


parameter({"shape": [4], "init": "ones"}, lambda p: p.expand(N, 4), torch.ones(4))
parameter({"shape": [1, 2, 4], "batch": True, "init": "constant", "value": 0.125}, lambda p: p.expand(N, -1, -1), torch.full((1, 2, 4), 0.125))
parameter({"shape": [4], "view": [4, 1, 1], "init": "zeros"}, lambda p: p[:, None, None].expand(N, -1, -1, -1), torch.zeros(4))
torch.manual_seed(SEED)
parameter({"shape": [2, 3], "init": "normal", "std": 0.5}, lambda p: p.expand(N, -1, -1), nn.init.normal_(torch.empty(2, 3), std=0.5))

for heads, args in ((1, {}), (2, {"bias": False, "is_causal": True}), (4, {"is_causal": True})):
    layer("MultiheadAttention", MultiheadAttention, {"num_heads": heads, **args}, (5, 8), {"embed_dim": 8})
layer("MultiheadAttention", MultiheadAttention, {"num_heads": 2, "dropout": 0.3}, (5, 8), {"embed_dim": 8}, random=True)
layer("MultiheadAttention", MultiheadAttention, {"num_heads": 2}, (5, 8), {"embed_dim": 8}, extra=((3, 8),))
layer("MultiheadAttention", MultiheadAttention, {"num_heads": 2, "bias": False}, (5, 8), {"embed_dim": 8}, extra=((3, 8), (3, 8)))

f4 = {"num_features": 4}
for args in ({}, {"eps": 0.001, "momentum": 0.01}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}):
    layer("BatchNorm2d", nn.BatchNorm2d, args, (4, 3, 2), f4)
layer("BatchNorm1d", nn.BatchNorm1d, {}, (4,), f4)
layer("BatchNorm1d", nn.BatchNorm1d, {"affine": False, "track_running_stats": False}, (4, 5), f4)
layer("InstanceNorm2d", nn.InstanceNorm2d, {}, (4, 3, 2), f4)
layer("InstanceNorm2d", nn.InstanceNorm2d, {"eps": 0.1, "momentum": 0.2, "affine": True, "track_running_stats": True}, (4, 3, 2), f4)
layer("LayerNorm", LayerNorm, {}, (3, 5), {"normalized_shape": 5})
layer("LayerNorm", LayerNorm, {"normalized_shape": [3, 5], "eps": 0.01}, (2, 3, 5))
layer("LayerNorm", LayerNorm, {"elementwise_affine": False}, (5,), {"normalized_shape": 5})
layer("LayerNorm", LayerNorm, {"normalized_shape": 5, "bias": False}, (3, 5))
layer("RMSNorm", RMSNorm, {}, (3, 5), {"normalized_shape": 5})
layer("RMSNorm", RMSNorm, {"normalized_shape": [3, 5], "eps": 0.1}, (2, 3, 5))
layer("RMSNorm", RMSNorm, {"elementwise_affine": False, "eps": 1e-6}, (5,), {"normalized_shape": 5})
layer("GroupNorm", nn.GroupNorm, {"num_groups": 2}, (4, 3, 2), {"num_channels": 4})
layer("GroupNorm", nn.GroupNorm, {"num_groups": 1, "eps": 0.1, "affine": False}, (4, 5), {"num_channels": 4})
layer("LocalResponseNorm", nn.LocalResponseNorm, {"size": 2}, (4, 3, 2))
layer("LocalResponseNorm", nn.LocalResponseNorm, {"size": 3, "alpha": 0.5, "beta": 0.5, "k": 2.0}, (4, 3))

vector = (3, 6)
for cls in (nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid):
    layer(cls.__name__, cls, {}, vector, source=("Linear", {"out_features": 6}, lambda: nn.Linear(6, 6)))
    layer(cls.__name__, cls, {"inplace": True}, vector, source=("Linear", {"out_features": 6}, lambda: nn.Linear(6, 6)))
for cls in (nn.Sigmoid, nn.Tanh, NewGELUActivation, QuickGELUActivation):
    layer(cls.__name__, cls, {}, vector)
for cls, args in ((nn.LeakyReLU, ({}, {"negative_slope": 0.2, "inplace": False})), (nn.ELU, ({}, {"alpha": 0.5})),
                  (nn.Hardtanh, ({"min_val": -0.5, "max_val": 0.25}, {})), (nn.GELU, ({}, {"approximate": "tanh"})),
                  (nn.Softplus, ({}, {"beta": 2, "threshold": 1})), (nn.Softmax, ({"dim": 1}, {"dim": -1})),
                  (nn.LogSoftmax, ({"dim": -1}, {"dim": 1})), (nn.PReLU, ({}, {"num_parameters": 3, "init": 0.1}))):
    for a in args:
        layer(cls.__name__, cls, a, vector)

layer("Identity", nn.Identity, {}, image)
for args in ({}, {"stride": 2}, {"C_out": 3, "stride": 2}):
    layer("Zero", Zero, args, (4, 5, 3), {"C_in": 4, "C_out": 4})
layer("Dropout", nn.Dropout, {}, vector, random=True)
layer("Dropout", nn.Dropout, {"p": 0.2, "inplace": True}, vector, random=True, function=lambda net, x: F.dropout(x, 0.2, net.training))
layer("Dropout2d", nn.Dropout2d, {"p": 0.3}, (4, 2, 2), random=True)
layer("StochasticDepth", StochasticDepth, {"p": 0.5, "mode": "row"}, vector, random=True)
layer("StochasticDepth", StochasticDepth, {"p": 0.25, "mode": "batch"}, vector, random=True)
layer("StochasticDepth", StochasticDepth, {"p": 1.0, "mode": "row"}, vector, random=True)
layer("StochasticDepth", StochasticDepth, {"p": 0.0, "mode": "row"}, vector, random=True)

for args in ({"kernel_size": 2}, {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0], "dilation": [1, 2], "ceil_mode": True},
             {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}):
    layer("MaxPool2d", nn.MaxPool2d, args, image)
for args in ({"kernel_size": 3, "stride": 1, "padding": 1}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
             {"kernel_size": [2, 3], "divisor_override": 5}):
    layer("AvgPool2d", nn.AvgPool2d, args, image)
layer("MaxPool1d", nn.MaxPool1d, {"kernel_size": 3, "padding": 1, "stride": 2, "dilation": 2}, (2, 9))
layer("AvgPool1d", nn.AvgPool1d, {"kernel_size": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False}, (2, 9))
for size in (1, [1, 1], [3, 4], [None, 2]):
    layer("AdaptiveAvgPool2d", nn.AdaptiveAvgPool2d, {"output_size": size}, image)
layer("AdaptiveMaxPool2d", nn.AdaptiveMaxPool2d, {"output_size": [3, None]}, image)
layer("AdaptiveAvgPool1d", nn.AdaptiveAvgPool1d, {"output_size": 4}, (2, 9))
for args in ({"scale_factor": 2}, {"scale_factor": 1.5, "mode": "bilinear"}, {"size": [9, 4], "mode": "bilinear", "align_corners": True},
             {"size": [3, 8]}, {"scale_factor": 0.6}):
    layer("Upsample", nn.Upsample, args, (2, 5, 4))
layer("PixelShuffle", nn.PixelShuffle, {"upscale_factor": 2}, (8, 2, 3))
case("ChannelShuffle", {"groups": 2}, (6, 2, 3), make=lambda: nn.ChannelShuffle(2),
     function=lambda net, x: x.view(N, 2, 3, 2, 3).transpose(1, 2).reshape(N, 6, 2, 3))  # PyTorch's has no gradient
layer("ZeroPad2d", nn.ZeroPad2d, {"padding": 1}, (2, 3, 2))
layer("ZeroPad2d", nn.ZeroPad2d, {"padding": [1, 0, 2, -1]}, (2, 3, 2))
layer("Flatten", nn.Flatten, {}, (2, 3, 2))
layer("Flatten", nn.Flatten, {"start_dim": 2, "end_dim": 3}, (2, 3, 2, 2))
layer("Unflatten", nn.Unflatten, {"dim": 1, "unflattened_size": [2, 3]}, (6, 2))
case("Unflatten", {"dim": -1, "unflattened_size": [-1, 2]}, (3, 4), make=lambda: nn.Unflatten(-1, (2, 2)),
     function=lambda net, x: x.unflatten(-1, (2, 2)))
cases[-1].pop("repr")

# -- operations ----------------------------------------------------------------------------------

matrix = (3, 4)
operation("add", {}, matrix, lambda a, b: a + b, (matrix,))
operation("add", {}, (4,), lambda a, b, c: a[:, None] + b + c, (matrix, (3, 1)))
operation("multiply", {}, (2, 3, 2), lambda a, b, c: a * b * c, ((2, 1, 1), (2, 3, 2)))
operation("subtract", {}, matrix, lambda a, b: a - b[:, None], ((4,),))
operation("scale", {"factor": -0.5}, matrix, lambda x: x * -0.5)
operation("shift", {"amount": 1.5}, matrix, lambda x: x + 1.5)
operation("concat", {}, (2, 3, 2), lambda a, b, c: torch.cat([a, b, c], 1), ((1, 3, 2), (2, 3, 2)))
operation("concat", {"dim": -1}, matrix, lambda a, b: torch.cat([a, b], 2), ((3, 2),))
operation("matmul", {}, matrix, torch.matmul, ((4, 2),))
operation("matmul", {}, (2, 3, 4), torch.matmul, ((1, 4, 2),))
operation("attention", {"num_heads": 2}, (5, 8), lambda *x: attention(*x, num_heads=2), ((3, 8), (3, 4)))
operation("attention", {"num_heads": 4, "is_causal": True, "scale": 0.7}, (5, 8),
          lambda *x: attention(*x, num_heads=4, is_causal=True, scale=0.7), ((5, 8), (5, 8)))
operation("attention", {"is_causal": True}, (2, 3, 4), lambda *x: attention(*x, is_causal=True), ((2, 5, 4), (2, 5, 6)))
case("attention", {"num_heads": 2, "dropout_p": 0.4}, (5, 8), extra=((3, 8), (3, 8)), random=True,
     function=lambda net, *x: attention(*x, num_heads=2, dropout_p=0.4, training=net.training))
operation("rotary", {"num_heads": 2, "rotary_dim": 4}, (5, 12), lambda x: rotary(x, 2, 4))
operation("rotary", {"num_heads": 1, "rotary_dim": 6, "base": 100}, (5, 6), lambda x: rotary(x, 1, 6, 100))
operation("mean", {"dim": [2, 3]}, (2, 3, 2), lambda x: x.mean([2, 3]))
operation("mean", {"dim": 1, "keepdim": True}, matrix, lambda x: x.mean(1, keepdim=True))
operation("sum", {"dim": -1}, matrix, lambda x: x.sum(-1))
operation("amax", {"dim": [1]}, matrix, lambda x: x.amax(1))
operation("softmax", {}, matrix, lambda x: torch.softmax(x, -1))
operation("softmax", {"dim": 1}, matrix, lambda x: torch.softmax(x, 1))
operation("normalize", {}, matrix, F.normalize)
operation("normalize", {"dim": -1, "p": 3, "eps": 1.5}, matrix, lambda x: F.normalize(x, p=3, dim=-1, eps=1.5))
operation("pad", {"pad": [1, 0, 2, -1], "value": 0.5}, (2, 3, 2), lambda x: F.pad(x, [1, 0, 2, -1], value=0.5))
operation("positions", {"offset": 2}, (5,), lambda x: torch.arange(2, 7).expand(N, 5), tokens=9)
operation("positions", {}, matrix, lambda x: torch.arange(3).expand(N, 3))
operation("flatten", {}, (2, 3, 2), lambda x: x.flatten(1))
operation("flatten", {"start_dim": -2, "end_dim": 3}, (2, 3, 2), lambda x: x.flatten(2))
operation("permute", {"dims": [0, 2, 3, 1]}, (2, 3, 4), lambda x: x.permute(0, 2, 3, 1))
operation("permute", {"dims": [0, -1, 1]}, (3, 5), lambda x: x.permute(0, 2, 1), tokens=9)
operation("transpose", {"dim0": 1, "dim1": -1}, (2, 3, 4), lambda x: x.transpose(1, 3))
operation("reshape", {"shape": [2, -1]}, matrix, lambda x: x.reshape(N, 2, 6))
operation("reshape", {"shape": [4, 3]}, matrix, lambda x: x.reshape(N, 4, 3))
operation("slice", {"dim": 2, "start": 1, "end": 6, "step": 2}, (2, 7), lambda x: x[:, :, 1:6:2])
operation("slice", {"start": -3}, (5, 2), lambda x: x[:, -3:])
operation("slice", {"end": -1}, (5,), lambda x: x[:, :-1], tokens=9)
operation("select", {"index": 0}, matrix, lambda x: x[:, 0])
operation("select", {"dim": -1, "index": -1}, matrix, lambda x: x[..., -1])
operation("chunk", {"chunks": 3, "index": 2}, (7, 2), lambda x: x.chunk(3, 1)[2])
operation("chunk", {"chunks": 2, "index": 0, "dim": -1}, (2, 5), lambda x: x.chunk(2, -1)[0])

for cls in (LearnedPositions, OPTLearnedPositionalEmbedding):
    layer(cls.__name__, cls, {"num_embeddings": 7, "embedding_dim": 3}, (5,), tokens=9)

# -- a case's numbers follow from its place: later ones are below the earlier ones -----------------

parameter({"shape": [], "value": 0.7}, lambda p: p.expand(N, 1), torch.tensor(0.7))
relu, positive = ("ReLU", {}, nn.ReLU), ("Softplus", {}, nn.Softplus)
operation("divide", {}, matrix, lambda a, b: a / b[:, None], ((4,),), sink=relu)
operation("maximum", {}, (2, 3, 2), lambda a, b, c: torch.maximum(torch.maximum(a, b), c), ((2, 1, 1), (2, 3, 2)), sink=relu)
operation("minimum", {}, matrix, lambda a, b: torch.minimum(a, b[:, None]), ((4,),), sink=relu)
# with a ReLU behind, which overwrites the output where the gradient does not need it
for f in (torch.exp, torch.square, torch.abs, torch.sin, torch.cos):
    operation(f.__name__, {}, matrix, f, sink=relu)
for f in (torch.log, torch.sqrt):
    operation(f.__name__, {}, matrix, f, source=positive, sink=relu)
for args in ({"min": -0.25}, {"max": 0.5}, {"min": -0.5, "max": 0.25}):
    operation("clamp", args, matrix, lambda x, args=args: torch.clamp(x, **args), sink=relu)
operation("pow", {"exponent": 3}, matrix, lambda x: x**3, sink=relu)
operation("pow", {"exponent": -0.5}, matrix, lambda x: x**-0.5, source=positive, sink=relu)


# -- writing -------------------------------------------------------------------------------------

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "kinds.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
header, at, data = {}, 0, []
for name, t in arrays.items():
    raw = t.contiguous().numpy().tobytes()
    header[name] = {"dtype": {torch.float32: "F32", torch.int64: "I64"}[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
    at += len(raw)
    data.append(raw)
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(here, "kinds.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + b"".join(data))
print(len(cases), "cases", at, "bytes of arrays,", len(text), "of names")
