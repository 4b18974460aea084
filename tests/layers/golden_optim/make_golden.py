#!/usr/bin/python3
"""Writes the golden optimizer table (see README.md): five steps of each rule in NumPy float64.

    make_golden.py           writes index.txt and one folder per row
    make_golden.py --check   computes again and compares

The rules are LBANN's. x weight, g gradient, t = 1, 2, ...:

    sgd       v = mu v + g;  x -= lr v           (mu = 0: x -= lr g)
    nesterov  v = mu v + g;  x -= lr (mu v + g)
    adagrad   c += g^2;      x -= lr g / (sqrt c + eps)
    rmsprop   c = d c + (1-d) g^2;  x -= lr g / (sqrt c + eps)
    adam      m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
              x -= lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt v + eps) + lr decay x
              (eps joins before the bias correction; an entry whose gradient is NaN or infinite is skipped)
"""

import pathlib
import shutil
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
STEPS = 5


def single(a):
    return np.asarray(a, dtype=np.float32).astype(np.float64)


def sgd(x, g, s, t, learn_rate=0.0, momentum=0.0, nesterov=False):
    if momentum == 0.0:
        return x - learn_rate * g, s
    s = {"velocity": momentum * s.get("velocity", 0.0) + g}
    v = s["velocity"]
    return x - learn_rate * (momentum * v + g if nesterov else v), s


def adagrad(x, g, s, t, learn_rate=0.0, eps=0.0):
    s = {"cache": s.get("cache", 0.0) + g * g}
    return x - learn_rate * g / (np.sqrt(s["cache"]) + eps), s


def rmsprop(x, g, s, t, learn_rate=0.0, decay_rate=0.0, eps=0.0):
    s = {"cache": decay_rate * s.get("cache", 0.0) + (1 - decay_rate) * g * g}
    return x - learn_rate * g / (np.sqrt(s["cache"]) + eps), s


def adam(x, g, s, t, learn_rate=0.0, beta1=0.0, beta2=0.0, eps=0.0, adamw_weight_decay=0.0):
    zero = np.zeros_like(x)
    m0, v0 = s.get("moment1", zero), s.get("moment2", zero)
    m = beta1 * m0 + (1 - beta1) * g
    v = beta2 * v0 + (1 - beta2) * g * g
    rate = learn_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    new = x - (rate * m / (np.sqrt(v) + eps) + learn_rate * adamw_weight_decay * x)
    ok = np.isfinite(g)
    return np.where(ok, new, x), {"moment1": np.where(ok, m, m0), "moment2": np.where(ok, v, v0)}


