#!/usr/bin/python3
"""Writes examples/<name>.txt beside this script: the losses of 20 training steps of the shipped examples (made
small, see examples.py) as judge.py computes them with PyTorch in float64, from the initial weights, data and
dropout masks that the seed prescribes.

    make_examples.py [--check] [NAME...]      no name: all of the quick suite; "full": the others
"""

import sys

import torch

import judge
from examples import CURVES, EXAMPLES, FULL, HERE, SEED, STEPS


def change(message, path, value):
    *way, last = path.split(".")
    for word in way:
        name, _, index = word.rstrip("]").partition("[")
        message = message[name][int(index or 0)]
    message[last] = [value]


def main():
    check = "--check" in sys.argv[1:]
    names = [a for a in sys.argv[1:] if a != "--check"] or list(CURVES)
    names = [n for name in names for n in (FULL if name == "full" else [name])]
    (HERE / "examples").mkdir(exist_ok=True)
    bad = 0
    for name in names:
        file, changes = {**CURVES, **FULL}[name]
        experiment = judge.parse((EXAMPLES / (file + ".prototext")).read_text())
        for path, value in changes.items():
            change(experiment, path, value)
        exact = judge.train(experiment, torch.float64, STEPS, SEED)
        rough = judge.train(experiment, torch.float32, STEPS, SEED)
        diff = max(abs(a - b) / abs(a) for a, b in zip(exact, rough))
        print("%s: loss %.4f -> %.4f, float32 differs by %.1e" % (name, exact[0], exact[-1], diff), flush=True)
        path = HERE / "examples" / (name + ".txt")
        if check:
            old = [float(line) for line in path.read_text().splitlines() if not line.startswith("#")]
            bad += len(old) != len(exact) or any(abs(a - b) > 1e-9 * abs(b) for a, b in zip(old, exact))
        else:
            path.write_text("# float32 arithmetic of PyTorch %s differs by at most %.1e (relative)\n%s" % (
                torch.__version__, diff, "".join("%.17g\n" % v for v in exact)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
