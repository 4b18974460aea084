#!/usr/bin/python3
"""The golden layer table, once more for the ONNX form of each layer: check_table.py LBANN-CONVERT

Every row of tests/layers/golden that says what a layer computes in evaluation becomes an experiment of that
one layer, is converted, checked by the ONNX checker and evaluated by NumPy (and ONNX Runtime where it is
installed) on the row's inputs. A model has one input, so the inputs of a row are slices of it, reshaped.
Expected values are the table's, PyTorch's. Exit code 77: python3-onnx or NumPy is missing.
"""

import collections
import pathlib
import re
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
    onnxruntime.set_default_logger_severity(4)
except ImportError:
    onnxruntime = None

sys.dont_write_bytecode = True
import evaluate  # noqa: E402

TABLE = pathlib.Path(__file__).resolve().parent.parent / "layers" / "golden"
TOLERANCE = 1e-5
# Where float32 itself, in whatever program, loses digits of these inputs: a large mean, a small base of a power.
ILL_CONDITIONED = {"layer_norm_large_mean": 1e-4, "local_response_normalization_no_k": 2e-5}
# What only judges has no ONNX form; the statistics of a mini-batch and what is dropped are training's.
JUDGES = {"cross_entropy", "mean_squared_error", "mean_absolute_error", "l1_norm", "l2_norm2", "categorical_accuracy",
          "top_k_categorical_accuracy"}
TRAINING = {"batch_normalization", "entrywise_batch_normalization", "dropout", "selu_dropout"}


