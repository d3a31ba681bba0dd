"""Any number of ranks: 16 on few cores, 1, and no mpirun. By generations, real training gives the same numbers for all."""
import os

import h5py
import numpy as np

import chain
from check_results import faults_of

CONFIG = os.path.join(os.environ["ARCHAI_SOURCE"], "configs", "cnn-synthetic.ini")
SMALL = ["--set", "data.samples=300", "--set", "train.epochs=1", "--set", "space.max_layers=2", "--set", "evaluator.threads=1"]


# What may differ between two runs of one generational search: when it was, and who did it.
TIMES_AND_RANKS = {"/@started", "/@updated", "/@ranks", "/@config", "/candidates/started", "/candidates/seconds", "/candidates/rank",
                   "/hypervolume/seconds", "/metrics/train_seconds", "/metrics/samples_per_second", "/curves/seconds"}


def everything(directory):
    """All objects and attributes of results.h5 as bytes with type and shape, by path; the directory's name is cut out of config."""
    found = {}

    def enter(path, value):
        value = np.asarray(value)
        found[path] = (str(value.dtype), value.shape, value.tolist() if value.dtype.hasobject else value.tobytes())

    def visit(name, item):
        for key, value in item.attrs.items():
            enter(f"/{name}@{key}", value)
        if isinstance(item, h5py.Dataset):
            enter(f"/{name}", item[()])
        else:
            found[f"/{name}"] = sorted(item)

    with h5py.File(f"{directory}/results.h5", "r") as f:
        visit("", f)
        f.visititems(visit)
        config = f.attrs["config"]
    config = config.decode() if isinstance(config, bytes) else config
    found["config"] = [line for line in config.splitlines() if not line.startswith("directory")]
    return found


def assert_same(one, other):
    one, other = everything(one), everything(other)
    assert one.keys() == other.keys(), one.keys() ^ other.keys()
    different = [path for path in one if path not in TIMES_AND_RANKS and one[path] != other[path]]
    assert not different, different
    return one


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
