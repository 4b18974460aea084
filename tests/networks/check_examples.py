#!/usr/bin/env python3
"""Trains a shipped example, made small as examples.py says, and compares its losses with examples/<name>.txt.

    check_examples.py LBANN_TRAIN NAME [OPTION...]      options go to lbann-train

Initial weights, data and dropout masks come from the seed, so this also checks that they are those of the
independent generator. Each of the 20 step losses must agree to 1e-4 (relative). Exit code 0: they do.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from examples import CURVES, EXAMPLES, FULL, HERE, SEED, STEPS, options

TOLERANCE = 1e-4


def main():
    if len(sys.argv) < 3:
        sys.stderr.write("usage: check_examples.py LBANN_TRAIN NAME [OPTION...]\n")
        return 2
    program, name = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    file, changes = {**CURVES, **FULL}[name]
    wanted = [float(line) for line in (HERE / "examples" / (name + ".txt")).read_text().splitlines() if line[0] != "#"]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), *sys.argv[3:], "--seed=%d" % SEED, "--smoke=%d" % STEPS, "--log-steps",
                   "--run-dir=" + folder + "/run", *options(changes), str(EXAMPLES / (file + ".prototext"))]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit("exit code %d of %s\n%s" % (done.returncode, " ".join(command), done.stderr))
        records = [json.loads(line) for line in pathlib.Path(folder, "run", "log.jsonl").read_text().splitlines()]
    losses = [float(r["metrics"]["objective function"]) for r in records if r["kind"] == "step" and r["mode"] == "training"]
    bad, largest = len(losses) != len(wanted), 0.0
    for i, (got, value) in enumerate(zip(losses, wanted)):
        difference = abs(got - value) / abs(value)
        largest = max(largest, difference)
        if not difference <= TOLERANCE:  # also catches NaN
            print("step %d: %.9g, expected %.9g (relative difference %.1e)" % (i, got, value, difference))
            bad = True
    print("%s: %d losses, %d expected, largest relative difference %.1e" % (name, len(losses), len(wanted), largest))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
