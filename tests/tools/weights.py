#!/usr/bin/env python3
"""Saved weights in public formats: what NumPy, h5py and a reader of safetensors written here say about
lbann-convert's files, and what lbann-convert says about theirs. Also --inspect, --verify, --diff, damage.

    weights.py BIN
"""
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import h5py
import numpy
import onnx
import onnx.numpy_helper

BIN = pathlib.Path(sys.argv[1])
EXPERIMENT = """
data_reader { reader { name: "synthetic" role: "train" num_samples: 32 synth_dimensions: "6" num_labels: 3 fraction_of_data_to_use: 1 } }
optimizer { adam { learn_rate: 0.01 beta1: 0.9 beta2: 0.999 eps: 1e-8 } }
trainer { mini_batch_size: 8 random_seed: 4 }
model {
  name: "net"
  num_epochs: 2
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "y" input { data_field: "labels" } }
  layer { name: "fc" parents: "x" fully_connected { num_neurons: 3 has_bias: true } }
  layer { name: "p" parents: "fc" softmax {} }
  layer { name: "loss" parents: "p y" cross_entropy {} }
  objective_function { layer_term { layer: "loss" } }
}
"""
TYPES = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "I32": "<i4", "I64": "<i8", "U8": "u1", "BF16": "<u2"}


def run(*words, code=0):
    result = subprocess.run([str(BIN / words[0]), *map(str, words[1:])], capture_output=True, text=True, timeout=120)
    assert result.returncode == code, (words, result.returncode, result.stdout, result.stderr)
    if code:
        assert result.stderr.endswith(f"exit {code}\n") or code == 1, result.stderr
    return result


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    arrays, filled = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == filled
        filled = end
        raw = data[8 + length + begin : 8 + length + end]
        arrays[name] = numpy.frombuffer(raw, TYPES[entry["dtype"]]).reshape(entry["shape"])
    assert filled == len(data) - 8 - length and (8 + length) % 8 == 0
    return arrays


def write_safetensors(path, arrays, names):
    header, blob = {}, b""
    for name, (dtype, value) in arrays.items():
        raw = value.tobytes()
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [len(blob), len(blob) + len(raw)]}
        blob += raw
    text = json.dumps(header | names).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + blob)


def read_hdf5(path):
    with h5py.File(path, "r") as file:
        return {n.replace("%2F", "/").replace("%25", "%"): numpy.asarray(d[()]) for n, d in file.items()}


def read_npz(path):
    with numpy.load(path) as file:
        return dict(file)


READERS = {".npz": read_npz, ".safetensors": read_safetensors, ".h5": read_hdf5}


def equal(left, right):
    assert left.keys() == right.keys(), (left.keys(), right.keys())
    for name, value in left.items():
        other = right[name]
        assert value.dtype == other.dtype and value.shape == other.shape, (name, value.dtype, other.dtype)
        assert value.tobytes() == other.tobytes(), name


