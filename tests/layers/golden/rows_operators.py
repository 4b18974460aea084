"""Rows of operator_layer: every operator on ordinary numbers, and on zeros, infinities, NaN and large numbers.

Gradients are autograd's, but for the points where LBANN defines another one (written in `slopes`) and where
PyTorch's own formula loses digits."""

import hashlib
import struct

import numpy as np
import torch
import torch.nn.functional as F

from table import Row

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 1e-30, -1e-30, 1e-3, 20.0, -20.0, 1e4, -1e4,
           np.inf, -np.inf, np.nan]


def body(name, **fields):
    lines = ["operator_layer {", "  ops {", "    parameters {",
             "      [type.googleapis.com/lbann_data.%sOperator] {" % name]
    lines += ["        %s: %s" % (k, str(v).lower() if isinstance(v, bool) else repr(v)) for k, v in fields.items()]
    return "\n".join(lines + ["      }", "    }", "  }", "}"])


def snake(name):
    return "".join(("_" if i and c.isupper() else "") + c.lower() for i, c in enumerate(name))


def row(name, suffix, fn, inputs, flags=("fd",), slopes=None, **fields):
    """`inputs` are functions of the row or arrays; `slopes` gives d out / d in_i where autograd is not to be asked."""
    r = Row("operator_%s_%s" % (snake(name), suffix), "operator_layer", body(name, **fields), flags=flags)
    xs = [r.input(x(r) if callable(x) else np.asarray(x)) for x in inputs]
    r.finish(fn(*xs) + 0 * sum(torch.zeros_like(x) for x in xs), gradients=slopes is None and
             fn(*xs).requires_grad)
    if slopes is not None:
        given = slopes(*[x.detach() for x in xs])
        r.dx = [r.dy[0] * s for s in given]
    return r


def normal(*shape, **how):
    return lambda r: r.normal(*shape, **how)


def off_zero(r):
    return r.away_from_zero(3, 17)


def within(low, high):
    return lambda r: np.round(r.rng.uniform(low, high, (3, 17)), 4)


def truth(x):
    return (x != 0) & ~torch.isnan(x)


def number(condition):
    return condition.to(torch.float64)


def gelu(x):
    # 0.5 (1 + tanh u) = sigmoid(2 u)
    return x * torch.sigmoid(2 * 0.7978845608028654 * (x + 0.044715 * x ** 3))


def clipped_sigmoid(x):
    # Machine epsilon of float32 or float64: far from both on ordinary numbers.
    return torch.sigmoid(x)


def round_away(x):
    return torch.sign(x) * torch.floor(abs(x) + 0.5)


def select(value, epsilon):
    return lambda p, a, b: torch.where(abs(p - value) < epsilon, a, b)


def bce(p, t):
    a = torch.where(t > 0, -t * torch.log(p), torch.zeros_like(p))
    return a + torch.where(t < 1, -(1 - t) * torch.log1p(-p), torch.zeros_like(p))


def sigmoid_bce(x, t):
    z = torch.clamp(t, 0, 1)
    return torch.clamp(x, min=0) + torch.log1p(torch.exp(-abs(x))) - z * x


