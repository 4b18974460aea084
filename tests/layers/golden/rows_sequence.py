"""Rows of the layers that sequences, attention and word vectors are made of, and of their relatives: products,
permutations, norms of a sample, gather and scatter, reductions, layers that are about the step."""

import numpy as np
import torch

from rows_plain import argmax, given, loss, movement, unary
from table import Row, message


def matmul(name, a, b, ta=False, tb=False):
    r = Row("matmul_" + name, "matmul", message("matmul", **({"transpose_a": True} if ta else {}),
                                                 **({"transpose_b": True} if tb else {})), flags={"fd"})
    x, y = r.input(r.normal(*a)), r.input(r.normal(*b))
    return r.finish((x.transpose(-1, -2) if ta else x) @ (y.transpose(-1, -2) if tb else y))


def channelwise_fully_connected(name, shape, out, bias=None, transpose=None):
    fields = {"output_channel_dims": out} if out else {}
    if bias is not None:
        fields["bias"] = {"value": bias}
    if transpose is not None:
        fields["transpose"] = {"value": transpose}
    r = Row("channelwise_fully_connected_" + name, "channelwise_fully_connected",
            message("channelwise_fully_connected", **fields), flags={"fd"})
    x = r.input(r.normal(*shape))
    n_in, n_out = x[0, 0].numel(), int(np.prod(out or [1]))
    w = r.weight(r.normal(*((n_out, n_in) if transpose else (n_in, n_out)), scale=0.5))
    y = x.flatten(2) @ (w.t() if transpose else w)
    if bias is not False:
        y = y + r.weight(r.normal(n_out))
    return r.finish(y.reshape(shape[0], shape[1], *(out or [1])))


def layer_norm(name, shape, start=None, epsilon=None, scale=False, bias=False, x=None, flags=("fd",)):
    fields = {k: True for k, v in (("scale", scale), ("bias", bias)) if v}
    if start is not None:
        fields["start_dim"] = start
    if epsilon is not None:
        fields["epsilon"] = {"value": epsilon}
    r = Row("layer_norm_" + name, "layer_norm", message("layer_norm", **fields), flags=flags)
    x = r.input(r.normal(*shape) if x is None else x(r))
    first = (start or 0) + (len(shape) if (start or 0) < 0 else 1)
    inner = shape[first:]
    over = list(range(first, len(shape)))
    d = x - x.mean(over, keepdim=True)  # F.layer_norm multiplies out and loses digits
    y = d / torch.sqrt((d * d).mean(over, keepdim=True) + (1e-5 if epsilon is None else epsilon))
    if scale:
        y = y * r.weight(r.normal(*inner, shift=1.0, scale=0.3))
    if bias:
        y = y + r.weight(r.normal(*inner))
    return r.finish(y)


def instance_norm(x, epsilon=1e-5):
    v = x.flatten(2)
    d = v - v.mean(2, keepdim=True)
    return (d / torch.sqrt((d * d).mean(2, keepdim=True) + epsilon)).reshape(x.shape)


def pick(table, index, axis):
    """Rows of table[n, R, C] (axis 0) or columns (axis 1); zeros where floor(index) is none."""
    i = torch.floor(index.detach()).long()
    extent = table.shape[axis + 1]
    valid = (i >= 0) & (i < extent)
    i = i.clamp(0, extent - 1)
    shape = list(table.shape)
    shape[axis + 1] = i.shape[1]
    spread = lambda v: (v[:, :, None] if axis == 0 else v[:, None, :]).expand(shape)
    return torch.where(spread(valid), torch.gather(table, axis + 1, spread(i)), torch.zeros(()))


def gather(name, values, index, axis=None, flags=("fd0",)):
    r = Row("gather_" + name, "gather", message("gather", **({} if axis is None else {"axis": {"value": axis}})),
            flags=flags)
    x, i = r.input(r.normal(*values)), r.input(index(r))
    y = pick(x[:, :, None], i, 0)[:, :, 0] if x.dim() == 2 else pick(x, i, axis)
    return r.finish(y)


