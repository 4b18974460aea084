"""What tells a transformer where in the sequence an element stands."""

import math

import lbann
from ..base import Module


class PositionalEncoding(Module):
    """Adds sin and cos of the position at wavelengths from 2 pi to 10000 * 2 pi to [length, embed_dim]."""

    def __init__(self, embed_dim, sequence_length, name=None):
        super().__init__(name)
        values = [math.sin(p / 10000 ** (i / embed_dim)) if i % 2 == 0 else math.cos(p / 10000 ** ((i - 1) / embed_dim))
                  for p in range(sequence_length) for i in range(embed_dim)]
        self.dims = [sequence_length, embed_dim]
        self.weights = lbann.Weights(initializer=lbann.ValueInitializer(values=values),
                                     optimizer=lbann.NoOptimizer(), name=self.name + "_weights")

    def forward(self, x):
        return lbann.Add(x, lbann.WeightsLayer(weights=self.weights, dims=self.dims))


class LearnedInputEncoding(Module):
    """Adds a trained value per position to [length, embed_dim]."""

    def __init__(self, embed_dim, sequence_length, name=None):
        super().__init__(name)
        self.dims = [sequence_length, embed_dim]
        self.weights = lbann.Weights(initializer=lbann.NormalInitializer(mean=0, standard_deviation=0.01),
                                     name=self.name + "_weights")

    def forward(self, x):
        return lbann.Add(x, lbann.WeightsLayer(weights=self.weights, dims=self.dims))
