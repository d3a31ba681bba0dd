"""Make a program that evaluates many candidates for archai-run (evaluator.persistent = yes) ten lines long. No dependencies;
copy this file beside your program.

    import archai_program as archai

    for c in archai.candidates():
        model = build(c.params)
        for epoch in range(1, 11):
            accuracy = train_one_epoch(model, seed=c.seed)
            archai.report(epoch=epoch, epochs=10, val_accuracy=accuracy)
            if archai.should_stop():
                break
        archai.save_weights(model.state_dict())
        archai.result(val_accuracy=accuracy)

A candidate has archid, arch, id, seed, budget, params (by dotted name), device, weights, start_weights and checkpoint (paths
of files, or None). What is printed goes to the candidate's log. A loop body that ends without result() gives what it reported
last. An exception ends the program, and costs the candidate; with for_each(evaluate) it costs the candidate alone.

Outside of archai-run, to debug: give parameters as JSON, or candidates as lines on standard input.

    python3 program.py '{"width": 32, "norm": true}'
    archai-space my.ini sample -n 3 | python3 program.py
"""
import json
import os
import select
import struct
import sys


class Candidate:
    def __init__(self, request, number=0):
        self.request = request
        self.arch = request.get("arch", request.get("params", {}))
        self.params = request["params"] if "params" in request else _flat(self.arch)
        self.archid = request.get("archid", "")
        self.id = request.get("id", number)
        self.seed = request.get("seed", number)
        self.budget = request.get("budget", 1.0)
        self.device = os.environ.get("ARCHAI_DEVICE", "cpu")
        self.weights = request.get("weights")
        self.start_weights = request.get("start_weights")
        self.checkpoint = request.get("checkpoint")
        self.last, self.stop, self.is_over = {}, False, False


class _Lines:
    """Lines of a descriptor, which select() can watch: none wait in a buffer of Python's."""

    def __init__(self, fd):
        self.fd, self.data, self.ended = fd, b"", False

    def next(self, wait):
        """The next line; None: there is none now, or with wait: never again."""
        while b"\n" not in self.data and not self.ended:
            if not wait and not select.select([self.fd], [], [], 0)[0]:
                return None
            piece = os.read(self.fd, 1 << 16)
            self.data += piece
            self.ended = not piece
        line, _, self.data = self.data.partition(b"\n")
        return line.decode() if line.strip() or not self.ended else None


_in = _Lines(0)
_out = None  # the lines of the protocol, once print() goes to standard error
_now = None  # the candidate that is being evaluated


def _flat(arch, prefix=""):
    """Parameters by dotted name, as archai-run sends them."""
    flat = {}
    for name, value in arch.items() if isinstance(arch, dict) else ():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value})
    return flat


def _plain(value):
    """A number, or a list of them, of Python's own, NumPy's or PyTorch's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _say(**what):
    _out.write(json.dumps({"id": _now.id, **what}) + "\n")
    _out.flush()


def _requests():
    given = sys.argv[1:] if "ARCHAI_WEIGHTS" not in os.environ else []  # else the arguments are the program's own
    if given and given[0].lstrip().startswith("{"):
        for text in given:
            yield {"params": json.loads(text)}
        return
    if sys.stdin is not None and sys.stdin.isatty():
        sys.exit("no candidates: give their parameters as JSON, or lines of JSON on standard input")
    while True:
        line = _in.next(wait=True)
        if line is None:
            return
        request = json.loads(line) if line.strip() else {"stop": None}
        if "stop" not in request:  # else it is about a candidate that is over
            yield request


def candidates():
    """Every candidate that archai-run sends, one after the other; ends when it sends no more."""
    global _out, _now
    if _out is None:
        _out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # print() cannot disturb the protocol
    for number, request in enumerate(_requests()):
        _now = Candidate(request, number)
        yield _now
        if not _now.is_over and _now.last:
            result(**_now.last)
        elif not _now.is_over:
            failed("it gave no result")


def for_each(evaluate):
    """evaluate(candidate) for every candidate; an exception costs the candidate, not the program."""
    for c in candidates():
        try:
            evaluate(c)
        except Exception as error:  # all of them: the next candidate may do better
            import traceback

            traceback.print_exc()
            failed(f"{type(error).__name__}: {error}")


def report(epoch=None, step=None, epochs=None, **measures):
    """Progress: measures after an epoch (from 1) or a step become learning curves."""
    _now.last = {k: _plain(v) for k, v in measures.items()}
    where = {"epoch": epoch, "step": step, "epochs": epochs}
    _say(**{k: _plain(v) for k, v in where.items() if v is not None}, **_now.last)


def should_stop():
    """Does archai-run want no more of this candidate (search.prune)? Then give the result that there is."""
    while not (_now.stop or _now.is_over) and "ARCHAI_WEIGHTS" in os.environ:  # once it is over, the next line is a candidate
        line = _in.next(wait=False)
        if line is None:
            break
        _now.stop = line.strip() != "" and json.loads(line).get("stop") == _now.id
    return _now.stop


def result(**measures):
    """The end of the candidate: numbers are measures, lists of numbers are learning curves."""
    _now.is_over = True
    _say(result={k: _plain(v) for k, v in measures.items()})


def failed(why):
    """The end of a candidate that has no result."""
    if not _now.is_over:
        _now.is_over = True
        _say(result=None, error=str(why))


_KINDS = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
          "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL"}


def _bytes(tensor):
    if not hasattr(tensor, "detach"):  # NumPy
        return tensor.tobytes()
    tensor = tensor.detach().cpu().contiguous().reshape(-1)
    if str(tensor.dtype) == "torch.bfloat16":  # which NumPy does not have
        import torch

        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def save_weights(state_dict, path=None):
    """What safetensors.torch.save_file(state_dict, path) does, without the package, also for tensors that share memory and
    arrays of NumPy. Without a path: the weights of this candidate, which archai-run keeps as output.weights says."""
    path = path or _now.weights
    if path is None:  # outside of archai-run
        return
    header, blobs, offset = {}, [], 0
    for name, t in sorted(state_dict.items(), key=lambda item: "64" not in str(item[1].dtype)):  # 8 bytes first
        blob = _bytes(t)
        header[name] = {"dtype": _KINDS[str(t.dtype).split(".")[-1]], "shape": list(t.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the data begin at a multiple of 8
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
