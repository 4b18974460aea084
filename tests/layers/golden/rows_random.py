"""Rows of layers that draw random numbers, and of constants. The numbers come from philox.py."""

import numpy as np
import torch

from philox import Stream
from table import Row, message


def dropout(name, shape, keep, mode="train"):
    r = Row("dropout_" + name, "dropout", message("dropout", **({} if keep is None else {"keep_prob": keep})), mode,
            flags={"fd"})
    x = r.input(r.normal(*shape))
    keep = keep or 0
    if mode == "eval" or keep < 0:
        return r.finish(x * 1)
    mask = Stream("dropout mask").bernoulli(keep, *shape)
    return r.finish(x * torch.tensor(mask) * (1 / keep if keep > 0 else 0))


def selu_dropout(name, shape, keep, mode="train", **fields):
    r = Row("selu_dropout_" + name, "selu_dropout", message("selu_dropout", keep_prob=keep, **fields), mode,
            flags={"fd"})
    x = r.input(r.normal(*shape))
    if mode == "eval" or keep < 0:
        return r.finish(x * 1)
    alpha, scale = fields.get("alpha", 1.6732632423543772), fields.get("scale", 1.0507009873554805)
    low = -scale * alpha
    a = 1 / np.sqrt(keep + low * low * keep * (1 - keep))
    b = -a * low * (1 - keep)
    mask = torch.tensor(Stream("dropout mask").bernoulli(keep, *shape))
    return r.finish(a * (x * mask + low * (1 - mask)) + b)


def source(kind, name, shape, numbers, mode="train", **fields):
    dims = "num_neurons" if kind == "constant" else "neuron_dims"
    r = Row(kind + "_" + name, kind, message(kind, **fields, **{dims: list(shape[1:])}), mode)
    r.outputs = [torch.tensor(numbers)]
    return r


def rows():
    yield dropout("vector", (7, 17), 0.5)
    yield dropout("image", (3, 5, 4, 3), 0.8)
    yield dropout("volume", (2, 3, 3, 2, 5), 0.25)
    yield dropout("batch_one", (1, 301), 0.9)
    yield dropout("keep_none", (3, 10), None)
    yield dropout("keep_all", (3, 10), 1.0)
    yield dropout("off", (3, 10), -1.0)
    yield dropout("eval", (3, 10), 0.5, "eval")
    yield selu_dropout("vector", (5, 33), 0.9)
    yield selu_dropout("alpha_scale", (2, 3, 5), 0.5, alpha=1.5, scale=2.0)
    yield selu_dropout("off", (3, 4), -1.0)
    yield selu_dropout("eval", (3, 4), 0.5, "eval")

    yield source("constant", "vector", (3, 10), np.full((3, 10), 1.5), value=1.5)
    yield source("constant", "image", (2, 3, 2, 4), np.full((2, 3, 2, 4), -2.0), value=-2.0)
    yield source("constant", "zero", (1, 1), np.zeros((1, 1)))
    yield source("gaussian", "standard", (5, 27), Stream("gaussian").normal(5, 27))
    yield source("gaussian", "image", (3, 2, 3, 3), 0.5 * Stream("gaussian").normal(3, 2, 3, 3) - 2, mean=-2.0, stdev=0.5)
    yield source("gaussian", "evaluate", (3, 7), 3 * Stream("gaussian").normal(3, 7), "eval", stdev=3.0)
    yield source("gaussian", "training_only", (3, 7), np.full((3, 7), 1.5), "eval", mean=1.5, stdev=0.5, training_only=True)
    yield source("uniform", "standard", (5, 27), Stream("uniform").uniform(5, 27))
    yield source("uniform", "range", (3, 2, 3, 3), 4 * Stream("uniform").uniform(3, 2, 3, 3) - 1, min=-1.0, max=3.0)
    yield source("uniform", "evaluate", (1, 130), Stream("uniform").uniform(1, 130), "eval")
    yield source("uniform", "training_only", (3, 7), np.full((3, 7), 1.0), "eval", min=-1.0, max=3.0, training_only=True)
    yield source("bernoulli", "vector", (5, 27), Stream("bernoulli").bernoulli(0.3, 5, 27), prob=0.3)
    yield source("bernoulli", "always", (2, 5), np.ones((2, 5)), prob=1.0)
    yield source("bernoulli", "never", (2, 5), np.zeros((2, 5)))
    yield source("bernoulli", "eval", (2, 5), np.zeros((2, 5)), "eval", prob=0.5)
