"""Two results of one generational search, byte for byte."""
import h5py
import numpy as np

# What may differ: when it was, and who did it.
TIMES_AND_RANKS = {"/@started", "/@updated", "/@ranks", "/@config", "/candidates/started", "/candidates/seconds", "/candidates/rank",
                   "/hypervolume/seconds", "/metrics/train_seconds", "/metrics/samples_per_second", "/curves/seconds"}


def everything(directory):
    """All objects and attributes of results.h5 as bytes with type and shape, by path; the directory's name is cut out of config."""
    found = {}

    def enter(path, value):
        value = np.asarray(value)
        text = value.dtype.hasobject or value.dtype.kind == "S" # how wide a column is depends on what came first
        found[path] = (value.dtype.kind if text else str(value.dtype), value.shape, value.tolist() if text else value.tobytes())

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
