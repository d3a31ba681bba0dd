"""The spaces of configs/spaces that torchvision has no model of, against their definitions in PyTorch.

DARTS: github.com/quark0/darts, cnn/model.py (NetworkCIFAR); the size space of NATS-Bench: github.com/D-X-Y/AutoDL-Projects,
InferTinyCellNet.py (DynamicShapeTinyNet). Names of the state_dict are those of that code.
"""
import torch
from torch import nn

from torch_model import compare, randomize, space


def values(groups):
    return {"_repeat_times": len(groups), "_configs": {str(i): group for i, group in enumerate(groups)}}


class Wrapped(nn.Module):
    """Sequential under a name."""

    def __init__(self, name, *modules):
        super().__init__()
        self.name = name
        self.add_module(name, nn.Sequential(*modules))

    def forward(self, x):
        return getattr(self, self.name)(x)


def relu_conv_norm(c_in, c_out, kernel, stride=1):
    return Wrapped("op", nn.ReLU(), nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(c_out))


# -- the size space of NATS-Bench -----------------------------------------------------------------


class Pointwise(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x):
        return self.bn(self.conv(x))


class SizeCell(nn.Module):
    def __init__(self, c_in, c):
        super().__init__()
        self.layers = nn.ModuleList([
            relu_conv_norm(c_in, c, 3), relu_conv_norm(c_in, c, 3), relu_conv_norm(c, c, 3),
            nn.Identity() if c_in == c else Pointwise(c_in, c), relu_conv_norm(c, c, 3), relu_conv_norm(c, c, 3)])

    def forward(self, x):
        f = self.layers
        node1 = f[0](x)
        node2 = f[1](x) + f[2](node1)
        return f[3](x) + f[4](node1) + f[5](node2)


class SizeReduction(nn.Module):
    def __init__(self, c_in, c):
        super().__init__()
        self.conv_a, self.conv_b = relu_conv_norm(c_in, c, 3, 2), relu_conv_norm(c, c, 3)
        self.downsample = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c_in, c, 1, bias=False))

    def forward(self, x):
        return self.downsample(x) + self.conv_b(self.conv_a(x))


class SizeNetwork(nn.Module):
    def __init__(self, c, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, c[0], 3, padding=1, bias=False), nn.BatchNorm2d(c[0]))
        kinds = SizeCell, SizeReduction, SizeCell, SizeReduction, SizeCell
        self.cells = nn.Sequential(*[kind(i, o) for kind, i, o in zip(kinds, [c[0], *c], c)])
        self.lastact = nn.Sequential(nn.BatchNorm2d(c[4]), nn.ReLU())
        self.classifier = nn.Linear(c[4], classes)

    def forward(self, x):
        return self.classifier(self.lastact(self.cells(self.stem(x))).mean((2, 3)))


def natsbench_sss():
    for c in ([8, 16, 24, 32, 64], [16, 16, 16, 8, 8]):
        yield {f"c{i}": v for i, v in enumerate(c)}, SizeNetwork(c, 10), torch.rand(2, 3, 32, 32)


# -- DARTS ------------------------------------------------------------------------------------------


class FactorizedReduce(nn.Module):
    def __init__(self, c_in, c):
        super().__init__()
        self.conv_1, self.conv_2 = (nn.Conv2d(c_in, c // 2, 1, stride=2, bias=False) for _ in range(2))
        self.bn = nn.BatchNorm2d(c)

    def forward(self, x):
        x = x.relu()
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], 1))


class None_(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, ::self.stride, ::self.stride] * 0


def depthwise(c, kernel, stride, dilation):
    return [nn.ReLU(), nn.Conv2d(c, c, kernel, stride, kernel // 2 * dilation, dilation, c, bias=False), nn.Conv2d(c, c, 1, bias=False),
            nn.BatchNorm2d(c)]


OPERATIONS = {
    "none": lambda c, s: None_(s),
    "max_pool_3x3": lambda c, s: nn.MaxPool2d(3, s, 1),
    "avg_pool_3x3": lambda c, s: nn.AvgPool2d(3, s, 1, count_include_pad=False),
    "skip_connect": lambda c, s: nn.Identity() if s == 1 else FactorizedReduce(c, c),
    "sep_conv_3x3": lambda c, s: Wrapped("op", *depthwise(c, 3, s, 1), *depthwise(c, 3, 1, 1)),
    "sep_conv_5x5": lambda c, s: Wrapped("op", *depthwise(c, 5, s, 1), *depthwise(c, 5, 1, 1)),
    "dil_conv_3x3": lambda c, s: Wrapped("op", *depthwise(c, 3, s, 2)),
    "dil_conv_5x5": lambda c, s: Wrapped("op", *depthwise(c, 5, s, 2)),
}


class DartsCell(nn.Module):
    def __init__(self, nodes, before, last, c, reduction, reduced):
        super().__init__()
        self.nodes = nodes  # ((operation, input), (operation, input)) each
        self.preprocess0 = FactorizedReduce(before, c) if reduced else relu_conv_norm(before, c, 1)
        self.preprocess1 = relu_conv_norm(last, c, 1)
        self._ops = nn.ModuleList([OPERATIONS[op](c, 2 if reduction and i < 2 else 1) for node in nodes for op, i in node])

    def forward(self, before, last):
        states = [self.preprocess0(before), self.preprocess1(last)]
        for n, ((_, i), (_, j)) in enumerate(self.nodes):
            states.append(self._ops[2 * n](states[i]) + self._ops[2 * n + 1](states[j]))
        return torch.cat(states[2:], 1)


class DartsNetwork(nn.Module):
    def __init__(self, c, layers, normal, reduce, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * c, 3, padding=1, bias=False), nn.BatchNorm2d(3 * c))
        self.cells = nn.ModuleList()
        before, last, reduced = 3 * c, 3 * c, False
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            c *= 2 if reduction else 1
            self.cells.append(DartsCell(reduce if reduction else normal, before, last, c, reduction, reduced))
            before, last, reduced = last, 4 * c, reduction
        self.classifier = nn.Linear(last, classes)

    def forward(self, x):
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return self.classifier(last.mean((2, 3)))


