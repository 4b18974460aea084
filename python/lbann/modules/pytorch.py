"""Layers that behave as PyTorch's of the same name."""

import math

import lbann


def PytorchLinear(x, input_shape, hidden_size, weights=(), name="", return_dims=False):
    """Affine map of the last dim of x, whose dims are input_shape; PyTorch's initial values."""
    rows, width = math.prod(input_shape[:-1]), input_shape[-1]
    bound = math.sqrt(1.0 / width)
    if not weights:
        weights = [lbann.Weights(initializer=lbann.UniformInitializer(min=-bound, max=bound), name=f"{name}_{part}")
                   if name else lbann.Weights(initializer=lbann.UniformInitializer(min=-bound, max=bound))
                   for part in ("matrix", "bias")]
    y = lbann.ChannelwiseFullyConnected(lbann.Reshape(x, dims=[rows, width]), weights=weights,
                                        output_channel_dims=hidden_size, bias=True)
    dims = [*input_shape[:-1], hidden_size]
    y = lbann.Reshape(y, dims=dims, name=name or None)
    return (y, dims) if return_dims else y


def PytorchMatmul(x, x_shape, y, y_shape, return_dims=False):
    """Product of the last two dims; equal leading dims are a batch."""
    lead = list(x_shape[:-2])
    if lead != list(y_shape[:-2]):
        raise ValueError(f"PytorchMatmul: leading dims {lead} and {list(y_shape[:-2])} differ")
    dims = [*lead, x_shape[-2], y_shape[-1]]
    if len(lead) > 1:
        batch = math.prod(lead)
        x = lbann.Reshape(x, dims=[batch, *x_shape[-2:]])
        y = lbann.Reshape(y, dims=[batch, *y_shape[-2:]])
    z = lbann.MatMul(x, y)
    if len(lead) > 1:
        z = lbann.Reshape(z, dims=dims)
    return (z, dims) if return_dims else z


def PytorchLayerNorm(x, epsilon, input_shape, weights=(), name=""):
    """Layer normalisation over the last dim, with scale and bias."""
    options = dict(weights=weights) if weights else {}
    return lbann.LayerNorm(x, epsilon=epsilon, scale=True, bias=True, start_dim=len(input_shape) - 1,
                           name=name or None, **options)
