"""Read a segment that holds sample 5 as row 5 (support/samples.h), with stock h5py."""
import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1], "r") as f:
    assert f.attrs["format"] == "archai-segment", f.attrs["format"]
    assert f.attrs["format_version"] == 1
    rows = f["rows"]
    assert rows.dtype.names == ("id", "budget", "finished", "text_offset", "text_bytes", "status",
                                "rank", "text_crc", "reserved", "crc"), rows.dtype
    assert rows.dtype.itemsize == 64
    assert rows[5]["id"] == 5 and rows[5]["budget"] == 1.0 and rows[5]["text_offset"] == 5 * 2048
    assert rows[4]["crc"] == 0
    f32, f16, i64 = f["pool/float32"], f["pool/float16"], f["pool/int64"]
    assert f32.dtype == np.dtype("<f4") and f16.dtype == np.dtype("<f2") and i64.dtype == np.dtype("<i8")
    assert np.array_equal(f32[5 * 27:5 * 27 + 24], 5 + np.arange(24, dtype=np.float32) / 8)
    assert np.array_equal(f16[5 * 6:5 * 6 + 6], np.arange(5, 11).astype(np.float16))
    assert i64[5] == 5
