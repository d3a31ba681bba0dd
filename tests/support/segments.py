"""What the segments of a results directory hold, by their checksums alone: nothing of the project is asked."""
import os
import struct
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


def unpacked(data, at=0):
    """The msgpack value at `at`, and where the next one begins."""
    kind = data[at]
    if kind < 0x80 or kind >= 0xe0:
        return (kind if kind < 0x80 else kind - 256), at + 1
    if kind < 0xa0:
        return container(data, at + 1, kind & 15, kind < 0x90)
    if kind < 0xc0:
        return data[at + 1:at + 1 + (kind & 31)].decode(), at + 1 + (kind & 31)
    if kind in (0xc0, 0xc2, 0xc3):
        return {0xc0: None, 0xc2: False, 0xc3: True}[kind], at + 1
    number = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i", 0xd3: ">q"}.get(kind)
    if number:
        return struct.unpack_from(number, data, at + 1)[0], at + 1 + struct.calcsize(number)
    size = {0xc4: ">B", 0xc5: ">H", 0xc6: ">I", 0xd9: ">B", 0xda: ">H", 0xdb: ">I", 0xdc: ">H", 0xdd: ">I", 0xde: ">H", 0xdf: ">I"}[kind]
    n, at = struct.unpack_from(size, data, at + 1)[0], at + 1 + struct.calcsize(size)
    if kind >= 0xdc:
        return container(data, at, n, kind >= 0xde)
    return (data[at:at + n] if kind < 0xd9 else data[at:at + n].decode()), at + n


def container(data, at, n, is_map):
    items = []
    for _ in range(2 * n if is_map else n):
        item, at = unpacked(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if is_map else items), at


def evaluations(out):
    """All rows of the segments with what they say, also several with one id: `start`, `finished`, `detail` and the detail's fields."""
    found = []
    for name in sorted(os.listdir(out)):
        if not name.startswith("segment-") or not name.endswith(".h5"):
            continue
        with h5py.File(f"{out}/{name}", "r") as f:
            data = f["rows"][()]
            for r in data[data["crc"] != 0]:
                text = f["detail"][r["text_offset"]:r["text_offset"] + r["text_bytes"]].tobytes()
                detail, _ = unpacked(text)
                found.append({**detail, "start": int(name.split("-")[1]), "finished": float(r["finished"])})
    return found
