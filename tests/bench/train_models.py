"""The models of train_throughput.py: for archai-run a configuration and an architecture, for Python the same model in PyTorch."""
import json
import os

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tree(name):
    return f"[space]\nname = config\ntree = {SOURCE}/configs/spaces/{name}\n"


def pictures(samples, channels, side, masks=0):
    text = f"[data]\nformat = synthetic\nvalidation = 0.02\nsamples = {samples}\nchannels = {channels}\nwidth = {side}\nheight = {side}\n"
    return text + (f"masks = yes\nclasses = {masks}\n" if masks else "")


# -- Python's models: torch is imported where they are made, in a process of each PyTorch -------------------


def cnn(layers, kernel, hidden):
    from torch import nn

    modules, width = [], 1
    for _ in range(layers):
        modules += [nn.Conv2d(width, hidden, kernel, padding=kernel // 2), nn.BatchNorm2d(hidden), nn.ReLU()]
        width = hidden
    return nn.Sequential(*modules, nn.AdaptiveAvgPool2d((1, 1)), nn.Conv2d(hidden, 10, 1), nn.Flatten())


def resnet(width, depths, bottleneck=False):
    import torch
    from torch import nn

    def conv(c_in, c, kernel=3, stride=1):
        return nn.Sequential(nn.Conv2d(c_in, c, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(c))

    class Block(nn.Module):
        def __init__(self, c_in, c, stride):
            super().__init__()
            if bottleneck:
                self.do = nn.Sequential(conv(c_in, c, 1), nn.ReLU(), conv(c, c, 3, stride), nn.ReLU(), conv(c, 4 * c, 1))
                c *= 4
            else:
                self.do = nn.Sequential(conv(c_in, c, 3, stride), nn.ReLU(), conv(c, c))
            self.shortcut = nn.Identity() if stride == 1 and c_in == c else conv(c_in, c, 1, stride)

        def forward(self, x):
            return torch.relu(self.do(x) + self.shortcut(x))

    modules, c_in = [conv(3, width), nn.ReLU()], width
    for stage, depth in enumerate(depths):
        c = width * 2 ** stage
        for block in range(depth):
            modules.append(Block(c_in, c, 2 if stage and not block else 1))
            c_in = 4 * c if bottleneck else c
    return nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, 10))


def unet(width, depth, convs, transposed, classes=5):
    import torch
    from torch import nn

    class Level(nn.Module):
        def __init__(self, c_in, c, depth):
            super().__init__()

            def convolutions(c_in):
                return nn.Sequential(*[nn.Sequential(nn.Conv2d(c if i else c_in, c, 3, padding=1, bias=False), nn.BatchNorm2d(c), nn.ReLU())
                                       for i in range(convs)])

            self.down, self.depth = convolutions(c_in), depth
            if depth:
                self.pool, self.inner = nn.MaxPool2d(2, ceil_mode=True), Level(c, 2 * c, depth - 1)
                self.up = nn.ConvTranspose2d(2 * c, c, 2, 2) if transposed else nn.Upsample(scale_factor=2, mode="bilinear")
                self.merge = convolutions(2 * c if transposed else 3 * c)

        def forward(self, x):
            skip = self.down(x)
            if not self.depth:
                return skip
            x = self.up(self.inner(self.pool(skip)))[:, :, :skip.shape[2], :skip.shape[3]]
            return self.merge(torch.cat([skip, x], 1))

    return nn.Sequential(Level(1, width, depth), nn.Conv2d(width, classes, 1))


def gpt(width, layers, heads, inner, vocab=256, length=128):
    """GPT-2 without dropout, the head tied to the embedding; attention is PyTorch's own function where there is one."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attn, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.fc, self.out = nn.Linear(width, inner), nn.Linear(inner, width)

        def forward(self, x):
            n, t, _ = x.shape
            q, k, v = (y.view(n, t, heads, -1).transpose(1, 2) for y in self.attn(self.ln_1(x)).split(width, 2))
            if hasattr(F, "scaled_dot_product_attention"):
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            else:
                scores = q @ k.transpose(-2, -1) / (width // heads) ** 0.5
                mask = torch.ones(t, t, dtype=torch.bool, device=x.device).triu(1)
                y = scores.masked_fill(mask, -float("inf")).softmax(-1) @ v
            x = x + self.proj(y.transpose(1, 2).reshape(n, t, width))
            return x + self.out(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(vocab, width), nn.Embedding(length, width)
            self.h, self.ln_f = nn.Sequential(*[Block() for _ in range(layers)]), nn.LayerNorm(width)
            for p in self.parameters():
                if p.dim() > 1:
                    nn.init.normal_(p, 0, 0.02)

        def forward(self, x):
            x = self.wte(x) + self.wpe(torch.arange(x.shape[1], device=x.device))
            return F.linear(self.ln_f(self.h(x)), self.wte.weight).flatten(0, 1)

    return GPT()


# -- name: (make, arguments, configuration, architecture, input of one example, classes, pixels, batch) ---------------


def _cnn(layers, kernel, hidden):
    arch = {"nb_layers": layers, "kernel_size": kernel, "hidden_dim": hidden}
    return cnn, (layers, kernel, hidden), "[space]\nname = cnn\n" + pictures(660, 1, 28), arch, (1, 28, 28), 10, False, 64


def _resnet(width, depths, bottleneck):
    stages = {"_repeat_times": len(depths), "_configs": {str(i): {"depth": d} for i, d in enumerate(depths)}}
    arch = {"stem": "small", "block": "bottleneck" if bottleneck else "basic", "width": width, "stages": stages,
            "train": {"learning_rate": 1e-3}}
    return resnet, (width, depths, bottleneck), tree("resnet.yaml") + pictures(330, 3, 32), arch, (3, 32, 32), 10, False, 64


def _unet(width, depth, convs, transposed):
    arch = {"depth": depth, "width": width, "kernel": 3, "convs": convs, "upsample": "transposed" if transposed else "bilinear",
            "act": "ReLU", "train": {"learning_rate": 1e-3}}
    return unet, (width, depth, convs, transposed), tree("unet.yaml") + pictures(100, 1, 48, 5), arch, (1, 48, 48), 5, True, 16


def _gpt(width, layers, heads, inner):
    arch = {"arch_type": "gpt2", "n_layer": layers, "d_inner": inner, "d_model": width, "n_head": heads, "vocab_size": 256,
            "dropatt": 0.0, "max_sequence_length": 128}
    text = (f"[space]\nname = transformer_flex\narch_type = gpt2\nvocab_size = 256\nmax_sequence_length = 128\n"
            f"d_model_options = {width}\nd_inner_options = {inner}\nn_head_options = {heads}\nmax_layers = {layers}\n"
            f"[data]\nformat = tokens\nfile = TEXT\nsequence_length = 128\nvalidation = 0.03\n")
    return gpt, (width, layers, heads, inner), text, arch, (128,), 256, True, 16


MODELS = {
    "cnn 1x3x8": _cnn(1, 3, 8), "cnn 2x3x16": _cnn(2, 3, 16), "cnn 3x5x16": _cnn(3, 5, 16), "cnn 4x3x32": _cnn(4, 3, 32),
    "cnn 4x3x64": _cnn(4, 3, 64),
    "resnet 16, 1-1-1": _resnet(16, (1, 1, 1), False), "resnet 32, 2-2": _resnet(32, (2, 2), False),
    "resnet 16, 1-1 bottleneck": _resnet(16, (1, 1), True),
    "unet 8, depth 2": _unet(8, 2, 1, True), "unet 16, depth 2": _unet(16, 2, 1, False), "unet 16, depth 3": _unet(16, 3, 2, True),
    "gpt 128 x 2": _gpt(128, 2, 4, 512), "gpt 256 x 4": _gpt(256, 4, 8, 1024),
}


def write_config(name, folder, recipe):
    """The configuration's path and the architecture."""
    _, _, text, arch, *_ = MODELS[name]
    batch = MODELS[name][-1]
    if "TEXT" in text:
        path = os.path.join(folder, "text")
        with open(path, "wb") as f:  # any bytes do
            f.write(bytes(i * i % 251 for i in range(128 * batch * 5)))
        text = text.replace("TEXT", path)
    path = os.path.join(folder, name.replace(" ", "_").replace(",", "") + ".ini")
    with open(path, "w") as f:
        f.write(f"{text}[train]\nbatch_size = {batch}\noptimizer = adamw\nlearning_rate = 1e-3\nweight_decay = 1e-2\n"
                f"learning_rate_schedule = constant\n{recipe}[objective.params]\nsource = params\ndirection = minimize\n")
    return path, json.dumps(arch)
