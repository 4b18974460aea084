"""The examples whose loss curves are compared with PyTorch's, and what is changed to make them small: few samples,
small mini-batches with a partial one at each epoch's end, small images where the network allows. A rate at which
rounding errors do not grow beyond the tolerance within 20 steps: chaos is no error."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples"
STEPS, SEED = 20, 1


def small(batch, samples, **more):
    paths = {"trainer.mini_batch_size": batch, "data_reader.reader[0].num_samples": samples}
    return {**paths, **{k.replace("__", "."): v for k, v in more.items()}}


DIMS = "data_reader.reader[0].synth_dimensions"
RATE = "optimizer.sgd.learn_rate"

# name -> (file, changes)
CURVES = {
    "resnet18_32": ("resnet18_32", {**small(4, 10), RATE: 3e-6}),
    "resnet50_32": ("resnet50_32", {**small(16, 40), RATE: 1e-7}),
    "alexnet": ("alexnet", {**small(4, 10), RATE: 0.0005, DIMS: "3 67 67"}),
    "autoencoder": ("../bench/autoencoder", {**small(24, 60), "optimizer.adam.learn_rate": 0.00003}),
    "cosmo3d": ("cosmo3d", {**small(4, 10), "optimizer.adam.learn_rate": 0.0001}),
    "transformer": ("transformer", small(2, 5)),
    "word2vec": ("word2vec", {**small(48, 112), RATE: 1.0}),
}
# The whole images: minutes instead of seconds, so these are not in the quick suite.
FULL = {
    "resnet18": ("resnet18", {**small(4, 10), RATE: 3e-6}),
    "resnet50": ("resnet50", {**small(4, 10), RATE: 2e-8}),
    "alexnet_224": ("alexnet", {**small(4, 10), RATE: 0.0005}),
}


def options(changes):
    return ["--set=%s=%s" % (k, '"%s"' % v if isinstance(v, str) else v) for k, v in changes.items()]
