"""Rows without weights: windows, activations, losses, metrics, movement."""

import numpy as np
import torch
import torch.nn.functional as F

from table import Row, message

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def pooling(name, mode, x, window, stride, pad=0, flags=("fd",)):
    """max pads with -inf; average divides by the whole window, average_no_pad by the pixels inside."""
    lists = any(isinstance(v, list) for v in (window, stride, pad))
    r = Row("pooling_" + name, "pooling", "", flags=flags)
    x = r.input(x(r))
    nd = x.dim() - 2
    per_dim = lambda v: v if isinstance(v, list) else [v] * nd
    if lists:
        fields = {"has_vectors": True, "pool_dims": per_dim(window), "pool_pads": per_dim(pad),
                  "pool_strides": per_dim(stride)}
    else:
        fields = {"pool_dims_i": window, "pool_pads_i": pad, "pool_strides_i": stride}
    r.body = message("pooling", pool_mode=mode, num_dims=nd, **fields)
    if mode == "max":
        y = MAX[nd](x, per_dim(window), per_dim(stride), per_dim(pad))
    else:
        y = AVERAGE[nd](x, per_dim(window), per_dim(stride), per_dim(pad), count_include_pad=mode == "average")
    return r.finish(y)


def unary(name, kind, fn, x, flags=("fd",), **fields):
    r = Row(name, kind, message(kind, **fields), flags=flags)
    return r.finish(fn(r.input(x(r))))


def loss(name, kind, fn, x0, x1, flags=("fd",), gradients=True, **fields):
    """Layers of prediction and truth with one output entry per sample."""
    r = Row(name, kind, message(kind, **fields), flags=flags)
    a = r.input(x0(r))
    b = r.input(x1(r))
    return r.finish(fn(a, b).reshape(-1, 1), gradients=gradients)


def softmax_instance(x):
    return torch.softmax(x.flatten(1), 1).reshape(x.shape)


def elu(alpha):
    """torch's own elu computes exp(x) - 1, which loses every digit near 0."""
    return lambda x: torch.where(x > 0, x, alpha * torch.expm1(x))


def log_softmax(x):
    return torch.log_softmax(x.flatten(1), 1).reshape(x.shape)


def cross_entropy(x, t):
    """Entries whose label is not positive count nothing; the label's own gradient is -dy*log(x)
    everywhere, so it is left in the graph with weight zero there (0 * log x would be NaN at 0)."""
    used = t > 0
    terms = torch.where(used, -t * torch.log(torch.where(used, x, torch.ones_like(x))), torch.zeros_like(x))
    return terms.flatten(1).sum(1)


def cross_entropy_row(name, x, t, flags=("fd",)):
    r = loss("cross_entropy_" + name, "cross_entropy", cross_entropy, x, t, flags)
    x, dy = r.inputs[0].detach(), r.dy[0]
    r.dx[1] = -dy.reshape([-1] + [1] * (x.dim() - 1)) * torch.log(x)
    return r


def cross_entropy_of_index(x, t):
    """Prediction [C, spatial], truth [1, spatial] of class indices."""
    picked = torch.gather(x, 1, t.detach().long())
    return -torch.log(picked).flatten(1).sum(1)


def argmax(v):
    """Smallest index of the largest entry; NaN never wins."""
    best = -1
    for i, a in enumerate(v):
        if not np.isnan(a) and (best < 0 or a > v[best]):
            best = i
    return best


def categorical_accuracy(a, b):
    pairs = zip(a.detach().flatten(1).numpy(), b.detach().flatten(1).numpy())
    return torch.tensor([1.0 if argmax(p) == argmax(t) else 0.0 for p, t in pairs])


def accuracy_row(name, x, t):
    return loss("categorical_accuracy_" + name, "categorical_accuracy", categorical_accuracy, x, t,
                flags=("exact",), gradients=False)


def movement(name, kind, inputs, fn, **fields):
    """Layers that only move or add numbers; fn gets the inputs and returns the outputs."""
    r = Row(name, kind, message(kind, **fields), flags=("fd",))
    xs = [r.input(r.normal(*shape)) for shape in inputs]
    out = fn(*xs)
    return r.finish(*(out if isinstance(out, (list, tuple)) else [out]))


def slices(points, axis):
    def fn(x):
        return [x.narrow(axis + 1, a, b - a) for a, b in zip(points, points[1:])]
    return fn


def given(*values):
    return lambda r: np.array(values, dtype=np.float64)


