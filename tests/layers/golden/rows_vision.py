"""Rows of the layers of convolutional networks beyond rows_learning.py: deconvolution, local response
normalisation, entrywise batch normalisation, upsampling, and volumes."""

import torch
import torch.nn.functional as F

from table import Row, message

DECONV = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def deconvolution(name, batch, c, k, size, kernel, stride=1, pad=0, extra=0, dilation=1, groups=1, bias=True):
    nd = len(size)
    per_dim = lambda v: list(v) if isinstance(v, (list, tuple)) else [v] * nd
    fields = {"num_dims": nd, "out_channels": k, "kernel_size": kernel}
    for field, value, default in (("stride", stride, 1), ("padding", pad, 0), ("output_padding", extra, 0),
                                  ("dilation", dilation, 1)):
        if value != default:
            fields[field] = value
    if groups != 1:
        fields["groups"] = {"value": groups}
    if bias is not None:
        fields["has_bias"] = {"value": bias}
    r = Row("deconvolution_" + name, "deconvolution", message("deconvolution", **fields), flags={"fd"})
    x = r.input(r.normal(batch, c, *size))
    w = r.weight(r.normal(c, k // groups, *per_dim(kernel), scale=0.5))
    b = r.weight(r.normal(k)) if bias is not False else None
    return r.finish(DECONV[nd](x, w, b, per_dim(stride), per_dim(pad), per_dim(extra), groups, per_dim(dilation)))


def lrn(name, shape, width, alpha, beta, k, scale=1.0):
    """s_c = k + alpha/width * sum of x^2 over channels c - (width-1)//2 .. c + width//2 (cuDNN, ONNX);
    y = x * s^-beta. Written out: torch's own looks the other way where the width is even."""
    r = Row("local_response_normalization_" + name, "local_response_normalization",
            message("local_response_normalization", window_width=width, lrn_alpha=alpha, lrn_beta=beta, lrn_k=k),
            flags={"fd"})
    x = r.input(r.normal(*shape, scale=scale))
    sums = []
    for c in range(shape[1]):
        window = x[:, max(c - (width - 1) // 2, 0):c + width // 2 + 1]
        sums.append(k + alpha / width * (window * window).sum(1))
    s = torch.stack(sums, 1)
    y = x * s ** -beta
    if width % 2 == 1 and x.dim() > 2:
        assert torch.allclose(y, F.local_response_norm(x, width, alpha, beta, k), rtol=1e-12)
    return r.finish(y)


def entrywise(name, shape, mode="train", flags=("fd",), shift=0.0, **fields):
    """Statistics of every entry over the mini-batch, Bessel's correction, one sample: variance 1."""
    r = Row("entrywise_batch_normalization_" + name, "entrywise_batch_normalization",
            message("entrywise_batch_normalization", **fields), mode, flags)
    decay, epsilon = fields.get("decay", 0.0), fields.get("epsilon", 0.0)
    x = r.input(r.normal(*shape, shift=shift))
    mean = r.weight(r.normal(*shape[1:]), trained=False)
    var = r.weight(abs(r.normal(*shape[1:])) + 0.5, trained=False)
    n = shape[0]
    if mode == "eval":
        return r.finish((x - mean) / torch.sqrt(var + epsilon))
    if n == 1:
        r.new_weights = {0: mean, 1: var}
        return r.finish((x - x.mean(0)) / (1 + epsilon) ** 0.5)
    batch_mean, batch_var = x.mean(0), x.var(0, unbiased=True)
    r.new_weights = {0: decay * mean + (1 - decay) * batch_mean, 1: decay * var + (1 - decay) * batch_var}
    return r.finish((x - batch_mean) / torch.sqrt(batch_var + epsilon))


def upsample(name, shape, factors):
    nd = len(shape) - 2
    many = isinstance(factors, list)
    fields = {"has_vectors": True, "scale_factors": factors} if many else {"scale_factors_i": factors}
    r = Row("upsample_" + name, "upsample", message("upsample", upsample_mode="nearest", num_dims=nd, **fields),
            flags={"fd"})
    x = y = r.input(r.normal(*shape))
    for d, f in enumerate(factors if many else [factors] * nd):
        y = y.repeat_interleave(f, d + 2)
    assert torch.equal(y, F.interpolate(x, scale_factor=[float(f) for f in (factors if many else [factors] * nd)]))
    return r.finish(y)


def rows():
    yield deconvolution("1d", 3, 4, 6, (9,), 3)
    yield deconvolution("1d_stride_output_padding", 2, 3, 5, (7,), 4, stride=3, pad=1, extra=2)
    yield deconvolution("2d", 3, 5, 7, (6, 5), 3)
    yield deconvolution("2d_stride_padding", 2, 17, 10, (5, 4), 4, stride=2, pad=1)
    yield deconvolution("2d_default_bias", 2, 3, 4, (4, 4), 2, stride=2, bias=None)
    yield deconvolution("2d_no_bias_batch_one", 1, 3, 1, (6, 6), 5, pad=2, bias=False)
    yield deconvolution("2d_anisotropic", 2, 4, 3, (5, 6), [3, 2], stride=[2, 3], pad=[1, 0], extra=[1, 2])
    yield deconvolution("2d_dilation", 2, 3, 4, (5, 5), 3, pad=1, dilation=2)
    yield deconvolution("2d_groups", 2, 6, 9, (5, 4), 3, stride=2, groups=3)
    yield deconvolution("2d_pointwise", 3, 20, 16, (4, 4), 1)
    yield deconvolution("2d_many_channels", 2, 32, 32, (7, 7), 3, stride=2, pad=1, extra=1)
    yield deconvolution("2d_from_one_pixel", 3, 10, 16, (1, 1), 4)
    yield deconvolution("3d", 2, 3, 4, (3, 4, 3), 3, pad=1)
    yield deconvolution("3d_stride_no_bias", 1, 16, 8, (3, 2, 3), 2, stride=2, bias=False)
    yield deconvolution("3d_groups", 2, 4, 4, (2, 3, 2), 3, stride=2, pad=1, extra=1, groups=2)

    yield lrn("alexnet", (2, 17, 5, 4), 5, 1e-2, 0.75, 2.0)
    yield lrn("strong", (3, 20, 3, 3), 5, 2.0, 0.75, 1.0)
    yield lrn("even_width", (2, 10, 4), 4, 1.5, 0.5, 1.0)
    yield lrn("width_two", (2, 3, 2, 2), 2, 1.0, 1.0, 0.5)
    yield lrn("width_one", (2, 5, 3), 1, 1.0, 0.75, 1.0)
    yield lrn("wider_than_channels", (2, 3, 2, 3), 9, 1.0, 0.75, 1.0)
    yield lrn("one_channel_batch_one", (1, 1, 7, 5), 5, 1.0, 0.75, 1.0)
    yield lrn("vector", (4, 33), 3, 1.0, 1.25, 1.0)
    yield lrn("volume", (2, 16, 2, 3, 3), 5, 1.0, 0.75, 1.0)
    yield lrn("no_k", (2, 5, 2, 2), 3, 1.0, 0.75, 0.0)
    yield lrn("beta_zero", (2, 5, 2, 2), 3, 1.0, 0.0, 1.0)

    yield entrywise("vector", (5, 17), decay=0.9, epsilon=1e-5)
    yield entrywise("image", (4, 3, 3, 2), decay=0.5, epsilon=0.01)
    yield entrywise("volume", (3, 2, 2, 3, 2), decay=0.9, epsilon=1e-3)
    yield entrywise("no_defaults", (6, 5))
    yield entrywise("batch_one", (1, 2, 3), decay=0.9, epsilon=1e-5)
    yield entrywise("eval", (3, 2, 3, 3), "eval", decay=0.9, epsilon=1e-5)

    yield upsample("1d", (2, 3, 5), 3)
    yield upsample("2d", (2, 5, 3, 4), 2)
    yield upsample("2d_vectors", (1, 17, 2, 3), [3, 1])
    yield upsample("3d", (2, 3, 2, 2, 3), [2, 1, 3])
