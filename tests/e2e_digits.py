"""Real digits: a search finds a model above 95 %, and PyTorch, given its weights, agrees that it knows digits."""
import gzip
import json
import os
import pathlib
import sys

import h5py
import numpy as np
import torch

import chain
from check_results import faults_of

data = pathlib.Path(os.environ["ARCHAI_DATA"], "mnist")
images, labels = data / "t10k-images-idx3-ubyte.gz", data / "t10k-labels-idx1-ubyte.gz"
if not images.exists():
    print(f"skipped: no {images}")
    sys.exit(77)

CONFIG = os.path.join(os.environ["ARCHAI_SOURCE"], "configs", "cnn-mnist.ini")
chain.search(2, CONFIG, "out", "--set", f"data.train_images={images}", "--set", f"data.train_labels={labels}",
             "--set", "search.max_evaluations=2", "--set", "space.min_layers=3", "--set", "space.max_layers=4",
             "--set", "space.kernel_list=5", "--set", "space.hidden_list=16", "--set", "evaluator.threads=1")
faults = faults_of("out/results.h5", state="complete", rows=2, weights="pareto")
assert not faults, faults
models, archid, accuracy = chain.front("out")
assert accuracy > 0.95, accuracy

with h5py.File("out/results.h5") as f:
    used = json.loads(f.attrs["data"])["normalize"]
pictures = np.frombuffer(gzip.open(images).read()[16:], np.uint8).reshape(-1, 1, 28, 28) / 255
pictures = ((pictures - used["mean"][0]) / used["std"][0]).astype(np.float32) # as the network saw them
digits = np.frombuffer(gzip.open(labels).read()[8:], np.uint8)
model = chain.check_winner(CONFIG, "out", archid, models[archid], pictures[:200])
with torch.no_grad():
    right = (model(torch.from_numpy(pictures[:2000])).argmax(1).numpy() == digits[:2000]).mean()
# Nine in ten of these pictures were trained on, so that this is no measure of the search but of the weights.
assert right > 0.95, right
print(f"{archid}: {accuracy:.4f} on its validation pictures, {right:.4f} on the first 2,000")
