"""PyTorch's own files as weights: what torch.save wrote arrives in results.h5 number by number, what is no dictionary of tensors
is refused, and what the tools export as .pt can be given back to them."""
import json
import os
import subprocess
import sys

import h5py
import numpy as np

try:
    import torch
except ImportError:
    print("without torch: no file to read")
    sys.exit(77)
SOURCE, TMP, BIN = (os.environ[k] for k in ("ARCHAI_SOURCE", "ARCHAI_TMP", "ARCHAI_BIN"))
SPACE = "[space]\nname = cnn\nmax_layers = 2\nkernel_list = 3\nhidden_list = 4 8\n"


def tool(program, *args):
    return subprocess.run([os.path.join(BIN, program), *map(str, args)], cwd=TMP, capture_output=True, text=True, timeout=300)


def write(name, text):
    with open(os.path.join(TMP, name), "w") as f:
        f.write(text)


def kinds():
    a = torch.arange(12.0).reshape(3, 4) - 5.3
    tied = torch.nn.Parameter(torch.randn(5, 2, generator=torch.Generator().manual_seed(1)))
    return {"transposed": a.t(), "part": a[1:, 2:], "steps": a[:, ::2], "one": a[2, 3], "none": torch.zeros(0, 3), "half": a.half(),
            "double": a.double(), "brain": a.bfloat16(), "truth": a > 0, "long": torch.tensor([-(2 ** 40), 7]), "int": a.int(),
            "byte": (a + 10).byte(), "block.tied": tied, "head.tied": tied, "expanded": a[:1].expand(3, 4), "wide/name": a[0]}


SAVES = """
import json, os, sys
import torch
sys.path.insert(0, os.getcwd())
c = json.loads(sys.stdin.readline())
exec(open("kinds.py").read())
x = kinds()
what = [x, {"epoch": 3, "lr": 0.1, "note": "x", "done": None, "state_dict": x, "shape": torch.Size([1, 2])},
        __import__("collections").OrderedDict(x)][c["id"]]
torch.save(what, os.environ["ARCHAI_WEIGHTS"])
print(json.dumps({"acc": 1}))
"""


def what_torch_saves_is_read():
    import inspect

    write("kinds.py", "import torch\n" + inspect.getsource(kinds))
    write("saves.py", SAVES)
    write("c.ini", f"[search]\nalgorithm = random_search\nmax_evaluations = 3\n{SPACE.replace('= 2', '= 3')}[objective.acc]\ndirection = maximize\n"
                   f'[evaluator]\nkind = command\ncommand = "{sys.executable}" saves.py\n[output]\ndirectory = out\nweights = all\n')
    p = tool("archai-run", "c.ini", "--progress", "none")
    assert p.returncode == 0, p.stderr
    with h5py.File(f"{TMP}/out/results.h5") as f:
        assert [x.decode() for x in f["candidates/status"]] == ["ok"] * 3, f["candidates/error"][()]
        for archid in f["candidates/archid"]:
            group = f[f"models/{archid.decode()}"]
            found = {}
            group.visititems(lambda name, d: found.__setitem__(name, d[()]) if isinstance(d, h5py.Dataset) else None)
            expected = {k: v.detach() for k, v in kinds().items()}
            expected["brain"], expected["truth"] = expected["brain"].float(), expected["truth"].byte()
            missing = [k for k in expected if k not in found and "/" not in k]
            assert not missing, (missing, list(found))
            for k, v in expected.items():
                if k in found:
                    assert found[k].shape == tuple(v.shape) and np.array_equal(found[k], v.numpy()), (k, found[k], v)


def what_is_exported_can_be_given_back():
    """And as PyTorch wrote it; the outputs are those of the weights in results.h5."""
    write("t.ini", f"[search]\nalgorithm = random_search\nmax_evaluations = 1\n{SPACE}[data]\nsamples = 100\n[train]\nepochs = 1\n"
                   "[objective.val_accuracy]\ndirection = maximize\n[evaluator]\nkind = torch\ndevice = cpu\nthreads = 1\n"
                   "[output]\ndirectory = trained\nweights = all\n")
    p = tool("archai-run", "t.ini", "--progress", "none")
    assert p.returncode == 0, p.stderr
    with h5py.File(f"{TMP}/trained/results.h5") as f:
        archid, arch = f["candidates/archid"][0].decode(), f["candidates/arch"][0].decode()
    write("a.json", arch)
    with h5py.File(f"{TMP}/x.h5", "w") as f:
        f["x"] = np.random.default_rng(1).normal(size=(3, 1, 28, 28)).astype("f4")
    p = tool("archai-inspect", "trained", "export", archid, "--format", "pt", "-o", "w.pt")
    assert p.returncode == 0, p.stderr
    state = torch.load(f"{TMP}/w.pt")
    torch.save(state, f"{TMP}/again.pt")
    outputs = []
    for weights in (f"trained/results.h5:/models/{archid}", "w.pt", "again.pt"):
        p = tool("archai-space", "t.ini", "predict", "a.json", "--weights", weights, "--input", "x.h5:/x", "--output", "y.h5")
        assert p.returncode == 0, p.stderr
        with h5py.File(f"{TMP}/y.h5") as f:
            outputs.append(f["output"][()])
        os.remove(f"{TMP}/y.h5")
    assert np.array_equal(outputs[0], outputs[1]) and np.array_equal(outputs[0], outputs[2])

    refused = {"module": torch.nn.Linear(2, 2), "list": [torch.zeros(2)], "numbers": {"a": 1}, "complex": {"a": torch.zeros(2, dtype=torch.cfloat)}}
    for name, what in refused.items():
        torch.save(what, f"{TMP}/{name}.pt")
    torch.save(state, f"{TMP}/old.pt", _use_new_zipfile_serialization=False)
    with open(f"{TMP}/w.pt", "rb") as f:
        whole = f.read()
    for name, n in ("cut", len(whole) // 2), ("short", 40):
        with open(f"{TMP}/{name}.pt", "wb") as f:
            f.write(whole[:n])
    for name in [*refused, "old", "cut", "short"]:
        p = tool("archai-space", "t.ini", "predict", "a.json", "--weights", f"{name}.pt", "--input", "x.h5:/x", "--output", "y.h5")
        assert p.returncode == 2 and p.stderr.count("\n") == 1 and f"{name}.pt" in p.stderr, (name, p.returncode, p.stderr)


what_torch_saves_is_read()
what_is_exported_can_be_given_back()
