#!/usr/bin/python3
"""Writes the golden layer table (see README.md): one folder per row and index.txt.

    make_golden.py           writes all rows, removes rows that are gone
    make_golden.py --check   computes all rows again and compares with the files

Needs NumPy and PyTorch; the tests that read the table need neither.
"""

import io
import shutil
import sys

import numpy as np

import rows_learning
import rows_operators
import rows_plain
import rows_random
import rows_sequence
import rows_vision
from table import HERE

HEADER = "# row\tkind\tmode\tinputs\tweights\ttrained_weights\toutputs\tflags\n"


def npy(a):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, a, version=(1, 0))
    return buffer.getvalue()


def all_rows():
    rows = []
    for module in (rows_learning, rows_plain, rows_random, rows_vision, rows_sequence, rows_operators):
        rows += module.rows()
    names = [r.name for r in rows]
    assert len(set(names)) == len(names), "duplicate row name"
    return rows


def write(rows):
    for old in HERE.iterdir():
        if (old / "layer.prototext").exists():
            shutil.rmtree(old)
    for r in rows:
        folder = HERE / r.name
        folder.mkdir()
        for name, content in r.files().items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else npy(content))
    (HERE / "index.txt").write_text(HEADER + "".join(r.index_line() + "\n" for r in rows))


def check(rows):
    """Number of differences; arrays may differ by rounding (another PyTorch sums in another order)."""
    bad = 0
    if (HERE / "index.txt").read_text() != HEADER + "".join(r.index_line() + "\n" for r in rows):
        print("index.txt differs")
        bad += 1
    for r in rows:
        for name, content in r.files().items():
            path = HERE / r.name / name
            if isinstance(content, bytes):
                same = path.read_bytes() == content
            else:
                same = np.allclose(np.load(path), content, rtol=1e-11, atol=1e-13, equal_nan=True)
            if not same:
                print("%s/%s differs" % (r.name, name))
                bad += 1
    return bad


def main():
    rows = all_rows()
    if "--check" in sys.argv[1:]:
        bad = check(rows)
        print("%d rows, %d differences" % (len(rows), bad))
        return 1 if bad else 0
    write(rows)
    size = sum(f.stat().st_size for r in rows for f in (HERE / r.name).iterdir())
    print("%d rows, %d bytes" % (len(rows), size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
