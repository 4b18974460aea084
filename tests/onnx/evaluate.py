"""Evaluates an ONNX model with NumPy in float64: the operators that lbann-convert writes, operator set 13.

Written from the text of the ONNX operator specification, for machines without ONNX Runtime; check_onnx.py
compares the two where both are there.
"""

import math

import numpy as np
import onnx.helper
import onnx.numpy_helper


def pad_window(x, attributes, kernel, fill):
    """Windows of the padded input: [n, c, output dims..., window dims...]."""
    rank = len(kernel)
    pads = attributes.get("pads", [0] * 2 * rank)
    strides = attributes.get("strides", [1] * rank)
    dilations = attributes.get("dilations", [1] * rank)
    x = np.pad(x, [(0, 0), (0, 0)] + list(zip(pads[:rank], pads[rank:])), constant_values=fill)
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel)]
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(2, 2 + rank)))
    steps = tuple(slice(None, None, s) for s in strides) + tuple(slice(None, None, d) for d in dilations)
    return view[(slice(None), slice(None)) + steps]


def window_axes(kernel):
    return tuple(range(-len(kernel), 0))


def conv(a, x, w, b=None):
    group, kernel = a.get("group", 1), list(w.shape[2:])
    assert a.get("kernel_shape", kernel) == kernel
    windows = pad_window(x, a, kernel, 0)
    per_in, per_out = x.shape[1] // group, w.shape[0] // group
    assert w.shape[1] == per_in
    letters = "uvw"[:len(kernel)]
    rule = "nc%s%s,kc%s->nk%s" % ("xyz"[:len(kernel)], letters, letters, "xyz"[:len(kernel)])
    parts = [np.einsum(rule, windows[:, g * per_in:(g + 1) * per_in], w[g * per_out:(g + 1) * per_out])
             for g in range(group)]
    y = np.concatenate(parts, 1)
    return y if b is None else y + b.reshape([1, -1] + [1] * len(kernel))


def conv_transpose(a, x, w, b=None):
    """Every input entry adds its window to the output, of which the pads are cut off."""
    group, kernel = a.get("group", 1), list(w.shape[2:])
    rank, per_in = len(kernel), x.shape[1] // group
    ones, zeros = [1] * rank, [0] * 2 * rank
    strides, dilations, pads = a.get("strides", ones), a.get("dilations", ones), a.get("pads", zeros)
    extra = a.get("output_padding", zeros[:rank])
    size = [s * (n - 1) + e + (k - 1) * d + 1
            for n, s, k, d, e in zip(x.shape[2:], strides, kernel, dilations, extra)]
    y = np.zeros([x.shape[0], w.shape[1] * group] + size)
    for tap in np.ndindex(*kernel):
        place = tuple(slice(t * d, t * d + s * (n - 1) + 1, s)
                      for t, d, s, n in zip(tap, dilations, strides, x.shape[2:]))
        for g in range(group):
            part = np.einsum("nc...,ck->nk...", x[:, g * per_in:(g + 1) * per_in],
                             w[(slice(g * per_in, (g + 1) * per_in), slice(None)) + tap])
            y[(slice(None), slice(g * w.shape[1], (g + 1) * w.shape[1])) + place] += part
    y = y[(slice(None), slice(None)) + tuple(slice(p, n - q) for p, q, n in zip(pads[:rank], pads[rank:], size))]
    return y if b is None else y + b.reshape([1, -1] + [1] * rank)


def lrn(a, x):
    before, behind, channels = (a["size"] - 1) // 2, a["size"] // 2, x.shape[1]
    energy = np.stack([(x[:, max(0, c - before):min(channels, c + behind + 1)] ** 2).sum(1) for c in range(channels)], 1)
    return x / (a.get("bias", 1.0) + a.get("alpha", 1e-4) / a["size"] * energy) ** a.get("beta", 0.75)


def max_pool(a, x):
    return pad_window(x, a, a["kernel_shape"], -np.inf).max(window_axes(a["kernel_shape"]))


