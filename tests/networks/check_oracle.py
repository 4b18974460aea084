#!/usr/bin/env python3
"""Kernels and passes against the oracle: naive kernels in double, nothing fused (`--oracle`).

    check_oracle.py LBANN_TRAIN NAME

NAME: a network of this folder (mlp, lenet, seed_cnn) or one of examples.py. The losses of the first steps must
agree (relative 1e-5: rounding of float through three updates) with all passes, and with each pass that can be
left out switched off in turn. Exit code 0: they do.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from check_bits import experiment
from examples import CURVES, EXAMPLES, HERE, options

STEPS, TOLERANCE = 3, 1e-5


def optional_passes():
    """Names of the passes that are not required, from the list the compiler runs."""
    text = (HERE.parent.parent / "libcore" / "passes" / "pass_manager.cpp").read_text()
    names = {name for name, required in re.findall(r'\{"(\w+)", \w+, \w+, (\w+)\}', text) if required == "false"}
    assert {"simplify", "group_epilogues", "fuse_elementwise", "sparsify_updates", "rematerialize"} <= names, names
    return sorted(names)


def losses(program, name, more):
    with tempfile.TemporaryDirectory() as folder:
        if name in CURVES:
            file, changes = CURVES[name]
            words = [*options(changes), str(EXAMPLES / (file + ".prototext"))]
        else:
            words = ["--set=trainer.mini_batch_size=8", folder + "/experiment.prototext"]
            pathlib.Path(words[-1]).write_text(experiment(name, False))
        command = [str(program), "--threads=2", "--seed=3", "--smoke=%d" % STEPS, "--log-steps",
                   "--run-dir=" + folder + "/run", *more, *words]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit("exit code %d of %s\n%s" % (done.returncode, " ".join(command), done.stderr))
        records = [json.loads(line) for line in pathlib.Path(folder, "run", "log.jsonl").read_text().splitlines()]
    return [r["metrics"]["objective function"] for r in records if (r["kind"], r["mode"]) == ("step", "training")]


def main():
    if len(sys.argv) != 3:
        sys.stderr.write("usage: check_oracle.py LBANN_TRAIN NAME\n")
        return 2
    program, name = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    wanted = losses(program, name, ["--oracle"])
    if len(wanted) != STEPS:
        print("%d steps, expected %d" % (len(wanted), STEPS))
        return 1
    bad, largest, rounded = 0, 0.0, False
    variants = {"all passes": []}
    variants.update({"without " + p: ["--disable-pass=" + p] for p in optional_passes()})
    for variant, more in variants.items():
        got = losses(program, name, more)
        difference = max(abs(g - w) / abs(w) for g, w in zip(got, wanted)) if len(got) == STEPS else float("inf")
        largest = max(largest, difference)
        rounded = rounded or got != wanted
        if not difference <= TOLERANCE:
            print("%s: %s, the oracle has %s (relative difference %.1e)" % (variant, got, wanted, difference))
            bad += 1
    if not rounded:
        print("every run has the oracle's very bits: is the oracle what it should be?")
        bad += 1
    print("%s: %d variants against the oracle, largest relative difference %.1e" % (name, len(variants), largest))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
