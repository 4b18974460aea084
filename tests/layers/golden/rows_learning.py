"""Rows with weights: convolution, fully_connected, batch_normalization, embedding."""

import torch
import torch.nn.functional as F

from table import Row, message

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def convolution(name, batch, c, k, size, kernel, stride=1, pad=0, dilation=1, groups=1, bias=True):
    nd = len(size)
    per_dim = lambda v: list(v) if isinstance(v, (list, tuple)) else [v] * nd
    fields = {"num_dims": nd, "out_channels": k, "kernel_size": kernel}
    for field, value, default in (("stride", stride, 1), ("padding", pad, 0), ("dilation", dilation, 1)):
        if value != default:
            fields[field] = value
    if groups != 1:
        fields["groups"] = {"value": groups}
    fields["has_bias"] = {"value": bias}
    r = Row("convolution_" + name, "convolution", message("convolution", **fields), flags={"fd"})
    x = r.input(r.normal(batch, c, *size))
    w = r.weight(r.normal(k, c // groups, *per_dim(kernel), scale=0.5))
    b = r.weight(r.normal(k)) if bias else None
    y = CONV[nd](x, w, b, per_dim(stride), per_dim(pad), per_dim(dilation), groups)
    return r.finish(y)


def fully_connected(name, batch, dims, out, bias=True, transpose=False):
    fields = {"num_neurons": out, "has_bias": bias}
    if transpose:
        fields["transpose"] = True
    r = Row("fully_connected_" + name, "fully_connected", message("fully_connected", **fields), flags={"fd"})
    x = r.input(r.normal(batch, *dims))
    n_in = x[0].numel()
    # The matrix is OUT x IN (transpose: IN x OUT) and stored column by column, so its linear
    # order is the C order of the shape given here.
    w = r.weight(r.normal(*((out, n_in) if transpose else (n_in, out)), scale=0.5))
    b = r.weight(r.normal(out)) if bias else None
    y = x.flatten(1) @ (w.t() if transpose else w)
    return r.finish(y + b if bias else y)


def batch_normalization(name, x, mode="train", decay=None, epsilon=None, bessel=True, flags=("fd",), row=None):
    """mean = sum x / n;  var = max((E[x^2] - mean^2) * n/(n-1), eps);
    y = scale * (x - mean) / sqrt(var + eps) + bias;  running = decay*running + (1-decay)*batch."""
    fields = {}
    if decay is not None:
        fields["decay"] = decay
    if epsilon is not None:
        fields["epsilon"] = epsilon
    if not bessel:
        fields["no_bessel_correction"] = True
    r = Row("batch_normalization_" + name, "batch_normalization", message("batch_normalization", **fields), mode, flags)
    decay, epsilon = decay or 0.9, epsilon or 1e-5
    x = r.input(x(r))
    c = x.shape[1]
    scale = r.weight(r.normal(c, shift=1.0, scale=0.3))
    bias = r.weight(r.normal(c))
    running_mean = r.weight(r.normal(c), trained=False)
    running_var = r.weight(abs(r.normal(c)) + 0.5, trained=False)
    rest = [d for d in range(x.dim()) if d != 1]
    col = lambda v: v.reshape([1, c] + [1] * (x.dim() - 2))
    n = x.numel() // c
    if mode == "eval":
        mean, var = running_mean, running_var
    elif n <= 1:
        # No variance to speak of: the output is the bias, the input gets no gradient and the
        # running statistics stay as they are.
        r.new_weights = {2: running_mean, 3: running_var}
        return r.finish(col(bias) + 0 * x * col(scale))
    else:
        mean = x.mean(rest)
        # (E[x^2] - mean^2) written without cancellation
        var = ((x - col(mean)) ** 2).mean(rest) * (n / (n - 1) if bessel else 1)
        var = torch.clamp(var, min=epsilon)
        r.new_weights = {2: decay * running_mean + (1 - decay) * mean, 3: decay * running_var + (1 - decay) * var}
    y = col(scale) * (x - col(mean)) / torch.sqrt(col(var) + epsilon) + col(bias)
    return r.finish(y)


def rows():
    yield convolution("2d", 3, 3, 10, (6, 5), 3)
    yield convolution("2d_same_padding", 3, 3, 17, (5, 4), 3, pad=1)
    yield convolution("2d_stride_padding", 3, 3, 10, (8, 7), 3, stride=2, pad=1)
    yield convolution("2d_stride_leaves_rows_unread", 1, 3, 3, (8, 9), 3, stride=4)
    yield convolution("2d_one_channel", 1, 1, 1, (5, 5), 3, pad=1)
    yield convolution("2d_many_channels", 1, 17, 20, (4, 4), 3, pad=1)
    yield convolution("2d_pointwise", 3, 10, 17, (3, 4), 1)
    yield convolution("2d_pointwise_stride", 3, 17, 3, (5, 5), 1, stride=2)
    yield convolution("2d_pointwise_padding", 1, 3, 10, (2, 3), 1, pad=1)
    yield convolution("2d_wide_window", 3, 1, 10, (8, 8), 5, stride=2, pad=2)
    yield convolution("2d_lenet_first", 3, 1, 6, (9, 9), 5)
    yield convolution("2d_whole_image", 3, 3, 10, (3, 4), [3, 4])
    yield convolution("2d_padding_wider_than_image", 1, 3, 3, (2, 2), 5, pad=2)
    yield convolution("2d_dilation", 1, 3, 3, (9, 9), 3, pad=2, dilation=2)
    yield convolution("2d_dilation_stride", 3, 3, 10, (9, 8), 3, stride=2, pad=3, dilation=3)
    yield convolution("2d_anisotropic", 3, 1, 3, (6, 9), [3, 2], stride=[1, 2], pad=[0, 1], dilation=[2, 1])
    yield convolution("2d_groups", 1, 10, 20, (4, 4), 3, pad=1, groups=5)
    yield convolution("2d_depthwise", 3, 10, 10, (4, 5), 3, pad=1, groups=10)
    yield convolution("2d_depthwise_multiplier", 3, 3, 6, (5, 5), 3, stride=2, groups=3)
    yield convolution("2d_groups_dilation_no_bias", 1, 6, 10, (6, 6), 3, pad=2, dilation=2, groups=2, bias=False)
    yield convolution("2d_no_bias", 3, 3, 10, (5, 5), 3, bias=False)
    yield convolution("2d_batch_one_no_bias", 1, 17, 1, (5, 5), 3, bias=False)
    yield convolution("1d", 3, 3, 10, (11,), 3, pad=1)
    yield convolution("1d_stride_dilation", 1, 10, 3, (13,), 3, stride=2, pad=2, dilation=2)
    yield convolution("1d_groups", 3, 10, 20, (7,), 2, groups=10, bias=False)
    yield convolution("3d", 3, 1, 3, (4, 5, 4), 3, pad=1)
    yield convolution("3d_stride", 1, 3, 10, (5, 4, 5), 2, stride=2, pad=1)
    yield convolution("3d_dilation_groups", 1, 4, 6, (5, 5, 4), [3, 2, 2], pad=[1, 0, 1], dilation=[2, 1, 2], groups=2)
    yield convolution("3d_no_bias", 1, 1, 1, (3, 3, 3), 2, bias=False)

    yield fully_connected("bias", 3, (10,), 7)
    yield fully_connected("no_bias", 3, (10,), 7, bias=False)
    yield fully_connected("transpose", 3, (10,), 7, transpose=True)
    yield fully_connected("transpose_no_bias", 1, (3, 2), 5, bias=False, transpose=True)
    yield fully_connected("image", 3, (3, 4, 2), 10)
    yield fully_connected("image_transpose", 3, (3, 4, 2), 10, transpose=True)
    yield fully_connected("batch_one", 1, (17,), 20)
    yield fully_connected("one_in", 3, (1,), 3)
    yield fully_connected("one_out", 3, (17,), 1)
    yield fully_connected("one_in_one_out", 1, (1,), 1, bias=False)

    bn = batch_normalization
    yield bn("image", lambda r: r.normal(3, 3, 4, 3, shift=0.5, scale=2))
    for c in (1, 10, 17, 20):
        yield bn("c%d" % c, lambda r: r.normal(3, c, 3, 2, shift=-1.0))
    yield bn("vector", lambda r: r.normal(5, 10))
    yield bn("vector_two_samples", lambda r: r.normal(2, 3))
    yield bn("batch_one", lambda r: r.normal(1, 3, 4, 3))
    yield bn("3d", lambda r: r.normal(3, 3, 2, 3, 2))
    yield bn("no_bessel", lambda r: r.normal(3, 3, 2, 2), bessel=False)
    yield bn("no_bessel_two_samples", lambda r: r.normal(2, 10), bessel=False, flags=("fd", "cancel"))
    yield bn("decay_epsilon", lambda r: r.normal(3, 3, 2, 2), decay=0.5, epsilon=0.01)
    yield bn("large_mean", lambda r: r.normal(3, 3, 3, 3, shift=1000.0), flags=("fd", "cancel"))
    yield bn("constant_channel", constant_channel, flags=())
    yield bn("variance_below_epsilon", lambda r: r.normal(3, 3, 3, 2, scale=1e-3), flags=())
    yield bn("one_value", lambda r: r.normal(1, 10), flags=())
    yield bn("one_value_1x1", lambda r: r.normal(1, 3, 1, 1), flags=())
    yield bn("eval_image", lambda r: r.normal(3, 3, 4, 3), mode="eval")
    yield bn("eval_vector", lambda r: r.normal(3, 17), mode="eval")
    yield bn("eval_one_value", lambda r: r.normal(1, 10), mode="eval")
    yield bn("eval_epsilon", lambda r: r.normal(3, 20, 2, 2), mode="eval", epsilon=0.1)


    e = embedding
    yield e("vector", [[1, 0, 3, 2], [4, 1, 0, 2]], 5, 3)
    yield e("repeated", [[2.0], [2.0], [0.0], [2.0], [6.0]], 7, 4)
    yield e("image", [[[1, 0, 3], [3, 3, 3]], [[2, 0, 1], [1, 3, 0]], [[0, 0, 2], [2, 1, 0]]], 4, 17)
    yield e("batch_one", [[4]], 5, 1)
    # Half-way between two rows: the one below counts, and small steps change nothing.
    yield e("between_rows", [[1.5, 0.25, 3.75], [2.5, 0.5, 4.96875]], 5, 10, flags=("fd",))
    yield e("outside", [[-1, 0, 5, 4], [-0.5, 1e30, -1e30, 4.5], [float("nan"), float("inf"), float("-inf"), 2]], 5, 3)
    yield e("padding", [[1.5, 0.5, 3.5], [2.5, 3.5, 1.5]], 4, 3, padding=3, flags=("fd",))
    yield e("padding_first", [[0, 2, 0], [1, 0, -3]], 4, 20, padding=0)
    # More rows than entries in a vector, and the padding row among them.
    yield e("padding_beyond_dim", [[9, 2, 9], [1, 9, 8]], 10, 2, padding=9)
    yield e("eval", [[1, 0, 3]], 5, 3, mode="eval")


def embedding(name, x, num, dim, padding=None, mode="train", flags=("exact",)):
    """PyTorch's embedding of floor(x) where that is a row; zeros, and no gradient, elsewhere. The padding row
    of the weights is zero, as the layer's setup leaves it."""
    fields = {"num_embeddings": num, "embedding_dim": dim}
    if padding is not None:
        fields["padding_idx"] = {"value": padding}
    r = Row("embedding_" + name, "embedding", message("embedding", **fields), mode, flags=flags)
    x = r.input(x).detach()
    table = r.normal(num, dim)
    if padding is not None:
        table[padding] = 0
    w = r.weight(table)
    index = torch.floor(x)
    valid = (index >= 0) & (index < num)
    rows = F.embedding(torch.where(valid, index, torch.zeros_like(index)).long(), w, padding_idx=padding)
    return r.finish(torch.where(valid[..., None], rows, torch.zeros_like(rows)))


def constant_channel(r):
    x = r.normal(3, 3, 2, 2)
    x[:, 1] = 0.75
    return x
