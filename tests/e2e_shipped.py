"""The configurations of configs/spaces, and mobilenet-synthetic.ini, train: one epoch on few pictures, three candidates each."""
import glob
import json
import os
import re

import h5py

import chain
from check_results import faults_of

SOURCE = os.environ["ARCHAI_SOURCE"]
configs = sorted(glob.glob(f"{SOURCE}/configs/spaces/*.ini")) + [f"{SOURCE}/configs/mobilenet-synthetic.ini"]
assert len(configs) >= 9
for config in configs:
    name = os.path.splitext(os.path.basename(config))[0]
    tree = next(line.split("=")[1].strip() for line in open(config) if line.startswith("tree"))
    chain.search(2, config, name, "--set", f"space.tree={SOURCE}/{tree}", "--set", "data.samples=96", "--set", "train.epochs=1",
                 "--set", "search.max_evaluations=3", "--set", "output.weights=all")
    faults = faults_of(f"{name}/results.h5", state="complete", rows=3, weights="all")
    assert not faults, (name, faults)
    with h5py.File(f"{name}/results.h5") as f:
        assert f["candidates/status"].asstr()[()].tolist() == ["ok"] * 3, (name, f["candidates/error"].asstr()[()])
        measured = f["objectives"]["miou" if name == "unet" else "accuracy"][()]
        assert ((measured >= 0) & (measured <= 1)).all(), (name, measured)
        front = [(f["candidates/archid"].asstr()[i], json.loads(f["candidates/arch"].asstr()[i])) for i in f["pareto/index"]]
    page = open(f"{name}/report.html").read()
    told = json.loads(re.search(r'id="archai-report">(.*?)</script>', page).group(1))
    for archid, arch in front:  # the report says what they are
        at = told["models"]["archid"].index(archid)
        said = {**told["common"], **{p: v[at] for p, v in told["models"]["params"].items() if v[at] is not None}}
        said = {re.sub(r"\._(configs|repeat_times)(?=\.|$)", "", p): v for p, v in said.items()}  # as the page writes them
        if "train" in arch:
            assert abs(float(said["train.learning_rate"]) / arch["train"]["learning_rate"] - 1) < 1e-5, (archid, said)
        if name == "mobilenet-synthetic":
            for i in range(arch["stages"]["_repeat_times"]):  # depth
                assert int(said[f"stages.{i}.blocks"]) in (1, 2, 3), said
            assert any(x.endswith(".kernel") for x in said) and any(x.endswith(".expand") for x in said), said
    print(f"{name}: three candidates trained")
