"""Activations that are not one layer, and GELU under its usual name."""

import lbann


def Gelu(x):
    """Gaussian error linear unit."""
    return lbann.Gelu(x)


def Silu(x):
    """x times sigmoid(x)."""
    return lbann.Multiply(x, lbann.Sigmoid(x))
