"""From a finished run to plain PyTorch and back: what the stories of whole chains share."""
import json
import pathlib
import subprocess
import threading
import time

import h5py
import numpy as np
import torch

from check_results import faults_of


class MyModel(torch.nn.Module):
    """The model of the document "Discrete Search Spaces", written down in PyTorch (a batch of one stays a batch)."""

    def __init__(self, nb_layers, kernel_size, hidden_dim, channels=1, classes=10):
        super().__init__()
        layers = []
        for i in range(nb_layers):
            layers += [torch.nn.Conv2d(channels if i == 0 else hidden_dim, hidden_dim, kernel_size, padding=(kernel_size - 1) // 2),
                       torch.nn.BatchNorm2d(hidden_dim), torch.nn.ReLU()]
        layers += [torch.nn.AdaptiveAvgPool2d((1, 1)), torch.nn.Conv2d(hidden_dim, classes, 1)]
        self.model = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x).flatten(1)


def search(ranks, config, directory, *arguments, timeout=600):
    """Run a search to its end, looking into results.h5 all the while; returns how often it could be read."""
    start = ["mpirun", "-n", str(ranks)] if ranks else []
    command = start + ["archai-run", str(config), "--output", directory, "--progress", "none", *arguments]
    looks, over = [], threading.Event()

    def look():
        while not over.is_set():
            path = pathlib.Path(directory, "results.h5")
            if path.exists():
                looks.append(faults_of(path))
            time.sleep(0.2)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        p = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    finally:
        over.set()
        reader.join()
    assert p.returncode == 0, (p.returncode, p.stdout, p.stderr)
    assert not any(looks), next(faults for faults in looks if faults)
    return len(looks)


def front(directory):
    """archid -> architecture of the models on the front, and the model with the highest accuracy among them."""
    with h5py.File(f"{directory}/results.h5", "r") as f:
        rows = f["pareto/index"][()]
        archids, archs = f["candidates/archid"].asstr()[()], f["candidates/arch"].asstr()[()]
        accuracy = f["objectives/accuracy"][()]
        best = max(rows, key=lambda i: accuracy[i])
        return {archids[i]: json.loads(archs[i]) for i in rows}, archids[best], accuracy[best]


def tool(*command):
    p = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, (command, p.returncode, p.stdout, p.stderr)
    return p.stdout


def load_three_ways(directory, archid):
    """The same weights from results.h5, as exported .pt and as exported safetensors; they must not differ in a bit."""
    with h5py.File(f"{directory}/results.h5", "r") as f:
        direct = {name: torch.from_numpy(np.asarray(d[()])) for name, d in f["models"][archid].items()}
    tool("archai-inspect", directory, "export", archid, "--format", "pt", "-o", "winner.pt")
    tool("archai-inspect", directory, "export", archid, "--format", "safetensors", "-o", "winner.safetensors")
    exported = torch.load("winner.pt", weights_only=True)
    raw = pathlib.Path("winner.safetensors").read_bytes()
    header_size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + header_size])
    header.pop("__metadata__", None)
    dtypes = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        piece = raw[8 + header_size + begin:8 + header_size + end]
        tensors[name] = torch.from_numpy(np.frombuffer(piece, dtypes[t["dtype"]]).reshape(t["shape"]).copy())
    assert set(direct) == set(exported) == set(tensors), (set(direct), set(exported), set(tensors))
    for name, value in direct.items():
        for other in (exported[name], tensors[name]):
            assert value.dtype == other.dtype and value.shape == other.shape and torch.equal(value, other), name
    return exported


def check_winner(config, directory, archid, arch, pictures):
    """Strictly loaded into PyTorch, a model gives the outputs of `archai-space predict` on [N, C, H, W] pictures."""
    state = load_three_ways(directory, archid)
    model = MyModel(arch["nb_layers"], arch["kernel_size"], arch["hidden_dim"], channels=pictures.shape[1])
    model.load_state_dict(state, strict=True)
    model.eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(pictures)).numpy()
    with h5py.File("input.h5", "w") as f:
        f["pictures"] = pictures
    pathlib.Path("arch.json").write_text(json.dumps(arch))
    for number, weights in enumerate((f"{directory}/results.h5:/models/{archid}", "winner.safetensors")):
        tool("archai-space", str(config), "predict", "arch.json", "--weights", weights, "--input", "input.h5:/pictures",
             "--output", f"output-{number}.h5")
        with h5py.File(f"output-{number}.h5", "r") as f:
            assert f["output"].shape == expected.shape
            worst = np.abs(f["output"][()] - expected).max()
        assert worst < 1e-4, worst
    return model
