"""How a row of the golden layer table is computed and written.

A row is a layer as prototext, its inputs and weights, a cotangent for each output, and what
PyTorch (float64, one thread) says about outputs and gradients. `forward` states the layer in
tensor operations; the gradients are autograd's, never a formula of ours, except where a layer's
gradient is *defined* to differ from the derivative, which the row then says.

All numbers that are given to the layer are representable in float32, so that a float32 run and a
float64 run start from the same values.
"""

import pathlib
import zlib

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def single(a):
    """Rounds to float32, keeps float64."""
    return np.asarray(a, dtype=np.float32).astype(np.float64)


class Row:
    """One row. Fill it with `input`, `weight`, then call `finish`."""

    def __init__(self, name, kind, body, mode="train", flags=()):
        self.name, self.kind, self.body, self.mode = name, kind, body, mode
        self.flags = set(flags)
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.inputs, self.weights, self.outputs = [], [], []
        self.dy, self.dx, self.dw, self.new_weights = [], [], [], {}

    # ---- numbers -------------------------------------------------------------------------
    def normal(self, *shape, scale=1.0, shift=0.0):
        return single(self.rng.standard_normal(shape) * scale + shift)

    def away_from_zero(self, *shape):
        """Normal numbers with |x| >= 0.05: central differences stay on one side of a kink at 0."""
        x = self.rng.standard_normal(shape)
        return single(np.sign(x) * (np.abs(x) + 0.05))

    def distinct(self, *shape):
        """A shuffled ramp with a spacing of 0.05: every maximum is unique and well separated."""
        n = int(np.prod(shape))
        ramp = (self.rng.permutation(n) - 0.5 * n) * 0.05
        return single(ramp.reshape(shape))

    def simplex(self, *shape):
        """Positive samples that sum to 1 over everything but the batch."""
        x = self.rng.uniform(0.1, 1.0, shape)
        return single(x / x.reshape(shape[0], -1).sum(1).reshape((-1,) + (1,) * (len(shape) - 1)))

    def one_hot(self, batch, classes):
        x = np.zeros((batch, classes))
        x[np.arange(batch), self.rng.integers(classes, size=batch)] = 1
        return x

    # ---- assembly ------------------------------------------------------------------------
    def input(self, a):
        self.inputs.append(torch.tensor(single(a), requires_grad=True))
        return self.inputs[-1]

    def weight(self, a, trained=True):
        """`a` in LBANN's linear order: C order of `a` is the order of the weights' values."""
        self.weights.append(torch.tensor(single(a), requires_grad=trained))
        return self.weights[-1]

    def finish(self, *outputs, gradients=True):
        """Records the outputs and asks autograd for the gradients of sum(dy_i * y_i)."""
        self.outputs = list(outputs)
        self.dy = [torch.tensor(self.normal(*y.shape)) for y in outputs]
        leaves = self.inputs + [w for w in self.weights if w.requires_grad]
        if gradients:
            total = sum((y * dy).sum() for y, dy in zip(self.outputs, self.dy))
            grads = torch.autograd.grad(total, leaves, allow_unused=True)
            grads = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, leaves)]
        else:
            grads = [torch.zeros_like(x) for x in leaves]
        self.dx = grads[: len(self.inputs)]
        self.dw = grads[len(self.inputs):]
        return self

    def prototext(self):
        lines = ["layer {", '  name: "layer"']
        lines += ['  parents: "in%d"' % i for i in range(len(self.inputs))]
        if len(self.outputs) != 1:
            lines += ['  children: "out%d"' % i for i in range(len(self.outputs))]
        lines += ["  " + line for line in self.body.strip().split("\n")]
        return "\n".join(lines + ["}", ""])

    def index_line(self):
        flags = ",".join(sorted(self.flags)) or "-"
        return "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s" % (
            self.name, self.kind, self.mode, len(self.inputs), len(self.weights), len(self.dw),
            len(self.outputs), flags)

    def files(self):
        """File name -> bytes or array."""
        out = {"layer.prototext": self.prototext().encode()}
        groups = [("in", self.inputs), ("w", self.weights), ("dy", self.dy), ("out", self.outputs),
                  ("dx", self.dx), ("dw", self.dw)]
        for prefix, arrays in groups:
            for i, a in enumerate(arrays):
                out["%s%d.npy" % (prefix, i)] = np.ascontiguousarray(a.detach().numpy(), np.float64)
        for i, a in self.new_weights.items():
            out["w%d_new.npy" % i] = np.ascontiguousarray(a.detach().numpy(), np.float64)
        return out


def message(kind, **fields):
    """Text of `kind { field: value ... }`; lists repeat, dicts become `field { value: v }`."""
    if not fields:
        return kind + " {}"
    lines = []
    for name, value in fields.items():
        for v in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(v, dict):
                lines += ["  %s {" % name, "    value: %s" % text(v["value"]), "  }"]
            else:
                lines.append("  %s: %s" % (name, text(v)))
    return "\n".join([kind + " {"] + lines + ["}"])


def text(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    return '"%s"' % v if isinstance(v, str) else repr(v)