def darts():
    sep, dil, pool, skip = "sep_conv_3x3", "dil_conv_3x3", "max_pool_3x3", "skip_connect"
    published = (  # DARTS_V2, the inputs of each node in ascending order
        [((sep, 0), (sep, 1)), ((sep, 0), (sep, 1)), ((skip, 0), (sep, 1)), ((skip, 0), (dil, 2))],
        [((pool, 0), (pool, 1)), ((pool, 1), (skip, 2)), ((pool, 0), (skip, 2)), ((pool, 1), (skip, 2))])
    others = (
        [(("none", 0), ("sep_conv_5x5", 1)), (("avg_pool_3x3", 1), (sep, 2)), ((pool, 2), (dil, 3)), (("dil_conv_5x5", 3), (skip, 4))],
        [(("none", 0), ("sep_conv_5x5", 1)), ((skip, 0), (dil, 2)), (("dil_conv_5x5", 1), (skip, 3)), (("avg_pool_3x3", 0), (sep, 4))])
    for (normal, reduce), c, layers in ((published, 36, 20), (others, 8, 5)):
        arch = {"width": c, "layers": layers, "train": {"learning_rate": 0.01}}
        for name, nodes in ("normal", normal), ("reduce", reduce):
            arch[name] = {f"node{n + 2}": {"inputs": [i, j], "a": a, "b": b} for n, ((a, i), (b, j)) in enumerate(nodes)}
        model = DartsNetwork(c, layers, normal, reduce, 10)
        if layers == 20:  # as published for CIFAR-10, without the auxiliary head
            assert sum(t.numel() for t in model.parameters()) == 3349342
        yield arch, model, torch.rand(2, 3, 32, 32)


# -- U-Net ------------------------------------------------------------------------------------------


class Level(nn.Module):
    def __init__(self, c_in, c, depth, convs, kernel, act, transposed):
        super().__init__()

        def convolutions(c_in):
            return nn.Sequential(*[nn.Sequential(nn.Conv2d(c if i else c_in, c, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(c), act())
                                   for i in range(convs)])

        self.down = convolutions(c_in)
        self.depth = depth
        if depth > 0:
            self.inner = Level(c, 2 * c, depth - 1, convs, kernel, act, transposed)
            self.up = nn.ConvTranspose2d(2 * c, c, 2, 2) if transposed else nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            self.merge = convolutions(c + (c if transposed else 2 * c))

    def forward(self, x):
        x = self.down(x)
        if self.depth == 0:
            return x
        up = self.up(self.inner(nn.functional.max_pool2d(x, 2, ceil_mode=True)))
        return self.merge(torch.cat([x, up[:, :, :x.shape[2], :x.shape[3]]], 1))


class UNet(nn.Module):
    def __init__(self, classes, *level):
        super().__init__()
        self.unet = Level(3, *level)
        self.classifier = nn.Conv2d(level[0], classes, 1)

    def forward(self, x):
        return self.classifier(self.unet(x))


def unet():
    for depth, width, kernel, convs, upsample, act in (3, 8, 3, 2, "transposed", "ReLU"), (2, 4, 5, 1, "bilinear", "SiLU"):
        arch = {"depth": depth, "width": width, "kernel": kernel, "convs": convs, "upsample": upsample, "act": act,
                "train": {"learning_rate": 0.01}}
        yield arch, UNet(10, width, depth, convs, kernel, getattr(nn, act), upsample == "transposed"), torch.rand(2, 3, 32, 32)


# -- multi-layer perceptron ---------------------------------------------------------------------------


def mlp():
    layers = [{"units": 32, "norm": True, "dropout": 0.1}, {"units": 16, "norm": False, "dropout": 0.0}]
    arch = {"layers": values(layers), "activation": "GELU", "train": {"learning_rate": 0.01, "weight_decay": 0.0}}
    for features, x in (16, torch.rand(5, 16)),:
        modules = []
        for layer in layers:
            modules += [nn.Linear(features, layer["units"])] + [nn.BatchNorm1d(layer["units"])] * layer["norm"] + [nn.GELU(), nn.Dropout()]
            features = layer["units"]
        yield arch, nn.Sequential(*modules, nn.Linear(features, 3)), x


torch.manual_seed(1)
for story in natsbench_sss, darts, unet, mlp:
    for arch, model, x in story():
        count, error = compare(space(f"{story.__name__}.yaml"), arch, randomize(model), x)
        print(f"{story.__name__}: {count} parameters, outputs differ by {error:.1e}")
