"""HDF5 files that h5py wrote, and CIFAR-100's binary files: what is in memory is what NumPy has."""
import os
import subprocess
import sys

import h5py
import numpy as np

import data_sets
from data_sets import load, refused

data_sets.TOOL = sys.argv[1]
rng = np.random.default_rng(1)


def put(path, attrs={}, **arrays):
    with h5py.File(path, "w") as f:
        for name, values in arrays.items():
            f[name.replace("_", "/", 1)] = values
        f.attrs.update(attrs)
    return {"format": "hdf5", "file": path}


def same(d, images, labels):
    """Train and validation are a permutation of the file, as the indices say."""
    for split in 0, 1:
        assert np.array_equal(d.images[split], images[d.indices[split]])
        assert np.array_equal(d.labels[split], labels[d.indices[split]])
    assert sorted(np.concatenate(d.indices[:2])) == list(range(len(images)))


grey = rng.integers(0, 256, (40, 6, 7), np.uint8)
classes = np.arange(40) % 3
d = load(**put("grey.h5", {"num_classes": 3}, train_images=grey, train_labels=classes))
assert (d.channels, d.height, d.width, d.targets) == (1, 6, 7, data_sets.CLASS) and d.n == [36, 4, 0]
same(d, grey[:, None], classes)
assert d.said == "36 pictures to train on, 4 to validate on; each 1 x 6 x 7 (uint8), 3 classes; 2.12 KiB on each node", d.said
masks = rng.integers(0, 3, (40, 6, 7))
d = load(**put("masks.h5", {"num_classes": 3}, train_images=grey, train_labels=masks))
assert d.targets == data_sets.MASK
same(d, grey[:, None], masks)

# landmarks: K numbers for each picture; one number
pictures = rng.random((30, 3, 5, 4))
landmarks = rng.normal(size=(30, 6))
keys = put("landmarks.h5", train_images=pictures, train_labels=landmarks, test_images=pictures[:5], test_labels=landmarks[:5])
d = load(**keys)
assert d.targets == data_sets.NUMBERS and d.classes == 6 and d.label == d.image == "float32" and d.n == [27, 3, 5]
same(d, pictures.astype("f4"), landmarks.astype("f4"))
assert "float64 is read as float32" in d.said and "6 numbers as targets" in d.said, d.said
d = load(**put("ages.h5", train_images=pictures.astype("f4"), train_labels=landmarks[:, 0].astype("f4")))
assert d.targets == data_sets.NUMBERS and d.classes == 1 and "float64" not in d.said
same(d, pictures.astype("f4"), landmarks[:, :1].astype("f4"))
d = load(**put("double.h5", train_images=grey[:30], train_labels=landmarks))
assert d.image == "uint8" and "float64 is read as float32" in d.said, d.said
refused("grown.h5: /train/labels: target nan of picture 1",
        **put("grown.h5", train_images=pictures, train_labels=np.where(np.arange(30) == 1, np.nan, 1.0)))

# several labels
several = rng.integers(0, 2, (40, 5))
d = load(**put("several.h5", train_images=grey, train_labels=several))
assert d.targets == data_sets.LABELS and d.classes == 5 and "5 labels, each there or not" in d.said
same(d, grey[:, None], several)
refused("label 2 of picture 0, expected 0 to 1", **put("two.h5", train_images=grey, train_labels=several + 2))
refused("num_classes is 4, but /train/labels has 5 columns",
        **put("four.h5", {"num_classes": 4}, train_images=grey, train_labels=several))
refused("/test: sizes or types differ", **put("mixed.h5", {"num_classes": 3}, train_images=grey, train_labels=classes,
                                              test_images=grey, test_labels=several))
refused("/test: sizes or types differ from /train, expected images [N,1,6,7]",
        **put("wide.h5", {"num_classes": 3}, train_images=grey, train_labels=classes,
              test_images=grey[:, :5], test_labels=classes))
