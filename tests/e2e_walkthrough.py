"""configs/spaces/README.md, "From PyTorch code to a running search": every file and command in it, run as it stands.

Only the search is made shorter."""
import os
import re
import subprocess
import sys

import h5py

SOURCE = os.environ["ARCHAI_SOURCE"]
text = open(f"{SOURCE}/configs/spaces/README.md").read()
text = text[text.index("## From PyTorch code"):text.index("## torchvision")]
blocks = {kind: re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S) for kind in ("python", "yaml", "ini")}
plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
commands = re.findall(r"^    ((?:echo|archai-space|h5dump|mpirun) .*)$", plain, re.M)
assert [len(blocks[kind]) for kind in ("python", "yaml", "ini")] == [3, 2, 1] and len(commands) == 5, (blocks, commands)


def write(path, content):
    with open(path, "w") as f:
        f.write(content)


def run(command):
    p = subprocess.run(command, shell=isinstance(command, str), capture_output=True, text=True, timeout=600)
    assert p.returncode == 0, (command, p.stdout, p.stderr)
    return p.stdout


net, check, back = blocks["python"]
write("net.py", net)
write("net.yaml", blocks["yaml"][0])
write("net.ini", blocks["ini"][0])
show, predict, dump, sample, search = commands
assert "(blocks): Sequential(" in run(show)
write("check.py", "import torch\ntorch.manual_seed(1)\n" + check)
expected = [float(x) for x in re.findall(r"-?\d\.\d+(?:e-?\d+)?", run([sys.executable, "check.py"]))]
run(predict)
with h5py.File("out.h5") as f:
    got = f["output"][...].ravel()
assert len(expected) == len(got) == 40 and max(abs(a - b) for a, b in zip(expected, got)) < 2e-4, (expected, got)
run(dump)

write("net.yaml", blocks["yaml"][1])
assert len(run(sample).splitlines()) == 3
run(f"{search} --set search.max_evaluations=4 --set train.epochs=1 --set data.samples=200")
write("back.py", back + "\nprint(model(torch.rand(2, 1, 28, 28)).shape)\n")
assert run([sys.executable, "back.py"]).strip() == "torch.Size([2, 10])"
print("net.py, net.yaml and net.ini: compared with PyTorch, searched, and loaded into PyTorch again")
