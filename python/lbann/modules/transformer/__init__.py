"""Parts of transformers (Vaswani et al. 2017)."""

from .attention import MultiheadAttention
from .encoding import LearnedInputEncoding, PositionalEncoding

__all__ = ["MultiheadAttention", "PositionalEncoding", "LearnedInputEncoding"]
