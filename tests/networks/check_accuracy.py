#!/usr/bin/env python3
"""Trains examples on digits that lbann-digits draws and checks what they reach.

    check_accuracy.py BIN_DIRECTORY EXAMPLES_DIRECTORY [DIGITS_DIRECTORY]

The convolutional example must pass 98 % validation accuracy in its 10 epochs, softmax regression must
stay below 93 %: the data are learnable and not trivial. Exit code 0: both hold.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

LIMITS = {"seed_cnn": (98.0, 100.0), "linear": (50.0, 93.0)}


def main():
    if len(sys.argv) not in (3, 4):
        sys.stderr.write("usage: check_accuracy.py BIN_DIRECTORY EXAMPLES_DIRECTORY [DIGITS_DIRECTORY]\n")
        return 2
    programs, examples = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        digits = sys.argv[3] if len(sys.argv) == 4 else folder + "/digits"
        if len(sys.argv) == 3:
            subprocess.run([programs / "lbann-digits", digits], check=True, stdout=subprocess.DEVNULL)
        for name, (low, high) in LIMITS.items():
            run = pathlib.Path(folder, name)
            subprocess.run([programs / "lbann-train", "--data-filedir=" + str(digits), "--run-dir=" + str(run), "--seed=1",
                            examples / (name + ".prototext")], check=True, cwd=folder, stdout=subprocess.DEVNULL)
            records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
            accuracy = [r["metrics"]["accuracy"] for r in records if r["kind"] == "epoch" and r["mode"] == "validation"]
            fine = len(accuracy) == 10 and low < accuracy[-1] < high
            print("%s: validation accuracy %s %%, wanted between %g and %g after 10 epochs%s" % (
                name, " ".join("%.2f" % a for a in accuracy), low, high, "" if fine else ": FAILED"))
            bad += not fine
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
