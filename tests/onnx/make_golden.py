#!/usr/bin/python3
"""Writes golden/<network>.npz: inputs and what PyTorch computes from them in float64, in evaluation mode.

The networks are those of ../networks (with their weights) and families.prototext, whose weights this script
draws (families/*.npy). The formulas are PyTorch's own; a sigmoid is kept off 0 and 1 by the machine epsilon
of float32, as LBANN does. Each .npz holds `samples` and one array per output of the ONNX model.
"""

import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "networks"))
sys.dont_write_bytecode = True
import make_curves  # noqa: E402

SHAPES = {
    "conv_kernel": (6, 2, 3, 2), "conv_bias": (6,), "bn_scale": (6,), "bn_bias": (6,), "bn_mean": (6,),
    "bn_variance": (6,), "conv1d_kernel": (4, 15, 3), "fc_matrix": (90, 7), "fc_bias": (7,),
}


def draw_weights(rng):
    weights = {}
    for name, shape in SHAPES.items():
        a = rng.standard_normal(shape) * (0.5 if len(shape) > 1 else 0.3)
        if name in ("bn_scale", "bn_variance"):
            a = np.abs(a) + 0.5
        weights[name] = a.astype(np.float32)
    return weights


def families(x, w):
    x = F.conv2d(x, w["conv_kernel"], w["conv_bias"], stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)
    bn = F.batch_norm(F.leaky_relu(x, 0.1), w["bn_mean"], w["bn_variance"], w["bn_scale"], w["bn_bias"], False, 0, 1e-3)
    window = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
    avg = F.avg_pool2d(bn, **window)
    elu = F.elu(F.max_pool2d(bn, **window), 0.5)
    mix = 0.25 * avg - 0.5 * F.avg_pool2d(bn, **window, count_include_pad=False)
    total = mix * elu * avg + mix + elu
    eps = float(np.finfo(np.float32).eps)
    cat = torch.cat([torch.tanh(total[..., :2]), torch.sigmoid(total[..., 2:]).clamp(eps, 1 - eps)], 3)
    # Comparisons with 0 below: no entry (a sigmoid is positive) may be so near that rounding decides.
    assert cat[..., :2].abs().min() > 1e-4
    relu, shift = torch.relu(cat), 0.5 * cat + 1.5
    plus = (torch.exp(cat) - 0.25) / shift + torch.log(shift) / torch.sqrt(shift)
    minus = cat.abs() + torch.sqrt(shift)
    one = lambda truth: truth.to(cat.dtype)
    features = (1 - cat**2 + 0.5 * (plus - minus) ** 2 + 0.25 * one(relu == cat) - 0.5 * one(relu != cat)
                + 0.75 * one(relu == 0) - one(relu != 0) + 3 * torch.softmax(cat, 1)
                + 40 * torch.softmax(cat.flatten(1), 1).reshape(cat.shape))
    lines = features.reshape(-1, 15, 6)
    fc = lines.flatten(1) @ w["fc_matrix"] + w["fc_bias"]
    return {"conv1d": F.conv1d(lines, w["conv1d_kernel"], padding=1), "log_prob": torch.log_softmax(fc, 1),
            "prob": torch.softmax(fc, 1)}


def as_double(weights):
    return {name: torch.tensor(a, dtype=torch.float64) for name, a in weights.items()}


def save(name, samples, outputs):
    np.savez(HERE / "golden" / (name + ".npz"), samples=samples, **{k: v.numpy() for k, v in outputs.items()})
    for output, v in outputs.items():
        print("%s: %s %s in [%.3g, %.3g]" % (name, output, list(v.shape), v.min(), v.max()))


def main():
    (HERE / "golden").mkdir(exist_ok=True)
    (HERE / "families").mkdir(exist_ok=True)
    images = make_curves.read_idx(make_curves.HERE / "digits" / "images.idx3")[:5]
    samples = (images.astype(np.float32) * make_curves.SCALE)[:, None]
    for name, (fn, _, shapes) in make_curves.NETWORKS.items():
        weights = {w: np.load(make_curves.HERE / name / (w + ".npy")) for w in shapes}
        logits = fn(torch.tensor(samples, dtype=torch.float64), as_double(weights), {}, False)
        save(name, samples, {"prob": torch.softmax(logits, 1)})

    rng = np.random.default_rng(50)
    weights = draw_weights(rng)
    for name, a in weights.items():
        np.save(HERE / "families" / (name + ".npy"), a)
    samples = rng.standard_normal((5, 4, 9, 8)).astype(np.float32)
    save("families", samples, families(torch.tensor(samples, dtype=torch.float64), as_double(weights)))


if __name__ == "__main__":
    main()
