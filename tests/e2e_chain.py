"""The whole chain on pictures that the program draws: search with 4 ranks, read during the search, export, PyTorch."""
import os
import pathlib
import re

import numpy as np

import chain
from check_results import faults_of

CONFIG = os.path.join(os.environ["ARCHAI_SOURCE"], "configs", "cnn-synthetic.ini")

looks = chain.search(4, CONFIG, "out", "--set", "search.max_evaluations=12", "--set", "data.samples=600", "--set", "train.epochs=1",
             "--set", "space.max_layers=2", "--set", "evaluator.threads=1")
assert looks > 0, "results.h5 was there to be read during the search"
faults = faults_of("out/results.h5", state="complete", rows=12, weights="pareto")
assert not faults, faults
pictures = np.random.default_rng(1).random((5, 1, 28, 28), np.float32)
models, _, _ = chain.front("out")
for archid, arch in models.items():
    chain.check_winner(CONFIG, "out", archid, arch, pictures)
chain.check_winner(CONFIG, "out", archid, arch, pictures[:1])  # a batch of one

# The README's own lines of h5py and PyTorch, as they stand there.
readme = pathlib.Path(os.environ["ARCHAI_SOURCE"], "README.md").read_text()
lines = re.search(r"```python\n(.*?)```", readme, re.S).group(1)
names = {}
exec(lines.replace("runs/cnn-synthetic/results.h5", "out/results.h5"), names)
arch = models[names["archids"][names["rows"][0]]]
chain.MyModel(arch["nb_layers"], arch["kernel_size"], arch["hidden_dim"]).load_state_dict(names["state"], strict=True)