UNARY = {
    "Abs": (abs, off_zero), "Negative": (lambda x: -x, off_zero), "Square": (lambda x: x * x, off_zero),
    "Sqrt": (torch.sqrt, within(0.1, 5)), "Rsqrt": (torch.rsqrt, within(0.1, 5)),
    "Reciprocal": (lambda x: 1 / x, lambda r: r.away_from_zero(3, 17) * 3),
    "SafeReciprocal": (lambda x: 1 / x, lambda r: r.away_from_zero(3, 17) * 3),
    "Exp": (torch.exp, normal(3, 17)), "Expm1": (torch.expm1, normal(3, 17)),
    "Log": (torch.log, within(0.1, 5)), "Log1p": (torch.log1p, within(-0.7, 5)),
    "Sin": (torch.sin, normal(3, 17, scale=5)), "Cos": (torch.cos, normal(3, 17, scale=5)),
    "Tan": (torch.tan, within(-1.4, 1.4)), "Asin": (torch.asin, within(-0.9, 0.9)),
    "Acos": (torch.acos, within(-0.9, 0.9)), "Atan": (torch.atan, normal(3, 17, scale=3)),
    "Sinh": (torch.sinh, normal(3, 17)), "Cosh": (torch.cosh, normal(3, 17)), "Tanh": (torch.tanh, normal(3, 17)),
    "Asinh": (torch.asinh, normal(3, 17, scale=3)), "Acosh": (torch.acosh, within(1.2, 9)),
    "Atanh": (torch.atanh, within(-0.9, 0.9)), "Erf": (torch.erf, normal(3, 17)),
    "ErfInv": (torch.erfinv, within(-0.9, 0.9)), "Gelu": (gelu, normal(3, 17, scale=2)),
    "LogSigmoid": (lambda x: -F.softplus(-x, threshold=1e9), normal(3, 17, scale=3)),
    "Selu": (torch.selu, off_zero), "Sigmoid": (clipped_sigmoid, normal(3, 17)),
    "Softplus": (lambda x: F.softplus(x, threshold=1e9), normal(3, 17, scale=3)), "Softsign": (F.softsign, off_zero),
}
STEPS = {
    "Sign": lambda x: torch.nan_to_num(torch.sign(x), nan=0.0), "Round": round_away, "Ceil": torch.ceil,
    "Floor": torch.floor, "LogicalNot": lambda x: number(~truth(x)),
}
BINARY = {
    "Add": (lambda x, y: x + y, off_zero, off_zero), "Subtract": (lambda x, y: x - y, off_zero, off_zero),
    "Multiply": (lambda x, y: x * y, off_zero, off_zero),
    "Divide": (lambda x, y: x / y, off_zero, lambda r: 2 + r.away_from_zero(3, 17)),
    "SafeDivide": (lambda x, y: x / y, off_zero, lambda r: 2.5 + r.away_from_zero(3, 17)),
    "SquaredDifference": (lambda x, y: (x - y) ** 2, off_zero, off_zero),
    "Pow": (torch.pow, within(0.2, 3), within(-2, 2)),
    "Max": (torch.maximum, off_zero, lambda r: r.normal(3, 17, scale=3)),
    "Min": (torch.minimum, off_zero, lambda r: r.normal(3, 17, scale=3)),
    "BinaryCrossEntropy": (bce, within(0.05, 0.95), within(0.05, 0.95)),
    "SigmoidBinaryCrossEntropy": (sigmoid_bce, normal(3, 17, scale=3), within(0.05, 0.95)),
}
COMPARE = {
    "Equal": lambda x, y: x == y, "NotEqual": lambda x, y: ~(x == y), "Less": lambda x, y: x < y,
    "LessEqual": lambda x, y: x <= y, "Greater": lambda x, y: x > y, "GreaterEqual": lambda x, y: x >= y,
    "LogicalAnd": lambda x, y: truth(x) & truth(y), "LogicalOr": lambda x, y: truth(x) | truth(y),
    "LogicalXor": lambda x, y: truth(x) ^ truth(y),
    "BooleanAccuracy": lambda x, y: (x >= 0.5) == (y >= 0.5),
    "BooleanFalseNegative": lambda x, y: ~(x >= 0.5) & (y >= 0.5),
    "BooleanFalsePositive": lambda x, y: (x >= 0.5) & ~(y >= 0.5),
}
CONSTANT = {
    "AddConstant": lambda x, c: x + c, "SubtractConstant": lambda x, c: x - c, "ConstantSubtract": lambda x, c: c - x,
    "Scale": lambda x, c: x * c, "MaxConstant": torch.maximum, "MinConstant": torch.minimum,
    "EqualConstant": lambda x, c: number(x == c), "NotEqualConstant": lambda x, c: number(~(x == c)),
    "LessConstant": lambda x, c: number(x < c), "LessEqualConstant": lambda x, c: number(x <= c),
    "GreaterConstant": lambda x, c: number(x > c), "GreaterEqualConstant": lambda x, c: number(x >= c),
}

zero = torch.zeros_like
one = torch.ones_like


def finite_or_zero(x):
    return torch.where(torch.isfinite(x), x, zero(x))


def sigmoid_slope(x):
    return torch.sigmoid(x) * torch.sigmoid(-x)


