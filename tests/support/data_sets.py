"""Data sets as archai-run holds them in memory, as NumPy arrays (show_data.c)."""
import json
import subprocess
import tempfile
import types
from pathlib import Path

import numpy as np

CLASS, MASK, LABELS, NUMBERS, NEXT_TOKEN = range(5)
TOOL = None  # the path of show_data, set by the test


def _run(keys, directory):
    config = Path(directory, "data.ini")
    config.write_text("[data]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()))
    return subprocess.run([TOOL, config, directory], capture_output=True, text=True)


def _load(keys):
    with tempfile.TemporaryDirectory() as directory:
        r = _run(keys, directory)
        assert r.returncode == 0, r.stderr
        d = types.SimpleNamespace(**json.loads(r.stdout))
        shape = [d.tokens] if d.tokens else [d.features] if d.features else [d.channels, d.height, d.width]
        label = {CLASS: [], MASK: [d.height, d.width], NEXT_TOKEN: [d.tokens]}.get(d.targets, [d.classes])
        d.images, d.labels, d.indices = [], [], []
        for split, n in zip(("train", "val", "test"), d.n):
            for name, dtype, sizes in ("images", d.image, shape), ("labels", d.label, label):
                dtype = d.image if d.targets == NEXT_TOKEN else dtype
                flat = np.fromfile(f"{directory}/{split}.{name}", dtype, n * int(np.prod(sizes)))
                getattr(d, name).append(flat.reshape(n, *sizes))
            d.indices.append(np.fromfile(f"{directory}/{split}.indices", np.int64))
        return d


def load(held=None, **keys):
    """images, labels, indices: a list of three arrays each; the header's fields under their names. Read example by
    example, they are the same, and so is what was measured; `held`: words that say why they cannot be read so."""
    d = _load(keys)
    if held:
        refused("data.resident: no, but", held, **keys, resident="no")
        return d
    streamed = _load({**keys, "resident": "no"})
    for a, b in zip(d.images + d.labels + d.indices, streamed.images + streamed.labels + streamed.indices):
        assert a.dtype == b.dtype and a.tobytes() == b.tobytes(), keys
    assert d.about == streamed.about and d.bytes == streamed.bytes and "read while training" in streamed.said
    return d


def refused(*words, **keys):
    """Exit code 2 and one line with these words."""
    with tempfile.TemporaryDirectory() as directory:
        r = _run(keys, directory)
    assert r.returncode == 2, (r.returncode, r.stderr, keys)
    assert len(r.stderr.splitlines()) == 1, r.stderr
    for word in words:
        assert word in r.stderr, f"{r.stderr!r} does not say {word!r}"
