#!/usr/bin/python3
"""Models that are damaged or cannot be imported: check_bad.py LBANN-CONVERT. Each has its exit code and a message
that names the place; nothing is written. Exit code 77: python3-onnx is missing."""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)


def model(nodes, inputs=(("x", [1, 4]),), outputs=("y",), initializers=()):
    graph = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info(n, TensorProto.FLOAT, d) for n, d in inputs],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs], list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def node(op, inputs, outputs, name, **attributes):
    return helper.make_node(op, inputs, outputs, name=name, **attributes)


def external(location, **entries):
    t = numpy_helper.from_array(np.zeros([4], np.float32), "w")
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    for key, value in dict(location=location, **entries).items():
        t.external_data.add(key=key, value=str(value))
    return t


def deep(levels):
    graph = helper.make_graph([node("Identity", ["x"], ["y"], "inner")], "g", [],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    for _ in range(levels):
        graph = helper.make_graph([node("If", ["c"], ["y"], "if", then_branch=graph, else_branch=graph)], "g", [],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
        graph.node[0].attribute.pop()  # one branch keeps the size linear
    return graph


def cases():
    good = model([node("Relu", ["x"], ["y"], "r")]).SerializeToString()
    add = [node("Add", ["x", "w"], ["y"], "a")]
    wrong = numpy_helper.from_array(np.zeros([4], np.float32), "w")
    wrong.raw_data = b"123"
    huge = numpy_helper.from_array(np.zeros([4], np.float32), "w")
    huge.dims[0] = 1 << 62
    huge.dims.append(1 << 62)
    yield "cut off", good[:-3], 4, ["is no ONNX model"]
    yield "cycle", model([node("Add", ["x", "b"], ["a"], "first"), node("Relu", ["a"], ["b"], "second"),
                          node("Identity", ["b"], ["y"], "last")]), 4, ["a cycle", "'first'"]
    yield "no producer", model([node("Relu", ["nowhere"], ["y"], "r")]), 4, ["'r'", "'nowhere'"]
    yield "two producers", model([node("Relu", ["x"], ["y"], "one"), node("Abs", ["x"], ["y"], "two")]), 4, ["produced twice"]
    yield "attribute type", model([node("Flatten", ["x"], ["y"], "f", axis=1.5)]), 4, ["'f'", "FLOAT", "INT"]
    yield "data size", model(add, initializers=[wrong]), 4, ["initializer 'w'", "3 bytes"]
    yield "huge dims", model(add, initializers=[huge]), 1, ["initializer 'w'", "too many elements"]
    yield "missing data", model(add, initializers=[external("gone.bin")]), 4, ["'w'", "gone.bin"]
    yield "outside data", model(add, initializers=[external("../etc/passwd")]), 4, ["outside the model's folder"]
    yield "absolute data", model(add, initializers=[external("/etc/passwd")]), 4, ["absolute path"]
    yield "unsupported", model([node("Relu", ["x"], ["a"], "fine"), node("NonZero", ["a"], ["b"], "nz"),
                                node("Det", ["x"], ["c"], "det"), node("Add", ["b", "c"], ["y"], "sum")]), 1, \
        ["'nz'", "NonZero", "'det'", "Det"]
    yield "broadcast", model(add, initializers=[numpy_helper.from_array(np.zeros([3], np.float32), "w")]), 1, \
        ["'a'", "[3]", "cannot be broadcast"]
    yield "symbol", model([node("Relu", ["x"], ["y"], "r")], inputs=[("x", ["N", "length"])]), 1, \
        ["'length'", "--shape 'length=..'"]
    yield "no graph", b"\x08\x07", 4, ["has no graph"]
    nested = model([node("Relu", ["x"], ["y"], "r")])
    nested.graph.CopyFrom(deep(60))
    yield "deep nesting", nested, 4, ["nested too deeply"]


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lbann-bad-") as folder:
        for name, content, code, texts in cases():
            path = pathlib.Path(folder) / "m.onnx"
            path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
            run = subprocess.run([sys.argv[1], str(path)], capture_output=True, text=True, timeout=60)
            missing = [t for t in texts if t not in run.stderr]
            left = sorted(p.name for p in pathlib.Path(folder).iterdir() if p != path)
            if run.returncode == code and not missing and not left:
                continue
            failed += 1
            print("%s: exit %d, %d expected; missing %s; left %s\n%s" % (name, run.returncode, code, missing, left,
                                                                        run.stderr))
    print("failed: %d" % failed)
    sys.exit(1 if failed else 0)


main()
