"""Patterns of layers that are used as one: a module is made once and called with its input layers.

Calling a module twice uses the same weights twice.
"""

from .activations import Gelu, Silu
from .base import (ChannelwiseFullyConnectedModule, Convolution1dModule, Convolution2dModule, Convolution3dModule,
                   ConvolutionModule, FullyConnectedModule, Module)
from .pytorch import PytorchLayerNorm, PytorchLinear, PytorchMatmul
from .rnn import GRU, LSTMCell
from .transformations import Permute
from .transformer.attention import MultiheadAttention

__all__ = ["Module", "FullyConnectedModule", "ChannelwiseFullyConnectedModule", "ConvolutionModule",
           "Convolution1dModule", "Convolution2dModule", "Convolution3dModule", "LSTMCell", "GRU",
           "MultiheadAttention", "PytorchLinear", "PytorchMatmul", "PytorchLayerNorm", "Permute", "Gelu", "Silu"]
