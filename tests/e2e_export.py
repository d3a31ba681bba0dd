"""Models leave for other tools: ONNX by onnxruntime and the Python file by PyTorch give the outputs of `archai-space predict`; run as a
program the Python file gives the recorded accuracy to the last digit; all models of the front at once; what cannot leave says so, and
what names and results say is not run. Weights are random, so that every tensor matters: a stand-in for a trainer writes them.

ARCHAI_LONG=1: the spaces of configs/spaces and torchvision's models, too."""
import ast
import glob
import gzip
import json
import os
import re
import subprocess
import sys

import h5py
import numpy as np

import onnx_peer

SOURCE, BIN = os.environ["ARCHAI_SOURCE"], os.environ["ARCHAI_BIN"]
SPACES = os.path.join(SOURCE, "configs", "spaces")

# What a user's trainer does with a candidate: numbers of the right shapes, as safetensors.
STAND_IN = """
import json, os, subprocess, sys
import numpy as np
c = json.loads(sys.stdin.readline())
with open(f"{c['id']}.arch", "w") as f:
    f.write(c["arch"] if isinstance(c["arch"], str) else json.dumps(c["arch"]))
info = subprocess.run([sys.argv[1], sys.argv[2], "info", f"{c['id']}.arch"], capture_output=True, text=True)
assert info.returncode == 0, info.stderr
rng, header, data, at = np.random.default_rng(c["id"]), {}, [], 0
for name, shape in json.loads(info.stdout)["state_dict"].items():
    if name.endswith("num_batches_tracked"):
        raw, kind = np.array(3, np.int64).tobytes(), "I64"
    elif name == "lm_head.weight":  # tied to the table of tokens, in all of transformer_flex
        raw, kind = next(data[i] for i, k in enumerate(header) if k.endswith(("wte.weight", "embed_tokens.weight"))), "F32"
    else:
        x = 0.1 * rng.standard_normal(shape) + (1 if len(shape) == 1 and name.endswith("weight") else 0)
        raw, kind = (np.abs(x) + 0.5 if name.endswith("running_var") else x).astype("<f4").tobytes(), "F32"
    header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + len(raw)]}
    at += len(raw)
    data.append(raw)
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(os.environ["ARCHAI_WEIGHTS"], "wb") as f:
    f.write(len(text).to_bytes(8, "little") + text + b"".join(data))
print(json.dumps({"quality": float(rng.random())}))
"""


def tool(program, *args, rc=0):
    p = subprocess.run([os.path.join(BIN, program), *map(str, args)], capture_output=True, text=True, timeout=600)
    assert p.returncode == rc, (args, p.returncode, p.stdout, p.stderr)
    return p


def search(name, space, data, n=1):
    """`n` candidates of a space with random weights, in results NAME."""
    with open("stand_in.py", "w") as f:
        f.write(STAND_IN)
    with open(f"{name}.ini", "w") as f:
        f.write(f"[search]\nalgorithm = random_search\nmax_evaluations = {n}\n[space]\n{space}\n"
                f"{'[data]' + chr(10) + data if data else ''}\n[objective.quality]\ndirection = maximize\n[objective.params]\ndirection = minimize\n"
                f'[evaluator]\nkind = command\ncommand = "{sys.executable}" stand_in.py {BIN}/archai-space {name}.ini\n'
                f"[output]\ndirectory = {name}\nweights = all\nreport = no\n")
    tool("archai-run", f"{name}.ini", "--progress", "none")
    with h5py.File(f"{name}/results.h5") as f:
        assert set(f["candidates/status"].asstr()[()]) == {"ok"}, f["candidates/error"].asstr()[()]
        return list(zip(f["candidates/archid"].asstr()[()].tolist(), f["candidates/arch"].asstr()[()].tolist()))


def predict(name, archid, arch, x):
    with open("arch", "w") as f:
        f.write(arch)
    with h5py.File("x.h5", "w") as f:
        f["x"] = x
    tool("archai-space", f"{name}.ini", "predict", "arch", "--weights", f"{name}/results.h5:/models/{archid}", "--input", "x.h5:/x",
         "--output", "y.h5")
    with h5py.File("y.h5") as f:
        return f["output"][()]


def near(got, expected, what):
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    error = float(np.abs(got - expected).max() / max(1, np.abs(expected).max()))
    assert error < 1e-4, (what, error)
    return error