# What is expected at SPECIAL: value and slope; the inputs that are left out have no meaning of their own.
EXTREME = {
    "Abs": (abs, lambda x: torch.where(torch.isnan(x), x, torch.sign(x))),
    "Square": (lambda x: x * x, lambda x: 2 * x),
    "Exp": (torch.exp, torch.exp), "Expm1": (torch.expm1, torch.exp),
    "Log": (torch.log, lambda x: 1 / x), "Log1p": (torch.log1p, lambda x: 1 / (1 + x)),
    "Sqrt": (torch.sqrt, lambda x: 0.5 / torch.sqrt(x)),
    "Tanh": (torch.tanh, lambda x: 1 - torch.tanh(x) ** 2), "Atan": (torch.atan, lambda x: 1 / (1 + x * x)),
    "Erf": (torch.erf, lambda x: 1.1283791670955126 * torch.exp(-x * x)),
    "Softplus": (lambda x: torch.clamp(x, min=0) + torch.log1p(torch.exp(-abs(x))), torch.sigmoid),
    "LogSigmoid": (lambda x: torch.clamp(x, max=0) - torch.log1p(torch.exp(-abs(x))), lambda x: torch.sigmoid(-x)),
    "Sign": (STEPS["Sign"], zero), "Ceil": (torch.ceil, zero), "Floor": (torch.floor, zero),
    "Round": (round_away, zero), "LogicalNot": (STEPS["LogicalNot"], zero),
    "SafeReciprocal": (lambda x: finite_or_zero(1 / x), lambda x: -finite_or_zero(1 / x) ** 2),
    "ErfInv": (torch.erfinv, lambda x: torch.where(abs(x) >= 1, zero(x),
                                                   0.886226925452758 * torch.exp(torch.erfinv(x) ** 2))),
}
# In float 1 / 1e-30 squared is infinite, as are exponentials of 1e4 in both types.
DROPPED = {"SafeReciprocal": [1e-30, -1e-30, np.nan], "ErfInv": [1.5, -2.5, 20.0, -20.0, 1e4, -1e4, np.inf, -np.inf],
           "Exp": [20.0], "Expm1": [20.0], "Square": [1e4, -1e4], "Sqrt": [1e-30]}


def uniform_hash(x, size):
    """RFC 1321 by Python's library; `size` 4: the value as float32."""
    pack = "<f" if size == 4 else "<d"
    tails = [struct.unpack("<Q", hashlib.md5(struct.pack(pack, v)).digest()[8:])[0] for v in x]
    return np.array(tails, dtype=np.uint64)