def scatter(name, values, index, dims, axis=None):
    fields = {"dims": dims}
    if axis is not None:
        fields["axis"] = {"value": axis}
    r = Row("scatter_" + name, "scatter", message("scatter", **fields), flags={"fd0"})
    x, i = r.input(r.normal(*values)), r.input(index(r))
    rows = torch.floor(i.detach())
    along = 0 if axis is None else axis
    # One-hot matrices: what has no place is a row of zeros.
    hot = (rows[:, :, None] == torch.arange(dims[along])).to(torch.float64)
    if axis is None:
        y = torch.einsum("nk,nkr->nr", x, hot)
    elif axis == 0:
        y = torch.einsum("nkc,nkr->nrc", x, hot)
    else:
        y = torch.einsum("nck,nkr->ncr", x, hot)
    return r.finish(y)


def weighted(name, kind, fn, x, weights, flags=("fd",), **fields):
    r = Row(name, kind, message(kind, **fields), flags=flags)
    x = r.input(r.normal(*x))
    return r.finish(fn(x, *[r.weight(r.normal(*w)) for w in weights]))


def crop(name, shape, dims, positions):
    r = Row("crop_" + name, "crop", message("crop", dims=dims), flags={"fd0"})
    x, p = r.input(r.normal(*shape)), r.input(positions(r))
    windows = []
    for n in range(shape[0]):
        part = x[n]
        for d, size in enumerate(dims):
            room = shape[d + 1] - size
            part = part.narrow(d, min(int(p[n, d] * (room + 1)), room), size)
        windows.append(part)
    return r.finish(torch.stack(windows))


def tessellate(dims):
    def fn(x):
        for d, size in enumerate(dims):
            x = x.index_select(d + 1, torch.arange(size) % x.shape[d + 1])
        return x
    return fn


def among_largest(v, k):
    """1 for the k largest, the smaller position first among equals."""
    order = sorted(range(len(v)), key=lambda i: (np.isnan(v[i]), -v[i] if not np.isnan(v[i]) else 0, i))
    return [1.0 if i in order[:max(k, 0)] else 0.0 for i in range(len(v))]


def in_top_k(k):
    return lambda x: torch.tensor([among_largest(list(v), k) for v in x.detach().flatten(1).numpy()]).reshape(x.shape)


def top_k_accuracy(k):
    def fn(p, t):
        hits = []
        for a, b in zip(p.detach().flatten(1).numpy(), t.detach().flatten(1).numpy()):
            label = [i for i, v in enumerate(b) if v > 0]
            hits.append(among_largest(list(a), k)[label[0]] if label else 0.0)
        return torch.tensor(hits)
    return fn


def constant_row(name, kind, fn, x, flags=("exact",), **fields):
    """No gradient reaches the inputs."""
    r = Row(name, kind, message(kind, **fields), flags=flags)
    xs = [r.input(v(r)) for v in x]
    return r.finish(fn(*xs), gradients=False)


def source(name, kind, batch, out, weights=(), trained=True, **fields):
    r = Row(name, kind, message(kind, **fields), flags={"fd"} if weights else {"exact"})
    ws = [r.weight(r.normal(*w)) for w in weights]
    return r.finish(out(*ws) if ws else torch.tensor(np.asarray(out(), dtype=np.float64)), gradients=bool(ws))


def covariance(divisor):
    def fn(x, y):
        x, y = x.flatten(1), y.flatten(1)
        d = (x - x.mean(1, keepdim=True)) * (y - y.mean(1, keepdim=True))
        return d.sum(1) / divisor(x.shape[1])
    return fn


