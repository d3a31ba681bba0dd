"""archai-space against Archai and PyTorch: streams, printed models, state_dicts, outputs; and what it refuses."""
import json
import os
import subprocess

import h5py
import numpy as np

DATA = os.path.join(os.environ["ARCHAI_SOURCE"], "tests", "data")
TOOL = os.environ.get("ARCHAI_SPACE", os.path.join(os.environ["ARCHAI_BIN"], "archai-space"))


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def config(path, space, params, seed=1):
    lines = ["[space]", f"name = {space}", f"seed = {seed}"]
    for key, value in params.items():
        lines.append(f"{key} = {' '.join(map(str, value)) if isinstance(value, list) else str(value).replace('False', 'no')}")
    return write(path, "\n".join(lines) + "\n")


def run(*args, code=0, stdin=None):
    p = subprocess.run([TOOL, *map(str, args)], capture_output=True, text=True, input=stdin, timeout=300)
    assert p.returncode == code, (args, p.returncode, p.stderr)
    return p.stdout if code == 0 else p.stderr


def streams():
    """One generator: 16 samples, a chain of mutations, crossovers of windows of four."""
    for stream in json.load(open(f"{DATA}/cnn_streams.json")):
        ini = config("s.ini", "cnn", stream["params"], stream["seed"])
        script, last = ["sample"] * 16, 0
        for _ in stream["mutate_chain_from_first_sample"]:
            script.append(f"mutate {last}")
            last = len(script) - 1
        script += [f"crossover {i} {i + 1} {i + 2} {i + 3}" for i in range(13)]
        lines = [json.loads(line) for line in run(ini, "replay", write("script", "\n".join(script) + "\n")).splitlines()]
        expected = (stream["random_sample"] + stream["mutate_chain_from_first_sample"]
                    + stream["crossover_of_consecutive_windows_of_4"])
        assert [line["archid"] for line in lines] == expected
        assert all(line["metadata"] == {} for line in lines)
        arch = write("a.json", json.dumps(lines[0]["arch"]))
        assert json.loads(run(ini, "encode", arch)) == stream["encode_first_sample"]
        assert run(ini, "show", "-", stdin=json.dumps(lines[0])) == run(ini, "show", arch)  # a line of sample
        assert run(ini, "sample", "-n", 3) == run(ini, "sample", "-n", 3)


def models(file):
    """The printed form, counts, state_dict and outputs are PyTorch's."""
    for name, case in file.items():
        ini = config("m.ini", case.attrs["space"], json.loads(case.attrs["params"]))
        arch = write("m.json", case.attrs["arch"])
        archid = case.attrs["archid"]
        metadata = {"parent": None} if case.attrs["space"] == "segmentation_dag" else {}
        assert run(ini, "show", arch) == (f"ArchaiModel(\n\tarchid={archid}, \n\tmetadata={metadata!r}, \n\tarch="
                                          f"{case.attrs['repr']}\n)\n")
        info = json.loads(run(ini, "info", arch))
        shapes = {}
        case["weights"].visititems(
            lambda key, at: shapes.update({key: list(at.shape)}) if isinstance(at, h5py.Dataset) else None)
        assert info["archid"] == archid and info["params"] == int(case.attrs["num_params"]), info
        masks = [key for key in shapes if key.endswith((".attn.bias", "mask", "masked_bias"))]  # may be left out
        assert info["state_dict"] == {key: shape for key, shape in shapes.items() if key not in masks}
        assert info["macs"] > 0 and info["flops"] > info["macs"]
        assert run(ini, "dot", "-", stdin=case.attrs["arch"]).startswith("digraph ")
        predict(ini, arch, f"{file.filename}:/{name}/weights", case["input"][...], case["output"][...])
        with h5py.File("w.h5", "w") as f:  # as in results.h5: the archid is the group's name
            group = f.create_group(f"/models/{archid}")
            for key in info["state_dict"]:
                group[key] = case["weights"][key][()]
        predict(ini, arch, f"w.h5:/models/{archid}", case["input"][:1], case["output"][:1])


def predict(ini, arch, weights, x, expected):
    with h5py.File("in.h5", "w") as f:
        f["x"] = x
    run(ini, "predict", arch, "--weights", weights, "--input", "in.h5:/x", "--output", "out.h5")
    with h5py.File("out.h5") as f:
        got = f["output"][...]
    assert got.dtype == np.float32 and got.shape == expected.shape, (got.shape, expected.shape)
    assert np.abs(got - expected).max() < 1e-4, np.abs(got - expected).max()


