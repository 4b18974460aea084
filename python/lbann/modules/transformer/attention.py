"""Multi-head attention of matrix products."""

import math

import lbann
from ..base import ChannelwiseFullyConnectedModule, Module


class MultiheadAttention(Module):
    """softmax(Q K^T / sqrt(d)) V for each of num_heads slices of the embedding.

    forward(queries, keys, values, mask=None): sequences [length, embed_dim], result like queries. mask:
    [length of queries, length of keys], added to the scores of every head. Lengths are given at construction
    when they differ from the default of one call: sequence_length.
    """

    def __init__(self, embed_dim, num_heads, sequence_length, key_length=None, dropout=0.0, name=None):
        super().__init__(name)
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: embed_dim {embed_dim} is not divisible by num_heads {num_heads}")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.length, self.key_length, self.dropout = sequence_length, key_length or sequence_length, dropout
        make = ChannelwiseFullyConnectedModule
        self.query, self.key, self.value, self.output = (
            make(embed_dim, name=f"{self.name}_{part}") for part in ("query", "key", "value", "output"))

    def _heads(self, x, length):
        """[length, embed] -> [heads, length, head_dim]."""
        return lbann.TensorPermute(lbann.Reshape(x, dims=[length, self.num_heads, self.head_dim]), axes=[1, 0, 2])

    def forward(self, queries, keys=None, values=None, mask=None):
        name = self._next_instance()
        keys = queries if keys is None else keys
        values = keys if values is None else values
        n, m, h = self.length, self.key_length, self.num_heads
        q = self._heads(lbann.Scale(self.query(queries), constant=1 / math.sqrt(self.head_dim)), n)
        k, v = self._heads(self.key(keys), m), self._heads(self.value(values), m)
        scores = lbann.MatMul(q, k, transpose_b=True, name=name + "_scores")
        if mask is not None:
            all_heads = lbann.Tessellate(lbann.Reshape(mask, dims=[1, n, m]), dims=[h, n, m])
            scores = lbann.Add(scores, all_heads)
        weights = lbann.ChannelwiseSoftmax(lbann.Reshape(scores, dims=[h * n, m]))
        if self.dropout > 0:
            weights = lbann.Dropout(weights, keep_prob=1 - self.dropout)
        y = lbann.MatMul(lbann.Reshape(weights, dims=[h, n, m]), v)
        y = lbann.Reshape(lbann.TensorPermute(y, axes=[1, 0, 2]), dims=[n, self.embed_dim])
        return self.output(y)
