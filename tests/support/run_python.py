"""Exported Python files with their weights, as programs of their user would load them.
usage: run_python.py FILE.npz...: each holds `model`, the path of a Python file, `weights`, and `x`; `y` is added: what comes out."""
import runpy
import sys

import numpy as np
import torch

torch.set_num_threads(1)
for path in sys.argv[1:]:
    with np.load(path) as f:
        name, weights, x = str(f["model"]), str(f["weights"]), f["x"]
    made = runpy.run_path(name, run_name="exported")
    model = made["load"](made["Model"](), made["read_weights"](weights)).eval()
    with torch.no_grad():
        y = model(torch.from_numpy(x))
    np.savez(path, model=name, weights=weights, x=x, y=y.detach().numpy(), state=np.array(list(model.state_dict())))
