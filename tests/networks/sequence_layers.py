"""The layers of the transformer and the word vectors as judge.py reads them: PyTorch's operations, named after the
layers' documentation."""

import numpy as np
import torch


def linear(network, name, p, x):
    """The same matrix for every index of dim 0, stored like fully_connected's."""
    out, size = p["output_channel_dims"][0], x.shape[-1]
    w = network.weight(name + "_linearity_weights", [out, size], fan_in=size, linear=[size, out])
    return x @ w.t() + network.weight(name + "_bias_weights", [out])


def layer_norm(network, name, p, x):
    assert p.one("start_dim") == -1 and p.one("scale") and p.one("bias")
    d = x - x.mean(-1, keepdim=True)
    y = d / torch.sqrt((d * d).mean(-1, keepdim=True) + 1e-5)
    size = [x.shape[-1]]
    return y * network.weight(name + "_scale_weights", size, constant=1.0) + network.weight(name + "_bias_weights", size)


def cross_entropy(log_probabilities, labels):
    """Classes first: [C, positions] and class indices [1, positions]."""
    return -torch.gather(log_probabilities, 1, labels.long()).flatten(1).sum(1)


def apply(network, name, kind, p, x):
    if kind == "embedding":
        size = [p.one("num_embeddings"), p.one("embedding_dim")]
        return network.weight(name + "_weights", size, fan_in=2)[x[0].long()]
    if kind == "channelwise_fully_connected":
        return linear(network, name, p, x[0])
    if kind == "layer_norm":
        return layer_norm(network, name, p, x[0])
    if kind == "matmul":
        return x[0] @ (x[1].transpose(-1, -2) if p.one("transpose_b", False) else x[1])
    if kind == "permute":
        return x[0].permute(0, *[a + 1 for a in p["axes"]])
    if kind == "reshape":
        return x[0].reshape(len(x[0]), *p["dims"])
    if kind == "channelwise_softmax":
        assert p.one("dim") == -1 and p.one("single_dim_mode")
        # The last one feeds cross_entropy, which makes use of the logarithm.
        return torch.log_softmax(x[0], -1) if name == "prob" else torch.softmax(x[0], -1)
    if kind == "reduction":
        over = {"sum": torch.sum, "mean": torch.mean}[p.one("mode")]
        return over(x[0].flatten(1), 1, keepdim=True)
    if kind == "weighted_sum":
        return sum(a * v for a, v in zip(p["scaling_factors"], x))
    if kind == "scale":
        return p.one("constant") * x[0]
    if kind == "negative":
        return -x[0]
    if kind == "gelu":
        return 0.5 * x[0] * (1 + torch.tanh(np.sqrt(2 / np.pi) * (x[0] + 0.044715 * x[0] ** 3)))
    if kind == "logsigmoid":
        return torch.nn.functional.logsigmoid(x[0])
    raise NotImplementedError(kind)
