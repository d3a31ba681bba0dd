"""Small data for the three tasks: python3 configs/tasks/make_data.py [FOLDER] [FACES]

Faces are drawn with a tilt, a size and a place of their own; nothing is downloaded. FOLDER (default: data) gets
landmarks.h5      /train/images uint8 [N,1,32,32], /train/labels float32 [N,10]: x and y, from 0 to 1, of eyes, nose and mouth's corners
faces.h5          /train/images uint8 [N,3,32,32], /train/labels uint8 [N,32,32]: 0 background, 1 skin, 2 eyes, 3 mouth
text.txt          sentences of a small grammar
Your own data have the same names and types, with any size; /val and /test may be there, too (configs/README.md).
"""
import pathlib
import sys

import h5py
import numpy as np

SIDE = 32
# In a face's own coordinates: x to the right, y down, the outline at distance 1.
POINTS = np.array([[-0.4, -0.3], [0.4, -0.3], [0, 0.1], [-0.35, 0.45], [0.35, 0.45]])


def face(draw):
    """Colour image [3, SIDE, SIDE] from 0 to 1, classes [SIDE, SIDE], points [5, 2] from 0 to 1."""
    size, tilt = draw.uniform(0.2, 0.32), draw.uniform(-0.5, 0.5)
    center = draw.uniform(0.38, 0.62, 2)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    u, v = np.tensordot(turn.T, np.stack([x - center[0], y - center[1]]) / size, 1)
    classes = np.zeros((SIDE, SIDE), np.uint8)
    classes[u**2 + (v / 1.2)**2 < 1] = 1
    for i in range(2):
        classes[((u - POINTS[i, 0]) / 0.2)**2 + ((v - POINTS[i, 1]) / 0.13)**2 < 1] = 2
    classes[(np.abs(u) < 0.38) & (np.abs(v - 0.45) < 0.12)] = 3
    colours = np.stack([draw.uniform(0, 0.4, 3), draw.uniform(0.5, 0.9, 3), draw.uniform(0, 0.3, 3), draw.uniform([0.6, 0, 0], [1, 0.3, 0.3])])
    image = colours[classes].transpose(2, 0, 1) + 0.05 * draw.standard_normal((3, SIDE, SIDE))
    return image.clip(0, 1), classes, center + size * POINTS @ turn.T


def sentence(draw):
    pick = lambda *words: words[draw.integers(len(words))]
    noun = lambda: f"{pick('the', 'a', 'every')} {pick('small ', 'red ', 'quiet ', '')}{pick('network', 'layer', 'model', 'machine')}"
    return f"{noun()} {pick('learns', 'trains', 'forgets', 'finds')} {noun()} {pick('today', 'slowly', 'again', 'at night')}.\n"


def main(folder="data", n=600):
    draw = np.random.default_rng(1)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    images, classes, points = (np.stack(part) for part in zip(*(face(draw) for _ in range(int(n)))))
    colour = np.rint(255 * images).astype(np.uint8)
    with h5py.File(folder / "landmarks.h5", "w") as f:
        f["train/images"] = np.rint(255 * images.mean(1, keepdims=True)).astype(np.uint8)
        f["train/labels"] = points.reshape(len(points), 10).astype(np.float32)
    with h5py.File(folder / "faces.h5", "w") as f:
        f["train/images"] = colour
        f["train/labels"] = classes
        f.attrs["num_classes"] = 4
        f.attrs["class_names"] = ["background", "skin", "eyes", "mouth"]
    (folder / "text.txt").write_text("".join(sentence(draw) for _ in range(1500)))


main(*sys.argv[1:])
