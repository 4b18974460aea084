#!/usr/bin/env python3
"""Writes the array files that the tests of base/zip and the numpy readers read: tests/data/arrays/.

Made by NumPy, so that the judge of our parsers is the writer everybody uses. Values follow formulas that the
tests state again: samples[i, j, k] = 10 i + 3 j + k (modulo the type), labels[i] = i mod 3,
responses[i, r] = i - r / 2. `--check` makes everything again and compares contents.
"""

import io
import os
import sys

import numpy as np

N = 6
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "arrays")


def samples(dtype, *dims):
    index = np.indices((N, *dims))
    values = sum(f * index[a] for a, f in zip(range(len(dims) + 1), (10, 3, 1)))
    return values.astype(dtype)


LABELS = (np.arange(N) % 3).astype(np.int32)
RESPONSES = (np.arange(N)[:, None] - np.arange(2)[None, :] / 2).astype(np.float64)


def with_target(dtype, target):
    return np.concatenate([samples(dtype, 4), np.asarray(target, dtype).reshape(N, 1)], axis=1)


def files():
    made = {}
    for name in ("uint8", "int16", "int32", "int64", "float32", "float64"):
        made[f"plain_{name}.npy"] = samples(name, 2, 3)
    made["labels_last.npy"] = with_target("float32", LABELS)
    made["responses_last.npy"] = with_target("float64", RESPONSES[:, 1])
    made["fortran.npy"] = np.asfortranarray(samples("float32", 2, 3))
    made["big_endian.npy"] = samples(">f4", 2, 3)
    made["complex.npy"] = samples("complex64", 2, 3)
    everything = dict(data=samples("uint8", 2, 3), labels=LABELS, responses=RESPONSES)
    made["stored.npz"] = (np.savez, everything)
    made["deflated.npz"] = (np.savez_compressed, everything)
    made["int16.npz"] = (np.savez_compressed, dict(data=samples("int16", 2, 3), labels=LABELS.reshape(N, 1)))
    made["few_labels.npz"] = (np.savez, dict(data=samples("float32", 2), labels=LABELS[:4]))
    made["no_data.npz"] = (np.savez, dict(x=samples("float32", 2)))
    return made


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, what in files().items():
        path = os.path.join(FOLDER, name)
        buffer = io.BytesIO()
        if isinstance(what, tuple):
            what[0](buffer, **what[1])
        else:
            np.save(buffer, what)
        if "--check" not in sys.argv:
            with open(path, "wb") as file:
                file.write(buffer.getvalue())
            continue
        old = np.load(path)
        new = dict(what[1]) if isinstance(what, tuple) else {"": what}
        for key, value in new.items():
            held = old[key] if key else old
            if held.dtype != value.dtype or not np.array_equal(held, value):
                sys.exit(f"{path}[{key}] differs")


if __name__ == "__main__":
    main()
