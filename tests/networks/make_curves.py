#!/usr/bin/python3
"""Writes the data, the initial weights and the expected loss curves of three small networks.

    make_curves.py           writes digits/, <net>/*.npy and <net>/expected.txt
    make_curves.py --check   computes the curves again from the files and compares

The networks are those of mlp.prototext, lenet.prototext and seed_cnn.prototext beside this file.
Weights and images are float32 numbers; the arithmetic here is PyTorch's in float64, so a curve is
what exact arithmetic gives and a float32 run may differ from it only by its own rounding. Gradients
are autograd's. Batch normalisation (Bessel's correction, epsilon as clamp and in the root) and Adam
(eps before the bias correction) are LBANN's formulas written out.

expected.txt: one line `step <n> <loss>` for each of 20 training steps (5 epochs of 160 samples in
batches of 48, 48, 48, 16, never shuffled; the loss is the one before the step's update), then
`test_loss` and `test_accuracy` over the same samples after the last step, as means over samples,
batch normalisation with its running statistics.
"""

import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES, BATCH, EPOCHS = 160, 48, 5
SCALE = np.float32(0.003921568627)
torch.set_num_threads(1)


# ---- data: a bright arc of 3 spots per class, coarse grey levels so that the file packs well ----
def make_digits(rng):
    labels = rng.permutation(np.arange(SAMPLES) % 10).astype(np.uint8)
    rows, cols = np.mgrid[0:28, 0:28]
    images = np.zeros((SAMPLES, 28, 28))
    for i, label in enumerate(labels):
        for spot in range(3):
            angle = 0.628 * label + 0.9 * spot + rng.normal(0, 0.25)
            radius = 5.0 + 2.0 * (label % 3) + rng.normal(0, 1.0)
            r, c = 13.5 + radius * np.sin(angle), 13.5 + radius * np.cos(angle)
            images[i] += 200 * np.exp(-((rows - r) ** 2 + (cols - c) ** 2) / (2 * rng.uniform(1.2, 2.2) ** 2))
    images = np.clip(images + rng.normal(0, 6, images.shape), 0, 255)
    return (np.round(images / 16) * 16).clip(0, 255).astype(np.uint8), labels


def write_idx(path, a):
    head = struct.pack(">BBBB", 0, 0, 8, a.ndim) + b"".join(struct.pack(">I", n) for n in a.shape)
    path.write_bytes(head + a.tobytes())


