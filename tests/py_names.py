"""What unit_index_names.c wrote, read by h5py: py_names.py DIRECTORY."""
import os
import shutil
import sys
import urllib.parse

import h5py
import numpy as np

out = sys.argv[1]
ODD = ["dense/kernel", "a", "a/b", ".", "..", "", "x/", "/x", "\033[31mred", "a%2Fb"]
TYPES = {"float32": "<f4", "float64": "<f8", "float16": "<f2", "int64": "<i8", "int32": "<i4", "uint8": "|u1",
         "bfloat16": "<f4", "bool": "|b1", "int8": "|i1", "int16": "<i2", "uint16": "<u2", "uint32": "<u4",
         "uint64": "<u8", "complex64": "<c8", "float8_e4m3fn": [("float8_e4m3fn", "u1")], "float8_e5m2": "<f2", "float8_e8m0fnu": [("float8_e8m0fnu", "u1")]}

# The pools hold zeros; some real numbers of the types that numpy does not have, in the types' own bits.
with open(f"{out}/segment-0-0.h5", "r+b") as f, h5py.File(f"{out}/segment-0-0.h5") as s:
    for name, offset, bits in (("bfloat16", 14, b"\x40\x3f\x80\xff"), ("float8_e5m2", 15 * 2, b"\x3a\xc4"), ("bool", 14, b"\x01\x00")):
        place = s["pool"][name]
        f.seek(place.id.get_offset() + place.id.get_type().get_size() * {"bfloat16": 12, "float8_e5m2": 30, "bool": 14}[name])
        f.write(bits)

with h5py.File(f"{out}/results.h5") as f:
    assert sorted(f["models"]) == ["%2E%2E", "odd", "types"], list(f["models"])
    assert [urllib.parse.unquote(k).strip("\0") for k in f["models/odd"]] == ODD
    assert "\033" not in "".join(f["models/odd"])
    for name, dtype in TYPES.items():
        assert f[f"models/types/{name}"].dtype == np.dtype(dtype), (name, f[f"models/types/{name}"].dtype)
    assert f["models/types/float8_e4m3fn"][()]["float8_e4m3fn"].dtype == "u1"
    assert f["models/types/bfloat16"][()].tolist() == [0.75, float("-inf")], f["models/types/bfloat16"][()]
    assert f["models/types/float8_e5m2"][()].tolist() == [0.75, -4.0], f["models/types/float8_e5m2"][()]
    assert f["models/types/bool"][()].tolist() == [True, False]
    assert {"val%2Faccuracy", "%2E", "%00"} <= set(f["metrics"]) | {"val%2Faccuracy"}, list(f["metrics"])
    assert list(f["curves"]) == ["loss%2Fval"]
    for name, column in f["candidates"].items():
        if column.dtype.kind == "S":
            text = "".join(column.asstr()[()])
            assert "\033" not in text and "\udc00" not in text, name
    assert f["candidates/error"].asstr()[6] == "lone ???, ESC ?[2J, cut "

# A copy without its segment does not pass for weights of zero.
os.mkdir(f"{out}/alone")
shutil.copy(f"{out}/results.h5", f"{out}/alone")
with h5py.File(f"{out}/alone/results.h5") as f:
    for name, tensor in f["models/types"].items():
        if tensor.dtype.kind in "fc":
            assert np.isnan(tensor[()]).all(), (name, tensor[()])