class Exports:
    def __init__(self, peer):
        self.peer, self.cases = peer, []

    def add(self, name, space, data, shape, n=1, tokens=0):
        rng = np.random.default_rng(1)
        for i, (archid, arch) in enumerate(search(name, space, data, n)):
            x = rng.integers(0, tokens, (3, *shape)) if tokens else rng.random((3, *shape), np.float32)
            for ending in "onnx", "py":
                tool("archai-inspect", name, "export", archid, "-o", f"{name}-{i}.{ending}")
            self.cases.append((f"{name}-{i}", archid, arch, x, predict(name, archid, arch, x)))

    def check(self):
        made = onnx_peer.python_outputs([(f"{name}.py", f"{name.rsplit('-', 1)[0]}/results.h5", x) for name, _, _, x, _ in self.cases])
        for (name, _, _, _, y), got in zip(self.cases, made):
            print(f"{name}.py: outputs differ by {near(got['y'], y, name):.1e}")
        if self.peer is None:
            print("no onnxruntime, so ONNX files were written but not run (./bootstrap test gets it from PyPI)")
            return
        made = onnx_peer.outputs(self.peer, [(f"{name}.onnx", x) for name, _, _, x, _ in self.cases])
        for (name, archid, arch, _, y), got in zip(self.cases, made):
            error = near(got["y"], y, name)
            assert got["texts"]["archid"] == archid and got["texts"]["arch"] == arch, got["texts"]
            with h5py.File(f"{name.rsplit('-', 1)[0]}/results.h5") as f:
                names = {k for k in f[f"models/{archid}"]}
            ours = {k for k in got["names"] if not k.startswith("/")}
            assert ours and ours <= names and all(k in ours for k in names if k.endswith(".bias")), (name, ours ^ names)
            print(f"{name}.onnx: outputs differ by {error:.1e}")


def front():
    """All models of the front, in the order of `pareto`; again, which replaces them."""
    rows = json.loads(tool("archai-inspect", "cnn", "pareto", "--json").stdout)
    said = tool("archai-inspect", "cnn", "export", "--front", "--format", "onnx", "-o", "front").stdout.split()
    assert len(said) == len(rows) > 0 and sorted(os.listdir("front")) == sorted(os.path.basename(p) for p in said), said
    assert said[0].startswith("front/front-1-") and " " not in said[0], said
    tool("archai-inspect", "cnn", "export", "--front", "-o", "front")
    assert len(os.listdir("front")) == 2 * len(rows) and any(p.endswith(".safetensors") for p in os.listdir("front"))
    tool("archai-inspect", "cnn", "export", "front:1", "-o", "one.onnx")
    with open("one.onnx", "rb") as a, open(said[0], "rb") as b:
        assert a.read() == b.read()


def write_idx(path, a):
    with gzip.open(path, "wb", 1) as f:
        f.write(bytes([0, 0, 8, a.ndim]) + b"".join(n.to_bytes(4, "big") for n in a.shape) + a.astype(np.uint8).tobytes())


def trained():
    """By the built-in trainer, on files; the weights three ways, the split as recorded and by its rule."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 403)
    pictures = rng.integers(0, 200, (403, 12, 12))
    for i, k in enumerate(labels):
        pictures[i, 3 * k:3 * k + 3] += 30
    write_idx("x.gz", pictures)
    write_idx("y.gz", labels)
    with open("trained.ini", "w") as f:
        f.write("[search]\nalgorithm = random_search\nmax_evaluations = 2\n[space]\nname = cnn\nmax_layers = 2\nkernel_list = 3\nhidden_list = 4 8\n"
                "[data]\nformat = idx\ntrain_images = x.gz\ntrain_labels = y.gz\nvalidation = 0.3\nseed = 9\nmax_samples = 390\nnormalize = auto\n"
                "[train]\nepochs = 2\nbatch_size = 16\n[objective.val_accuracy]\ndirection = maximize\n[evaluator]\nkind = torch\ndevice = cpu\n"
                "threads = 1\n[output]\ndirectory = trained\nweights = all\nreport = no\n")
    tool("archai-run", "trained.ini", "--progress", "none")
    for ending in "py", "pt", "safetensors":
        tool("archai-inspect", "trained", "export", "1", "-o", f"trained.{ending}")
    with h5py.File("trained/results.h5") as f:
        recorded = f["objectives/val_accuracy"][1]
        assert len(f["split/val"]) == 117 and 0 < recorded < 1, recorded
    os.mkdir("elsewhere")
    for weights in [], ["--weights", "trained.pt"], ["--weights", "trained.safetensors"]:
        moved = [w if w.startswith("--") else os.path.abspath(w) for w in weights]
        data = [x for k in ("x", "y") for x in ("--data", f"train_{'images' if k == 'x' else 'labels'}={os.path.abspath(k)}.gz")]
        p = subprocess.run([sys.executable, "../trained.py", *moved, *data], capture_output=True, text=True, timeout=300, cwd="elsewhere")
        assert p.returncode == 0, p.stderr
        assert f"val_accuracy {float(recorded)!r} (recorded: {float(recorded)!r})\n" in p.stdout, (p.stdout, recorded)
        assert "val_loss" in p.stdout


HOSTILE = '\'"""\\"); raise SystemExit(7)#\n'