def read_idx(path):
    raw = path.read_bytes()
    shape = [struct.unpack_from(">I", raw, 4 + 4 * i)[0] for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


# ---- networks ---------------------------------------------------------------------------------
def linear(x, w, name):
    """The file holds [out, in], as `numpy_initializer` wants the OUT x IN matrix."""
    y = x.flatten(1) @ w[name + "_matrix"].t()
    return y + w[name + "_bias"] if name + "_bias" in w else y


def conv(x, w, name, **options):
    return F.conv2d(x, w[name + "_kernel"], w[name + "_bias"], **options)


def mlp(x, w, state, training):
    x = torch.relu(linear(x, w, "fc1"))
    x = torch.relu(linear(x, w, "fc2"))
    return linear(x, w, "fc3")


def lenet(x, w, state, training):
    x = F.max_pool2d(torch.relu(conv(x, w, "conv1")), 2)
    x = F.max_pool2d(torch.relu(conv(x, w, "conv2")), 2)
    x = torch.relu(linear(x, w, "fc1"))
    x = torch.relu(linear(x, w, "fc2"))
    return linear(x, w, "fc3")


def batch_norm(x, w, state, training, decay=0.9, epsilon=1e-5):
    col = lambda v: v.reshape(1, -1, 1, 1)
    if training:
        n = x.numel() // x.shape[1]
        mean = x.mean((0, 2, 3))
        var = torch.clamp(((x - col(mean)) ** 2).mean((0, 2, 3)) * (n / (n - 1)), min=epsilon)
        for key, value in (("mean", mean), ("var", var)):
            state[key] = decay * state[key] + (1 - decay) * value.detach()
    else:
        mean, var = state["mean"], state["var"]
    return col(w["bn_scale"]) * (x - col(mean)) / torch.sqrt(col(var) + epsilon) + col(w["bn_bias"])


def seed_cnn(x, w, state, training):
    if not state:
        state.update(mean=torch.zeros(64, dtype=x.dtype), var=torch.ones(64, dtype=x.dtype))
    x = conv(x, w, "conv", stride=2, padding=2)
    x = torch.relu(batch_norm(x, w, state, training))
    return linear(F.max_pool2d(x, 3, 2, 1), w, "fc")


def dense(name, n_in, n_out, bias=True):
    shapes = {name + "_matrix": (n_out, n_in)}
    return {**shapes, name + "_bias": (n_out,)} if bias else shapes


NETWORKS = {
    "mlp": (mlp, "sgd", {**dense("fc1", 784, 64), **dense("fc2", 64, 64), **dense("fc3", 64, 10)}),
    "lenet": (lenet, "adam", {
        "conv1_kernel": (6, 1, 5, 5), "conv1_bias": (6,), "conv2_kernel": (16, 6, 5, 5), "conv2_bias": (16,),
        **dense("fc1", 256, 120), **dense("fc2", 120, 84), **dense("fc3", 84, 10)}),
    "seed_cnn": (seed_cnn, "adam", {
        "conv_kernel": (64, 1, 5, 5), "conv_bias": (64,), "bn_scale": (64,), "bn_bias": (64,),
        **dense("fc", 3136, 10, bias=False)}),
}


# A bias in front of batch normalisation has the gradient 0. Adam would turn its rounding noise into
# steps of the full rate: harmless to the loss, but not comparable. So its prototext freezes it.
UNTRAINED = {("seed_cnn", "conv_bias")}


def make_weights(rng, shapes):
    out = {}
    for name, shape in shapes.items():
        if len(shape) > 1:
            a = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        else:
            a = rng.standard_normal(shape) * 0.1 + (1.0 if name.endswith("scale") else 0.0)
        out[name] = a.astype(np.float32)
    return out


# ---- updates ----------------------------------------------------------------------------------
def sgd(x, g, s, t, rate=0.02, momentum=0.9):
    s["v"] = momentum * s.get("v", 0) + g
    return x - rate * s["v"]


def adam(x, g, s, t, rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    return x - rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * s["m"] / (torch.sqrt(s["v"]) + eps)


def train(net, weights, images, labels, dtype):
    """Lines of expected.txt as (name, number)."""
    fn, rule, _ = NETWORKS[net]
    rule = {"sgd": sgd, "adam": adam}[rule]
    w = {k: torch.tensor(a, dtype=dtype, requires_grad=True) for k, a in weights.items()}
    state, slots, out, step = {}, {k: {} for k in w}, [], 0
    x = torch.tensor(images.astype(np.float32) * SCALE, dtype=dtype)[:, None]
    target = torch.tensor(labels.astype(np.int64))
    batches = [slice(i, i + BATCH) for i in range(0, SAMPLES, BATCH)]
    for _ in range(EPOCHS):
        for b in batches:
            loss = F.cross_entropy(fn(x[b], w, state, True), target[b])
            out.append(("step %d" % step, float(loss)))
            step += 1
            grads = torch.autograd.grad(loss, list(w.values()))
            for (name, value), g in zip(list(w.items()), grads):
                if (net, name) in UNTRAINED:
                    continue
                w[name] = rule(value.detach(), g, slots[name], step).requires_grad_()
    with torch.no_grad():
        y = torch.cat([fn(x[b], w, state, False) for b in batches])
        out.append(("test_loss", float(F.cross_entropy(y, target))))
        out.append(("test_accuracy", float((y.argmax(1) == target).to(torch.float64).mean())))
    return out


def main():
    check = "--check" in sys.argv[1:]
    images_file, labels_file = HERE / "digits" / "images.idx3", HERE / "digits" / "labels.idx1"
    if not check:
        images_file.parent.mkdir(exist_ok=True)
        images, labels = make_digits(np.random.default_rng(20))
        write_idx(images_file, images)
        write_idx(labels_file, labels)
    images, labels = read_idx(images_file), read_idx(labels_file)
    bad = 0
    for i, net in enumerate(NETWORKS):
        folder = HERE / net
        if not check:
            folder.mkdir(exist_ok=True)
            for name, a in make_weights(np.random.default_rng(30 + i), NETWORKS[net][2]).items():
                np.save(folder / (name + ".npy"), a)
        weights = {name: np.load(folder / (name + ".npy")) for name in NETWORKS[net][2]}
        exact = train(net, weights, images, labels, torch.float64)
        rough = train(net, weights, images, labels, torch.float32)
        diff = max(abs(a - b) / abs(a) for (_, a), (_, b) in zip(exact, rough))
        text = "# float32 arithmetic of PyTorch %s differs by at most %.1e (relative)\n" % (torch.__version__, diff)
        text += "".join("%s %.17g\n" % line for line in exact)
        print("%s: loss %.4f -> %.4f, test %.4f, accuracy %.3f, float32 differs by %.1e" % (
            net, exact[0][1], exact[-3][1], exact[-2][1], exact[-1][1], diff))
        if check:
            old = [float(line.split()[-1]) for line in (folder / "expected.txt").read_text().splitlines()[1:]]
            bad += len(old) != len(exact) or not np.allclose(old, [v for _, v in exact], rtol=1e-9)
        else:
            (folder / "expected.txt").write_text(text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
