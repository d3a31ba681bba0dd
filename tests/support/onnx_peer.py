"""What others make of an exported ONNX file: outputs by onnxruntime, after onnx.checker has looked at it."""
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


def outputs(peer, cases):
    """For each (path of an ONNX file, input): a dict of y, names (of the initializers) and texts (the metadata)."""
    files = []
    for i, (path, x) in enumerate(cases):
        files.append(f"onnx-{i}.npz")
        np.savez(files[-1], model=path, x=x)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    p = subprocess.run([peer, os.path.join(HERE, "run_onnx.py"), *files], capture_output=True, text=True, timeout=900, env=env)
    assert p.returncode == 0, p.stderr
    made = []
    for name in files:
        with np.load(name) as f:
            made.append({"y": f["y"], "names": list(f["names"]), "texts": dict(f["texts"].tolist())})
        os.remove(name)
    return made