def average_pool(a, x):
    kernel = a["kernel_shape"]
    total = pad_window(x, a, kernel, 0).sum(window_axes(kernel))
    if a.get("count_include_pad", 0):
        return total / np.prod(kernel)
    return total / pad_window(np.ones_like(x), a, kernel, 0).sum(window_axes(kernel))


def gemm(a, x, w, b=0.0):
    assert not a.get("transA", 0) and a.get("alpha", 1) == 1 and a.get("beta", 1) == 1
    return x @ (w.T if a.get("transB", 0) else w) + b


def batch_normalization(a, x, scale, bias, mean, variance):
    assert not a.get("training_mode", 0)
    col = lambda v: v.reshape([1, -1] + [1] * (x.ndim - 2))
    return col(scale) * (x - col(mean)) / np.sqrt(col(variance) + a.get("epsilon", 1e-5)) + col(bias)


def log_softmax(a, x):
    shifted = x - x.max(a.get("axis", -1), keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(a.get("axis", -1), keepdims=True))


def reshape(a, x, shape):
    assert not a.get("allowzero", 0)
    return x.reshape([x.shape[i] if d == 0 else int(d) for i, d in enumerate(shape)])


def slice_op(a, x, starts, ends, axes):
    index = [slice(None)] * x.ndim
    for start, end, axis in zip(starts, ends, axes):
        index[axis] = slice(int(start), int(end))
    return x[tuple(index)]


SELU = 1.6732632423543772, 1.0507009873554805

OPERATORS = {
    "MatMul": lambda a, x, y: x @ y, "Transpose": lambda a, x: x.transpose(a["perm"]),
    "ReduceMean": lambda a, x: x.mean(tuple(a["axes"]), keepdims=True),
    **{n: lambda a, x, f=f: f(x) for n, f in {
        "Ceil": np.ceil, "Floor": np.floor, "Sin": np.sin, "Cos": np.cos, "Tan": np.tan, "Asin": np.arcsin,
        "Acos": np.arccos, "Atan": np.arctan, "Sinh": np.sinh, "Cosh": np.cosh, "Asinh": np.arcsinh,
        "Acosh": np.arccosh, "Atanh": np.arctanh, "Erf": np.vectorize(math.erf),
        "Softplus": lambda x: np.logaddexp(x, 0), "Softsign": lambda x: x / (1 + np.abs(x)),
        "Selu": lambda x: np.where(x > 0, SELU[1] * x, SELU[1] * SELU[0] * np.expm1(x))}.items()},
    "Pow": lambda a, x, y: x ** y, "Max": lambda a, x, y: np.maximum(x, y), "Min": lambda a, x, y: np.minimum(x, y),
    "Conv": conv, "ConvTranspose": conv_transpose, "LRN": lrn, "MaxPool": max_pool, "AveragePool": average_pool, "Gemm": gemm,
    "BatchNormalization": batch_normalization, "LogSoftmax": log_softmax,
    "Softmax": lambda a, x: np.exp(log_softmax(a, x)),
    "Flatten": lambda a, x: x.reshape(int(np.prod(x.shape[:a.get("axis", 1)])), -1),
    "Reshape": reshape, "Slice": slice_op, "Concat": lambda a, *x: np.concatenate(x, a["axis"]),
    "Identity": lambda a, x: x, "Relu": lambda a, x: np.maximum(x, 0),
    "LeakyRelu": lambda a, x: np.where(x < 0, a.get("alpha", 0.01) * x, x),
    "Elu": lambda a, x: np.where(x < 0, a.get("alpha", 1.0) * np.expm1(x), x),
    "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y, "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x / y, "Neg": lambda a, x: -x, "Abs": lambda a, x: np.abs(x),
    "Sqrt": lambda a, x: np.sqrt(x), "Exp": lambda a, x: np.exp(x), "Log": lambda a, x: np.log(x),
    "Tanh": lambda a, x: np.tanh(x), "Sigmoid": lambda a, x: 1 / (1 + np.exp(-x)),
    "Reciprocal": lambda a, x: 1 / x, "Clip": lambda a, x, low, high: np.clip(x, low, high),
    "Equal": lambda a, x, y: x == y, "Not": lambda a, x: ~x,
}


