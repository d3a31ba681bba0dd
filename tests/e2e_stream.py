"""Data that are not held in memory: trained bit for bit as if they were; refused, with both numbers, where they do not
fit; checked by a dry run through little memory; what is damaged is found before anything starts."""
import os
import pathlib
import resource
import shutil
import subprocess
import sys

import h5py
import numpy as np
from PIL import Image

sys.path.insert(0, f"{os.environ['ARCHAI_SOURCE']}/tests/support")
RUN = f"{os.environ['ARCHAI_BIN']}/archai-run"
os.chdir(os.environ["ARCHAI_TMP"])
rng = np.random.default_rng(1)
N, SIDE = 120, 12

CONFIG = """[search]
algorithm = random_search
max_evaluations = 2
[space]
name = cnn
max_layers = 2
hidden_list = 4 8
[objective.params]
direction = minimize
[train]
epochs = 2
batch_size = 16
ema = 0.9
[evaluator]
threads = 1
[output]
report = no
[data]
"""


def config(**keys):
    return CONFIG + "".join(f"{k} = {v}\n" for k, v in keys.items())


def run(name, *words, ranks=1, limit=None, **keys):
    pathlib.Path(f"{name}.ini").write_text(config(**keys))
    shutil.rmtree(name, ignore_errors=True)
    mpirun = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    return subprocess.run([*mpirun, RUN, f"{name}.ini", "--output", name, *words], capture_output=True, text=True,
                          preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))))


def trained(name, **keys):
    """The measures of each architecture but the times, and the share that each waited."""
    r = run(name, **keys)
    assert r.returncode == 0, r.stdout + r.stderr
    assert ("read while training" in r.stderr + r.stdout) == (keys["resident"] == "no"), r.stderr + r.stdout
    rows, waits = {}, []
    with h5py.File(f"{name}/results.h5") as f:
        assert all(v == b"ok" for v in f["candidates/status"][:])
        for i, archid in enumerate(f["candidates/archid"].asstr()[:]):
            rows[archid] = {n: v[i].tobytes() for n, v in f["metrics"].items() if n not in ("train_seconds", "data_wait")}
        waits = list(f["metrics/data_wait"][:]) if "data_wait" in f["metrics"] else []
    assert rows and all("val_loss" in v for v in rows.values()), rows
    return rows, waits


# -- the same weights, whatever is in memory ---------------------------------------------------------------------
images = rng.integers(0, 256, (N, 3, SIDE, SIDE), np.uint8)
labels = (np.arange(N) % 3).astype("u1")
for i, x in enumerate(images):
    os.makedirs(f"folder/{'abc'[labels[i]]}", exist_ok=True)
    Image.fromarray(x.transpose(1, 2, 0)).save(f"folder/{'abc'[labels[i]]}/{i}.{'png' if i % 2 else 'jpg'}")
with h5py.File("x.h5", "w") as f:
    f.create_dataset("train/images", data=images, chunks=(9, 3, 6, 6), compression="gzip")
    f["train/labels"] = labels.astype("i8")
    f["test/images"], f["test/labels"] = images[:30], labels[:30].astype("i8")
    f.attrs["num_classes"] = 3


def idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    pathlib.Path(path).write_bytes(head + array.tobytes())


idx("x.idx", images), idx("y.idx", labels)
picture = {"normalize": "auto", "augment": "crop 2, flip, mixup 0.2"}
for name, keys in (("folder", {"format": "folder", "file": "folder", **picture}),
                   ("hdf5", {"format": "hdf5", "file": "x.h5", "normalize": "auto"}),
                   ("idx", {"format": "idx", "train_images": "x.idx", "train_labels": "y.idx", "max_samples": 100, "workers": 3})):
    held, none = trained(f"{name}-held", **keys, resident="yes")
    streamed, waits = trained(f"{name}-streamed", **keys, resident="no")
    assert held == streamed, (name, held, streamed)
    assert not none and len(waits) == 2 and all(0 <= w <= 1 for w in waits), (none, waits)
    if name == "folder":
        assert trained("two-ranks", **keys, resident="no", ranks=2)[0] == held

# -- what does not fit: 1 GiB of pictures (a sparse file) and less address space --------------------------------
big = 1_400_000
with open("big.idx", "wb") as f:
    f.write(bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (big, 28, 28)))
    f.truncate(16 + big * 28 * 28)
idx("big-labels.idx", np.arange(big, dtype="u4").astype("u1") % 5)
keys = {"format": "idx", "train_images": "big.idx", "train_labels": "big-labels.idx"}
limit = 1_000_000_000
r = run("big", "--dry-run", limit=limit, resident="yes", **keys)
assert r.returncode == 2 and "data.resident: the data take 1.02 GiB of memory, but RLIMIT_AS leaves " in r.stderr, r.stderr
r = run("big", "--dry-run", limit=limit, **keys)
assert r.returncode == 0 and "1.02 GiB, read while training" in r.stderr + r.stdout, r.stderr
assert not os.path.exists("big")
r = run("big", limit=limit, resident="yes", **keys)
assert r.returncode == 2 and not os.path.exists("big"), r.stderr

# -- what is damaged is bad input, also where nothing is held ------------------------------------------------------
victim = "folder/b/61.png"
whole = pathlib.Path(victim).read_bytes()
pathlib.Path(victim).write_bytes(whole[:60])
for words in ([], ["--dry-run"]):
    r = run("damaged", *words, format="folder", file="folder", resident="no")
    assert r.returncode == 2 and victim in r.stderr, r.stderr
print("ok")