def rows():
    for line in (TABLE / "index.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, kind, mode, inputs, weights, _, outputs = line.split("\t")[:7]
            if kind not in JUDGES and not (kind in TRAINING and mode == "train") and int(inputs) > 0:
                yield name, kind, int(inputs), int(weights), int(outputs)


def dims(shape):
    return " ".join(str(d) for d in shape)


def make_experiment(folder, name, kind, inputs, num_weights, num_outputs):
    """The text; weights go to files in `folder`."""
    sizes = [int(np.prod(x.shape[1:])) for x in inputs]
    one = len(inputs) == 1
    text = 'trainer { mini_batch_size: 1 }\noptimizer { sgd { learn_rate: 0.1 } }\n'
    text += ('data_reader { reader { name: "synthetic" role: "train" num_samples: 1 num_labels: 2 synth_dimensions: "%s"'
             ' fraction_of_data_to_use: 1 } }\n' % (dims(inputs[0].shape[1:]) if one else sum(sizes)))
    text += 'model {\nnum_epochs: 1\nlayer { name: "%s" input { data_field: "samples" } }\n' % ("in0" if one else "all")
    if not one:
        points = [0] + [int(p) for p in np.cumsum(sizes)]
        text += 'layer { name: "cut" parents: "all" slice { slice_points: %s } }\n' % points
        for i, x in enumerate(inputs):
            text += 'layer { name: "in%d" parents: "cut" reshape { dims: %s } }\n' % (i, list(x.shape[1:]))
    layer = (TABLE / name / "layer.prototext").read_text()
    for i in range(num_weights):
        w = np.load(TABLE / name / ("w%d.npy" % i))
        np.save(folder / ("w%d.npy" % i), np.ascontiguousarray(w.T) if w.ndim == 2 and kind.endswith("fully_connected") else w)
        text += 'weights { name: "w%d" initializer { numpy_initializer { file: "w%d.npy" } } }\n' % (i, i)
    names = "".join(' weights: "w%d"' % i for i in range(num_weights))
    if not re.search(r"\bweights:", layer):
        layer = re.sub(r"layer\s*\{", lambda m: m.group() + names, layer, count=1)
    text += layer
    if num_outputs != 1:
        text += "".join('layer { name: "out%d" identity {} }\n' % i for i in range(num_outputs))
    return text + "}\n"


def compare(judge, name, got, truth):
    got = np.asarray(got, np.float64)
    assert got.shape == truth.shape, "%s: %s: shape %s, expected %s" % (name, judge, got.shape, truth.shape)
    with np.errstate(invalid="ignore"):
        error = np.abs(got - truth) / np.maximum(1, np.abs(truth))
    same = (got == truth) | (np.isnan(got) & np.isnan(truth))
    error[same] = 0
    assert (error <= ILL_CONDITIONED.get(name, TOLERANCE)).all(), "%s: %s differs by %.3g" % (name, judge, np.nanmax(error))
    return float(error.max(initial=0))


def check_row(program, folder, row):
    """The largest difference; None: refused, for want of an ONNX form."""
    name, kind, num_inputs, num_weights, num_outputs = row
    inputs = [np.load(TABLE / name / ("in%d.npy" % i)) for i in range(num_inputs)]
    for old in folder.iterdir():
        old.unlink()
    text = make_experiment(folder, name, kind, inputs, num_weights, num_outputs)
    (folder / "row.prototext").write_text(text)
    done = subprocess.run([program, "-q", str(folder / "row.prototext")], capture_output=True, text=True, timeout=60)
    if done.returncode == 3 and "[no-onnx-form]" in done.stderr:
        return None
    assert done.returncode == 0, "%s: exit code %d\n%s%s" % (name, done.returncode, text, done.stderr)
    model = onnx.load(str(folder / "row.onnx"))
    onnx.checker.check_model(model, full_check=True)
    batch = len(inputs[0])
    samples = inputs[0] if num_inputs == 1 else np.concatenate([x.reshape(batch, -1) for x in inputs], 1)
    truths = {"out%d" % i if num_outputs != 1 else "layer": np.load(TABLE / name / ("out%d.npy" % i))
              for i in range(num_outputs)}
    with np.errstate(all="ignore"):
        outputs = evaluate.evaluate(model, {"samples": samples})
    assert set(outputs) == set(truths), "%s: outputs %s" % (name, sorted(outputs))
    worst = max(compare("NumPy", name, outputs[k], truths[k]) for k in truths)
    if onnxruntime:
        try:
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            found = session.run(list(truths), {"samples": samples.astype(np.float32)})
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
            # It has LRN for images, odd windows and positive alpha only.
            assert {n.op_type for n in model.graph.node} & {"LRN"}, name
            return worst
        worst = max([worst] + [compare("ONNX Runtime", name, v, truths[k]) for k, v in zip(truths, found)])
    return worst


def main():
    judged, refused, failed, worst = collections.Counter(), collections.Counter(), [], 0.0
    with tempfile.TemporaryDirectory(prefix="lbann-onnx-") as folder:
        for row in rows():
            try:
                error = check_row(sys.argv[1], pathlib.Path(folder), row)
            except (AssertionError, onnx.checker.ValidationError) as problem:
                failed.append(str(problem))
                continue
            (refused if error is None else judged)[row[1]] += 1
            worst = max(worst, error or 0)
    print("%d rows of %d kinds: differ by at most %.1e" % (sum(judged.values()), len(judged), worst))
    print("refused by name: %s" % (", ".join(sorted(refused)) or "none"))
    if not onnxruntime:
        print("ONNX Runtime is not installed: NumPy alone evaluated the models")
    print("\n".join(failed))
    # The kinds that had a form when this was written: a mapping that is lost is a failure.
    lost = {"fully_connected", "convolution", "batch_normalization", "relu", "leaky_relu", "elu", "softmax", "log_softmax",
            "pooling", "identity", "split", "reshape", "concatenation", "slice", "sum", "weighted_sum", "deconvolution",
            "local_response_normalization", "dropout", "selu_dropout", "matmul", "permute", "channelwise_fully_connected",
            "channelwise_softmax", "layer_norm", "operator_layer", "argmax", "argmin", "batchwise_reduce_sum",
            "channelwise_mean", "channelwise_scale_bias", "covariance", "crop", "embedding", "entrywise_batch_normalization",
            "entrywise_scale_bias", "evaluation", "gather", "identity_zero", "in_top_k", "instance_norm",
            "multidim_reduction", "one_hot", "reduction", "scatter", "sort", "tessellate", "upsample",
            "variance"} - set(judged)
    if lost:
        print("no row was judged of: %s" % ", ".join(sorted(lost)))
    sys.exit(1 if failed or lost else 0)


main()
