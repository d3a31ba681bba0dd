"""Sections [measure.NAME]: measures of the model against PyTorch's own, programs before and after the training, and constraints
that save it."""
import json
import os
import subprocess
import sys

import h5py
import numpy as np

SOURCE, TMP, BIN = (os.environ[k] for k in ("ARCHAI_SOURCE", "ARCHAI_TMP", "ARCHAI_BIN"))
SPACE = "[space]\nname = cnn\nmax_layers = 3\nkernel_list = 3 5\nhidden_list = 4 8\n"


def write(name, text):
    with open(os.path.join(TMP, name), "w") as f:
        f.write(text)
    return os.path.join(TMP, name)


def run(name, text, *args, code=0):
    config = write(f"{name}.ini", text + f"\n[output]\ndirectory = {TMP}/{name}\nweights = all\n")
    p = subprocess.run([os.path.join(BIN, "archai-run"), config, "--progress", "none", *args], cwd=TMP, capture_output=True,
                       text=True, timeout=300)
    assert p.returncode == code, (p.returncode, p.stdout, p.stderr)
    return p.stdout + p.stderr


def rows(name):
    f = h5py.File(f"{TMP}/{name}/results.h5", "r")
    values = {k: v[()] for group in ("objectives", "metrics") for k, v in f[group].items()}
    for k in ("status", "error", "arch", "archid"):
        values[k] = [x.decode() for x in f["candidates"][k][()]]
    return f, values


# -- programs, before and after -----------------------------------------------------------------------------------------------

PROGRAM = """
import json, sys
c = json.loads(sys.stdin.readline())
with open(sys.argv[1] + ".seen", "a") as f:
    f.write("%d\\n" % c["id"])
print(json.dumps({"latency": {"latency": c["arch"]["nb_layers"] * 0.2, "acc": -1},
                  "acc": {"acc": c["arch"]["hidden_dim"] / 10, "latency": 77},
                  "size": {"size": c["arch"]["hidden_dim"], "other": 1},
                  "broken": {}}[sys.argv[1]]))
"""


def seen(what):
    path = os.path.join(TMP, f"{what}.seen")
    ids = [int(x) for x in open(path)] if os.path.exists(path) else []
    assert len(ids) == len(set(ids)), ids
    return set(ids)