refused("num_classes is missing", **put("none.h5", train_images=grey, train_labels=classes))
refused("/train/labels: 3 dimensions of floating numbers", **put("soft.h5", train_images=grey, train_labels=masks * 1.0))
refused("39 labels, expected 40", **put("short.h5", {"num_classes": 3}, train_images=grey, train_labels=classes[1:]))
refused("/train/images: 2 dimensions", **put("flat.h5", {"num_classes": 3}, train_images=grey[0], train_labels=classes))

# channels last: said, and not refused, since signals may have such a shape
for shape in (12, 32, 32, 3), (12, 24, 20, 4), (12, 28, 28, 1):
    d = load(**put("last.h5", {"num_classes": 3}, train_images=np.zeros(shape, "u1"), train_labels=classes[:12]))
    assert d.channels == shape[1] and "[N,H,W,C] must be transposed" in d.said, d.said
for shape in (12, 3, 32, 32), (12, 1, 3, 3), (12, 64, 100, 1):
    d = load(**put("first.h5", {"num_classes": 3}, train_images=np.zeros(shape, "u1"), train_labels=classes[:12]))
    assert "transposed" not in d.said, d.said

# Chunks that several pictures share, compressed; masks; floating pictures whose figures are measured.
def put_chunks(path, images, labels, chunk, **kw):
    with h5py.File(path, "w") as f:
        f.create_dataset("train/images", data=images, chunks=chunk, **kw)
        f.create_dataset("train/labels", data=labels, chunks=(7, *labels.shape[1:]), **kw)
        f.attrs["num_classes"] = 3
    return {"format": "hdf5", "file": path}


colour = rng.integers(0, 256, (90, 3, 8, 9), np.uint8)
for images, labels in (colour, np.arange(90) % 3), (colour.astype(">f8") / 7, rng.integers(0, 3, (90, 8, 9), "u2")):
    for kw in {}, {"compression": "gzip", "shuffle": True}:
        d = load(**put_chunks("chunks.h5", images, labels, (16, 2, 8, 5), **kw), normalize="auto", workers=3)
        same(d, images.astype(d.image), labels)
with h5py.File("chunks.h5", "r+") as f:
    at = f["train/images"].id.get_chunk_info(3).byte_offset
with open("chunks.h5", "r+b") as f:
    f.seek(at), f.write(b"damage" * 9)
refused("data.file: chunks.h5: /train/images: H5Dread", format="hdf5", file="chunks.h5")

# Labels as the file has them, whatever their type
def with_one(bad, dtype):
    labels = np.ones(40, dtype)
    labels[11] = bad
    return labels


for bad, dtype in (2**40, "i8"), (-2**40, "i8"), (2**63 + 1, "u8"), (2**32 - 1, "u4"), (-5, "i2"):
    refused(f"label {bad} of picture 11, expected 0 to 2",
            **put("bad.h5", {"num_classes": 3}, train_images=grey, train_labels=with_one(bad, dtype)))

# What was never written is no data: HDF5 would answer zeros.
for kind in "whole", "chunks", "labels":
    with h5py.File("lie.h5", "w") as f:
        n = 1_200_000
        x = f.create_dataset("train/images", (n, 3, 224, 224), "u1", **({} if kind == "whole" else {"chunks": (100, 3, 224, 224)}))
        y = f.create_dataset("train/labels", (n,), "u1", **({"chunks": (1000,)} if kind == "labels" else {}))
        f.attrs["num_classes"] = 3
        if kind == "labels":
            del f["train/images"]
            f["train/images"] = np.zeros((2000, 1, 4, 4), "u1")
            del f["train/labels"]
            f.create_dataset("train/labels", (2000,), "u1", chunks=(1000,))[:1000] = 1
        elif kind == "chunks":
            x[:1], y[:] = 1, 1
    assert kind == "labels" or os.path.getsize("lie.h5") < 17_000_000
    refused({"whole": "/train/images: was never written", "chunks": "/train/images: 11999 of its 12000 chunks were never written",
             "labels": "/train/labels: 1 of its 2 chunks were never written"}[kind], format="hdf5", file="lie.h5")

# Virtual and external data sets: as good as their sources
os.mkdir("far")
with h5py.File("far/source.h5", "w") as f:
    f["x"] = grey