def rows():
    for name, (fn, x) in UNARY.items():
        yield row(name, "vector", fn, [x])
    yield row("Gelu", "batch_one", gelu, [normal(1, 3, 5, 2)])
    yield row("Tanh", "17_channels", torch.tanh, [normal(2, 17, 3, 2)])
    for name, fn in STEPS.items():
        yield row(name, "vector", fn, [normal(3, 17, scale=3)], slopes=lambda x: [zero(x)], flags=("exact",))
    for name, (fn, x, y) in BINARY.items():
        yield row(name, "vector", fn, [x, y])
    yield row("Mod", "vector", torch.fmod, [lambda r: r.away_from_zero(3, 17) * 5, lambda r: 2 + r.rng.uniform(0, 1, (3, 17))],
              slopes=lambda x, y: [one(x), -torch.floor(x / y)], flags=())
    for name, fn in COMPARE.items():
        pairs = np.array([(a, b) for a in (0.0, 0.5, -0.5, 1.0, 0.25, np.nan, np.inf) for b in (0.0, 0.5, -0.5, 1.0, np.nan)])
        yield row(name, "pairs", lambda x, y, f=fn: number(f(x, y)), [pairs[:, :1], pairs[:, 1:]],
                  slopes=lambda x, y: [zero(x), zero(y)], flags=("exact",))
    for name, fn in CONSTANT.items():
        yield row(name, "quarter", lambda x, f=fn: f(x, torch.tensor(0.25)), [off_zero], flags=("fd",), constant=0.25)
    yield row("MaxConstant", "tie", lambda x: torch.clamp(x, min=0.5), [[[0.5, 0.25, 0.75, np.nan, -np.inf]]], flags=("extreme",),
              slopes=lambda x: [torch.where(x > 0.5, one(x), torch.where(x == 0.5, 0.5 * one(x), zero(x)))], constant=0.5)
    ties = [[[1.0, 2.0, -3.0]], [[1.0, 3.0, -3.0]]]
    yield row("Max", "ties", torch.maximum, ties, flags=("exact",))
    yield row("Min", "ties", torch.minimum, ties, flags=("exact",))
    yield row("Clamp", "vector", lambda x: torch.clamp(x, -0.5, 0.75), [off_zero], min=-0.5, max=0.75)
    yield row("Clamp", "unset", lambda x: 0 * x, [off_zero], slopes=lambda x: [zero(x)], flags=("exact",))
    yield row("Clamp", "edges", lambda x: torch.clamp(x, -0.5, 0.75), [[[-0.5, 0.75, 0.0, np.inf, -np.inf, np.nan]]],
              slopes=lambda x: [number((x > -0.5) & (x < 0.75))], flags=("extreme",), min=-0.5, max=0.75)
    predicate = lambda r: r.rng.integers(3, size=(3, 17))
    yield row("Select", "parents", select(1, 1e-5), [predicate, off_zero, off_zero], value=1.0, epsilon=1e-5)
    yield row("Select", "constant_true", lambda p, b: torch.where(p == 2, 7.5 * one(b), b), [predicate, off_zero],
              value=2.0, epsilon=0.5, constant_if_true=True, value_if_true=7.5)
    yield row("Select", "constant_false", lambda p, a: torch.where(p == 0, a, -1.5 * one(a)), [predicate, off_zero],
              epsilon=1e-5, constant_if_false=True, value_if_false=-1.5)
    yield row("Select", "constants", lambda p: torch.where(p == 1, 3 * one(p), -3 * one(p)), [predicate],
              slopes=lambda p: [zero(p)], value=1.0, epsilon=1e-5, constant_if_true=True, constant_if_false=True,
              value_if_true=3.0, value_if_false=-3.0)
    yield row("Select", "epsilon_zero", lambda p, a, b: b * 1, [predicate, off_zero, off_zero], value=1.0)
    for name, (fn, slope) in EXTREME.items():
        x = [v for v in SPECIAL if not any(v == d or (np.isnan(v) and np.isnan(d)) for d in DROPPED.get(name, []))]
        yield row(name, "extreme", fn, [[x]], slopes=lambda v, s=slope: [s(v)], flags=("extreme",))
    yield row("Gelu", "extreme", lambda x: torch.where(x < -1e3, zero(x), gelu(x)),
              [[[0.0, -0.0, 1e-30, 1e-3, 5.0, -5.0, 12.0, -12.0, 1e4, -1e4, np.inf, np.nan]]], flags=("extreme",),
              slopes=lambda x: [torch.where(torch.isnan(x), x, torch.where(abs(x) > 50, number(x > 0), gelu_slope(x)))])
    yield row("SafeDivide", "extreme", lambda x, y: finite_or_zero(x / y),
              [[[1.0, 0.0, -3.0, np.nan, np.inf, 2.0]], [[0.0, 0.0, 2.0, 1.0, 1.0, np.inf]]], flags=("extreme",),
              slopes=lambda x, y: [torch.where(torch.isfinite(x / y), 1 / y, zero(x)),
                                   torch.where(torch.isfinite(x / y), -(x / y) / y, zero(x))])
    yield row("BinaryCrossEntropy", "edges", bce, [[[0.5, 0.25, 0.0, 1.0, 0.75, 0.5]], [[0.0, 1.0, 0.0, 1.0, 2.0, -1.0]]],
              flags=("extreme",), slopes=lambda p, t: [
                  torch.where(t > 0, -t / p, zero(p)) + torch.where(t < 1, (1 - t) / (1 - p), zero(p)),
                  torch.where(t > 0, -torch.log(p), zero(p)) + torch.where(t < 1, torch.log(1 - p), zero(p))])
    yield row("SigmoidBinaryCrossEntropy", "edges", sigmoid_bce,
              [[[0.0, 1e3, -1e3, 50.0, -50.0, 2.0, 2.0]], [[0.5, 0.0, 1.0, 1.0, 0.0, -1.0, 3.0]]], flags=("extreme",),
              slopes=lambda x, t: [torch.sigmoid(x) - torch.clamp(t, 0, 1),
                                   torch.where((t >= 0) & (t <= 1), -x, zero(x))])


def gelu_slope(x):
    x = torch.clamp(x, -50, 50)
    k = 2 * 0.7978845608028654
    s = torch.sigmoid(k * (x + 0.044715 * x ** 3))
    return s + x * s * torch.sigmoid(-k * (x + 0.044715 * x ** 3)) * k * (1 + 3 * 0.044715 * x * x)
