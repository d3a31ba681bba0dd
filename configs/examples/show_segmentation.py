#!/usr/bin/env python3
"""Draw what the best segmentation model of a search sees: picture, truth and prediction side by side.

usage: show_segmentation.py RESULTS CONFIG PICTURE.png [-n N]

RESULTS is a results directory, CONFIG the configuration of that search (for the space and the data file). The model
runs through archai-space predict, with its weights straight from results.h5. Needs h5py and numpy.
"""
import argparse
import configparser
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import h5py
import numpy as np

# One colour per class; CamVid's: sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, cyclist.
COLOURS = np.array([[128, 160, 224], [140, 70, 60], [200, 200, 130], [110, 90, 130], [60, 60, 180], [110, 140, 40],
                    [220, 150, 150], [70, 80, 150], [80, 20, 140], [220, 40, 60], [0, 150, 180], [0, 0, 0]], np.uint8)


def best(results, objective):
    """archid and arch of the best finished model by one objective, among those whose weights were kept."""
    with h5py.File(results) as f:
        values = f["objectives"][objective]
        sign = 1 if values.attrs["direction"] == "maximize" else -1
        archids = f["candidates/archid"].asstr()[()]
        archs = f["candidates/arch"].asstr()[()]
        kept = [i for i, a in enumerate(archids) if a in f["models"]]
        i = max(kept, key=lambda k: sign * values[k])
        print(f"{archids[i]}: {objective} {values[i]:.4f}")
        return archids[i], archs[i]


def write_png(path, rgb):
    height, width, _ = rgb.shape
    rows = b"".join(b"\0" + rgb[y].tobytes() for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def normalised(images, results):
    """As the network saw them in training: attribute `data` of results.h5."""
    with h5py.File(results) as f:
        used = json.loads(f.attrs.get("data", "{}")).get("normalize")
    if used is None:
        return images
    mean, std = (np.array(used[k]).reshape(1, -1, 1, 1) for k in ("mean", "std"))
    return ((images / 255 - mean) / std).astype(np.float32)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("results")
    ap.add_argument("config")
    ap.add_argument("picture")
    ap.add_argument("-n", type=int, default=6, help="how many test pictures")
    ap.add_argument("--objective", default="miou")
    args = ap.parse_args()

    tool = shutil.which("archai-space") or os.path.join(os.path.dirname(__file__), "../../build/bin/archai-space")
    results = os.path.join(args.results, "results.h5")
    ini = configparser.ConfigParser(inline_comment_prefixes=(";", "#"), interpolation=None)
    ini.read(args.config)
    archid, arch = best(results, args.objective)

    with tempfile.TemporaryDirectory() as tmp:
        with open(f"{tmp}/arch", "w") as f:
            f.write(arch)
        with h5py.File(ini["data"]["file"]) as data, h5py.File(f"{tmp}/in.h5", "w") as some:
            chosen = np.linspace(0, len(data["test/images"]) - 1, args.n).astype(int)
            images, truth = data["test/images"][chosen], data["test/labels"][chosen]
            some["images"] = normalised(images, results)
        subprocess.run([tool, args.config, "predict", f"{tmp}/arch", "--weights", f"{results}:/models/{archid}",
                        "--input", f"{tmp}/in.h5:/images", "--output", f"{tmp}/out.h5"], check=True)
        with h5py.File(f"{tmp}/out.h5") as f:
            seen = f["output"][()].argmax(axis=1)

    known = truth < 11
    print(f"{np.mean((seen == truth)[known]):.1%} of the labelled pixels of {args.n} test pictures are right")
    rows = [np.concatenate([image.transpose(1, 2, 0), COLOURS[np.minimum(t, 11)], COLOURS[s]], axis=1)
            for image, t, s in zip(images, truth, seen)]
    write_png(args.picture, np.ascontiguousarray(np.repeat(np.repeat(np.concatenate(rows), 3, 0), 3, 1)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