def matrix_rows():
    yield matmul("plain", (3, 5, 7), (3, 7, 4))
    yield matmul("transpose_a", (3, 7, 5), (3, 7, 4), ta=True)
    yield matmul("transpose_b", (3, 5, 7), (3, 4, 7), tb=True)
    yield matmul("transpose_both", (3, 7, 5), (3, 4, 7), ta=True, tb=True)
    yield matmul("batch_one", (1, 17, 9), (1, 9, 33))
    yield matmul("one_by_one", (3, 1, 1), (3, 1, 1))
    yield matmul("row_column", (3, 1, 17), (3, 17, 1))
    yield matmul("column_row", (3, 9, 1), (3, 1, 5))
    yield matmul("word_vectors", (7, 6, 33), (7, 1, 33), tb=True)
    yield matmul("stack", (2, 3, 17, 9), (2, 3, 9, 20))
    yield matmul("stack_attention", (2, 4, 17, 16), (2, 4, 17, 16), tb=True)
    yield matmul("stack_transpose_a", (2, 3, 9, 17), (2, 3, 9, 5), ta=True)
    cfc = channelwise_fully_connected
    yield cfc("vector", (3, 5, 7), [4])
    yield cfc("default", (3, 5, 7), None)
    yield cfc("no_bias", (3, 4, 9), [17], bias=False)
    yield cfc("transpose", (3, 4, 9), [6], bias=True, transpose=True)
    yield cfc("image", (2, 3, 2, 5), [3, 4])
    yield cfc("batch_one", (1, 1, 3), [1])
    perm = lambda name, shape, axes, full=None: movement(
        "permute_" + name, "permute", [shape], lambda x: x.permute(0, *[a + 1 for a in full or axes]), **({"axes": axes} if axes else {}))
    yield perm("swap", (3, 5, 7), [1, 0])
    yield perm("rotate", (2, 3, 4, 5), [2, 0, 1])
    yield perm("last_two", (2, 3, 17, 33), [0, 2, 1])
    yield perm("heads", (2, 9, 4, 8), [1, 0, 2])
    yield perm("short_list", (2, 3, 4, 5), [1, 0], [1, 0, 2])
    yield perm("no_axes", (2, 3, 4), [], [0, 1])
    yield perm("vector", (3, 7), [0])


def norm_rows():
    yield layer_norm("default", (3, 17))
    yield layer_norm("image", (3, 3, 2, 5))
    yield layer_norm("scale_bias", (3, 33), scale=True, bias=True)
    yield layer_norm("tokens", (2, 9, 32), start=-1, scale=True, bias=True)
    yield layer_norm("tokens_40_rows", (4, 40, 20), start=1, scale=True, bias=True)
    yield layer_norm("scale_only", (3, 4, 5), scale=True, start=1)
    yield layer_norm("bias_only", (3, 4, 5), bias=True)
    yield layer_norm("two_dims", (2, 3, 4, 5), start=1, scale=True, bias=True)
    yield layer_norm("long", (2, 2100), scale=True, bias=True)
    yield layer_norm("epsilon", (3, 17), epsilon=0.5)
    yield layer_norm("batch_one", (1, 3))
    yield layer_norm("one_value", (3, 4, 1), start=-1, scale=True, bias=True)
    yield layer_norm("constant_row", (2, 5), x=given([2.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]), flags=())
    yield layer_norm("large_mean", (2, 17), x=lambda r: r.normal(2, 17, shift=1000.0), flags=("cancel",))
    yield layer_norm("not_a_number", (2, 3), x=given([1.0, np.nan, 2.0], [1.0, 2.0, 4.0]), flags=("extreme",))
    yield unary("instance_norm_image", "instance_norm", instance_norm, lambda r: r.normal(3, 3, 4, 5))
    yield unary("instance_norm_volume", "instance_norm", instance_norm, lambda r: r.normal(1, 2, 3, 2, 3))
    yield unary("instance_norm_epsilon", "instance_norm", lambda x: instance_norm(x, 0.25), lambda r: r.normal(2, 5, 7),
                epsilon={"value": 0.25})
    yield unary("instance_norm_vector", "instance_norm", lambda x: 0 * x, lambda r: r.normal(3, 4))
    soft = lambda axis: lambda x: torch.softmax(x, axis)
    over_rest = lambda x: torch.softmax(x.flatten(2), 2).reshape(x.shape)
    over_first = lambda x: torch.softmax(x.flatten(1, -2), 1).reshape(x.shape)
    name = "channelwise_softmax"
    yield unary(name + "_default", name, over_rest, lambda r: r.normal(3, 4, 2, 5))
    yield unary(name + "_last", name, over_first, lambda r: r.normal(3, 4, 2, 5), dim=-1)
    yield unary(name + "_single_last", name, soft(3), lambda r: r.normal(2, 3, 9, 17), dim=-1, single_dim_mode=True)
    yield unary(name + "_single_first", name, soft(1), lambda r: r.normal(2, 3, 4, 5), single_dim_mode=True)
    yield unary(name + "_single_middle", name, soft(2), lambda r: r.normal(2, 3, 4, 5), dim=1, single_dim_mode=True)
    yield unary(name + "_wide", name, soft(2), lambda r: r.normal(2, 3, 300), dim=1, single_dim_mode=True)
    yield unary(name + "_vector", name, soft(1), lambda r: r.normal(3, 7), dim=0, single_dim_mode=True)
    yield unary(name + "_extreme", name, soft(2), given([[1e4, 0.0, -1e4]], [[-1e4] * 3], [[np.nan, 1.0, 2.0]]), dim=1,
                single_dim_mode=True, flags=("extreme",))
    yield weighted("channelwise_scale_bias_image", "channelwise_scale_bias",
                   lambda x, w: x * w[0][:, None, None] + w[1][:, None, None], (3, 5, 2, 3), [(2, 5)])
    yield weighted("channelwise_scale_bias_vector", "channelwise_scale_bias", lambda x, w: x * w[0] + w[1], (3, 17), [(2, 17)])
    yield weighted("entrywise_scale_bias_image", "entrywise_scale_bias",
                   lambda x, w: x * w[0].reshape(3, 2, 5) + w[1].reshape(3, 2, 5), (3, 3, 2, 5), [(2, 30)])
    yield weighted("entrywise_scale_bias_batch_one", "entrywise_scale_bias", lambda x, w: x * w[0] + w[1], (1, 7), [(2, 7)])


