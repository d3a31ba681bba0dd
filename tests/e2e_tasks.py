#!/usr/bin/python3
"""configs/tasks: Archai's three task shapes, each in one configuration, on small data, in short form: facial landmarks (regression and
latency), face segmentation (mIoU with a limit on latency), text generation (perplexity and parameters outside the embeddings)."""
import os
import subprocess
import sys

import h5py
import numpy as np

SOURCE = os.environ["ARCHAI_SOURCE"]
os.symlink(f"{SOURCE}/configs", "configs")
subprocess.run([sys.executable, "configs/tasks/make_data.py", "data", "120"], check=True)


def run(name, *sets):
    arguments = [a for s in ("search.max_evaluations=3", "evaluator.threads=1", "evaluator.device=cpu", "output.report=no", *sets) for a in ("--set", s)]
    p = subprocess.run(["archai-run", f"configs/tasks/{name}.ini", "--output", name, "--progress", "none", *arguments],
                       capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, (name, p.stdout, p.stderr)
    f = h5py.File(f"{name}/results.h5")
    status = f["candidates/status"].asstr()[()]
    assert (status == "ok").sum() == 3 and set(status) <= {"ok", "infeasible"}, (status, f["candidates/error"].asstr()[()])
    return status == "ok", {k: v[()] for g in ("objectives", "metrics") for k, v in f[g].items()}


ok, v = run("landmarks", "train.epochs=3")
assert all(v["latency"][ok] <= 0.05) and all(v["error"][ok] < 0.5), v["error"]
print("landmarks", v["error"][ok].round(3), v["latency"][ok])

# what the limit turns away (on a busy machine) was not trained
ok, v = run("face_segmentation", "train.epochs=1", "data.max_samples=60", "objective.latency.constraint=0 0.02")
assert all((0 < v["miou"][ok]) & (v["miou"][ok] < 1)) and all(v["latency"][ok] <= 0.02)
assert all(np.isnan(v["train_seconds"][~ok])) and all(v["latency"][~ok] > 0.02)
print("face_segmentation", v["miou"][ok].round(3), v["latency"])

ok, v = run("text_generation", "train.epochs=1", "data.max_samples=120")
assert all((1 < v["perplexity"]) & (v["perplexity"] < 256)) and all(v["parameters"] < v["params"]), v
print("text_generation", v["perplexity"].round(1), v["parameters"])
