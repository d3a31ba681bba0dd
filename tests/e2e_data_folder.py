"""A folder of pictures per class: pixels, classes and sizes are those of torchvision's ImageFolder, Resize and CenterCrop."""
import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib

import h5py
import numpy as np

try:
    import PIL.Image
    import PIL.ImageDraw
    import torchvision.datasets
    import torchvision.transforms as T
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import data_sets
from data_sets import load, refused

data_sets.TOOL = sys.argv[1]
rng = np.random.default_rng(3)


def scene(w, h, mode="RGB"):
    """Edges, slopes and noise."""
    x = rng.integers(0, 60, (h, w, 3)) + np.linspace(0, 150, w)[None, :, None] * [1, 0.5, 0.2]
    picture = PIL.Image.fromarray(x.clip(0, 255).astype("u1"))
    draw = PIL.ImageDraw.Draw(picture)
    for _ in range(4):
        a, b = sorted(random.choices(range(w), k=2)), sorted(random.choices(range(h), k=2))
        draw.ellipse([a[0], b[0], a[1], b[1]], fill=tuple(map(int, rng.integers(0, 256, 3))))
    return picture.convert(mode)


def png(w, h, depth, kind, interlaced=False, extra=b""):
    """A PNG of noise that PIL cannot write: any depth, Adam7. kind: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x, y, dx, dy in passes if interlaced else [(0, 0, 1, 1)]:
        columns, rows = len(range(x, w, dx)), len(range(y, h, dy))
        row_bytes = (columns * channels * depth + 7) // 8
        for _ in range(rows if columns else 0):
            data += b"\0" + rng.integers(0, 256, row_bytes, "u1").tobytes()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, kind, 0, 0, interlaced)) + extra
            + (chunk(b"PLTE", rng.integers(0, 256, 3 << depth, "u1").tobytes()) if kind == 3 else b"")
            + (chunk(b"tRNS", bytes([0, 90, 255])) if kind == 3 else b"")
            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def save(path, picture, **how):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if isinstance(picture, bytes):
        with open(path, "wb") as f:
            f.write(picture)
    else:
        picture.save(path, **how)


def expected(root, transform):
    """Class names, and pixels and labels in ImageFolder's order, taken one of each class in turn."""
    folder = torchvision.datasets.ImageFolder(root, transform)
    by_class = [[x for x in folder if x[1] == c] for c in range(len(folder.classes))]
    turns = [xs[i] for i in range(max(map(len, by_class))) for xs in by_class if i < len(xs)]
    return folder.classes, np.stack([np.array(x).transpose(2, 0, 1) for x, _ in turns]), np.array([y for _, y in turns])


def check(d, split, root, transform=None):
    classes, pixels, labels = expected(root, transform)
    off = np.abs(d.images[split].astype(int) - pixels[d.indices[split]])
    assert d.images[split].shape[1:] == pixels.shape[1:], (d.images[split].shape, pixels.shape)
    assert off.max() == 0, f"{root}: {off.max()} off at most, in {np.unique(off.nonzero()[0])}"
    assert np.array_equal(d.labels[split], labels[d.indices[split]])
    assert d.about["class_names"] == classes


# -- a tree as ImageNet's: every kind of JPEG and PNG, of every shape
random.seed(3)
exif = PIL.Image.Exif()
exif[0x0112] = 6  # to be turned by 90 degrees; the loader does not
for split, n in ("train", 3), ("val", 1), ("test", 2):
    for name in "goldfish", "Zebra", "n01440764", "ünicode":
        for i in range(n):
            w, h = random.randint(20, 90), random.randint(20, 90)
            save(f"net/{split}/{name}/plain{i}.JPEG", scene(w, h), format="JPEG", quality=random.choice([30, 75, 95]))
            save(f"net/{split}/{name}/sub.{i}/grey.jpg", scene(h, w, "L"))
            save(f"net/{split}/{name}/sub.{i}/444.jpeg", scene(w, w, "RGB"), subsampling=0, exif=exif)
            save(f"net/{split}/{name}/sub.{i}/422.jpg", scene(w, 3 * h, "RGB"), subsampling=1, progressive=True)
            save(f"net/{split}/{name}/cmyk{i}.jpg", scene(w, h, "CMYK"))
            save(f"net/{split}/{name}/sub/{i}.jpg", scene(h, h), quality=50)  # after sub.0 in a plain sort of paths
            for mode in "RGB", "RGBA", "L", "LA", "P", "1":
                save(f"net/{split}/{name}/{mode}{i}.PNG", scene(w, h, mode), format="PNG")
        for depth, kind in (1, 0), (2, 0), (4, 0), (8, 0), (1, 3), (2, 3), (4, 3), (8, 3), (8, 2), (16, 2), (8, 4), (16, 4), (8, 6), (16, 6):
            for interlaced in False, True:
                save(f"net/{split}/{name}/png/{depth}-{kind}-{interlaced}.png", png(29, 37, depth, kind, interlaced))
        with open(f"net/{split}/{name}/zzz png.jpg", "wb") as f:  # the contents count
            scene(31, 33).save(f, format="PNG")
