"""What others make of exported files: ONNX by onnxruntime, after onnx.checker has looked at it; Python by PyTorch."""
import os
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def python():
    """A Python that has onnx and onnxruntime: $ARCHAI_ONNX_PYTHON, that of ./bootstrap test beside the build, or this one; None."""
    beside = os.path.join(os.environ["ARCHAI_BIN"], "..", "onnx-venv", "bin", "python3")
    for p in filter(None, (os.environ.get("ARCHAI_ONNX_PYTHON"), beside, sys.executable)):
        if os.path.exists(p) and subprocess.run([p, "-c", "import onnx, onnxruntime"], capture_output=True, check=False).returncode == 0:
            return p
    return None


def run(peer, program, cases):
    files = []
    for i, case in enumerate(cases):
        files.append(f"{program}-{i}.npz")
        np.savez(files[-1], **case)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    p = subprocess.run([peer, os.path.join(HERE, program), *files], capture_output=True, text=True, timeout=900, env=env)
    assert p.returncode == 0, p.stderr
    made = []
    for name in files:
        with np.load(name) as f:
            made.append({k: f[k] for k in f})
        os.remove(name)
    return made


def outputs(peer, cases):
    """For each (path of an ONNX file, input): a dict of y, names (of the initializers) and texts (the metadata)."""
    return [{"y": m["y"], "names": m["names"].tolist(), "texts": dict(m["texts"].tolist())}
            for m in run(peer, "run_onnx.py", [{"model": path, "x": x} for path, x in cases])]


def python_outputs(cases):
    """For each (path of a Python file, of weights, input): a dict of y and state (the names). $ARCHAI_TORCH_PYTHON: of another PyTorch."""
    peer = os.environ.get("ARCHAI_TORCH_PYTHON", sys.executable)
    return [{"y": m["y"], "state": m["state"].tolist()}
            for m in run(peer, "run_python.py", [{"model": p, "weights": w, "x": x} for p, w, x in cases])]
