"""Results that a bad disk, a bad copy or a bad person has changed: archai-inspect and --resume say one clear line, or
understand them. They never crash, hang, or leave codes other than the documented ones.

e2e_damage.py MAKE_RESULTS. ARCHAI_LONG=1: 300 variants instead of 40. ARCHAI_DAMAGE_SEED: others than the usual ones.
"""
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import zlib

import h5py

MAKE, BIN = sys.argv[1], os.environ["ARCHAI_BIN"]
LONG = os.environ.get("ARCHAI_LONG") == "1"
VARIANTS, RESUME_EVERY, N = (300, 1, 60) if LONG else (40, 8, 60)
SEED = int(os.environ.get("ARCHAI_DAMAGE_SEED", 1))
CONFIG = f"""[search]
algorithm = random_search
max_evaluations = {N}
[space]
name = cnn
max_layers = 99
kernel_list = 1 3
hidden_list = 8
[objective.accuracy]
source = val_accuracy
direction = maximize
[objective.params]
direction = minimize
constraint = 0 1000000
unit = weights
[evaluator]
kind = null
[output]
report = no
weights = all
"""
pathlib.Path("run.ini").write_text(CONFIG)
# as a run would have it, with every default
resolved = subprocess.run([f"{BIN}/archai-run", "run.ini", "--output", "new", "--dry-run"], capture_output=True, text=True)
assert resolved.returncode == 0, resolved.stderr
pathlib.Path("resolved.ini").write_text(resolved.stdout)
os.mkdir("whole")
subprocess.run([MAKE, "whole", str(N), "interrupted", "all", "resolved.ini"], check=True)


def call(name, *args):
    p = subprocess.run([f"{BIN}/{name}", *args], capture_output=True, timeout=300)
    assert p.returncode >= 0, (args, f"killed by signal {-p.returncode}", p.stderr)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def inspect(*args):
    code, out, words = call("archai-inspect", *args)
    assert code in (0, 2), (args, code, words)
    assert (code == 0) == (words == ""), (args, code, words)
    assert words.count("\n") <= 1, (args, words)
    return code, out, words


def resume(directory, *args):
    return call("archai-run", "run.ini", "--output", directory, "--resume", "--progress", "none", *args)


def fresh(name):
    shutil.rmtree(name, ignore_errors=True)
    subprocess.run(["cp", "-r", "--sparse=always", "whole", name], check=True)
    return name


# -- what verify must find, and how it says it ------------------------------------------------------------------------
SEGMENT = "segment-0-0.h5"
code, out, _ = inspect("whole", "verify")
assert code == 0 and f"{N} rows" in out and out.endswith("ok\n"), out
with h5py.File(f"whole/{SEGMENT}") as f:
    rows, detail = f["rows"][()], f["detail"][()].tobytes()
    ROWS, DETAIL, POOL = (f[n].id.get_offset() for n in ("rows", "detail", "pool/float32"))
    weights = f["pool/float32"][:27].astype("<f4").tobytes()  # of model 0: 24 of model.0.weight, 3 of model.0.bias


def patched(name, *changes):
    with open(f"{fresh(name)}/{SEGMENT}", "r+b") as f:
        for offset, data in changes:
            f.seek(offset)
            f.write(data)
    return name


def found(name, *parts):
    code, out, words = inspect(name, "verify")
    assert code == 2 and "fault" in words, (code, out, words)
    for part in parts:
        assert part in out, f"{part!r} not in:\n{out}"


