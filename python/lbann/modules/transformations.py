"""Changes of shape and order."""

import lbann


def Permute(x, dims=None, axes=None, name=None):
    """Reorders dims: out_dims[i] = in_dims[axes[i]]. `dims` (those of x) is not needed and only accepted."""
    del dims
    if axes is None:
        raise TypeError("Permute: axes is missing")
    return lbann.TensorPermute(x, axes=axes, name=name)

