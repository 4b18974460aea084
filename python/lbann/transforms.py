"""Transforms of samples: `lbann.Reader(..., transforms=[lbann.transforms.Scale(scale=1 / 255)])`."""

from .core.reader import Transform, transforms as _transforms

globals().update(_transforms)
__all__ = ["Transform", *_transforms]