def programs_measure_before_and_after():
    program = f'"{sys.executable}" {write("program.py", PROGRAM)}'
    run("programs", f"""[search]
algorithm = random_search
max_evaluations = 5
{SPACE}
[objective.acc]
direction = maximize
[objective.latency]
direction = minimize
constraint = 0 0.45
[objective.size]
direction = minimize
[measure.latency]
kind = command
command = {program} latency
[measure.size]
kind = command
stage = after
command = {program} size
[measure.broken]
kind = command
stage = after
command = {program} broken
[measure.p]
kind = params
[objective.weights]
source = p
direction = none
constraint = 0 1000000
[evaluator]
kind = command
command = {program} acc
""")
    f, v = rows("programs")
    ok = {i for i, s in enumerate(v["status"]) if s == "ok"}
    layers = [json.loads(a)["nb_layers"] for a in v["arch"]]
    assert v["status"].count("ok") == 5 and set(v["status"]) == {"ok", "infeasible"}, v["status"]
    assert ok == {i for i, n in enumerate(layers) if n < 3}, (ok, layers)
    assert np.allclose(v["latency"], np.array(layers) * 0.2)  # its own program's, not what the other one says
    assert seen("latency") == set(range(len(layers))) and seen("acc") == ok and seen("size") == ok
    assert all(np.isfinite(v["acc"][i]) == np.isfinite(v["size"][i]) == (i in ok) for i in range(len(layers)))
    assert np.all(v["params"] > 0) and "other" not in v
    log = open(f"{TMP}/programs/run.log").read()
    assert "measure.broken: the answer has no number under 'broken'" in log, log
    # an objective that one candidate's program does not measure costs that candidate, and no other one
    failing = f'"{sys.executable}" ' + write("failing.py", "import json, sys\nc = json.loads(sys.stdin.readline())\n"
                                            "sys.exit(3) if c['id'] == 0 else print(json.dumps({'slow': c['id']}))\n")
    run("failing", f"[search]\nalgorithm = random_search\nmax_evaluations = 3\n{SPACE}[objective.params]\ndirection = minimize\n"
                   f"[objective.slow]\ndirection = minimize\n[measure.slow]\nkind = command\ncommand = {failing}\n"
                   "[evaluator]\nkind = null\ntimeout = 60s\n")
    _, v = rows("failing")
    assert v["status"] == ["failed", "ok", "ok"] and "exited with 3" in v["error"][0], (v["status"], v["error"])
    # what cannot work is refused with section and key
    for keys, words in (("kind = command", "measure.x.command: missing"), ("kind = latency", "measure.x.kind: "),
                        ("kind = command\ncommand = no-such-program", "measure.x.command: 'no-such-program' is not in $PATH"),
                        ("kind = snip\ncommand = true", "only kind = command runs a program"),
                        ("kind = params\nbatch = 3", "did you mean 'batch_size'"), ("kind = params\nstage = never", "measure.x.stage")):
        said = run("refused", f"[search]\nmax_evaluations = 1\n{SPACE}[objective.params]\ndirection = minimize\n[measure.x]\n{keys}\n"
                              "[evaluator]\nkind = null\n", "--dry-run", code=2)
        assert words in said, (words, said)
    # a name that the evaluator gives itself would replace its measure without a word
    write("table.csv", "nb_layers,kernel_size,hidden_dim,acc\n1,3,4,0.5\n")
    for section, more, words in (("val_accuracy", "", "measure.val_accuracy.kind: evaluator.kind = torch measures 'val_accuracy' itself"),
                                 ("test", "", "measure.test.kind: evaluator.kind = torch measures 'test_accuracy' itself"),
                                 ("acc", f"[evaluator]\nkind = table\ntable = {TMP}/table.csv\n", "measure.acc.kind: evaluator.table measures 'acc' itself")):
        said = run("refused", f"[search]\nmax_evaluations = 1\n{SPACE}[objective.params]\ndirection = minimize\n[measure.{section}]\n"
                              f"kind = command\ncommand = {program} size\n[data]\nsamples = 50\n{more}", "--dry-run", code=2)
        assert words in said, (words, said)
    # a machine without a GPU, or without an energy meter, says so before anything starts (unit_device has every case)
    if not os.path.exists("/proc/driver/nvidia/gpus"):
        said = run("refused", f"[search]\nmax_evaluations = 1\n{SPACE}[objective.params]\ndirection = minimize\n[measure.fast]\nkind = latency_seconds\n"
                              "device = cuda\n[evaluator]\nkind = null\n", code=2)
        assert "measure.fast.device: cuda, but this machine has no GPU" in said and not os.path.exists(f"{TMP}/refused"), said


# -- measures of the model ----------------------------------------------------------------------------------------------------

ALL = ("grad_norm", "snip", "synflow", "jacob_cov", "naswot")


