"""Any number of ranks: 16 on few cores, 1, and no mpirun. By generations, real training gives the same numbers for all."""
import os

import h5py
import numpy as np

import chain
from check_results import faults_of

CONFIG = os.path.join(os.environ["ARCHAI_SOURCE"], "configs", "cnn-synthetic.ini")
SMALL = ["--set", "data.samples=300", "--set", "train.epochs=1", "--set", "space.max_layers=2", "--set", "evaluator.threads=1"]


def values(directory):
    with h5py.File(f"{directory}/results.h5", "r") as f:
        return {f"{a} {name}": f["metrics"][name][i] for i, a in enumerate(f["candidates/archid"].asstr()[()])
                for name in ("val_accuracy", "val_loss", "params")}


for ranks, directory in ((16, "sixteen"), (1, "one"), (0, "alone")):
    chain.search(ranks, CONFIG, directory, *SMALL, "--set", "search.max_evaluations=16")
    faults = faults_of(f"{directory}/results.h5", state="complete", rows=16, weights="pareto")
    assert not faults, (directory, faults)
with h5py.File("sixteen/results.h5", "r") as f:
    assert f.attrs["ranks"] == 16 and len(set(f["candidates/rank"][()])) > 4
with h5py.File("one/results.h5", "r") as one, h5py.File("alone/results.h5", "r") as alone:
    assert list(one["candidates/archid"][()]) == list(alone["candidates/archid"][()])

generations = ["--set", "search.schedule=generational", "--set", "search.num_iters=2", "--set", "search.init_num_models=4",
               "--set", "search.max_evaluations=none"]
for ranks, directory in ((1, "g1"), (3, "g3")):
    chain.search(ranks, CONFIG, directory, *SMALL, *generations)
first, second = values("g1"), values("g3")
assert first.keys() == second.keys()
assert all(np.array_equal(first[k], second[k]) for k in first), [(k, first[k], second[k]) for k in first if first[k] != second[k]]