def window_rows():
    distinct = lambda *s: lambda r: r.distinct(*s)
    normal = lambda *s: lambda r: r.normal(*s)
    yield pooling("max_2x2", "max", distinct(3, 3, 6, 4), 2, 2)
    yield pooling("max_overlapping", "max", distinct(3, 3, 7, 6), 3, 2, 1)
    yield pooling("max_stride_one", "max", distinct(1, 10, 4, 5), 3, 1, 1)
    yield pooling("max_leaves_rows_unread", "max", distinct(1, 3, 5, 8), 2, 3)
    yield pooling("max_one_channel", "max", distinct(1, 1, 4, 4), 2, 2)
    yield pooling("max_17_channels", "max", distinct(3, 17, 4, 4), 2, 2)
    yield pooling("max_20_channels", "max", distinct(1, 20, 5, 5), 3, 2, 1)
    # Padding counts as minus infinity, not as zero: here every pixel is negative.
    yield pooling("max_all_negative_padded", "max", lambda r: r.distinct(3, 3, 5, 4) - 10.0, 3, 2, 1)
    # Ties: the first position of the window in row-major order gets the gradient.
    yield pooling("max_ties", "max", lambda r: np.round(r.normal(3, 3, 6, 6)), 3, 2, 1, flags=("ties",))
    yield pooling("max_anisotropic", "max", distinct(3, 3, 5, 7), [2, 3], [1, 2], [1, 0])
    yield pooling("max_1d", "max", distinct(3, 10, 9), 3, 2, 1)
    yield pooling("max_3d", "max", distinct(3, 3, 4, 4, 5), 2, 2)
    yield pooling("max_3d_padded", "max", distinct(1, 10, 3, 4, 3), 3, 2, 1)
    yield pooling("average_2x2", "average", normal(3, 3, 6, 4), 2, 2)
    yield pooling("average_padded", "average", normal(3, 10, 5, 6), 3, 2, 1)
    yield pooling("average_whole_image", "average", normal(3, 17, 3, 3), 3, 1)
    yield pooling("average_anisotropic", "average", normal(1, 20, 5, 4), [3, 2], [2, 1], [1, 1])
    yield pooling("average_1d", "average", normal(3, 3, 8), 3, 2, 1)
    yield pooling("average_3d", "average", normal(3, 3, 4, 4, 4), 2, 2)
    yield pooling("average_3d_padded", "average", normal(1, 3, 3, 4, 5), 3, 2, 1)
    yield pooling("average_no_pad_padded", "average_no_pad", normal(3, 3, 5, 6), 3, 2, 1)
    yield pooling("average_no_pad_odd", "average_no_pad", normal(1, 17, 4, 5), [2, 3], [2, 2], [1, 1])
    yield pooling("average_no_pad_3d", "average_no_pad", normal(1, 10, 3, 4, 3), 3, 2, 1)


def activation_rows():
    off_zero = lambda *s: lambda r: r.away_from_zero(*s)
    zeros = given([0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 3e38, -3e38])
    yield unary("relu_image", "relu", torch.relu, off_zero(3, 3, 4, 5))
    yield unary("relu_17_channels", "relu", torch.relu, off_zero(1, 17, 2, 3))
    yield unary("relu_vector", "relu", torch.relu, off_zero(3, 10))
    yield unary("relu_at_zero", "relu", torch.relu, zeros, flags=("exact",))
    leaky = lambda slope: lambda x: F.leaky_relu(x, slope)
    yield unary("leaky_relu_default", "leaky_relu", leaky(0.01), off_zero(3, 10, 2, 2))
    yield unary("leaky_relu_slope", "leaky_relu", leaky(0.3), off_zero(3, 17), negative_slope=0.3)
    yield unary("leaky_relu_at_zero", "leaky_relu", leaky(0.25), zeros, flags=(), negative_slope=0.25)
    yield unary("elu_default", "elu", elu(1.0), off_zero(3, 3, 2, 5))
    yield unary("elu_alpha", "elu", elu(0.5), off_zero(3, 20), alpha=0.5)
    yield unary("elu_at_zero", "elu", elu(2.0),
                given([0.0, -0.0, 1.0, -1.0, 1e-12, -1e-12, 50.0, -50.0]), flags=(), alpha=2.0)
    normal = lambda *s: lambda r: r.normal(*s)
    extreme = given([1000.0, 0.0, -1000.0], [-1000.0, -1000.0, -1000.0], [88.8, 89.0, 0.0])
    yield unary("softmax_default", "softmax", softmax_instance, normal(3, 10))
    yield unary("softmax_instance_image", "softmax", softmax_instance, normal(3, 3, 4, 2), softmax_mode="instance")
    yield unary("softmax_batch_one", "softmax", softmax_instance, normal(1, 17))
    yield unary("softmax_one_entry", "softmax", softmax_instance, normal(3, 1))
    yield unary("softmax_extreme", "softmax", softmax_instance, extreme, flags=("extreme",))
    channel = lambda x: torch.softmax(x, 1)
    yield unary("softmax_channel", "softmax", channel, normal(3, 10, 2, 3), softmax_mode="channel")
    yield unary("softmax_channel_one", "softmax", channel, normal(3, 1, 2, 2), softmax_mode="channel")
    yield unary("softmax_channel_vector", "softmax", channel, normal(3, 17), softmax_mode="channel")
    yield unary("softmax_channel_3d", "softmax", channel, normal(1, 3, 2, 3, 2), softmax_mode="channel")
    yield unary("log_softmax_vector", "log_softmax", log_softmax, normal(3, 10))
    yield unary("log_softmax_image", "log_softmax", log_softmax, normal(3, 3, 4, 2))
    yield unary("log_softmax_batch_one", "log_softmax", log_softmax, normal(1, 20))
    yield unary("log_softmax_extreme", "log_softmax", log_softmax, extreme, flags=("extreme",))