def hostile():
    """Names that are no identifiers, and some that want to be code, stay names: of modules, classes, tensors and architectures."""
    names = ["class", "train", "0", "a-b", "forward", "\u00e9\U0001f600", '"""', "\\", "'+exit()+'", "x\")or(exit(3))#"]
    network = "".join(f"  - {json.dumps(n, ensure_ascii=False)}: {{Linear: 4}}\n" for n in names)
    with open("hostile.yaml", "w") as f:
        f.write("input: {features: 3, classes: 2}\nparameters:\n  p: {choice: [" + json.dumps(HOSTILE) + "]}\nnetwork:\n" + network)
    exports.add("hostile", "name = config\ntree = hostile.yaml", "", (3,))
    with open("hostile-0.py") as f:
        text = f.read()
    ast.parse(text)
    text.encode("ascii")
    with h5py.File("hostile/results.h5") as f, h5py.File("renamed.h5", "w") as g:
        assert len(f[f"models/{exports.cases[-1][1]}"]) == 2 * len(names)
    # Results that somebody else wrote: an archid, an arch and measures that want to be code.
    with open("hostile/results.h5", "rb") as a, open("renamed.h5", "wb") as b:
        b.write(a.read())
    with h5py.File("renamed.h5", "r+") as f:
        for name in "archid", "arch":
            old = f[f"candidates/{name}"]
            new = old[()].astype("S200") if name == "arch" else np.array([HOSTILE.encode()], "S200")
            attrs = dict(old.attrs)
            del f[f"candidates/{name}"]
            made = f["candidates"].create_dataset(name, data=new.astype(h5py.string_dtype("utf-8", 200)))
            made.attrs.update(attrs)
        f["objectives"].move("quality", "quality%0Aexit(3)")
    tool("archai-inspect", "renamed.h5", "export", "0", "--format", "python", "-o", "renamed.py")
    with open("renamed.py") as f:
        tree = ast.parse(f.read())
    texts = {n.targets[0].id: n.value.value for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)}
    assert texts["ARCHID"].startswith("'\"\"\"") and "SystemExit" in texts["ARCHID"], texts
    p = subprocess.run([sys.executable, "-c", "import renamed; renamed.Model()"], capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, p.stderr


def refusals():
    def says(*args, words):
        said = tool("archai-inspect", *args, rc=2).stderr
        assert words in said and said.count("\n") == 1, said
        assert not os.path.exists("no.onnx")

    says("cnn", "export", "front:1", "--format", "tflite", "-o", "no.onnx", words="'tflite', expected safetensors, pt, arch")
    says("cnn", "export", "front:1", "--format", "onnx", words="export needs -o FILE")
    says("cnn", "export", "-o", "no.onnx", words="export takes an ARCHID, or --front")
    says("cnn", "export", "front:1", "--front", "-o", "no.onnx", words="export takes an ARCHID, or --front")
    says("cnn", "export", "--front", words="-o DIRECTORY")
    says("cnn", "export", "--front", "-o", "cnn.ini", words="cnn.ini: is a file, expected a directory")

    def changed(**attributes):
        with open("cnn/results.h5", "rb") as a, open("changed.h5", "wb") as b:
            b.write(a.read())
        with h5py.File("changed.h5", "r+") as f:
            for k, v in attributes.items():
                v = v(f.attrs[k]) if callable(v) else v
                del f.attrs[k]
                if v is not None:
                    f.attrs[k] = v
        for segment in glob.glob("cnn/segment-*"):
            if not os.path.exists(os.path.basename(segment)):
                os.symlink(segment, os.path.basename(segment))

    with h5py.File("cnn/results.h5") as f:
        config = f.attrs["config"]
        assert json.loads(f.attrs["data_shape"])["height"] == 28
    # Results may come from anywhere: code that their configuration names is not run.
    evil = re.sub(r"(?m)^plugin *=.*", f"plugin = {os.getcwd()}/evil.so", re.sub(r"(?m)^name( *)= cnn", r"name\1= plugin", config))
    assert "evil.so" in evil and "cnn" not in evil.split("[space]")[1].split("[")[0].replace("cnn.ini", ""), evil
    changed(config=evil)
    says("changed.h5", "export", "0", "-o", "no.onnx", words="is a plug-in, whose code is run only where --config CONFIG names it")
    tool("archai-inspect", "changed.h5", "export", "0", "--config", "cnn.ini", "-o", "again.onnx")
    # Of earlier versions, which did not record it, the data are asked for their shape.
    changed(data_shape=None)
    tool("archai-inspect", "changed.h5", "export", "0", "-o", "again.onnx")
    changed(data_shape='{"channels": 3}')
    says("changed.h5", "export", "0", "-o", "no.onnx", words="data_shape: no shape of data")
    # Another space than the one that the weights are of.
    with open("other.ini", "w") as f:
        f.write("[space]\nname = cnn\n[data]\nchannels = 3\nsamples = 100\n")
    changed(data_shape=lambda v: v.replace('"channels":1', '"channels":3'))
    says("changed.h5", "export", "0", "-o", "no.onnx", words="'model.0.weight' has another shape in the weights than in the model")


exports = Exports(onnx_peer.python())
exports.add("cnn", "name = cnn\nmax_layers = 2\nkernel_list = 3 5\nhidden_list = 4 8", "samples = 100", (1, 28, 28), n=2)
exports.add("dag", "name = segmentation_dag\nmax_layers = 3\nmax_base_channels = 16\nmax_delta_channels = 8\nimg_size = 32 32\nnb_classes = 5", "", (3, 32, 32))
exports.add("tss", "name = natsbench_tss\nchannels = 4\ncells = 1", "", (3, 32, 32))
exports.add("gpt2", "name = transformer_flex\narch_type = gpt2\nmin_layers = 1\nmax_layers = 2\nd_model_options = 16\nd_inner_options = 32\n"
            "n_head_options = 2\nvocab_size = 50\nmax_sequence_length = 12", "", (12,), tokens=50)
exports.add("unet", f"name = config\ntree = {SPACES}/unet.yaml", "samples = 50\nchannels = 3", (3, 28, 28))
# Its dropouts have no place in the tree of modules.
exports.add("opt", "name = transformer_flex\narch_type = opt\nmin_layers = 1\nmax_layers = 1\nd_model_options = 16\nd_inner_options = 32\n"
            "n_head_options = 2\nvocab_size = 50\nmax_sequence_length = 12", "", (12,), tokens=50)
if os.environ.get("ARCHAI_LONG"):
    for kind in "gpt2-flex", "codegen":
        exports.add(kind, f"name = transformer_flex\narch_type = {kind}\nmin_layers = 1\nmax_layers = 2\nd_model_options = 64\nd_inner_options = 32\n"
                    "n_head_options = 2\nvocab_size = 50\nmax_sequence_length = 12", "", (12,), n=2, tokens=50)
    for tree in "resnet", "mobilenet", "efficientnet", "convnext", "vit", "natsbench_sss", "darts":
        exports.add(tree, f"name = config\ntree = {SPACES}/{tree}.yaml", "samples = 50\nchannels = 3", (3, 28, 28), n=3)
    for tree in sorted(glob.glob(f"{SPACES}/torchvision/*.yaml")):
        name = os.path.splitext(os.path.basename(tree))[0]
        exports.add(name, f"name = config\ntree = {tree}", "samples = 10\nchannels = 3\nwidth = 224\nheight = 224", (3, 224, 224))
hostile()
exports.check()
trained()
front()
refusals()
