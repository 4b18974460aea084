"""Transformer encoder (Vaswani et al. 2017) of sequences [length, hidden_size]."""

import lbann
from lbann.modules.base import ChannelwiseFullyConnectedModule, Module
from lbann.modules.transformer.attention import MultiheadAttention


class TransformerEncoderLayer(Module):
    """Self-attention and a feed-forward part, each with a residual sum and layer normalisation.

    pre_layernorm: normalise before each part instead of after the sum. activation: a layer class.
    """

    def __init__(self, embed_dim, num_heads, sequence_length, feedforward_dim=None, dropout=0.1, pre_layernorm=False,
                 activation=lbann.Relu, name=None):
        super().__init__(name)
        self.dropout, self.pre_layernorm = dropout, pre_layernorm
        self.attention = MultiheadAttention(embed_dim, num_heads, sequence_length, name=self.name + "_attention")
        self.fc1 = ChannelwiseFullyConnectedModule(feedforward_dim or 4 * embed_dim, activation=activation,
                                                   name=self.name + "_fc1")
        self.fc2 = ChannelwiseFullyConnectedModule(embed_dim, name=self.name + "_fc2")

    def _norm(self, x):
        return lbann.LayerNorm(x, epsilon=1e-5, scale=True, bias=True, start_dim=1)

    def _drop(self, x):
        return lbann.Dropout(x, keep_prob=1 - self.dropout) if self.dropout > 0 else x

    def forward(self, x, mask=None):
        if self.pre_layernorm:
            x = lbann.Sum(x, self._drop(self.attention(self._norm(x), mask=mask)))
            return lbann.Sum(x, self._drop(self.fc2(self.fc1(self._norm(x)))))
        x = self._norm(lbann.Sum(x, self._drop(self.attention(x, mask=mask))))
        return self._norm(lbann.Sum(x, self._drop(self.fc2(self.fc1(x)))))


class Transformer(Module):
    """A stack of encoder layers."""

    def __init__(self, hidden_size=512, num_heads=8, sequence_length=None, num_encoder_layers=6,
                 feedforward_size=None, dropout=0.1, pre_layernorm=False, activation=lbann.Relu, name=None):
        super().__init__(name)
        if sequence_length is None:
            raise TypeError("Transformer: sequence_length is missing")
        self.layers = [TransformerEncoderLayer(hidden_size, num_heads, sequence_length, feedforward_size, dropout,
                                               pre_layernorm, activation, f"{self.name}_encoder{i + 1}")
                       for i in range(num_encoder_layers)]

    def forward(self, x, mask=None):
        for layer in self.layers:
            x = layer(x, mask)
        return x
