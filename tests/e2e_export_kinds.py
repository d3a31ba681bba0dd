"""Every kind of layer and operation leaves as ONNX and as Python and computes what PyTorch computed (data/make_kinds.py).
usage: e2e_export_kinds.py EXPORT_KINDS"""
import json
import os
import subprocess
import sys

import numpy as np

import onnx_peer

DATA = os.path.join(os.environ["ARCHAI_SOURCE"], "tests", "data")
EXPORT_KINDS = sys.argv[1]


def read_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    types = {"F32": np.float32, "I64": np.int64}
    return {k: np.frombuffer(data[slice(*v["data_offsets"])], types[v["dtype"]]).reshape(v["shape"]) for k, v in header.items()
            if k != "__metadata__"}


def draw(seed, shape):
    """make_kinds.py's"""
    x, out = (seed * 2654435761 + 12345) % 2**32, []
    for _ in range(int(np.prod(shape))):
        x = (x * 1664525 + 1013904223) % 2**32
        out.append((x >> 8) / 2**23 - 1)
    return np.array(out, np.float32).reshape(shape)


def input_of(i, case):
    x = draw(1000 * i, (2, *case["shape"]))
    return np.floor((x + 1) / 2 * case["tokens"]).astype(np.int64) if case["tokens"] else x


os.mkdir("kinds")
subprocess.run([EXPORT_KINDS, "kinds"], check=True)
with open(f"{DATA}/kinds.json") as f:
    cases = json.load(f)
expected = read_safetensors(f"{DATA}/kinds.safetensors")


def compare(made):
    worst = 0
    for i, (case, got) in enumerate(zip(cases, made)):
        y = expected[f"{i}/eval/output"]
        assert got["y"].shape == y.shape and got["y"].dtype == y.dtype, (i, case["kind"], got["y"].shape, y.shape, got["y"].dtype)
        error = float(np.max(np.abs(got["y"] - y) / np.maximum(1, np.abs(y))))
        assert error < 1e-4, (i, case["kind"], case["args"], error)
        worst = max(worst, error)
    return worst


made = onnx_peer.python_outputs([(f"kinds/{i}.py", f"kinds/{i}.safetensors", input_of(i, case)) for i, case in enumerate(cases)])
print(f"{len(cases)} cases, outputs of the Python files differ by {compare(made):.1e} at most")
for case, got in zip(cases, made):
    assert got["state"] == [name for name, *_ in case["state"]], (case["kind"], got["state"])
peer = onnx_peer.python()
if peer is None:
    print("no onnxruntime, so ONNX files were written but not run (./bootstrap test gets it from PyPI)")
    sys.exit(0)
made = onnx_peer.outputs(peer, [(f"kinds/{i}.onnx", input_of(i, case)) for i, case in enumerate(cases)])
print(f"outputs of the ONNX files differ by {compare(made):.1e} at most")
for case, got in zip(cases, made):
    weights = {name for name, _, dtype, _ in case["state"] if dtype == "float32"}
    assert weights <= set(got["names"]) or case.get("tied") or case["kind"] == "InstanceNorm2d", (case, got["names"])