def index_rows():
    index = lambda *v: given(*v)
    yield gather("vector", (3, 5), index([0, 4], [2, 2], [1, 3]))
    yield gather("outside", (2, 5), index([0, 5, -1, 2.7], [-0.5, 4.9, 7, 1]))
    yield gather("rows", (2, 4, 3), index([3, 0, 3, 1, 1], [2, 2, 9, -3, 0]), axis=0)
    yield gather("columns", (2, 4, 17), index([16, 0, 5], [17, 3, 3]), axis=1)
    yield gather("batch_one", (1, 7), index([6, 0, 3]))
    yield gather("not_a_number", (1, 3), index([np.nan, 1, np.inf]), flags=())
    yield scatter("vector", (3, 4), index([0, 4, 4, 2], [1, 1, 1, 1], [6, 0, -1, 2.5]), [6])
    yield scatter("rows", (2, 3, 5), index([1, 1, 0], [3, 7, -2]), [4, 5], axis=0)
    yield scatter("columns", (2, 5, 3), index([6, 0, 6], [2, 2, 2]), [5, 7], axis=1)
    yield scatter("batch_one", (1, 3), index([2, 0, 1]), [3])
    name = "cross_entropy_use_labels"
    picked = lambda x, t: -torch.log(torch.gather(x, 1, t.detach().long())).flatten(1).sum(1)
    yield loss(name + "_one_dim", "cross_entropy", picked, lambda r: np.abs(r.normal(3, 9, 5)) + 0.1,
               lambda r: r.rng.integers(9, size=(3, 1, 5)), flags=("fd0",), use_labels=True)
    no_class = lambda x, t: torch.stack([-torch.log(x[0, 1, 0]), -torch.log(x[1, 2, 1]), 0 * x[2, 0, 0]])
    yield loss(name + "_no_class", "cross_entropy", no_class, lambda r: np.abs(r.normal(3, 3, 2)) + 0.1,
               given([[1.0, -1.0]], [[3.0, 2.0]], [[0.5, np.nan]]), flags=("fd0",), use_labels=True)
    arg = lambda sign: lambda x: torch.tensor([[float(max(argmax(sign * v), 0))] for v in x.detach().numpy()])
    special = given([1.0, 3.0, 3.0, -2.0, -2.0], [np.nan, 1.0, -np.inf, np.inf, 0.0], [np.nan] * 5, [0.0, -0.0, 0.0, 0.0, -1.0])
    yield constant_row("argmax_special", "argmax", arg(1), [special])
    yield constant_row("argmax_random", "argmax", arg(1), [lambda r: r.normal(5, 17)])
    yield constant_row("argmin_special", "argmin", arg(-1), [special])
    yield constant_row("argmin_one", "argmin", arg(-1), [lambda r: r.normal(1, 1)])
    hot = lambda x: (torch.floor(x.detach()) == torch.arange(5.0)).to(torch.float64)
    yield constant_row("one_hot_indices", "one_hot", hot, [given([0.0], [4.0], [2.9], [-1.0], [5.0], [np.nan])], size=5)
    distinct = lambda *s: lambda r: r.distinct(*s)
    yield unary("sort_ascending", "sort", lambda x: torch.sort(x, 1).values, distinct(3, 17))
    yield unary("sort_descending", "sort", lambda x: torch.sort(x, 1, descending=True).values, distinct(3, 9), descending=True)
    yield unary("sort_image", "sort", lambda x: torch.sort(x.flatten(1), 1).values.reshape(x.shape), distinct(2, 3, 2, 4))
    ties = given([2.0, 1.0, 2.0, 1.0, 2.0], [0.0] * 5)
    stable = lambda down: lambda x: torch.sort(x, stable=True, dim=1, descending=down).values
    yield unary("sort_ties", "sort", stable(False), ties, flags=("exact",))
    yield unary("sort_ties_descending", "sort", stable(True), ties, descending=True, flags=("exact",))
    yield unary("sort_not_a_number", "sort", stable(False), given([np.nan, 1.0, -np.inf, np.inf, -2.0]), flags=("extreme",))
    top = lambda name, k, x: constant_row("in_top_k_" + name, "in_top_k", in_top_k(k), [x], k=k)
    yield top("three", 3, lambda r: r.normal(4, 17))
    yield top("ties", 2, given([1.0, 1.0, 1.0], [0.0, 2.0, 0.0], [np.nan, -1.0, np.inf]))
    yield top("none", 0, lambda r: r.normal(2, 5))
    yield top("all", 5, lambda r: r.normal(2, 5))
    yield top("image", 4, lambda r: r.normal(2, 3, 2, 2))
    name = "top_k_categorical_accuracy"
    hits = lambda what, k, p, t: loss(name + "_" + what, name, top_k_accuracy(k), p, t, flags=("exact",), gradients=False, k=k)
    yield hits("three", 3, lambda r: r.normal(9, 10), lambda r: r.one_hot(9, 10))
    yield hits("ties", 2, given([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [np.nan, 0.1, 0.2], [1.0, 2.0, 3.0]),
               given([0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]))
    yield hits("none", 0, lambda r: r.normal(3, 5), lambda r: r.one_hot(3, 5))
    yield hits("all", 9, lambda r: r.normal(3, 5), lambda r: r.one_hot(3, 5))
    yield hits("soft_label", 1, lambda r: r.normal(3, 2, 2), given([[0.0, 0.5], [0.5, 0.0]], [[0.0, 0.0], [0.0, 2.0]], [[-1.0, 0.0], [1.0, 0.0]]))


def reduction_rows():
    flat = lambda fn: lambda x: fn(x.flatten(1)).reshape(-1, 1)
    normal = lambda *s: lambda r: r.normal(*s)
    for mode in ("", "sum", "mean", "average"):
        fn = (lambda v: v.mean(1)) if mode in ("mean", "average") else (lambda v: v.sum(1))
        yield unary("reduction_%s" % (mode or "default"), "reduction", flat(fn), normal(3, 3, 2, 5), **({"mode": mode} if mode else {}))
    yield unary("reduction_batch_one", "reduction", flat(lambda v: v.sum(1)), normal(1, 1))
    name = "multidim_reduction"
    yield unary(name + "_default", name, lambda x: x.sum(2), normal(3, 4, 5, 2), axes=[1])
    yield unary(name + "_two_axes", name, lambda x: x.sum((1, 3)), normal(3, 4, 5, 2), axes=[0, 2], mode="add")
    yield unary(name + "_three_groups", name, lambda x: x.sum((1, 3)), normal(2, 3, 4, 5, 2), axes=[2, 0], mode="sum")
    distinct = lambda *s: lambda r: r.distinct(*s)
    yield unary(name + "_max", name, lambda x: x.amax(2), distinct(2, 3, 7), axes=[1], mode="max")
    yield unary(name + "_minimum", name, lambda x: x.amin((1, 2)), distinct(2, 3, 4, 5), axes=[0, 1], mode="minimum")
    yield unary(name + "_product", name, lambda x: x.prod(2), lambda r: r.away_from_zero(2, 3, 7), axes=[1], mode="product")
    zeros = given([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0]], [[1.0, 2.0, 4.0], [-1.0, 0.5, 0.0]])
    yield unary(name + "_mul_zeros", name, lambda x: x.prod(2), zeros, axes=[1], mode="mul")
    yield unary("batchwise_reduce_sum_image", "batchwise_reduce_sum", lambda x: x.sum(0, keepdim=True).expand(x.shape), normal(5, 3, 2, 2))
    yield unary("batchwise_reduce_sum_batch_one", "batchwise_reduce_sum", lambda x: x * 1, normal(1, 17))
    yield unary("channelwise_mean_image", "channelwise_mean", lambda x: x.mean((2, 3)), normal(3, 17, 4, 5))
    yield unary("channelwise_mean_vector", "channelwise_mean", lambda x: x * 1, normal(3, 5))
    both = covariance(lambda n: n - 1)
    yield loss("covariance_vector", "covariance", both, normal(3, 17), normal(3, 17))
    yield loss("covariance_biased", "covariance", covariance(lambda n: n), normal(3, 2, 5), normal(3, 2, 5), biased=True)
    yield unary("variance_vector", "variance", lambda x: both(x, x).reshape(-1, 1), normal(3, 17))
    yield unary("variance_biased", "variance", lambda x: covariance(lambda n: n)(x, x).reshape(-1, 1), normal(1, 2, 3), biased=True)
    for kind, shape, dims in (("grow", (2, 2, 3), [5, 3]), ("shrink", (2, 4, 5), [3, 2]), ("multiples", (2, 3, 2), [6, 8]),
                              ("vector", (3, 3), [17]), ("same", (1, 4), [4]), ("volume", (2, 2, 1, 3), [3, 4, 4])):
        yield movement("tessellate_" + kind, "tessellate", [shape], tessellate(dims), dims=dims)
    inside = lambda n, d: lambda r: np.round(r.rng.uniform(0, 0.999, (n, d)), 3)
    yield crop("image", (3, 4, 6, 5), [2, 3, 2], inside(3, 3))
    yield crop("edges", (3, 7), [3], given([0.0], [1.0], [0.5]))
    yield crop("whole", (2, 3, 4), [3, 4], inside(2, 2))
    yield crop("batch_one", (1, 5, 5), [1, 4], inside(1, 2))


def control_rows():
    yield source("weights_layer_vector", "weights_layer", 3, lambda w: w.expand(3, 17), [(17,)], dims=[17])
    yield source("weights_layer_image", "weights_layer", 2, lambda w: w.expand(2, 3, 4, 5), [(3, 4, 5)], dims=[3, 4, 5])
    yield source("mini_batch_size_five", "mini_batch_size", 5, lambda: [[5.0]] * 5)
    yield source("mini_batch_index_five", "mini_batch_index", 5, lambda: [[float(i)] for i in range(5)])
    yield source("mini_batch_index_one", "mini_batch_index", 1, lambda: [[0.0]])
    stopped = lambda name, kind, shape, fn=lambda x: x.detach() * 1: constant_row(name, kind, fn, [lambda r: r.normal(*shape)])
    yield stopped("stop_gradient_image", "stop_gradient", (3, 3, 2, 2))
    yield unary("evaluation_scalar", "evaluation", lambda x: x * 1, lambda r: r.normal(5, 1))
    yield unary("identity_zero_trained", "identity_zero", lambda x: x * 1, lambda r: r.normal(3, 4))


def rows():
    for part in (matrix_rows, norm_rows, index_rows, reduction_rows, control_rows):
        yield from part()