def check_formats(folder):
    """From each format to each other one and to a folder and back: the same bits."""
    generator = numpy.random.default_rng(7)
    arrays = {
        "conv/weights": generator.standard_normal((4, 3, 2)).astype("<f4"),
        "100%": numpy.array([0.1, -0.0, numpy.nan, numpy.inf]),
        "count": numpy.array(2**62, "<i8"),
        "index": numpy.array([[1, -7]], "<i4"),
        "bytes": numpy.arange(256, dtype="u1"),
        "empty": numpy.zeros((0, 5), "<f4"),
        "größe": numpy.ones(3, "<f4"),
    }
    numpy.savez(folder / "a.npz", **arrays)
    numpy.savez_compressed(folder / "packed.npz", **arrays)
    tags = {numpy.dtype(t): n for n, t in TYPES.items() if n != "BF16"}
    write_safetensors(folder / "a.safetensors", {n: (tags[v.dtype], v) for n, v in arrays.items()},
                      {"__metadata__": {"from": "a test"}})
    with h5py.File(folder / "a.h5", "w") as file:
        for name, value in arrays.items():
            file.create_dataset(name, data=value, compression="gzip" if value.size > 100 else None)
    count = 0
    for source in ("a.npz", "packed.npz", "a.safetensors", "a.h5"):
        for ending, read in READERS.items():
            run("lbann-convert", "-q", folder / source, "-o", folder / f"out{ending}")
            equal(arrays, read(folder / f"out{ending}"))
            run("lbann-convert", "-q", folder / source, "-o", folder / "weights")
            run("lbann-convert", "-q", folder / "weights", "-o", folder / f"back{ending}")
            equal(arrays, read(folder / f"back{ending}"))
            count += 2
    # What has another form in the file: nested groups, big-endian, halves.
    with h5py.File(folder / "b.h5", "w") as file:
        file.create_group("layer").create_dataset("kernel", data=numpy.array([1.5, 2.5], ">f4"))
        file.create_dataset("half", data=numpy.array([0.5], "<f2"))
    run("lbann-convert", "-q", folder / "b.h5", "-o", folder / "b.npz")
    equal({"layer/kernel": numpy.array([1.5, 2.5], "<f4"), "half": numpy.array([0.5], "<f4")},
          read_npz(folder / "b.npz"))
    halves = numpy.array([1, -2, 1 / 3, 6e-8, 65504, numpy.inf, 0, -0.0], "<f2")
    bfloats = numpy.array([0x3F80, 0xC000, 0x7F80, 0x0001], "<u2")
    write_safetensors(folder / "c.safetensors", {"h": ("F16", halves), "b": ("BF16", bfloats)}, {})
    run("lbann-convert", "-q", folder / "c.safetensors", "-o", folder / "d.safetensors")
    equal({"h": halves, "b": bfloats}, read_safetensors(folder / "d.safetensors"))
    wide = run("lbann-convert", folder / "c.safetensors", "-o", folder / "c.npz").stderr
    assert "'b' and 1 more became float32" in wide, wide
    equal({"h": halves.astype("<f4"), "b": (bfloats.astype("<u4") << 16).view("<f4")}, read_npz(folder / "c.npz"))
    print(f"{count} conversions kept every bit")
    return arrays


def check_training(folder):
    """A checkpoint's weights to NumPy, changed there, and back into lbann-train and ONNX."""
    (folder / "exp.prototext").write_text(EXPERIMENT)
    run("lbann-train", "-q", f"--run-dir={folder}/run", folder / "exp.prototext")
    newest = sorted((folder / "run/ckpt").iterdir())[-1]
    run("lbann-convert", "-q", folder / "run", "-o", folder / "w.npz")
    weights = read_npz(folder / "w.npz")
    assert sorted(weights) == ["fc_bias_weights", "fc_linearity_weights"], sorted(weights)
    with h5py.File(newest / "arrays-0000.h5") as file:
        equal(weights, {n: file[n][()] for n in weights})
        everything = {n: d[()] for n, d in file.items()}
    run("lbann-convert", "-q", "--states", newest, "-o", folder / "all.safetensors")
    equal(everything, read_safetensors(folder / "all.safetensors"))
    assert any(":" in name for name in everything)

    changed = {n: numpy.round(v.astype("f8"), 2) for n, v in weights.items()}  # float64: lbann-train narrows
    numpy.savez(folder / "changed.npz", **changed)
    run("lbann-convert", "-q", folder / "exp.prototext", "--weights", folder / "changed.npz", "-o", folder / "net.onnx")
    exported = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(folder / "net.onnx").graph.initializer}
    for name, value in changed.items():
        assert numpy.array_equal(exported[name], value.astype("f4")), name
    said = run("lbann-train", f"--run-dir={folder}/run2", f"--load-model-weights-dir={folder}/changed.npz",
               "--set", "optimizer.adam.learn_rate=0", folder / "exp.prototext").stdout
    assert 'Restored weights "fc_bias_weights"' in said, said
    run("lbann-convert", "-q", folder / "run2", "-o", folder / "w2.npz")
    equal({n: v.astype("<f4") for n, v in changed.items()}, read_npz(folder / "w2.npz"))

    del changed["fc_bias_weights"]
    changed["fc_linearity_weights"] = changed["fc_linearity_weights"][:1]
    numpy.savez(folder / "wrong.npz", **changed)
    text = run("lbann-convert", folder / "exp.prototext", "--weights", folder / "wrong.npz", code=5).stderr
    assert "'fc_bias_weights' is missing" in text and "'fc_linearity_weights' is [1," in text, text
    assert not (folder / "exp.onnx").exists()
    return newest


