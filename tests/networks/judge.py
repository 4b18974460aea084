"""An independent reading of a prototext: the same training run by PyTorch and NumPy.

Parses the text (nothing but protobuf's text format), makes initial weights and synthetic data with the Philox
generator of tests/layers/golden/philox.py, builds the network layer by layer and trains it. Knows the layers,
optimizers and readers of the examples; meets the rest with an exception. No code of the suite takes part.
"""

import pathlib
import re
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "layers" / "golden"))
from philox import Stream  # noqa: E402
import sequence_layers  # noqa: E402


# ---- text format ------------------------------------------------------------------------------
class Message(dict):
    """Field -> list of values; a value is a Message, text, number or word."""

    def one(self, name, default=None):
        return self[name][0] if name in self else default

    def value(self, name, default=None):
        """Of a wrapped or plain scalar."""
        v = self.one(name, default)
        return v.one("value", 0) if isinstance(v, Message) else v


def parse(text):
    tokens = re.findall(r'"[^"]*"|[{}:\[\]]|[^\s{}:"\[\]]+', re.sub(r"#[^\n]*", "", text))
    position = 0

    def scalar(token):
        if token[0] == '"':
            return token[1:-1]
        if token in ("true", "false"):
            return token == "true"
        try:
            return float(token) if re.search(r"[.eE]", token) else int(token)
        except ValueError:
            return token

    def message():
        nonlocal position
        out = Message()
        while position < len(tokens) and tokens[position] != "}":
            name = tokens[position]
            position += 1
            if name == "[":  # an extension or the type of an Any
                name, position = tokens[position], position + 2
            if tokens[position] == ":":
                position += 1
            if tokens[position] == "{":
                position += 1
                value = message()
                position += 1
            else:
                value, position = scalar(tokens[position]), position + 1
            out.setdefault(name, []).append(value)
        return out

    return message()


def numbers(text):
    return [int(v) for v in str(text).split()]


# ---- layers -----------------------------------------------------------------------------------
POOL = {"max": (F.max_pool1d, F.max_pool2d, F.max_pool3d), "average": (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)}
CONV = (F.conv1d, F.conv2d, F.conv3d)


