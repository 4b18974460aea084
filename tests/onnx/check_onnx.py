#!/usr/bin/python3
"""Others judge what lbann-convert writes: check_onnx.py LBANN-CONVERT NETWORK

The ONNX checker with its shape inference judges the form; golden/NETWORK.npz, made by PyTorch from the same
weights, the numbers, to 1e-5 (absolute where below 1, else relative). The model is evaluated by NumPy
(evaluate.py) and, where it can be imported, by ONNX Runtime. Exit code 77: python3-onnx or NumPy is missing.
"""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnx.checker
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
try:
    import onnxruntime
except ImportError:
    onnxruntime = None

sys.dont_write_bytecode = True
import evaluate  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-5


def run_onnxruntime(model, samples):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, {"samples": samples})))


def check_form(model):
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 13)], model.opset_import
    assert model.ir_version in (7, 8), model.ir_version
    assert [i.name for i in model.graph.input] == ["samples"], model.graph.input
    for value in list(model.graph.input) + list(model.graph.output):
        dims = value.type.tensor_type.shape.dim
        assert dims[0].dim_param == "N" and all(d.dim_value > 0 for d in dims[1:]), value


def check_numbers(judge, outputs, golden, count):
    expected = set(golden.files) - {"samples"}
    assert set(outputs) == expected, "outputs %s, expected %s" % (sorted(outputs), sorted(expected))
    for name in sorted(expected):
        truth, got = golden[name][:count], np.asarray(outputs[name], np.float64)
        assert got.shape == truth.shape, "%s: shape %s, expected %s" % (name, got.shape, truth.shape)
        worst = float((np.abs(got - truth) / np.maximum(1, np.abs(truth))).max())
        print("  %s, %d samples, %s %s: differs by %.1e" % (judge, count, name, list(got.shape), worst))
        assert worst <= TOLERANCE, "%s, output %s: differs by %.3g, %g allowed" % (judge, name, worst, TOLERANCE)


def main():
    program, network = sys.argv[1:]
    source = HERE / (network + ".prototext")
    if not source.exists():
        source = HERE.parent / "networks" / (network + ".prototext")
    golden = np.load(HERE / "golden" / (network + ".npz"))
    with tempfile.TemporaryDirectory(prefix="lbann-onnx-") as folder:
        path = pathlib.Path(folder) / "model.onnx"
        subprocess.run([program, str(source), "--output=" + str(path)], check=True, timeout=120)
        first = path.read_bytes()
        subprocess.run([program, "-q", str(source), "-o", str(path)], check=True, timeout=120)
        assert path.read_bytes() == first, "a second run writes other bytes"
        model = onnx.load_model_from_string(first)
    check_form(model)
    for count in (len(golden["samples"]), 1):
        samples = golden["samples"][:count]
        check_numbers("NumPy", evaluate.evaluate(model, {"samples": samples}), golden, count)
        if onnxruntime:
            check_numbers("ONNX Runtime", run_onnxruntime(model, samples), golden, count)
    if not onnxruntime:
        print("  ONNX Runtime is not installed: NumPy alone evaluated the model")
    print("%s: %d operators: ok" % (network, len(model.graph.node)))


main()