def by_pytorch(model, x, y):
    """The five scores, written down from the papers (and the code that came with arXiv:2101.08134) with PyTorch alone."""
    import torch

    layers = [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    out = {}
    model.train()
    model.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    out["grad_norm"] = sum(m.weight.grad.norm().item() for m in layers)
    out["snip"] = sum((m.weight * m.weight.grad).abs().sum().item() for m in layers)

    inputs = x.clone().requires_grad_()
    out_of = model(inputs)
    out_of.backward(torch.ones_like(out_of))
    v = np.linalg.eigvalsh(np.corrcoef(inputs.grad.reshape(len(x), -1).double().numpy()))
    out["jacob_cov"] = -np.sum(np.log(v + 1e-5) + 1 / (v + 1e-5))

    k = np.zeros((len(x), len(x)))

    def count(module, given, _):
        nonlocal k
        on = (given[0] > 0).reshape(len(x), -1).double().numpy()
        k = k + on @ on.T + (1 - on) @ (1 - on).T

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, torch.nn.ReLU)]
    model(x)
    for h in hooks:
        h.remove()
    out["naswot"] = np.linalg.slogdet(k)[1]

    model.eval().double()
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.reset_running_stats()
    with torch.no_grad():
        for p in model.parameters():
            p.abs_()
    model.zero_grad()
    model(torch.ones(1, *x.shape[1:], dtype=torch.float64)).sum().backward()
    out["synflow"] = sum((m.weight * m.weight.grad).abs().sum().item() for m in layers)
    return out


def scores_are_those_of_pytorch():
    try:
        import torch
    except ImportError:
        print("without torch: the scores are not compared")
        return
    sys.path.insert(0, os.path.join(SOURCE, "tests/support"))
    from chain import MyModel

    rng = np.random.default_rng(3)
    with h5py.File(f"{TMP}/data.h5", "w") as f:
        for split, n in ("train", 40), ("val", 8):
            f[f"{split}/images"] = rng.normal(size=(n, 1, 12, 12)).astype("f4")
            f[f"{split}/labels"] = np.arange(n) % 4
        f.attrs["num_classes"] = 4
    data = f"[data]\nformat = hdf5\nfile = {TMP}/data.h5\n[train]\nepochs = 0.001\noptimizer = sgd\nlearning_rate = 1e-9\nmomentum = 0\n"
    measures = "".join(f"[measure.{k}]\nkind = {k}\nbatch_size = 24\n" for k in ALL)
    run("scores", f"[search]\nalgorithm = random_search\nmax_evaluations = 4\n{SPACE}{data}{measures}"
                  "[measure.speed]\nkind = latency_seconds\nseconds = 20ms\n[measure.memory]\nkind = peak_memory_bytes\npass = training\n"
                  "[measure.late]\nkind = snip\nbatch_size = 24\nstage = after\n"
                  "[objective.val_accuracy]\ndirection = maximize\n[objective.latency_seconds]\ndirection = minimize\n"
                  "[evaluator]\nkind = torch\nthreads = 1\ndevice = cpu\n")
    f, v = rows("scores")
    assert v["status"] == ["ok"] * 4, v["error"]
    with h5py.File(f"{TMP}/data.h5") as d:
        x, y = torch.from_numpy(d["train/images"][:24]), torch.from_numpy(d["train/labels"][:24])
    for i, archid in enumerate(v["archid"]):
        arch = json.loads(v["arch"][i])
        model = MyModel(arch["nb_layers"], arch["kernel_size"], arch["hidden_dim"], classes=4)
        model.load_state_dict({k: torch.from_numpy(np.array(t)) for k, t in f[f"models/{archid}"].items()})
        for name, expected in by_pytorch(model, x, y).items():
            assert abs(v[name][i] - expected) <= 1e-4 * abs(expected), (archid, name, v[name][i], expected)
        assert abs(v["late"][i] - v["snip"][i]) <= 1e-12 * v["snip"][i]
    assert np.all(v["latency_seconds"] > 0) and np.all(v["latency_seconds_iqr"] >= 0) and np.all(v["speed"] > 0)
    assert np.all(v["memory"] > 4 * v["params"])


