#!/usr/bin/python3
"""Experiment -> ONNX -> experiment: check_roundtrip.py LBANN-CONVERT RUN_VECTORS WORK_FOLDER NETWORK...

What lbann-convert writes is imported again and run by our runtime (run_vectors); PyTorch's outputs of the same
weights (golden/NETWORK.npz) judge it at 1e-5. Exit code 77: python3-onnx or NumPy is missing.
"""
import os
import pathlib
import subprocess
import sys

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)

HERE = pathlib.Path(__file__).resolve().parent


def main():
    convert, run_vectors, work = sys.argv[1:4]
    suite = pathlib.Path(work) / "roundtrip"
    names = sys.argv[4:]
    for network in names:
        folder = suite / network
        data = folder / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        source = HERE / (network + ".prototext")
        if not source.exists():
            source = HERE.parent / "networks" / (network + ".prototext")
        subprocess.run([convert, "-q", str(source), "-o", str(folder / "model.onnx")], check=True, timeout=120)
        golden = np.load(HERE / "golden" / (network + ".npz"))
        outputs = [o.name for o in onnx.load(str(folder / "model.onnx")).graph.output]
        arrays = [("input_0", golden["samples"])] + [("output_%d" % i, golden[o]) for i, o in enumerate(outputs)]
        for stem, array in arrays:
            (data / (stem + ".pb")).write_bytes(numpy_helper.from_array(np.asarray(array, np.float32)).SerializeToString())
    passing = pathlib.Path(work) / "passing.txt"
    passing.write_text("".join("roundtrip/%s\n" % n for n in names))
    sys.exit(subprocess.run([run_vectors, str(passing), str(pathlib.Path(work) / "work"), str(suite)],
                            env=dict(os.environ, LBANN_VECTOR_STRICT="1"), timeout=300).returncode)


main()
