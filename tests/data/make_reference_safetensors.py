"""Makes reference.safetensors with the reference implementation (pip install safetensors numpy)."""
import sys

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "model.0.weight": np.arange(12, dtype=np.float32).reshape(2, 1, 2, 3) / 4,
        "model.1.num_batches_tracked": np.array(7, dtype=np.int64),
        "half": np.array([0.5, -2], dtype=np.float16),
        "bytes": np.array([1, 2, 255], dtype=np.uint8),
        "double": np.array([[np.pi]], dtype=np.float64),
        "int": np.array([-5, 6], dtype=np.int32),
        "empty": np.zeros((0, 3), dtype=np.float32),
    },
    sys.argv[1],
    metadata={"made by": "safetensors"},
)
