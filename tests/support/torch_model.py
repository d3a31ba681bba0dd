"""What stories that compare with PyTorch share: random weights, archai-space, and the comparison."""
import json
import os
import subprocess

import h5py
import torch

TOOL = os.path.join(os.environ["ARCHAI_BIN"], "archai-space")
SPACES = os.path.join(os.environ["ARCHAI_SOURCE"], "configs", "spaces")


def archai_space(*args):
    p = subprocess.run([TOOL, *map(str, args)], capture_output=True, text=True, timeout=600)
    assert p.returncode == 0, (args, p.returncode, p.stderr)
    return p.stdout


def space(tree, data=""):
    """A configuration of the space in a file of configs/spaces (or in any file)."""
    path = os.path.splitext(os.path.basename(tree))[0] + ".ini"
    with open(path, "w") as f:
        f.write(f"[space]\nname = config\ntree = {os.path.join(SPACES, tree)}\n{data}")
    return path


def randomize(model, seed=1):
    """Weights that all matter: what PyTorch starts with 0 or 1 (norms, biases, layer scale) gets other values."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, t in list(model.named_parameters()) + list(model.named_buffers()):
            if not t.is_floating_point():
                continue
            if name.endswith("running_var"):
                t.copy_(0.5 + torch.rand(t.shape, generator=g))
            elif t.dim() <= 1 or t.min() == t.max():
                t.copy_((0 if name.endswith(("bias", "mean")) else 1) + 0.1 * torch.randn(t.shape, generator=g))
    return model.eval()


def compare(config, arch, model, x, tolerance=1e-4):
    """The architecture has the model's names, shapes and number of parameters, and computes the same outputs from its weights."""
    if not isinstance(arch, str):
        with open("arch.json", "w") as f:
            json.dump(arch, f)
        arch = "arch.json"
    state = model.state_dict()
    info = json.loads(archai_space(config, "info", arch))
    shapes = {name: list(t.shape) for name, t in state.items()}
    differ = [name for name in {**shapes, **info["state_dict"]} if shapes.get(name) != info["state_dict"].get(name)]
    assert not differ, [(name, shapes.get(name), info["state_dict"].get(name)) for name in differ[:10]]
    count = sum(t.numel() for t in model.parameters())
    assert info["params"] == count, (info["params"], count)

    with h5py.File("case.h5", "w") as f:
        f["input"] = x.numpy()
        for name, t in state.items():
            f[f"weights/{name}"] = t.numpy()
    archai_space(config, "predict", arch, "--weights", "case.h5:/weights", "--input", "case.h5:/input", "--output", "out.h5")
    os.remove("case.h5")
    with torch.no_grad():
        expected = model(x)
    with h5py.File("out.h5") as f:
        got = torch.as_tensor(f["output"][...])
    assert got.shape == expected.shape, (got.shape, expected.shape)
    error = ((got - expected).abs().max() / expected.abs().max()).item()
    assert error < tolerance, error
    return count, error
