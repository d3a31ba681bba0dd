#!/usr/bin/python3
"""A candidate's program that does its worst: hostile_program.py SEED KIND,KIND,... [stays]

Each candidate draws one of the kinds, by the seed and its id. Standard input is one JSON object with `id`; a well-behaved
answer is {"acc": ..., "loss": ...}. stays: it evaluates many candidates (evaluator.persistent = yes), a line of input for
each, and answers {"id": ..., "result": {"acc": ..., "loss": ...}}. tests/e2e_hostile.py runs searches of it.
"""
import json
import os
import random
import signal
import struct
import sys
import time

SEED, KINDS, STAYS = sys.argv[1], sys.argv[2].split(","), sys.argv[3:] == ["stays"]
request = {}


def detached():
    """Out of the program's session and group; in the grandchild only."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            return True
        os._exit(0)
    return False


def answer(**more):
    measures = {"acc": draw.random(), "loss": draw.random(), **more}
    if not STAYS:
        return print(json.dumps(measures))
    for _ in range(draw.choice([0, 0, 1, 5])):
        report()
    print(json.dumps({"id": request.get("id"), "result": measures}), flush=True)
    if draw.random() < 0.1:  # of a candidate that is over, or of one that never was
        print(json.dumps({"id": draw.choice([request.get("id"), -1, 1 << 40, None, "x"]), draw.choice(["result", "epoch"]): measures}), flush=True)


def report():
    """Progress, more or less."""
    epoch = draw.choice([1, 2, 3, 0, -1, 1.5, 1 << 62, 1e300, "1", None, [1]])
    value = draw.choice([0.5, 0.5, 0.5, "x", None, [0.1, 0.2], {}, 1 << 70])
    print(json.dumps({"id": request.get("id"), draw.choice(["epoch", "epoch", "step"]): epoch, "epochs": draw.choice([3, -1, "3"]),
                      draw.choice(["acc", "val/acc", "\x1b[1m", "n" * 5000]): value}), flush=True)


# -- how it ends -------------------------------------------------------------------------------------------------------
def well():
    answer()


def exits():
    answer()
    sys.stdout.flush()
    os._exit(draw.choice([1, 2, 74, 75, 99, 255]))


def dies():
    os.kill(os.getpid(), draw.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGUSR1, signal.SIGPIPE, signal.SIGHUP]))
    time.sleep(60)


def hangs():
    for s in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(s, signal.SIG_IGN)
    time.sleep(60)


def stops_itself():
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)


def silent():
    pass


# -- processes ---------------------------------------------------------------------------------------------------------
def leaves_children():
    for _ in range(draw.randint(1, 4)):
        if detached():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(60)
            os._exit(0)
    answer()


def holds_pipes():
    """A child that keeps standard output open."""
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    answer()


def hurts_guard():
    guard = os.getppid()
    if detached():
        time.sleep(60)
        os._exit(0)
    time.sleep(0.05)
    os.kill(guard, draw.choice([signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP]))
    if draw.random() < 0.5:
        answer()
        sys.stdout.flush()
        os._exit(0)
    time.sleep(60)


def stops_guard_for_ever():
    guard = os.getppid()
    if detached():
        while True:
            try:
                os.kill(guard, signal.SIGSTOP)
            except ProcessLookupError:
                os._exit(0)
            time.sleep(0.001)
    time.sleep(60)


def breeds():
    """Processes that start others as they die, some of them stopped."""
    for _ in range(20):
        if os.fork() == 0:
            os.setsid()
            if draw.random() < 0.5:
                os.kill(os.getpid(), signal.SIGSTOP)
            for _ in range(200):
                if os.fork() != 0:
                    os._exit(0)
                time.sleep(0.01)
            os._exit(0)
    answer()


# -- what it prints ----------------------------------------------------------------------------------------------------
def prints_badly():
    print(draw.choice([
        "", "null", "[]", "{}", "{", '{"acc": "x", "loss": 1}', '{"acc": NaN, "loss": Infinity}', '{"acc": 1e999, "loss": -1e999}',
        '{"acc": 1, "acc": 2, "loss": 0}', '{"acc": [1], "loss": {}}', "[" * 100000, '{"acc": 0.1, "loss": ' + "9" * 400 + "}",
        '{"acc": 9223372036854775808, "loss": 1}', '{"acc": true, "loss": false}', '\ufeff{"acc": 0.1, "loss": 1}', "\x00" * 1000,
        '{"acc": 0.1, "loss": 1, "x": "' + "y" * 200000 + '"}']))


def prints_names():
    names = ["val/loss", "..", ".", "", "a b", "=1+1", "@x", "\x1b[31m", "é", "\u202e", "n" * 3000, "acc/", "/", "id", "archid", "a\nb", "\x7f", "\x9b1m"]
    answer(**{name: draw.random() for name in draw.sample(names, 6)})


def prints_bytes():
    """On standard error, then a failure: its last words become the row's error."""
    os.write(2, draw.choice([b"\xff\xfe\xed\xa0\x80", b"\x1b]0;title\x07\x1b[2J", b"\xc2\x9b31m", b"a" * 100000, b"\x00\x01\x02", b"</script><b>"]) + b"\n")
    sys.exit(3)


