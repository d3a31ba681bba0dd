"""A loop of your own: archai-space proposes candidates of spirals.ini, this program trains them and says what came out.

    python3 configs/examples/ask_and_tell.py [--set SECTION.KEY=VALUE]...

No MPI, no results directory. What was asked and told is kept in spirals.jsonl: started again, the search goes on from there.
"""
import json
import subprocess
import sys

import torch

from spirals import build, epochs

archai = subprocess.Popen(["archai-space", "configs/examples/spirals.ini", "serve", "--history", "spirals.jsonl", *sys.argv[1:]],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def request(**what):
    print(json.dumps(what), file=archai.stdin, flush=True)
    answer = json.loads(archai.stdout.readline() or '{"error": "archai-space has ended"}')
    return sys.exit(answer["error"]) if "error" in answer and "told" not in answer else answer


while candidates := request(ask=1)["candidates"]:  # ask for more to evaluate several at once
    for c in candidates:
        torch.manual_seed(c["seed"] % 2**63)
        model = build(c["params"])
        accuracy, _ = list(epochs(model, c["params"], c["arch"]["batch_size"], 20, "cpu"))[-1]
        request(tell=c["id"], measures={"val_accuracy": accuracy, "parameters": sum(t.numel() for t in model.parameters())})
for m in request(front=True)["front"]:
    print(f"{m['objectives']['accuracy']:.3f}  {m['objectives']['size']:5.0f} parameters  {m['archid']}")