def images(file):
    """uint8 images are read as x / 255."""
    case = file["cnn_small"]
    ini = config("p.ini", "cnn", {})
    arch = write("p.json", case.attrs["arch"])
    x = np.random.RandomState(1).randint(0, 256, size=(4, 1, 28, 28)).astype(np.uint8)
    outputs = []
    for values in (x, (x / 255).astype(np.float32)):
        with h5py.File("in.h5", "w") as f:
            f["x"] = values
        run(ini, "predict", arch, "--weights", f"{DATA}/forward.h5:/cnn_small/weights", "--input", "in.h5:/x",
            "--output", "out.h5")
        with h5py.File("out.h5") as f:
            outputs.append(f["output"][...])
    assert np.array_equal(*outputs) or np.abs(outputs[0] - outputs[1]).max() < 1e-6


def refusals():
    ini = config("r.ini", "cnn", {})
    good = '{"nb_layers": 2, "kernel_size": 3, "hidden_dim": 16}'
    arch = write("good.json", good)

    def refused(says, *args, stdin=None):
        text = run(*args, code=2, stdin=stdin)
        assert text.startswith("archai-space: ") and says in text, (says, text)

    refused("r.ini:4: space.max_layer: unknown key; did you mean 'max_layers'?",
            config("r.ini", "cnn", {"max_layer": 3}), "sample")
    refused("r.ini:4: space.max_layers: 0 is outside", config("r.ini", "cnn", {"max_layers": 0}), "sample")
    refused("r.ini:2: space.name: unknown 'cmm', expected one of: cnn segmentation_dag config natsbench_tss transformer_flex plugin", config("r.ini", "cmm", {}), "sample")
    config("r.ini", "cnn", {})
    refused("--set: space.seed: ", ini, "sample", "--set", "space.seed=x")
    refused("nowhere.ini", "nowhere.ini", "sample")
    refused("bad.json:2: kernel_size: ", ini, "show", write("bad.json", good.replace(' "kernel_size": 3', '\n"kernel_size": "3"')))
    refused("standard input:1: ", ini, "show", "-", stdin="[" * 100000)
    refused("script:2: ", ini, "replay", write("script", "sample\nmutate 7\n"))
    refused("did you mean 'sample'?", ini, "sampel")
    refused("--weights", ini, "predict", arch)
    with h5py.File("in.h5", "w") as f:
        f["x"] = np.zeros((1, 1, 28, 28), np.float32)
    refused("w.h5", ini, "predict", arch, "--weights", "no-w.h5:/x", "--input", "in.h5:/x", "--output", "out.h5")
    wrong = f"{DATA}/forward.h5:/cnn_kernel1/weights"
    refused("model.", ini, "predict", arch, "--weights", wrong, "--input", "in.h5:/x", "--output", "out.h5")
    kinds = run("--kinds").splitlines()
    assert "  Linear: [in_features], out_features, bias=true" in kinds and "  add" in kinds
    assert any(x.startswith("  Conv2d: [in_channels], out_channels, kernel_size, stride=1, padding=0 (same|valid)") for x in kinds)
    told = json.loads(run("--kinds", "--json"))
    assert len(told) == sum(1 for x in kinds if x.startswith("  ")) and {k["name"] for k in told if k["is"] == "step"} >= {"add", "concat"}
    conv = {a["name"]: a for a in next(k for k in told if k["name"] == "Conv2d")["arguments"]}
    assert conv["in_channels"]["deduced"] and conv["out_channels"]["required"] and conv["stride"]["default"] == 1 and conv["padding"]["words"] == ["same", "valid"], conv
    for command, name in (("show", "modules"), ("dot", "dot")):
        assert json.loads(run(ini, command, arch, "--json")) == {"archid": "L=2, K=3, H=16", name: run(ini, command, arch)}
    assert "sample" in run("--help") and run("--version").startswith("archai-space ")


streams()
with h5py.File(f"{DATA}/forward.h5") as reference:
    models(reference)
    images(reference)
with h5py.File(f"{DATA}/transformer_forward.h5") as reference:
    models(reference)
refusals()