for size, resize in (24, None), (32, None), (20, 29), (1, 7), (101, None):
    keys = {"format": "folder", "file": "net", "image_size": size}
    transform = T.Compose([T.Resize(resize or size), T.CenterCrop(size)])
    d = load(**keys, **({"resize": resize} if resize else {}), workers=3)
    assert d.n == [260, 164, 212] and d.classes == 4 and (d.channels, d.height, d.width) == (3, size, size), d.n
    for split, name in enumerate(("train", "val", "test")):
        check(d, split, f"net/{name}", transform)
    assert d.indices[0].tolist() == list(range(260)) and set(d.labels[0][:4]) == {0, 1, 2, 3}
os.mkdir("net/train/.hidden")
alone = load(**keys, workers=1)
assert all(np.array_equal(a, b) for a, b in zip(alone.images, d.images)), "depends on the number of threads"
assert "260 pictures to train on, 164 to validate on, 212 to test; each 3 x 101 x 101 (uint8), 4 classes; 18.6 MiB" in d.said, d.said
assert load(**keys, max_samples=6).n == [6, 164, 212]

# -- a flat folder of classes, pictures as they are; a share of them is for validation
for i in range(30):
    save(f"flat/{i % 3}/{i}.png", scene(12, 9))
save("flat/1/notes.txt", b"")
save("flat/readme.png", b"not in a class")
d = load(format="folder", file="flat", seed=5)
assert d.n == [27, 3, 0] and d.about == {"class_names": ["0", "1", "2"]} and (d.height, d.width) == (9, 12)
check(d, 0, "flat"), check(d, 1, "flat")
assert "1 file that is not *.jpg, *.jpeg or *.png" in d.said, d.said

# -- a search trains on them
with open("c.ini", "w") as f:
    f.write("""[search]
algorithm = random_search
max_evaluations = 2
[space]
name = cnn
max_layers = 2
kernel_list = 3
hidden_list = 4
[data]
format = folder
file = flat
validation = 0.2
[train]
epochs = 1
[objective.val_accuracy]
direction = maximize
[output]
directory = out
""")
subprocess.run([os.environ["ARCHAI_BIN"] + "/archai-run", "c.ini"], check=True, capture_output=True)
with open("out/run.log") as f:
    said = [line for line in f if "data: 24 pictures to train on, 6 to validate on; each 3 x 9 x 12 (uint8), 3 classes" in line]
    assert len(said) == 1
with h5py.File("out/results.h5") as f:
    assert list(f["candidates/status"][()]) == [b"ok"] * 2
    assert json.loads(f.attrs["data"]) == {"class_names": ["0", "1", "2"]}
    train, val = f["split/train"][()], f["split/val"][()]
    assert list(f["split"]) == ["train", "val"] and train.dtype == np.int64 and len(train) == 24
    order = list(range(30))
    random.Random(1).shuffle(order)  # the rule: the last fifth of a shuffle by data.seed leaves
    assert set(val) == set(order[24:]) and set(train) | set(val) == set(range(30))
    with_same_keys = load(format="folder", file="flat", validation=0.2)
    assert [a.tolist() for a in with_same_keys.indices[:2]] == [train.tolist(), val.tolist()]
    assert np.allclose(f["objectives/val_accuracy"][()] * 6, (f["objectives/val_accuracy"][()] * 6).round())

# -- what is refused, with the path
keys = {"format": "folder", "file": "flat"}
save("flat/2/odd.png", scene(12, 10))
refused("flat/2/odd.png: 12 x 10 pixels, expected 12 x 9 as the first picture; data.image_size", **keys)
keys["image_size"] = 8
save("flat/2/odd.png", png(9, 9, 16, 0))
refused("flat/2/odd.png: 16 bits of grey", **keys)
for kind, how in ("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}):
    f = io.BytesIO()
    scene(60, 50).save(f, format=kind, **how)
    for part in f.getvalue()[:len(f.getvalue()) // 2], f.getvalue()[:200], f.getvalue()[:30]:
        save("flat/2/odd.png", part)
        refused("flat/2/odd.png: ", **keys)
save("flat/2/odd.png", b"GIF89a")
refused("flat/2/odd.png: neither a JPEG nor a PNG file", **keys)
save("flat/2/odd.png", b"")
refused("flat/2/odd.png: ", **keys)
small, size = png(8, 8, 8, 2), struct.pack(">II", 20000, 20000) + b"\x08\x02\0\0\0"
save("flat/2/odd.png", small[:16] + size + struct.pack(">I", zlib.crc32(b"IHDR" + size)) + small[33:])
refused("flat/2/odd.png: 20000 x 20000 pixels, expected at most 178956970", **keys)
os.unlink("flat/2/odd.png")
os.mkfifo("flat/2/pipe.jpg")
assert load(**keys).n == [27, 3, 0]
os.mkdir("flat/empty")
refused("flat/empty: no *.jpg, *.jpeg or *.png", **keys)
os.rmdir("flat/empty")
shutil.move("net/val/Zebra", "net/val/zebra")
refused("net/val/zebra: no class of this name among the training pictures", format="folder", file="net", image_size=8)
os.makedirs("single/only")
save("single/only/1.png", scene(9, 9))
refused("a single class, 'only'", format="folder", file="single")
os.makedirs("none")
refused("data.file: none: 0 folders, expected one for each class", format="folder", file="none")
refused("data.file: nowhere: No such file", format="folder", file="nowhere")
refused("data.file: missing", format="folder")
refused("data.resize: without image_size", format="folder", file="flat", resize=9)
refused("data.resize: 9, expected at least image_size, 10", format="folder", file="flat", resize=9, image_size=10)
os.symlink("..", "flat/2/round")
refused("folders deep", **keys)
print("ok")
