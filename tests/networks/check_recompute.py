#!/usr/bin/env python3
"""Values made again in the backward pass are those that were not kept: equal bits, less memory.

    check_recompute.py FOLDER_OF_PROGRAMS NAME

Trains a shipped example, made small as examples.py says, keeping everything, with the planner's choice, with all
cheap values made again, and with every layer marked `recompute` (activation checkpointing, dropout included). All
must end with the same weights, to the bit. What lbann-validate says of memory must not grow by the planner's
choice. Exit code 0: all of that holds.
"""

import json
import pathlib
import re
import subprocess
import sys

from examples import CURVES, EXAMPLES, SEED, options

STEPS = 6


def run(command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("exit code %d of %s\n%s" % (done.returncode, " ".join(map(str, command)), done.stderr))
    return done.stdout + done.stderr


def main():
    programs, name = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    file, changes = CURVES[name]
    experiment = EXAMPLES / (file + ".prototext")
    layers = re.findall(r'^ *layer \{\s*name: "([^"]+)"', experiment.read_text(), flags=re.MULTILINE)
    if len(layers) < 5:
        sys.exit("layers of %s: %s" % (experiment, layers))
    variants = {
        "none": ["--recompute=none"],
        "auto": [],
        "all": ["--recompute=all"],
        "every layer": ["--recompute-layer=" + layer for layer in layers],
    }
    digests, plans = {}, {}
    for variant, more in variants.items():
        common = [*more, "--threads=2", *options(changes), experiment]
        out = run([programs / "lbann-train", "--seed=%d" % SEED, "--smoke=%d" % STEPS, "--digest", *common])
        digests[variant] = re.search(r"weights digest: (\w+)", out).group(1)
        plans[variant] = json.loads(run([programs / "lbann-validate", "--plan", "--format=json", *common]))["plan"]
        plan = plans[variant]
        print("%s, %s: %s, arena %.3f MiB, made again %.3f MiB" % (
            name, variant, digests[variant][:8], plan["arena_bytes"] / 2**20, plan["recomputed_bytes"] / 2**20))
    bad = len(set(digests.values())) != 1
    bad |= plans["none"]["recomputed_bytes"] != 0 or plans["every layer"]["recomputed_bytes"] == 0
    bad |= plans["auto"]["arena_bytes"] > plans["none"]["arena_bytes"]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