class Network:
    """Weights (by name, a tensor with gradient), running statistics, and the layers in file order."""

    def __init__(self, model, dtype, seed):
        self.layers, self.dtype, self.seed = model["layer"], dtype, seed
        self.weights, self.state, self.frozen = {}, {}, set()
        self.losses = [(t.one("layer"), t.one("scale_factor", 1)) for t in model.one("objective_function")["layer_term"]]

    def weight(self, name, shape, fan_in=0, constant=0.0, linear=None):
        """He-normal with a fan-in (2: standard normal), else constant. `linear`: shape whose C order is
        the order of the values."""
        if name not in self.weights:
            if fan_in:
                z = Stream("initializer", layer=name, seed=self.seed, draw=0).normal(*(linear or shape))
                a = (np.sqrt(2 / fan_in) * z).astype(np.float32)
                a = a.T if linear else a
            else:
                a = np.full(shape, constant, np.float32)
            self.weights[name] = torch.tensor(np.ascontiguousarray(a), dtype=self.dtype, requires_grad=True)
        return self.weights[name]

    def batch_norm(self, name, p, x, training):
        c, decay, epsilon = x.shape[1], p.one("decay", 0) or 0.9, p.one("epsilon", 0) or 1e-5
        scale, bias = self.weight(name + "_scale", [c], constant=1.0), self.weight(name + "_bias", [c])
        mean, var = self.state.setdefault(name, (torch.zeros(c, dtype=self.dtype), torch.ones(c, dtype=self.dtype)))
        col = lambda v: v.reshape([1, c] + [1] * (x.dim() - 2))
        if training:
            rest, n = [d for d in range(x.dim()) if d != 1], x.numel() // c
            m = x.mean(rest)
            v = torch.clamp(((x - col(m)) ** 2).mean(rest) * (n / (n - 1)), min=epsilon)
            self.state[name] = (decay * mean + (1 - decay) * m.detach(), decay * var + (1 - decay) * v.detach())
            mean, var = m, v
        return col(scale) * (x - col(mean)) / torch.sqrt(col(var) + epsilon) + col(bias)

    def apply(self, name, kind, p, x, training, draw):
        if kind == "relu":
            return torch.relu(x[0])
        if kind == "leaky_relu":
            return F.leaky_relu(x[0], p.one("negative_slope", 0) or 0.01)
        if kind == "sum":
            return sum(x[1:], x[0])
        if kind == "convolution":
            k, size, rank = p.one("out_channels"), p.one("kernel_size"), x[0].dim() - 2
            shape = [k, x[0].shape[1]] + [size] * rank
            w = self.weight(name + "_kernel", shape, fan_in=int(np.prod(shape[1:])))
            b = self.weight(name + "_bias", [k]) if p.value("has_bias", True) else None
            return CONV[rank - 1](x[0], w, b, p.one("stride", 1), p.one("padding", 0))
        if kind == "batch_normalization":
            return self.batch_norm(name, p, x[0], training)
        if kind == "local_response_normalization":
            return F.local_response_norm(x[0], p.one("window_width"), p.one("lrn_alpha"), p.one("lrn_beta"), p.one("lrn_k"))
        if kind == "pooling":
            return POOL[p.one("pool_mode")][x[0].dim() - 3](x[0], p.one("pool_dims_i"), p.one("pool_strides_i"), p.one("pool_pads_i"))
        if kind == "fully_connected":
            flat, out = x[0].flatten(1), p.one("num_neurons")
            size = flat.shape[1]
            w = self.weight(name + "_linearity_weights", [out, size], fan_in=size, linear=[size, out])
            y = flat @ w.t()
            return y + self.weight(name + "_bias_weights", [out]) if p.one("has_bias", False) else y
        if kind == "dropout":
            q = p.one("keep_prob")
            if not training:
                return x[0]
            mask = Stream("dropout mask", layer=name, seed=self.seed, draw=draw).bernoulli(q, *x[0].shape)
            return x[0] * torch.tensor(mask, dtype=self.dtype) / q
        if kind == "reshape":
            return x[0].reshape([x[0].shape[0]] + p["dims"])
        if kind == "sigmoid":
            return torch.sigmoid(x[0])
        if kind == "softmax":
            return torch.log_softmax(x[0].flatten(1), 1)  # of which cross_entropy makes use
        if kind == "cross_entropy":
            return sequence_layers.cross_entropy(*x) if p.one("use_labels", False) else -(x[0] * x[1]).sum(1)
        if kind == "binarycrossentropy":
            return F.binary_cross_entropy(x[0], x[1], reduction="none")
        if kind == "mean_squared_error":
            return ((x[0] - x[1]) ** 2).flatten(1).mean(1)
        return sequence_layers.apply(self, name, kind, p, x)

    def loss(self, fields, training, draw):
        """Objective function: sum of the terms' means over the mini-batch."""
        values = {}
        for layer in self.layers:
            name = layer.one("name")
            kind = next(k for k in layer if k not in ("name", "parents", "children", "weights"))
            p = layer.one(kind)
            if kind == "input":
                values[name] = fields[p.one("data_field")]
            elif kind == "weights_layer":
                values[name] = self.weight(name + "_weights", p["dims"]).expand(len(fields["samples"]), *p["dims"])
            elif kind == "slice":  # its children, in the order of the file, take their parts
                takers = [c.one("name") for c in self.layers if name in c.get("parents", [])]
                for taker, a, b in zip(takers, p["slice_points"], p["slice_points"][1:]):
                    values[name, taker] = values[layer.one("parents")].narrow(p.one("axis", 0) + 1, a, b - a)
            elif kind == "operator_layer":
                (operator, fields_of), = p.one("ops").one("parameters").items()
                operator = operator.split(".")[-1].replace("Operator", "").lower()
                values[name] = self.apply(name, operator, fields_of[0], [values[x] for x in layer["parents"]], training, draw)
            elif kind == "identity":
                parent = layer.one("parents")
                values[name] = values.get((parent, name), values.get(parent))
            elif kind not in ("categorical_accuracy",):
                values[name] = self.apply(name, kind, p, [values[x] for x in layer["parents"]], training, draw)
        return sum(factor * values[name].mean() for name, factor in self.losses)


