"""Any number of ranks: 16 on few cores, 1, and no mpirun. By generations, real training gives the same numbers for all."""
import os

import h5py

import chain
from check_results import faults_of
from same_results import assert_same

CONFIG = os.path.join(os.environ["ARCHAI_SOURCE"], "configs", "cnn-synthetic.ini")
SMALL = ["--set", "data.samples=300", "--set", "train.epochs=1", "--set", "space.max_layers=2", "--set", "evaluator.threads=1"]

for ranks, directory in ((16, "sixteen"), (1, "one"), (0, "alone")):
    chain.search(ranks, CONFIG, directory, *SMALL, "--set", "search.max_evaluations=16")
    faults = faults_of(f"{directory}/results.h5", state="complete", rows=16, weights="pareto")
    assert not faults, (directory, faults)
with h5py.File("sixteen/results.h5", "r") as f:
    assert f.attrs["ranks"] == 16 and len(set(f["candidates/rank"][()])) > 4
with h5py.File("one/results.h5", "r") as one, h5py.File("alone/results.h5", "r") as alone:
    assert list(one["candidates/archid"][()]) == list(alone["candidates/archid"][()])

generations = ["--set", "search.schedule=generational", "--set", "search.num_iters=3", "--set", "search.init_num_models=4",
               "--set", "search.max_evaluations=none", "--set", "output.weights=all"]
for ranks, directory in ((1, "g1"), (4, "g4")):
    chain.search(ranks, CONFIG, directory, *SMALL, *generations)
content = assert_same("g1", "g4")
for part in ("/models/", "/curves/val_accuracy", "/curves/val_loss", "/pareto/index", "/hypervolume/value", "/metrics/val_loss"):
    assert any(path.startswith(part) for path in content), part
