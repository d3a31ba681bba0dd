"""archai-space predict: tokens and pictures in, what PyTorch computed out, and what does not fit refused before anything starts.
Language models: data/transformer_forward.h5, Hugging Face's outputs; pictures: data/forward.h5."""
import json
import os
import subprocess

import h5py
import numpy as np

SOURCE, BIN = (os.environ[k] for k in ("ARCHAI_SOURCE", "ARCHAI_BIN"))
DATA = os.path.join(SOURCE, "tests", "data")


def write(name, text):
    with open(name, "w") as f:
        f.write(text)
    return name


def run(ini, arch, weights, x, code=0):
    with h5py.File("in.h5", "w") as f:
        f["x"] = x
    p = subprocess.run([os.path.join(BIN, "archai-space"), ini, "predict", arch, "--weights", weights, "--input", "in.h5:/x",
                        "--output", "out.h5"], capture_output=True, text=True, timeout=300)
    assert p.returncode == code, (p.returncode, p.stdout, p.stderr)
    if code == 0:
        with h5py.File("out.h5") as f:
            y = f["output"][...]
        assert y.dtype == np.float32
        return y
    assert p.stderr.count("\n") == 1, p.stderr
    return p.stderr


def near(got, expected):
    assert got.shape == expected.shape and np.abs(got - expected).max() < 1e-4, (got.shape, np.abs(got - expected).max())


def subject(file, name):
    case = file[name]
    params = json.loads(case.attrs["params"])
    keys = "".join(f"{k} = {str(v).lower() if isinstance(v, bool) else v}\n" for k, v in params.items())
    ini = write("s.ini", f"[space]\nname = {case.attrs['space']}\n{keys}")
    return ini, write("s.json", case.attrs["arch"]), f"{file.filename}:/{name}/weights", case["input"][...], case["output"][...]


def tokens():
    with h5py.File(f"{DATA}/transformer_forward.h5") as file:
        for name in file:
            ini, arch, weights, x, y = subject(file, name)
            near(run(ini, arch, weights, x.astype(np.int32)), y)  # int64: e2e_space
            # No token sees a later one: the beginning of a text says what the whole text says there.
            near(run(ini, arch, weights, x[:1, :5]), y[:1, :5])
        ini, arch, weights, x, y = subject(file, "gpt2-1")  # opt has 2050 places whatever its length
        bad = x.copy()
        bad[1, 4] = 100
        for given, words in (
                (bad, "in.h5:/x: [1, 4] is the token 100, expected 0 to 99"),
                (-x, "expected 0 to 99"),
                (x.astype(np.float32), "in.h5:/x: is float32, expected int64, the numbers of tokens"),
                (x[0], "in.h5:/x: has the shape [17], the network takes [N, 48]: 1 dimensions"),
                (x[:0], "in.h5:/x: has the shape [0, 17]: there is nothing to predict"),
                (np.zeros((2, 49), np.int64), "in.h5:/x: has the shape [2, 49], the network takes [N, 48]: ")):
            said = run(ini, arch, weights, given, code=2)
            assert said.startswith("archai-space: --input: ") and words in said, said


def pictures():
    with h5py.File(f"{DATA}/forward.h5") as file:
        ini, arch, weights, x, y = subject(file, "cnn_small")
        near(run(ini, arch, weights, x.astype(np.float64)), y)
        n, c, h, w = x.shape
        # Pooled to one pixel: pictures of other sizes go through.
        flat = np.full((1, c, 40, 44), 0.5, np.float32)
        assert run(ini, arch, weights, flat).shape == (1, y.shape[1])
        takes = f"the network takes [N, {c}, {h}, {w}]"
        for given, words in (
                (x[0], f"in.h5:/x: has the shape [{c}, {h}, {w}], {takes}: 3 dimensions"),
                (np.repeat(x, 2, 1), f"in.h5:/x: has the shape [{n}, {2 * c}, {h}, {w}], {takes}: module "),
                (x[:, :, :0], f"{takes}: a size of 0"),
                (x[:0], "there is nothing to predict"),
                (x.astype(np.int64), "in.h5:/x: is int64, expected float32, or uint8 images"),
                (x[0].astype(np.uint8), "in.h5:/x: is uint8, expected float32; uint8 is for images, [N, C, H, W]"),
                (np.float32(3), "has the shape [], ")):
            said = run(ini, arch, weights, given, code=2)
            assert said.startswith("archai-space: --input: ") and words in said, said


tokens()
pictures()
