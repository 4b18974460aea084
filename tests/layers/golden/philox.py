"""Random numbers of a layer, by NumPy: Philox4x32-10 written out anew (Salmon et al., SC 2011).

    key    XXH3-64 of ("random key", seed, trainer)        texts count as 8 bytes of length and the bytes,
    stream XXH3-64 of (layer, purpose, ordinal)            numbers as 8 bytes, all little-endian
    words  philox(counter = (block low, block high, draw low, draw high), key ^ stream)
    uniform(i)   = (word[i % 4] of block i / 4) >> 8, times 2^-24
    normal(i)    = Box and Muller over block i / 2: u = 1 - (53 bits of words 0, 1), v = (53 bits of 2, 3)

XXH3 comes from libxxhash.
"""

import ctypes
import struct

import numpy as np

_xxh = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
_xxh.restype, _xxh.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t]

SEED, DRAW = 1, 5  # of the layer table


def hash64(*fields):
    data = b""
    for f in fields:
        data += struct.pack("<Q", f) if isinstance(f, int) else struct.pack("<Q", len(f)) + f.encode()
    return _xxh(data, len(data))


def philox(counters, key):
    """Four words for each row of counters [n, 4]."""
    mask = np.uint64(0xFFFFFFFF)
    c = [counters[:, i].astype(np.uint64) for i in range(4)]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), p1 & mask,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), p0 & mask]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, 1)


# The published vector (Random123, kat_vectors) for a counter and key of all ones.
assert philox(np.full((1, 4), 0xFFFFFFFF, np.uint64), 2**64 - 1).tolist() == [
    [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]]


class Stream:
    def __init__(self, purpose, layer="layer", ordinal=0, seed=SEED, draw=DRAW):
        self.key = hash64("random key", seed, 0) ^ hash64(layer, purpose, ordinal)
        self.draw = draw

    def blocks(self, count):
        c = np.zeros((count, 4), np.uint64)
        index = np.arange(count, dtype=np.uint64)
        c[:, 0], c[:, 1] = index & np.uint64(0xFFFFFFFF), index >> np.uint64(32)
        c[:, 2], c[:, 3] = self.draw & 0xFFFFFFFF, self.draw >> 32
        return philox(c, self.key)

    def uniform(self, *shape):
        n = int(np.prod(shape))
        words = self.blocks((n + 3) // 4).reshape(-1)[:n]
        return ((words >> np.uint64(8)).astype(np.float64) * 2.0**-24).reshape(shape)

    def bernoulli(self, p, *shape):
        return (self.uniform(*shape).astype(np.float32) < np.float32(p)).astype(np.float64)

    def normal(self, *shape):
        n = int(np.prod(shape))
        w = self.blocks((n + 1) // 2)
        bits = lambda low, high: ((high << np.uint64(32) | low) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        r = np.sqrt(-2 * np.log(1 - bits(w[:, 0], w[:, 1])))
        angle = 2 * np.pi * bits(w[:, 2], w[:, 3])
        return np.stack([r * np.cos(angle), r * np.sin(angle)], 1).reshape(-1)[:n].reshape(shape)