def a_violated_constraint_saves_the_training():
    """Those that are too slow have no trace of a training, and the budget is spent on the others; also where the user's program
    evaluates and the latency is measured beside it."""
    train = "[data]\nsamples = 300\n[train]\nepochs = 1\n"
    run("saved", f"[search]\nalgorithm = random_search\nmax_evaluations = 4\nmax_infeasible = 6\n{SPACE}{train}"
                 "[objective.val_accuracy]\ndirection = maximize\n[objective.naswot]\ndirection = none\nconstraint = 0 1\n"
                 "[evaluator]\nkind = torch\nthreads = 1\ndevice = cpu\n")
    f, v = rows("saved")
    assert set(v["status"]) == {"infeasible"} and 6 <= len(v["status"]) < 12, v["status"]  # some wait at the worker already
    assert np.all(np.isfinite(v["naswot"])) and "train_seconds" not in v and "curves" not in f or not len(f["curves"])
    program = f'"{sys.executable}" {write("program.py", PROGRAM)}'
    # accuracy by training, latency measured with a limit, a program's number as third objective: none trains a step that a limit ends
    run("three", f"[search]\nalgorithm = random_search\nmax_evaluations = 4\nseed = 2\n{SPACE}{train}"
                 "[objective.val_accuracy]\ndirection = maximize\n[objective.latency_seconds]\ndirection = minimize\nconstraint = 1e-9 10\n"
                 "[objective.latency]\ndirection = minimize\nconstraint = 0 0.25\n"
                 f"[measure.latency]\nkind = command\ncommand = {program} latency\n[evaluator]\nkind = torch\nthreads = 1\ndevice = cpu\n")
    f, v = rows("three")
    layers = np.array([json.loads(a)["nb_layers"] for a in v["arch"]])
    trained = np.array([s == "ok" for s in v["status"]])
    assert np.array_equal(trained, layers < 2) and trained.sum() == 4 and not trained.all(), (layers, v["status"], v["error"])
    for k in ("val_accuracy", "train_seconds"):
        assert np.array_equal(np.isfinite(v[k]), trained), (k, v[k])
    assert np.all(np.isfinite(v["latency_seconds"][trained])) and np.allclose(v["latency"], layers * 0.2)
    assert np.array_equal(np.isfinite(f["curves/val_loss"][()]).any(axis=1), trained)
    assert set(f["models"]) == {a for a, t in zip(v["archid"], trained) if t}
    for path in os.listdir(TMP):
        if path.endswith(".seen"):
            os.remove(os.path.join(TMP, path))
    run("beside", f"[search]\nalgorithm = random_search\nmax_evaluations = 3\n{SPACE}"
                  "[objective.acc]\ndirection = maximize\n[objective.latency_seconds]\ndirection = minimize\nconstraint = 1e-9 10\n"
                  "[measure.latency_seconds]\nkind = latency_seconds\nseconds = 10ms\n"
                  f"[evaluator]\nkind = command\ncommand = {program} acc\nthreads = 1\n[data]\nsamples = 64\n")
    _, v = rows("beside")
    assert v["status"] == ["ok"] * 3 and np.all(v["latency_seconds"] > 0) and np.all(v["latency_seconds"] < 1), v["error"]


def a_failed_program_costs_its_candidates_alone():
    fails = {"exits": "sys.exit(3)", "says_nothing": "pass", "another_measure": "print('{\"other\": 1}')"}
    for name, what in fails.items():
        program = f'"{sys.executable}" {write(f"{name}.py", f"import sys{chr(10)}{what}{chr(10)}")}'
        for stage in "before", "after":
            run(f"{name}_{stage}", f"[search]\nalgorithm = random_search\nmax_evaluations = 3\n{SPACE}"
                f"[objective.m]\ndirection = minimize\n[measure.m]\nkind = command\nstage = {stage}\ncommand = {program}\n"
                "[evaluator]\nkind = null\n", code=1)
            _, v = rows(f"{name}_{stage}")
            assert v["status"] == ["failed"] * 3 and all(e.startswith("measure.m: ") for e in v["error"]), v["error"]


programs_measure_before_and_after()
a_failed_program_costs_its_candidates_alone()
scores_are_those_of_pytorch()
a_violated_constraint_saves_the_training()
