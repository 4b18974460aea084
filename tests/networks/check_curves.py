#!/usr/bin/env python3
"""Trains one of the networks here with lbann-train and compares its records with expected.txt.

    check_curves.py LBANN_TRAIN NETWORK [OPTION...]      options go to lbann-train

Every one of the 20 step losses, the sample-weighted mean of each epoch and the pass in test mode must
agree to 1e-4 (relative). Accuracy is a count over float32: 1e-6. Exit code 0: they do.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-4
BATCHES = (48, 48, 48, 16)


def expected(network):
    steps, rest = [], {}
    for line in (HERE / network / "expected.txt").read_text().splitlines():
        words = line.split()
        if words[0] == "step":
            steps.append(float(words[2]))
        elif words[0] != "#":
            rest[words[0]] = float(words[1])
    return steps, rest


def train(program, network, options):
    """Records of the run, in the order of the log."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, *options, "--log-steps", "--run-dir=" + folder + "/run", str(HERE / (network + ".prototext"))]
        # Another working directory than the prototext's: file names count from the prototext.
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit("exit code %d of %s\n%s" % (done.returncode, " ".join(command), done.stderr))
        log = pathlib.Path(folder, "run", "log.jsonl").read_text()
    return [json.loads(line) for line in log.splitlines()]


def select(records, kind, mode):
    return [r["metrics"] for r in records if r["kind"] == kind and r["mode"] == mode]


class Comparison:
    def __init__(self):
        self.bad, self.largest, self.count = 0, 0.0, 0

    def check(self, what, value, wanted, tolerance=TOLERANCE):
        self.count += 1
        difference = abs(float(value) - wanted) / abs(wanted)
        self.largest = max(self.largest, difference)
        if not difference <= tolerance:  # also catches NaN
            print("%s: %s, expected %.9g (relative difference %.1e)" % (what, value, wanted, difference))
            self.bad += 1

    def check_count(self, what, count, wanted):
        if count != wanted:
            print("%d %s, expected %d" % (count, what, wanted))
            self.bad += 1


def main():
    if len(sys.argv) < 3:
        sys.stderr.write("usage: check_curves.py LBANN_TRAIN NETWORK [OPTION...]\n")
        return 2
    program, network = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    wanted, test = expected(network)
    records = train(str(program), network, sys.argv[3:])
    c = Comparison()

    steps = select(records, "step", "training")
    c.check_count("step records", len(steps), len(wanted))
    for i, (got, value) in enumerate(zip(steps, wanted)):
        c.check("step %d" % i, got["objective function"], value)

    epochs = select(records, "epoch", "training")
    c.check_count("training epochs", len(epochs), len(wanted) // len(BATCHES))
    for i, got in enumerate(epochs):
        losses = wanted[len(BATCHES) * i: len(BATCHES) * (i + 1)]
        mean = sum(a * n for a, n in zip(losses, BATCHES)) / sum(BATCHES)
        c.check("mean of epoch %d" % i, got["objective function"], mean)

    tests = select(records, "epoch", "test")
    c.check_count("passes in test mode", len(tests), 1)
    for got in tests:
        c.check("test objective", got["objective function"], test["test_loss"])
        c.check("test accuracy", got["accuracy"], 100 * test["test_accuracy"], 1e-6)

    print("%s: %d comparisons, largest relative difference %.1e, %d wrong" % (network, c.count, c.largest, c.bad))
    return 1 if c.bad else 0


if __name__ == "__main__":
    sys.exit(main())