# ---- training ---------------------------------------------------------------------------------
def sgd(p):
    rate, momentum = p.one("learn_rate"), p.one("momentum", 0)

    def step(x, g, s, t):
        s["v"] = momentum * s.get("v", 0) + g
        return x - rate * s["v"]

    return step


def adam(p):
    rate, beta1, beta2, eps = (p.one(k, 0) for k in ("learn_rate", "beta1", "beta2", "eps"))

    def step(x, g, s, t):
        s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
        s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
        return x - rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * s["m"] / (torch.sqrt(s["v"]) + eps)

    return step


def synthetic(reader, seed):
    """All samples: standard normal numbers, and one-hot labels or normal responses."""
    count, dims = reader.one("num_samples"), numbers(reader.one("synth_dimensions"))
    name = reader.one("name") + ":" + reader.one("role")
    draw = lambda purpose, i, shape: Stream(purpose, layer=name, seed=seed, draw=i).normal(*shape).astype(np.float32)
    bounded = lambda purpose, n, bound: [  # Lemire's multiplication; no bound here comes near a rejection
        ((w[0] | w[1] << 32) * bound) >> 64 for w in Stream(purpose, layer=name, seed=seed, draw=0).blocks(n).tolist()]
    vocabulary = reader.one("synth_vocabulary_size", 0)
    if vocabulary:
        words = bounded("synthetic samples", count * int(np.prod(dims)), vocabulary)
        fields = {"samples": np.array(words, np.float32).reshape(count, *dims)}
    else:
        fields = {"samples": np.stack([draw("synthetic samples", i, dims) for i in range(count)])}
    classes = reader.one("num_labels", 0)
    if classes:
        fields["labels"] = np.eye(classes, dtype=np.float32)[bounded("synthetic targets", count, classes)]
    else:
        shape = numbers(reader.one("synth_response_dimensions"))
        fields["responses"] = np.stack([draw("synthetic targets", i, shape) for i in range(count)])
    return fields


def train(experiment, dtype, steps, seed=1):
    """Losses of the first `steps` training steps of a parsed experiment, each before its update."""
    torch.set_num_threads(1)
    batch = experiment.one("trainer").one("mini_batch_size")
    reader = next(r for r in experiment.one("data_reader")["reader"] if r.one("role") == "train")
    fields = synthetic(reader, seed)
    data = {k: torch.tensor(v, dtype=dtype) for k, v in fields.items()}
    count = len(fields["samples"])
    network = Network(experiment.one("model"), dtype, seed)
    (rule, p), = experiment.one("optimizer").items()
    update = {"sgd": sgd, "adam": adam}[rule](p[0])
    slots, losses = {}, []
    while len(losses) < steps:
        for begin in range(0, count, batch):
            if len(losses) == steps:
                break
            draw = len(losses)  # training is mode 0
            loss = network.loss({k: v[begin:begin + batch] for k, v in data.items()}, True, draw)
            losses.append(float(loss))
            names = [n for n in network.weights if n not in network.frozen]
            for name, g in zip(names, torch.autograd.grad(loss, [network.weights[n] for n in names])):
                w = network.weights[name].detach()
                network.weights[name] = update(w, g, slots.setdefault(name, {}), len(losses)).requires_grad_()
    return losses