def floods():
    for _ in range(200):
        os.write(draw.choice([1, 2]), b"x" * 65536 + b"\n")
    answer()


def answers_before_asked():
    answer()
    sys.stdout.flush()
    os.close(0)
    os.close(1)
    time.sleep(draw.choice([0, 60]))


# -- weights -----------------------------------------------------------------------------------------------------------
def put_weights(head, data=b"", size=None):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    with open(os.environ["ARCHAI_WEIGHTS"], "wb") as f:
        f.write(struct.pack("<Q", len(head) if size is None else size) + head + data)


def tensor(shape=(2,), dtype="F32", begin=0, end=8):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def weights_names():
    names = ["dense/kernel", "a", "a/b", "..", ".", "", "/", "a/", "/a", "x\x00y", "x\ny", "\x1b[0m", "é", "n" * 5000, "../../x", "./a", "a//b", "__metadata__x"]
    names = draw.sample(names, 6)
    put_weights({name: tensor(begin=8 * i, end=8 * i + 8) for i, name in enumerate(names)}, struct.pack("<2f", 0.5, 1) * len(names))
    answer()


def weights_types():
    types = [("BF16", 2), ("F16", 2), ("BOOL", 1), ("F8_E4M3", 1), ("F8_E5M2", 1), ("I64", 8), ("U8", 1), ("F64", 8), ("C64", 8), ("F4", 1), ("I32", 4)]
    name, size = draw.choice(types)
    put_weights({"w": tensor((3,), name, 0, 3 * size), "v": tensor(begin=3 * size, end=3 * size + 8)}, bytes(3 * size + 8))
    answer()


def weights_lies():
    draw.choice([
        lambda: put_weights({"w": tensor(end=1 << 60)}), lambda: put_weights({"w": tensor((1 << 40, 1 << 40))}, bytes(8)),
        lambda: put_weights({"w": tensor((-1,))}, bytes(8)), lambda: put_weights({"w": tensor(begin=8, end=0)}, bytes(8)),
        lambda: put_weights({"w": tensor(), "v": tensor()}, bytes(8)), lambda: put_weights(b"{}", size=1 << 63),
        lambda: put_weights(b"[" * 50000), lambda: put_weights(b"{", size=1), lambda: put_weights({}, bytes(100)),
        lambda: put_weights({"w": tensor((0,), end=0)}), lambda: put_weights({"w": tensor((), end=4)}, bytes(4)),
        lambda: put_weights({"w": tensor([1] * 40, end=4)}, bytes(4)), lambda: open(os.environ["ARCHAI_WEIGHTS"], "wb").write(b"\x80\x02}q\x00."),
        lambda: put_weights({"w": tensor()}, struct.pack("<2f", float("nan"), float("inf"))),
        lambda: os.truncate(os.environ["ARCHAI_WEIGHTS"], 1 << 36)])()
    answer()


def weights_many():
    n = draw.choice([300, 3000])
    put_weights({f"layer.{i}.weight": tensor(begin=8 * i, end=8 * i + 8) for i in range(n)}, struct.pack("<2f", 0.5, 1) * n)
    answer()


def do_worst(line):
    global draw, request
    request = json.loads(line)
    draw = random.Random(f"{SEED} {request['id']}")
    if request.get("weights"):
        os.environ["ARCHAI_WEIGHTS"] = request["weights"]
    globals()[draw.choice(KINDS)]()


def main():
    global draw
    draw = random.Random(f"{SEED} {os.getpid()}")
    if "answers_before_asked" in KINDS and draw.random() < 0.3:
        answers_before_asked()
    elif not STAYS:
        do_worst(sys.stdin.readline())
    else:
        for line in sys.stdin:
            if "stop" not in json.loads(line):
                do_worst(line)
                sys.stdout.flush()


main()
