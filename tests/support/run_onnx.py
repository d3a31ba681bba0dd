"""ONNX files through onnx.checker and onnxruntime, in a Python that has both (support/onnx_peer.py finds one).
usage: run_onnx.py FILE.npz...: each holds `model`, the path of an ONNX file, and `x`; `y` is added: what comes out."""
import sys

import numpy as np
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(3)
for path in sys.argv[1:]:
    with np.load(path) as f:
        name, x = str(f["model"]), f["x"]
    onnx.checker.check_model(name, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(name, options, providers=["CPUExecutionProvider"])
    model = onnx.load(name)
    (given,), (made,) = session.get_inputs(), session.get_outputs()
    assert [o.version for o in model.opset_import] == [17] and given.shape[0] == made.shape[0] == "N", (given, made)
    y = session.run(None, {given.name: x})[0]
    assert list(y.shape[1:]) == made.shape[1:], (y.shape, made.shape)
    assert session.run(None, {given.name: x[:1]})[0].shape == (1, *y.shape[1:]), "of one sample"
    np.savez(path, model=name, x=x, y=y, names=np.array([t.name for t in model.graph.initializer]),
             texts=np.array([[p.key, p.value] for p in model.metadata_props]))