# row: name, kind, rule, fields, special gradients
ROWS = [
    ("sgd", "sgd", sgd, {"learn_rate": 0.1}, ""),
    ("sgd_momentum", "sgd", sgd, {"learn_rate": 0.01, "momentum": 0.9}, ""),
    ("sgd_nesterov", "sgd", sgd, {"learn_rate": 0.01, "momentum": 0.9, "nesterov": True}, ""),
    ("sgd_nesterov_without_momentum", "sgd", sgd, {"learn_rate": 0.05, "nesterov": True}, ""),
    ("sgd_rate_zero", "sgd", sgd, {}, ""),
    ("adagrad", "adagrad", adagrad, {"learn_rate": 0.1, "eps": 1e-8}, ""),
    ("adagrad_eps_zero", "adagrad", adagrad, {"learn_rate": 0.1}, ""),
    ("adagrad_zero_gradient", "adagrad", adagrad, {"learn_rate": 0.1, "eps": 1e-8}, "zero"),
    ("rmsprop", "rmsprop", rmsprop, {"learn_rate": 0.01, "decay_rate": 0.9, "eps": 1e-8}, ""),
    ("rmsprop_decay_zero", "rmsprop", rmsprop, {"learn_rate": 0.01, "eps": 1e-3}, ""),
    ("rmsprop_eps_zero", "rmsprop", rmsprop, {"learn_rate": 0.01, "decay_rate": 0.5}, ""),
    ("rmsprop_zero_gradient", "rmsprop", rmsprop, {"learn_rate": 0.01, "decay_rate": 0.9, "eps": 1e-8}, "zero"),
    ("adam", "adam", adam, {"learn_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}, ""),
    ("adam_large_eps", "adam", adam, {"learn_rate": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 0.1}, ""),
    ("adam_beta1_zero", "adam", adam, {"learn_rate": 0.01, "beta2": 0.9, "eps": 1e-8}, ""),
    ("adam_beta2_zero", "adam", adam, {"learn_rate": 0.01, "beta1": 0.9, "eps": 1e-8}, ""),
    ("adam_eps_zero", "adam", adam, {"learn_rate": 0.01, "beta1": 0.9, "beta2": 0.999}, ""),
    ("adam_rate_only", "adam", adam, {"learn_rate": 0.01}, ""),
    # 0/0: LBANN's rule, and the reason why eps ought to be given
    ("adam_rate_only_zero_gradient", "adam", adam, {"learn_rate": 0.01}, "zero"),
    ("adam_zero_gradient", "adam", adam, {"learn_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}, "zero"),
    ("adam_not_a_number", "adam", adam, {"learn_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}, "nan"),
    ("adamw", "adam", adam,
     {"learn_rate": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "adamw_weight_decay": 0.1}, ""),
    ("adamw_not_a_number", "adam", adam,
     {"learn_rate": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "adamw_weight_decay": 0.1}, "nan"),
]


def text(v):
    return ("true" if v else "false") if isinstance(v, bool) else repr(v)


def compute(number, name, kind, rule, fields, special):
    rng = np.random.default_rng(1000 + number)
    n = 17
    x = single(rng.standard_normal(n))
    g = single(rng.standard_normal((STEPS, n)) * 10.0 ** rng.integers(-3, 2, n))
    if special == "zero":
        g[:, 3] = 0.0  # never a gradient
        g[0, 5] = 0.0  # none in the first step
        g[2:, 7] = 0.0  # none later
    if special == "nan":
        g[0, 2] = np.nan
        g[3, 2] = np.inf
        g[1, 4] = -np.inf
    files = {"w.npy": x, "g.npy": g}
    state, values, states = {}, [], {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for t in range(1, STEPS + 1):
            x, state = rule(x, g[t - 1], state, t, **fields)
            values.append(x)
            for key, value in state.items():
                states.setdefault(key, []).append(value)
    files["w_new.npy"] = np.array(values)
    files.update({key + ".npy": np.array(v) for key, v in states.items()})
    lines = ["optimizer {", "  %s {" % kind] + ["    %s: %s" % (f, text(v)) for f, v in fields.items()]
    files["optimizer.prototext"] = "\n".join(lines + ["  }", "}", ""])
    return files, "%s\t%s\t%s\n" % (name, kind, ",".join(sorted(states)) or "-")


def main():
    check = "--check" in sys.argv[1:]
    bad, index = 0, "# row\tkind\tstates\n"
    if not check:
        for old in HERE.iterdir():
            if (old / "optimizer.prototext").exists():
                shutil.rmtree(old)
    for number, row in enumerate(ROWS):
        files, line = compute(number, *row)
        index += line
        folder = HERE / row[0]
        if not check:
            folder.mkdir()
        for name, content in files.items():
            path = folder / name
            if isinstance(content, str):
                bad += check and path.read_text() != content
                path.exists() or path.write_text(content)
            elif check:
                bad += not np.allclose(np.load(path), content, rtol=1e-14, atol=0, equal_nan=True)
            else:
                np.save(path, content)
    if check:
        bad += (HERE / "index.txt").read_text() != index
        print("%d rows, %d differences" % (len(ROWS), bad))
        return 1 if bad else 0
    (HERE / "index.txt").write_text(index)
    print("%d rows" % len(ROWS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
