"""Batches as shim_augment.c wrote them against those that Python makes by the documented rule: bit for bit.
usage: py_batches.py BATCHES PICTURES RUN_SEED CANDIDATE BATCH_SIZE"""
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).with_name("support")))
from recorded_batches import Batches
from py_augment import load

torch.set_num_threads(1)
batches, data = load(sys.argv[1]), load(sys.argv[2])
seed, candidate, size = map(int, sys.argv[3:])
images, labels = (torch.from_numpy(data[f"train/{k}"]) for k in ("images", "labels"))
checked = bad = 0
for text in dict.fromkeys(name.rsplit("/", 3)[0] for name in batches):
    mine = Batches(images, labels, seed, candidate, size, ([0.5, 0.25, 0.1], [0.3, 0.2, 0.7]), text)
    epochs = 1 + max(int(name.rsplit("/", 3)[1]) for name in batches if name.startswith(text + "/"))
    for epoch in range(epochs):
        made = list(mine.next_epoch())
        theirs = {name for name in batches if name.startswith(f"{text}/{epoch}/")}
        assert len(theirs) == 4 * len(made), (len(theirs), len(made))
        for step, (x, y, index, share) in enumerate(made):
            got = {k: batches[f"{text}/{epoch}/{step}/{k}"] for k in ("images", "labels", "index", "share")}
            same = (np.array_equal(got["index"], index.numpy()) and np.array_equal(got["labels"], y.numpy())
                    and got["images"].tobytes() == x.numpy().tobytes() and got["share"][0] == share)
            checked += 1
            bad += not same
            if not same:
                print(f"{text}, epoch {epoch}, step {step}: DIFFERS: index {np.array_equal(got['index'], index.numpy())}, "
                      f"pictures by {np.abs(got['images'] - x.numpy()).max():.1e}, share {got['share'][0]} and {share}")
print(f"{checked - bad} of {checked} batches are the same, bit for bit")
sys.exit(bad > 0 or checked == 0)