def cast(a, x):
    return x.astype({onnx.TensorProto.FLOAT: np.float64, onnx.TensorProto.INT64: np.int64}[a["to"]])


def reduce_sum(a, x, axes):
    return x.sum(tuple(int(i) for i in axes), keepdims=bool(a.get("keepdims", 1)))


def arg(function):
    return lambda a, x: np.expand_dims(function(x, a["axis"]), a["axis"])


def gather_elements(a, x, index):
    return np.take_along_axis(x, index, a["axis"])


def top_k(a, x, k):
    """Equal entries: the smaller position first."""
    order = np.argsort(-x if a.get("largest", 1) else x, axis=a["axis"], kind="stable")
    order = np.take(order, range(int(k[0])), a["axis"])
    return np.take_along_axis(x, order, a["axis"]), order


def instance_normalization(a, x, scale, bias):
    axes = tuple(range(2, x.ndim))
    col = lambda v: v.reshape([1, -1] + [1] * (x.ndim - 2))
    centred = x - x.mean(axes, keepdims=True)
    return col(scale) * centred / np.sqrt(x.var(axes, keepdims=True) + a.get("epsilon", 1e-5)) + col(bias)


OPERATORS.update({
    "Cast": cast, "ReduceSum": reduce_sum, "ArgMax": arg(np.argmax), "ArgMin": arg(np.argmin),
    "GatherElements": gather_elements, "TopK": top_k, "InstanceNormalization": instance_normalization,
    "Gather": lambda a, x, i: np.take(x, i, a.get("axis", 0)),
    "ReduceMax": lambda a, x: x.max(tuple(a["axes"]), keepdims=True),
    "ReduceMin": lambda a, x: x.min(tuple(a["axes"]), keepdims=True),
    "ReduceProd": lambda a, x: x.prod(tuple(a["axes"]), keepdims=True),
    "Squeeze": lambda a, x, axes: np.squeeze(x, tuple(int(i) for i in axes)),
    "Unsqueeze": lambda a, x, axes: np.expand_dims(x, tuple(int(i) for i in axes)),
    "Expand": lambda a, x, shape: x * np.ones([int(d) for d in shape], x.dtype),
    "Shape": lambda a, x: np.array(x.shape, np.int64), "Tile": lambda a, x, n: np.tile(x, [int(d) for d in n]),
    "Where": lambda a, c, x, y: np.where(c, x, y), "And": lambda a, x, y: x & y, "Or": lambda a, x, y: x | y,
    "Xor": lambda a, x, y: x ^ y, "Less": lambda a, x, y: x < y, "LessOrEqual": lambda a, x, y: x <= y,
    "Greater": lambda a, x, y: x > y, "GreaterOrEqual": lambda a, x, y: x >= y, "Sign": lambda a, x: np.sign(x),
    "IsInf": lambda a, x: np.isinf(x), "IsNaN": lambda a, x: np.isnan(x),
    "Mod": lambda a, x, y: np.fmod(x, y) if a.get("fmod", 0) else np.mod(x, y),
})


def evaluate(model, feeds):
    """Outputs by name."""
    values = {}
    for tensor in model.graph.initializer:
        a = onnx.numpy_helper.to_array(tensor)
        values[tensor.name] = a.astype(np.float64) if a.dtype == np.float32 else a
    values.update((name, np.asarray(x, np.float64)) for name, x in feeds.items())
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        attributes = {k: list(v) if isinstance(v, (list, tuple)) else v for k, v in attributes.items()}
        results = OPERATORS[node.op_type](attributes, *(values[name] for name in node.input))
        values.update(zip(node.output, results if isinstance(results, tuple) else (results,)))
    return {o.name: values[o.name] for o in model.graph.output}
