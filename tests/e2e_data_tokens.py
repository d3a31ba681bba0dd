"""Texts and tokens: sequences one behind the other, labels one token on, cut by position into training and validation."""
import sys

import h5py
import numpy as np

import data_sets
from data_sets import load, refused

data_sets.TOOL = sys.argv[1]
rng = np.random.default_rng(6)


def check(d, split, stream, first=0):
    """Sequences `first` and following of a run of tokens."""
    t, n = d.tokens, d.n[split]
    part = stream[first * t:][:n * t + 1]
    assert len(part) == n * t + 1
    assert np.array_equal(d.images[split], part[:-1].reshape(n, t)), (split, d.images[split][:1], part[:9])
    assert np.array_equal(d.labels[split], part[1:].reshape(n, t))
    assert d.indices[split].tolist() == list(range(first, first + n))


text = rng.integers(0, 256, 100_003, np.uint8)
text.tofile("a.txt")
keys = {"format": "tokens", "file": "a.txt"}
d = load(**keys)
assert (d.tokens, d.vocab, d.classes, d.channels, d.features) == (128, 256, 256, 0, 0)
assert d.targets == data_sets.NEXT_TOKEN and d.image == "uint8" and d.n == [703, 78, 0], d.n  # 781 sequences
check(d, 0, text), check(d, 1, text, 703)
assert d.said == ("703 sequences to train on, 78 to validate on; each 128 tokens (uint8), "
                  "a vocabulary of 256; 97.9 KiB on each node"), d.said
for length in 1, 7, 100_002 // 2:
    d = load(**keys, sequence_length=length, validation=0.4)
    n = 100_002 // length
    assert sum(d.n) == n and d.n[1] == int(np.floor(0.4 * n + 0.5))
    check(d, 0, text), check(d, 1, text, d.n[0])
d = load(**keys, sequence_length=10, max_samples=100)
assert d.n == [90, 10, 0]
check(d, 0, text), check(d, 1, text, 90)
(text % 90).tofile("val.txt"), text[:301].tofile("test.txt")
d = load(**keys, sequence_length=100, val_file="val.txt", test_file="test.txt")
assert d.n == [1000, 1000, 3]
check(d, 0, text), check(d, 1, text % 90), check(d, 2, text)

# tokens of 16 and 32 bits; a chunk of the reader is 65,536 tokens
for dtype, high, name in ("<u2", 50_257, "uint16"), ("<u2", 65_536, "uint16"), ("<u4", 100_000, "uint32"), ("<u2", 200, "uint16"):
    tokens = rng.integers(0, high, 150_000).astype(dtype)
    tokens[149_990] = high - 1
    tokens.tofile("t.bin")
    keys = {"format": "tokens", "file": "t.bin", "token_type": name, "sequence_length": 64}
    d = load(**keys)
    assert d.vocab == d.classes == high and d.image == ("int32" if high > 256 else "uint8") and sum(d.n) == 149_999 // 64
    check(d, 0, tokens), check(d, 1, tokens, d.n[0])
assert load(**keys, vocab=5000).vocab == 5000
refused("data.file: t.bin: token ", " expected 0 to 99", **keys, vocab=100)
np.array([1, 2, 2**32 - 1, 3] * 40, "<u4").tofile("t.bin")
refused("t.bin: token 2 is 4294967295, expected 0 to", **{**keys, "token_type": "uint32"})
(text[:3001] % 90).tofile("a.txt"), text.tofile("val.txt")
assert load(format="tokens", file="a.txt", val_file="val.txt").vocab == 256

# HDF5
tokens = rng.integers(0, 1000, 70_000)
with h5py.File("t.h5", "w") as f:
    f["train/tokens"], f["val/tokens"], f["test/tokens"] = tokens.astype("i8"), tokens[:5000].astype("u2"), tokens[5000:9000].astype(">i4")
keys = {"format": "tokens", "file": "t.h5", "sequence_length": 50}
d = load(**keys)
assert d.n == [1399, 99, 79] and d.vocab == tokens.max() + 1
check(d, 0, tokens), check(d, 1, tokens[:5000]), check(d, 2, tokens[5000:9000])
with h5py.File("t.h5", "r+") as f:
    del f["val"], f["test"]
d = load(**keys)
check(d, 0, tokens), check(d, 1, tokens, d.n[0])
with h5py.File("t.h5", "r+") as f:
    f["train/tokens"][7] = -4
refused("t.h5: token 7 is -4, expected 0 to", **keys)
with h5py.File("t.h5", "r+") as f:
    del f["train/tokens"]
    x = f.create_dataset("train/tokens", data=np.ones(500, "u8"), chunks=(100,), compression="gzip")
    x[9] = 2**63 + 5
refused("t.h5: token 9 is 9223372036854775813, expected 0 to", **keys)
with h5py.File("t.h5", "r+") as f:
    del f["train/tokens"]
    f.create_dataset("train/tokens", data=tokens % 200, chunks=(333,), compression="gzip")
check(load(**keys), 0, tokens % 200)
with h5py.File("t.h5", "r+") as f:
    del f["train/tokens"]
    f["train/tokens"] = np.zeros((9, 9))
refused("t.h5: 2 dimensions of floating numbers, expected [N]", **keys)

# what does not go
text[:128].tofile("a.txt")
refused("a.txt: 128 tokens, expected at least 129", format="tokens", file="a.txt")
refused("data.max_samples: 0 training sequences remain", format="tokens", file="a.txt", sequence_length=127)
refused("data.validation: 0 leaves no validation sequences", format="tokens", file="a.txt", sequence_length=5, validation=0)
text[:127].tofile("a.txt")
refused("a.txt: 127 bytes, expected a multiple of 2", format="tokens", file="a.txt", token_type="uint16")
refused("data.val_file: nowhere.txt", format="tokens", file="a.txt", val_file="nowhere.txt", sequence_length=5)
refused("data.file: missing", format="tokens")
open("a.txt", "w").close()
refused("a.txt: 0 tokens, expected at least 2", format="tokens", file="a.txt", sequence_length=1)
print("ok")