def flipped(raw, bit):
    raw = bytearray(raw)
    raw[bit // 8] ^= 1 << bit % 8
    return bytes(raw)


found(patched("bit", (POOL, flipped(weights, 32 * 5 + 3))), SEGMENT, "model.0.weight of L=0, K=1 (id 0) does not match its checksum")

# NaN under right checksums: what a worker might have written
nan = weights[:24 * 4] + struct.pack("<f", float("nan")) + weights[25 * 4:]
row = rows[0]
text = detail[row["text_offset"]:row["text_offset"] + row["text_bytes"]]
before, after = (struct.pack(">BI", 0xce, zlib.crc32(w[24 * 4:])) for w in (weights, nan))
assert text.count(before) == 1, "the checksum of the tensor is not where it was thought to be"
text = text.replace(before, after)
row = row.copy()
row["text_crc"] = zlib.crc32(text)
raw = row.tobytes()
raw = raw[:60] + struct.pack("<I", zlib.crc32(raw[:60]))
found(patched("nan", (POOL, nan), (DETAIL + int(row["text_offset"]), text), (ROWS, raw)),
      SEGMENT, "model.0.bias of L=0, K=1 (id 0) is not finite", "/models/L=0, K=1/model.0.bias is not finite")

# a row's own bytes, and its details'
found(patched("row", (ROWS + 64 * 7, flipped(rows[7].tobytes(), 70))), f"{SEGMENT}: row 7 is damaged")
found(patched("detail", (DETAIL + int(rows[7]["text_offset"]) + 20, b"\xff")), f"{SEGMENT}: row 7 (id 7) is damaged")

with h5py.File(f"{fresh('dangling')}/results.h5", "r+") as f:
    f.move("models/L=3, K=1", "models/L=3, K=1, H=1")
found("dangling", "/models/L=3, K=1, H=1 belongs to no row")
os.remove(f"{fresh('gone')}/{SEGMENT}")
found("gone", f"{N} rows are only in results.h5", f"{SEGMENT}, which is not there")
with h5py.File(f"{fresh('front')}/results.h5", "r+") as f:
    f["pareto/index"][0] += 1
found("front", "/pareto/index", "is not the front")
with h5py.File(f"{fresh('ids')}/results.h5", "r+") as f:
    f["candidates/id"][5] = 3
found("ids", "ids do not ascend")
os.truncate(f"{fresh('short')}/{SEGMENT}", DETAIL + 100)
found("short", SEGMENT)
os.truncate(f"{fresh('cut')}/results.h5", os.path.getsize("whole/results.h5") // 2)
code, _, words = inspect("cut", "verify")
assert code == 2 and "cut/results.h5" in words, words

# -- --resume, where results.h5 is damaged: one line with a way out, which works ---------------------------------------
code, _, words = resume("cut")
assert code == 2 and words.count("\n") == 1 and "cut/results.h5" in words and "moved away" in words, words
assert not os.path.exists("cut/owner") and not os.path.exists("cut/exit_code")
os.remove("cut/results.h5")
shutil.copy("resolved.ini", "cut/config.ini")
code, _, words = resume("cut")
assert code == 0, words
with h5py.File("cut/results.h5") as f:
    assert list(f["candidates/id"][()]) == list(range(N))
code, _, words = resume("ids")
assert code == 2 and words.count("\n") == 1 and "ids do not ascend" in words, words
code, _, words = resume("short")
assert code == 2 and words.count("\n") == 1 and SEGMENT in words, words

# -- checkpoints: one under way, one whose row is committed, a damaged one, one under another's name --------------------
fresh("c")
subprocess.run([MAKE, "c", "5", "checkpoint"], check=True)  # after epoch 3 of 4
checkpoint = pathlib.Path("c/checkpoint-5.safetensors").read_bytes()
pathlib.Path("c/checkpoint-5.safetensors.1-abcdef").write_bytes(checkpoint[:100])  # killed while it was written
code, out, words = inspect("c", "verify")
assert code == 0 and "checkpoint-5.safetensors: epoch 3 of 4, left over" in out, (out, words)
pathlib.Path("c/checkpoint-77.safetensors").write_bytes(checkpoint)
pathlib.Path("c/checkpoint-78.safetensors").write_bytes(checkpoint[:-5] + b"\1" + checkpoint[-4:])
found("c", "checkpoint-77.safetensors: belongs to candidate 5", "checkpoint-78.safetensors: damaged: its checksum is wrong")
code, _, words = resume("c", "--set", f"search.max_evaluations={N + 1}")
assert code == 0, words
assert "removed 1 checkpoint of committed rows" in pathlib.Path("c/run.log").read_text()
assert not list(pathlib.Path("c").glob("checkpoint*"))

# -- variants ---------------------------------------------------------------------------------------------------------
def damage(path, rng):
    """Change the file in one of several ways; what was done, for messages."""
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        raw = f.read()
        used = [i for i in range(0, size, 512) if any(raw[i:i + 512])] # a segment is mostly holes
        place = lambda: min(rng.choice(used) + rng.randrange(512), size - 1)
        kind = rng.choice(("bits", "bytes", "block", "zeros", "cut", "edges", "mixed up"))
        if kind == "cut":
            f.truncate(rng.randrange(size))
        for _ in range({"bits": rng.randint(1, 20), "bytes": 100, "block": 1, "zeros": 1, "edges": 8, "mixed up": 1}.get(kind, 0)):
            at = place()
            f.seek(at)
            if kind == "bits":
                f.write(bytes([raw[at] ^ 1 << rng.randrange(8)]))
            elif kind == "bytes":
                f.write(bytes([rng.randrange(256)]))
            elif kind == "block":
                f.write(rng.randbytes(min(512, size - at)))
            elif kind == "zeros":
                f.write(bytes(min(4096, size - at)))
            elif kind == "edges":
                f.write(rng.choice((b"\xff" * 8, b"\0" * 8, b"\x7f" + b"\xff" * 7, b"\0\0\0\x80"))[:size - at])
            else:
                other = place()
                f.write(raw[other:other + min(2048, size - at)])
    return kind


CRASHING = [(77, 6), (77, 65), (77, 252), (77, 280)]  # HDF5 1.10.8 does not survive these
codes, crashed = {}, 0
for seed, i in CRASHING + [(SEED, i) for i in range(VARIANTS)]:
    rng = random.Random(seed * 1_000_003 + i)
    fresh("v")
    name = rng.choice(("results.h5", SEGMENT))
    what = f"variant {i} of seed {seed}: {damage(f'v/{name}', rng)} in {name}"
    try:
        for args in (["summary"], ["verify"], ["csv"], ["export", "L=2, K=1", "-o", "m.safetensors"], ["report", "-o", "r.html"],
                     ["curves", "L=2, K=1"], ["show", "L=2, K=1"]):
            code, _, _ = inspect("v", *args)
            codes[args[0], code] = codes.get((args[0], code), 0) + 1
        if i % RESUME_EVERY == 0 or (seed, i) in CRASHING:
            code, _, words = resume("v", "--set", f"search.max_evaluations={N + 1}")
            codes["--resume", code] = codes.get(("--resume", code), 0) + 1
            assert code in (0, 2), (code, words)
            crashed += "HDF5 crashed" in words
            if code == 2:
                assert words.count("\n") == 1 and name in words, words
                assert not os.path.exists("v/owner")
                continue
            with h5py.File("v/results.h5") as f: # what it makes is whole again
                assert len(f["candidates/id"]) == N + 1 and f.attrs["state"] == "complete"
    except (AssertionError, subprocess.TimeoutExpired) as e:
        sys.exit(f"{what}: {e}")
assert codes["verify", 2] > VARIANTS // 4, codes
print(f"{VARIANTS} variants (seed {SEED}), {crashed} crashes of HDF5 under --resume:", ", ".join(f"{k} {c}: {n}" for (k, c), n in sorted(codes.items())))