with h5py.File("far/virtual.h5", "w") as f:
    layout = h5py.VirtualLayout(grey.shape, "u1")
    layout[:] = h5py.VirtualSource("source.h5", "x", grey.shape)
    f.create_virtual_dataset("train/images", layout)
    f["train/labels"] = classes
    f.attrs["num_classes"] = 3
same(load(format="hdf5", file="far/virtual.h5"), grey[:, None], classes)
with h5py.File("far/source.h5", "r+") as f:
    del f["x"]
    f.create_dataset("x", grey.shape, "u1", chunks=(10, 6, 7))[:10] = 3
refused("/train/images: a virtual dataset, whose source x in far/source.h5 cannot be read", format="hdf5", file="far/virtual.h5")
os.unlink("far/source.h5")
refused("/train/images: a virtual dataset, whose source x in ", "source.h5 cannot be read", format="hdf5", file="far/virtual.h5")
with h5py.File("far/virtual.h5", "r+") as f:
    f["y"] = grey[:30]
    del f["train/images"]
    layout = h5py.VirtualLayout(grey.shape, "u1")
    layout[:30] = h5py.VirtualSource(".", "y", grey[:30].shape)
    f.create_virtual_dataset("train/images", layout)
refused("of 1680 elements, of which its sources hold 1260", format="hdf5", file="far/virtual.h5")
with h5py.File("external.h5", "w") as f:
    f.create_dataset("train/images", grey.shape, "u1", external=[("pixels.bin", 5, grey.nbytes)])[:] = grey
    f["train/labels"] = classes
    f.attrs["num_classes"] = 3
same(load(format="hdf5", file="external.h5"), grey[:, None], classes)
os.truncate("pixels.bin", 100)
refused("/train/images: its data lie in pixels.bin, which is missing or too short", format="hdf5", file="external.h5")

# CIFAR-100: coarse label, fine label, picture
os.mkdir("cifar")
images, fine = rng.integers(0, 256, (50, 3, 32, 32), np.uint8), rng.integers(0, 100, 50)
for name, part in ("train", slice(0, 40)), ("test", slice(40, 50)):
    with open(f"cifar/{name}.bin", "wb") as f:
        for x, y in zip(images[part], fine[part]):
            f.write(bytes([y // 5, y]) + x.tobytes())
for labels, expected, n in ("fine", fine, 100), ("coarse", fine // 5, 20):
    d = load(format="cifar100", file="cifar", labels=labels)
    assert d.n == [36, 4, 10] and d.classes == n and d.channels == 3
    same(d, images[:40], expected[:40])
    assert np.array_equal(d.images[2], images[40:]) and np.array_equal(d.labels[2], expected[40:])
assert load(format="cifar100", file="cifar").classes == 100
os.truncate("cifar/test.bin", 5000)
refused("cifar/test.bin: 5000 bytes, expected a multiple of 3074", format="cifar100", file="cifar")
os.unlink("cifar/test.bin")
assert load(format="cifar100", file="cifar").n == [36, 4, 0]
os.unlink("cifar/train.bin")
refused("cifar/train.bin: No such file or directory, expected the files of CIFAR-100", format="cifar100", file="cifar")

# What goes with several labels is trained, what does not is refused before anything starts.
config = """[search]
algorithm = random_search
max_evaluations = 2
[space]
name = cnn
[objective.params]
direction = minimize
[data]
format = hdf5
file = several.h5
[evaluator]
kind = {}
[train]
loss = {}
"""
for kind, loss, code, words in (("null", "auto", 0, "5 labels, each there or not"),
                                ("torch", "bce", 0, "5 labels, each there or not"),
                                ("torch", "mse", 2, "train.loss: mse does not go with")):
    with open("c.ini", "w") as f:
        f.write(config.format(kind, loss))
    r = subprocess.run([os.environ["ARCHAI_BIN"] + "/archai-run", "c.ini", "--dry-run"], capture_output=True, text=True)
    assert r.returncode == code and words in r.stderr, (r.returncode, r.stderr)
print("ok")
