#!/usr/bin/env python3
"""A run's memory is known before it starts: lbann-validate's plan against what the trainer's process grew by.

    check_memory.py FOLDER_OF_PROGRAMS EXPERIMENT.prototext...

Two processes per experiment: `lbann-validate --plan` predicts weights, state, arena and data pipeline;
`lbann-train --bench-json` trains a few steps and an evaluation and tells the bytes of its buffers (allocator)
and the growth of its resident anonymous memory (/proc). Prediction and buffers must agree to a kilobyte,
growth within 2 %, or 1 MiB where that is more: thread stacks and the objects of a library that generates
code when first called do not depend on the network. Exit code 0: all of that holds.
"""

import json
import os
import pathlib
import subprocess
import sys

THREADS = "2"
MEBI = 1 << 20


def last_json(command):
    env = dict(os.environ, OMP_NUM_THREADS=THREADS)
    done = subprocess.run([str(c) for c in command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("exit code %d of %s\n%s" % (done.returncode, " ".join(map(str, command)), done.stderr))
    text = done.stdout + "\n" + done.stderr
    start = text.rfind("\n{") if command[1] != "--plan" else 0
    if start < 0:
        sys.exit("no figures from %s" % " ".join(map(str, command)))
    return json.JSONDecoder().raw_decode(text[start:].lstrip())[0]


def main():
    programs, experiments = pathlib.Path(sys.argv[1]), sys.argv[2:]
    bad = 0
    for experiment in experiments:
        plan = last_json([programs / "lbann-validate", "--plan", "--format=json", "--threads=" + THREADS, experiment])
        run = last_json([programs / "lbann-train", "--smoke=12", "--bench-json", "--threads=" + THREADS, experiment])
        predicted, held, growth = plan["plan"]["total_bytes"], run["planned_bytes"], run["growth_bytes"]
        allowed = max(predicted * 0.02, MEBI)
        good = abs(predicted - held) <= 1024 and abs(growth - predicted) <= allowed and growth > 0
        bad += not good
        print("%-24s predicted %9.3f MiB, buffers %9.3f MiB, growth %9.3f MiB (%+.2f %%)%s" % (
            pathlib.Path(experiment).stem, predicted / MEBI, held / MEBI, growth / MEBI,
            100 * (growth / predicted - 1), "" if good else "  WRONG"))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
