"""Hold a results.h5 that was made of samples 0 .. N-1 (support/samples.h) against their formulas.

    py_index.py RESULTS.h5 N STATE WEIGHTS
"""
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import contract  # noqa: E402

path, n, state, weights = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.chdir("/")  # virtual sources must be found from anywhere

wrong = contract.faults(path, n, state, weights)
assert not wrong, "\n".join(wrong)
with h5py.File(path, "r") as f:
    i = np.arange(n)
    ok = i % 7 != 6
    c = f["candidates"]
    assert np.array_equal(c["id"][()], i)
    assert [s.decode() for s in c["archid"]] == [f"L={k}, K=1" for k in i]
    assert [s.decode() for s in c["status"]] == ["ok" if k else "failed" for k in ok]
    assert all(s.decode().endswith("\u201cno\u201d") for s in c["error"][()][~ok])
    assert np.array_equal(c["generation"][()], i // 10) and np.array_equal(c["rank"][()], i % 4)
    assert np.array_equal(c["started"][()], 1.7e9 + i)
    assert list(f["objectives"]) == ["accuracy", "params"], list(f["objectives"])
    accuracy = f["objectives/accuracy"]
    assert accuracy.attrs["direction"] == "maximize" and accuracy.attrs["expensive"] == 1
    assert f["objectives/params"].attrs["direction"] == "minimize"
    assert list(f["objectives/params"].attrs["constraint"]) == [0, 2000]
    assert f["objectives/params"].attrs["unit"] == "weights"
    assert np.array_equal(accuracy[()][ok], 0.5 + (i * 37 % 101)[ok] / 256)
    assert np.isnan(accuracy[()][~ok]).all()
    assert np.array_equal(f["objectives/params"][()], 1000 - i * 13 % 89)
    if n:
        assert np.array_equal(f["metrics/val_loss"][()][ok], 1 / (i + 1)[ok])
        assert np.array_equal(c["encoding"][()], np.stack([i, 0 * i, 0 * i + 0.5], axis=1).astype("f4"))
        curve = f["curves/val_loss"][()]
        assert curve.shape == (n, min(n, 3))
        for k in i:
            e = 1 + k % 3
            assert np.array_equal(curve[k, :e], k + np.arange(e, dtype="f4") / 4), curve[k]
            assert np.isnan(curve[k, e:]).all()
    for archid, g in f["models"].items():
        k = g.attrs["id"]
        assert archid == f"L={k}, K=1" and g.attrs["arch"] == f'{{"nb_layers": {k}, "kernel_size": 1}}'
        assert list(g) == ["model.0.weight", "model.0.bias", "half", "num_batches_tracked"], list(g)
        w, b = g["model.0.weight"], g["model.0.bias"]
        assert w.shape == (2, 3, 2, 2) and w.dtype == np.dtype("<f4")
        assert np.array_equal(w[()].ravel(), k + np.arange(24, dtype="f4") / 8)
        assert np.array_equal(b[()], k + np.arange(3, dtype="f4") / 8)
        half = g["half"]
        assert half.dtype == np.dtype("<f2") and half.shape == (2, 3)
        assert np.array_equal(half[()].ravel(), (k % 1024 + np.arange(6)).astype("f2"))
        assert g["num_batches_tracked"].shape == () and g["num_batches_tracked"][()] == k
    h = f["hypervolume"]
    if ok[:n].any():
        assert len(h["value"]) > 0 and h["evaluations"][-1] == n
        reference = h.attrs["reference"]
        points = np.stack([accuracy[()], f["objectives/params"][()]], axis=1)[f["pareto/index"][()]]
        points = points[np.argsort(points[:, 1])]
        area, best = 0.0, reference[0]
        for a, p in points:  # by rising params the front's accuracy rises
            if p < reference[1] and a > best:
                area += (reference[1] - p) * (a - best)
                best = a
        assert np.isclose(h["value"][-1], area), (h["value"][-1], area)
