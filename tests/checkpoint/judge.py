"""Reads the checkpoint that container_test.cpp wrote with h5py and json, and compares with its values."""
import json
import math
import pathlib
import sys

import h5py
import numpy

folder = pathlib.Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
assert manifest["format"] == 1
assert sorted(p.name for p in folder.iterdir()) == sorted([f["name"] for f in manifest["files"]] + ["manifest.json"])


def read(name):
    entry = next(a for a in manifest["arrays"] if a["name"] == name)
    key = "%2E" if name == "." else name.replace("%", "%25").replace("/", "%2F")
    parts = []
    for part in entry["parts"]:
        with h5py.File(folder / manifest["files"][part["file"]]["name"], "r") as f:
            assert f[key].chunks is None and f[key].compression is None
            parts.append(f[key][()])
            begin, end = part["rows"]
            assert not entry["shape"] or len(parts[-1]) == end - begin
    value = parts[0] if len(parts) == 1 else numpy.concatenate(parts)
    assert list(numpy.shape(value)) == entry["shape"], name
    return value, len(parts)


def check(name, type_name, expected):
    value, _ = read(name)
    assert value.dtype == numpy.dtype(type_name), (name, value.dtype)
    assert numpy.array_equal(value, numpy.array(expected, dtype=type_name)), (name, value)


check("conv/weights", "<f4", numpy.arange(24).reshape(6, 4))
assert read("conv/weights")[1] == 3
doubles = read("100%")[0]
assert doubles[0] == 0.1 and math.copysign(1, doubles[1]) == -1 and math.isnan(doubles[2])
check("f16", "<f2", [1, -2, numpy.float16(1 / 3)])
check("i32", "<i4", [-1, 7])
check("i64", "<i8", 2**62)
check(".", "u1", [[[0, 128, 255]]])
check("empty", "<f4", numpy.zeros((0, 5)))
bf16 = read("bf16")[0].astype("f8")
assert bf16[0, 0] == 1 and bf16[0, 1] == -2 and bf16[1, 1] == math.inf, bf16
scalars = {s["name"]: s["value"] for s in manifest["scalars"]}
assert scalars == {"step": 9007199254740993, "rate": 0.1, "bound": "Infinity", "name": 'modèle "0"\n'}