def loss_rows():
    normal = lambda *s: lambda r: r.normal(*s)
    simplex = lambda *s: lambda r: r.simplex(*s)
    hot = lambda *s: lambda r: r.one_hot(*s)
    ce = cross_entropy_row
    # "fd0": central differences hold for input 0 only (a label at 0 is at a kink).
    yield ce("one_hot", simplex(3, 10), hot(3, 10), flags=("fd0",))
    yield ce("soft_labels", simplex(3, 10), simplex(3, 10))
    yield ce("image", simplex(3, 3, 2, 2), simplex(3, 3, 2, 2))
    yield ce("batch_one", simplex(1, 17), hot(1, 17), flags=("fd0",))
    yield ce("not_a_distribution", lambda r: abs(r.normal(3, 10)) + 0.1, lambda r: abs(r.normal(3, 10)) + 0.1)
    yield ce("labels_not_positive", simplex(3, 5),
             given([0.0, -1.0, 2.0, 0.0, 0.5], [0.0] * 5, [-1.0] * 5), flags=("fd0",))
    # A prediction of 0 counts nothing where the label is 0, and is infinite where it is positive.
    yield ce("zero_prediction", given([0.0, 0.5, 0.5], [0.0, 0.25, 0.75]), given([0.0, 1.0, 0.0], [1.0, 0.0, 0.0]),
             flags=("extreme",))
    yield loss("cross_entropy_use_labels", "cross_entropy", cross_entropy_of_index,
               lambda r: np.abs(r.normal(3, 4, 2, 3)) + 0.1, lambda r: r.rng.integers(4, size=(3, 1, 2, 3)),
               flags=("fd0",), use_labels=True)
    mse = lambda a, b: ((a - b) ** 2).flatten(1).mean(1)
    mae = lambda a, b: (a - b).abs().flatten(1).mean(1)
    yield loss("mean_squared_error_vector", "mean_squared_error", mse, normal(3, 10), normal(3, 10))
    yield loss("mean_squared_error_image", "mean_squared_error", mse, normal(3, 3, 2, 2), normal(3, 3, 2, 2))
    yield loss("mean_squared_error_batch_one", "mean_squared_error", mse, normal(1, 17), normal(1, 17))
    yield loss("mean_squared_error_scalar", "mean_squared_error", mse, normal(3, 1), normal(3, 1))
    yield loss("mean_absolute_error_vector", "mean_absolute_error", mae, normal(3, 10), lambda r: 20 + r.normal(3, 10))
    yield loss("mean_absolute_error_image", "mean_absolute_error", mae, normal(3, 3, 2, 2), lambda r: r.normal(3, 3, 2, 2) - 20)
    yield loss("mean_absolute_error_equal_entries", "mean_absolute_error", mae,
               given([1.0, 2.0, 3.0], [0.0, -0.0, 0.5]), given([1.0, 3.0, 2.0], [0.0, 0.0, 0.5]), flags=())

    yield accuracy_row("random", simplex(17, 3), hot(17, 3))
    yield accuracy_row("batch_one", given([0.1, 0.7, 0.2]), given([0.0, 1.0, 0.0]))
    yield accuracy_row("ties", given([0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.2, 0.4, 0.4], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
                       given([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 1.0]))
    yield accuracy_row("not_a_number", given([np.nan, 0.2, 0.1], [0.3, np.nan, 0.4], [0.4, 0.3, np.nan], [np.nan, -np.inf, 1.0]),
                       given([0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]))
    yield accuracy_row("infinity", given([-np.inf, np.inf, 3e38], [-3e38, -np.inf, -np.inf]),
                       given([0.0, 1.0, 0.0], [1.0, 0.0, 0.0]))
    yield accuracy_row("image", lambda r: r.normal(5, 2, 2, 2), lambda r: r.one_hot(5, 8).reshape(5, 2, 2, 2))
    yield accuracy_row("one_class", given([0.3], [-2.0]), given([1.0], [0.0]))


def movement_rows():
    yield movement("identity_image", "identity", [(3, 3, 2, 4)], lambda x: x * 1)
    yield movement("identity_batch_one", "identity", [(1, 17)], lambda x: x * 1)
    yield movement("split_two", "split", [(3, 3, 2, 2)], lambda x: [x * 1, x * 1])
    yield movement("split_three", "split", [(3, 10)], lambda x: [x * 1, x * 1, x * 1])
    yield movement("split_one", "split", [(1, 3)], lambda x: [x * 1])
    yield movement("reshape_flat", "reshape", [(3, 3, 2, 4)], lambda x: x.reshape(3, 24), dims=[24])
    yield movement("reshape_inferred", "reshape", [(3, 20)], lambda x: x.reshape(3, 2, 5, 2), dims=[2, -1, 2])
    yield movement("reshape_second_unknown_is_one", "reshape", [(3, 6)], lambda x: x.reshape(3, 6, 1), dims=[-1, -1])
    yield movement("reshape_to_image", "reshape", [(1, 51)], lambda x: x.reshape(1, 17, 3, 1), dims=[17, 3, 1])
    yield movement("sum_one", "sum", [(3, 10)], lambda a: a * 1)
    yield movement("sum_two", "sum", [(3, 3, 2, 2)] * 2, lambda a, b: a + b)
    yield movement("sum_four", "sum", [(1, 17)] * 4, lambda a, b, c, d: a + b + c + d)
    yield movement("weighted_sum_one", "weighted_sum", [(3, 10)], lambda a: -0.5 * a, scaling_factors=[-0.5])
    yield movement("weighted_sum_three", "weighted_sum", [(3, 3, 2, 2)] * 3, lambda a, b, c: 2 * a - 3 * b + 0.25 * c,
                   scaling_factors=[2.0, -3.0, 0.25])
    yield movement("weighted_sum_zero_factor", "weighted_sum", [(1, 3)] * 2, lambda a, b: 0 * a + b, scaling_factors=[0.0, 1.0])
    cat = lambda axis: lambda *x: torch.cat(x, axis + 1)
    yield movement("concatenation_default_axis", "concatenation", [(3, 3, 2, 2), (3, 10, 2, 2)], cat(0))
    yield movement("concatenation_axis_1", "concatenation", [(3, 3, 2, 2), (3, 3, 1, 2), (3, 3, 4, 2)], cat(1), axis=1)
    yield movement("concatenation_axis_2", "concatenation", [(1, 3, 2, 2), (1, 3, 2, 5)], cat(2), axis=2)
    yield movement("concatenation_four_dims", "concatenation", [(3, 2, 3, 2, 2), (3, 2, 3, 1, 2)], cat(2), axis=2)
    yield movement("concatenation_vectors", "concatenation", [(3, 1), (3, 17), (3, 3)], cat(0), axis=0)
    yield movement("concatenation_one", "concatenation", [(3, 10)], cat(0), axis=0)
    yield movement("slice_default_axis", "slice", [(3, 17)], slices([0, 3, 4, 17], 0), slice_points=[0, 3, 4, 17])
    cut = lambda name, shape, axis, points: movement(
        "slice_" + name, "slice", [shape], slices(points, axis), axis=axis, slice_points=points)
    yield cut("channels", (3, 10, 2, 2), 0, [0, 1, 10])
    yield cut("axis_1", (3, 3, 5, 2), 1, [0, 2, 5])
    yield cut("axis_2", (1, 3, 2, 6), 2, [0, 1, 3, 6])
    yield cut("uncovered_ends", (3, 10), 0, [2, 5, 9])
    yield cut("four_dims", (3, 2, 2, 4, 3), 2, [0, 3, 4])
    yield cut("one", (3, 3, 4), 1, [1, 3])


def rows():
    for part in (window_rows, activation_rows, loss_rows, movement_rows):
        yield from part()
