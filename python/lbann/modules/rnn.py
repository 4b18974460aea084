"""Recurrent cells of primitive layers; one call is one step in time."""

import lbann
from .base import FullyConnectedModule, Module


class LSTMCell(Module):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gate).

    forward(x, (output, state)) returns (output, (output, state)); all of dims [size].
    """

    def __init__(self, size, bias=True, weights=(), name=None, data_layout=None):
        super().__init__(name)
        self.size = size
        self.last_output = lbann.Constant(value=0.0, num_neurons=size, name=self.name + "_init_output")
        self.last_state = lbann.Constant(value=0.0, num_neurons=size, name=self.name + "_init_state")
        self.fc = FullyConnectedModule(4 * size, bias=bias, weights=weights, name=self.name + "_fc",
                                       data_layout=data_layout)

    def forward(self, x, prev_state=None):
        name = self._next_instance()
        output, state = prev_state or (self.last_output, self.last_state)
        gates = self.fc(lbann.Concatenation(x, output, axis=0, name=name + "_input"))
        cut = lbann.Slice(gates, axis=0, slice_points=[i * self.size for i in range(5)], name=name + "_slice")
        forget, enter, leave, new = (lbann.Identity(cut) for _ in range(4))
        forget, enter, leave = (lbann.Sigmoid(gate) for gate in (forget, enter, leave))
        new = lbann.Tanh(new)
        state = lbann.Add(lbann.Multiply(forget, state), lbann.Multiply(enter, new), name=name + "_state")
        output = lbann.Multiply(leave, lbann.Tanh(state), name=name)
        return output, (output, state)


class GRU(Module):
    """Gated recurrent unit (Cho et al. 2014): h' = (1 - z) n + z h.

    forward(x, h) returns (h', h'); dims [size].
    """

    def __init__(self, size, bias=True, weights=(), name=None, data_layout=None):
        super().__init__(name)
        self.size = size
        self.last_state = lbann.Constant(value=0.0, num_neurons=size, name=self.name + "_init_state")
        weights = list(weights)
        self.of_input = FullyConnectedModule(3 * size, bias=bias, weights=weights[:2], name=self.name + "_ih",
                                             data_layout=data_layout)
        self.of_state = FullyConnectedModule(3 * size, bias=bias, weights=weights[2:], name=self.name + "_hh",
                                             data_layout=data_layout)

    def _cut(self, x, name):
        cut = lbann.Slice(x, axis=0, slice_points=[i * self.size for i in range(4)], name=name)
        return [lbann.Identity(cut) for _ in range(3)]

    def forward(self, x, prev_state=None):
        name = self._next_instance()
        state = prev_state if prev_state is not None else self.last_state
        xr, xz, xn = self._cut(self.of_input(x), name + "_x")
        hr, hz, hn = self._cut(self.of_state(state), name + "_h")
        reset = lbann.Sigmoid(lbann.Add(xr, hr), name=name + "_reset")
        update = lbann.Sigmoid(lbann.Add(xz, hz), name=name + "_update")
        new = lbann.Tanh(lbann.Add(xn, lbann.Multiply(reset, hn)), name=name + "_new")
        kept = lbann.Multiply(update, state)
        output = lbann.Add(lbann.Multiply(lbann.ConstantSubtract(update, constant=1.0), new), kept, name=name)
        return output, output