def check_looking(folder, newest, arrays):
    """--inspect against NumPy's statistics; --diff and --verify."""
    report = json.loads(run("lbann-convert", "--inspect", "--format=json", folder / "a.npz").stdout)
    assert [a["name"] for a in report["arrays"]] == sorted(arrays, key=lambda n: n.encode())
    for entry in report["arrays"]:
        value = arrays[entry["name"]].astype("f8").ravel()
        finite = value[numpy.isfinite(value)]
        assert entry["not_finite"] == value.size - finite.size
        if finite.size:
            wanted = [finite.min(), finite.max(), finite.mean(), numpy.sqrt((finite**2).mean())]
            found = [entry[k] for k in ("min", "max", "mean", "rms")]
            assert numpy.allclose(found, wanted, rtol=1e-12, atol=1e-15), (entry, wanted)
    text = run("lbann-convert", "--inspect", newest).stdout
    assert "fc_linearity_weights" in text and "training_steps" in text, text

    assert run("lbann-convert", "--diff", folder / "a.npz", folder / "a.safetensors").stdout == "0 of 7 arrays differ\n"
    other = dict(arrays)
    other["conv/weights"] = other["conv/weights"].copy()
    other["conv/weights"][3, 1, 0] += 0.5
    del other["count"]
    other["index"] = other["index"].reshape(2, 1)
    numpy.savez(folder / "other.npz", **other)
    text = run("lbann-convert", "--diff", folder / "a.npz", folder / "other.npz", code=1).stdout
    assert "1 of 24 elements differ" in text and "at [3,1,0]" in text and "3 of 7 arrays differ" in text, text
    assert "count: only in" in text and "index: i32 [1,2] there, i32 [2,1] here" in text, text
    del other["index"]
    first = {n: arrays[n] for n in other}
    numpy.savez(folder / "first.npz", **first)
    numpy.savez(folder / "second.npz", **other)
    run("lbann-convert", "--diff", "--atol=0.51", folder / "first.npz", folder / "second.npz")
    run("lbann-convert", "--diff", "--atol=0.4", folder / "first.npz", folder / "second.npz", code=1)

    assert run("lbann-convert", "--verify", folder / "run").stdout.count(": ok\n") == len(list((folder / "run/ckpt").iterdir()))
    path = newest / "arrays-0000.h5"
    good = path.read_bytes()
    path.write_bytes(good[:-40] + bytes([good[-40] ^ 1]) + good[-39:])
    text = run("lbann-convert", "--verify", folder / "run", code=5).stderr
    assert str(path) in text and "fc_" in text, text
    path.write_bytes(good)


def check_damage(folder):
    """Cut and changed files of every format end with 4 (or are harmless), never with a crash or a hang."""
    dice = random.Random(5)
    codes = {}
    for source in ("a.npz", "packed.npz", "a.safetensors", "a.h5"):
        good = (folder / source).read_bytes()
        for trial in range(40):
            bad = bytearray(good)
            if trial % 4 == 0:
                del bad[dice.randrange(len(bad)) :]
            else:
                for _ in range(dice.randint(1, 5)):
                    bad[dice.randrange(min(len(bad), 4096 if trial % 2 else len(bad)))] = dice.randrange(256)
            ending = os.path.splitext(source)[1]
            (folder / f"bad{ending}").write_bytes(bad)
            result = subprocess.run([str(BIN / "lbann-convert"), "-q", str(folder / f"bad{ending}"), "-o",
                                     str(folder / "bad-out.npz")], capture_output=True, text=True, timeout=60)
            # 3: what does not begin like a file of arrays is read as an experiment.
            assert result.returncode in (0, 3, 4), (source, trial, result)
            codes[result.returncode] = codes.get(result.returncode, 0) + 1
    assert codes[4] > 60, codes
    run("lbann-convert", folder / "nowhere", code=4)
    text = run("lbann-convert", folder / "a.npz", code=2).stderr
    assert "--output" in text, text
    run("lbann-convert", "--diff", folder / "a.npz", code=2)
    run("lbann-convert", "--inspect", "--verify", folder / "a.npz", code=2)
    run("lbann-convert", folder / "a.npz", "-o", folder / "nowhere/x.npz", code=8)
    print(f"damaged files: {codes}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        arrays = check_formats(folder)
        newest = check_training(folder)
        check_looking(folder, newest, arrays)
        check_damage(folder)


main()
