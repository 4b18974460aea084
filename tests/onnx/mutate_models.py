#!/usr/bin/python3
"""Damaged models must be refused, never crash: mutate_models.py LBANN-CONVERT [COUNT [SEED]]

Bytes of serialized models are changed, removed and repeated at random (seeded); lbann-convert has to end with one
of its exit codes for input, within memory and time. Exit code 77: python3-onnx is missing.
"""
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)

LIMIT = 2 << 30


def array(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, kind), name)


def models():
    """Small models that touch every family of operators."""
    def make(nodes, dims, *initializers):
        info = helper.make_tensor_value_info
        graph = helper.make_graph(nodes, "g", [info("x", TensorProto.FLOAT, dims)], [info("y", TensorProto.FLOAT, None)],
                                  list(initializers))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]).SerializeToString()

    n = helper.make_node
    yield make([n("Conv", ["x", "w"], ["a"], pads=[1, 1, 0, 0], strides=[2, 2]), n("MaxPool", ["a"], ["b"], kernel_shape=[2, 2]),
                n("Flatten", ["b"], ["c"]), n("Gemm", ["c", "m", "v"], ["y"], transB=1)], ["N", 1, 8, 8],
               array("w", np.ones([2, 1, 3, 3])), array("m", np.ones([3, 18])), array("v", [1, 2, 3]))
    yield make([n("Shape", ["x"], ["s"]), n("Gather", ["s", "zero"], ["n"]), n("Unsqueeze", ["n", "axis"], ["u"]),
                n("Concat", ["u", "rest"], ["t"], axis=0), n("Reshape", ["x", "t"], ["r"]), n("Softmax", ["r"], ["y"], axis=1)],
               ["N", 4, 6], array("zero", 0, np.int64), array("axis", [0], np.int64), array("rest", [6, 4], np.int64))
    yield make([n("LSTM", ["x", "w", "r"], ["", "h"], hidden_size=2), n("Squeeze", ["h", "axis"], ["q"]),
                n("ReduceSum", ["q", "axis"], ["y"], keepdims=0)], [3, 1, 2], array("w", np.ones([1, 8, 2])),
               array("r", np.ones([1, 8, 2])), array("axis", [0], np.int64))
    yield make([n("Resize", ["x", "", "sc"], ["a"], mode="linear"), n("Slice", ["a", "st", "en", "ax", "sp"], ["b"]),
                n("TopK", ["b", "k"], ["v", "i"], axis=3), n("Pad", ["v", "pads"], ["y"], mode="reflect")], [1, 1, 4, 4],
               array("sc", [1, 1, 2, 2]), array("st", [7], np.int64), array("en", [-9], np.int64), array("ax", [2], np.int64),
               array("sp", [-2], np.int64), array("k", [2], np.int64), array("pads", [0, 0, 1, 0, 0, 0, 1, 0], np.int64))


def mutate(data, r):
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 4])):
        at, how = r.randrange(len(data)), r.randrange(4)
        if how == 0:
            data[at] = r.choice([0, 1, 127, 128, 255, r.randrange(256)])
        elif how == 1:
            data[at] ^= 1 << r.randrange(8)
        elif how == 2:
            del data[at:at + r.randrange(1, 9)]
        else:
            data[at:at] = data[at:at + r.randrange(1, 9)]
        if not data:
            break
    return bytes(data)


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    r = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    sources, codes = list(models()), {}
    with tempfile.TemporaryDirectory(prefix="lbann-mutate-") as folder:
        path, out = pathlib.Path(folder) / "m.onnx", pathlib.Path(folder) / "o.prototext"
        for i in range(count + len(sources)):
            path.write_bytes(sources[i] if i < len(sources) else mutate(r.choice(sources), r))
            run = subprocess.run([sys.argv[1], str(path), "-o", str(out)], capture_output=True, timeout=20,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)))
            codes[run.returncode] = codes.get(run.returncode, 0) + 1
            good = (0,) if i < len(sources) else (0, 1, 3, 4)
            if run.returncode not in good:
                kept = pathlib.Path("mutated-%d.onnx" % i).resolve()
                kept.write_bytes(path.read_bytes())
                print("exit %d, kept as %s\n%s" % (run.returncode, kept, run.stderr.decode()[-1500:]))
                sys.exit(1)
    print("exit codes:", codes)


main()
