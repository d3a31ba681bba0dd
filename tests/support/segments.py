"""What the segments of a results directory hold, by their checksums alone: nothing of the project is asked."""
import os
import zlib

import h5py


def committed(out):
    """{id: (segment, row)} of all rows that the segments hold, by their checksums alone."""
    rows = {}
    for name in sorted(os.listdir(out)) if os.path.isdir(out) else []:
        if not name.startswith("segment-") or not name.endswith(".h5"):
            continue
        with h5py.File(f"{out}/{name}", "r") as f:
            data, detail = f["rows"][()], f["detail"]
            raw = data.tobytes()
            for i in (data["crc"] != 0).nonzero()[0]:
                r = data[i]
                if zlib.crc32(raw[i * 64:i * 64 + 60]) != r["crc"]:
                    continue
                text = detail[r["text_offset"]:r["text_offset"] + r["text_bytes"]].tobytes()
                if zlib.crc32(text) != r["text_crc"]:
                    continue
                assert int(r["id"]) not in rows, f"{out}: id {r['id']} was committed in {rows[int(r['id'])]} and in {name}"
                rows[int(r["id"])] = (name, int(i))
    return rows
