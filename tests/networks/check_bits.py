#!/usr/bin/env python3
"""Same seed, same bits: what must not change a training run does not change one digit of its losses.

    check_bits.py LBANN_TRAIN NETWORK

Trains a network of this folder on its digits, shuffled, from random weights, several times: again, with
1 and 3 reader threads, a progress bar, a validation pass after each epoch. The losses of all training
steps and of the final pass in test mode must be the same doubles, and the digest of the final weights
the same text. A run with another seed must differ: otherwise this test would see nothing.
Exit code 0: all of that holds.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# name -> (options, with a validation reader)
VARIANTS = {
    "again": ([], False),
    "one reader thread": (["--num-io-threads=1"], False),
    "three reader threads": (["--num-io-threads=3"], False),
    "with a progress bar": (["--progress=always"], False),
    "with validation": ([], True),
    "with validation, three reader threads": (["--num-io-threads=3"], True),
}


def experiment(network, validate):
    """The network with shuffled data and its own initial weights."""
    text = (HERE / (network + ".prototext")).read_text()
    text = text.replace("shuffle: false", "shuffle: true").replace('"digits"', '"%s"' % (HERE / "digits"))
    text = re.sub(r'    weights: ".*"\n', "", text)
    text = re.sub(r"  weights \{\n.*?\n  \}\n", "", text, flags=re.DOTALL)
    if validate:
        reader = re.search(r"  reader \{\n    name.*?\n  \}\n", text, flags=re.DOTALL).group()
        text = text.replace("data_reader {\n", "data_reader {\n" + reader.replace('"train"', '"validate"'), 1)
    return text


def losses(program, network, options, validate):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "experiment.prototext")
        file.write_text(experiment(network, validate))
        command = [str(program), *options, "--log-steps", "--digest", "--run-dir=" + folder + "/run", str(file)]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit("exit code %d of %s\n%s" % (done.returncode, " ".join(command), done.stderr))
        records = [json.loads(line) for line in pathlib.Path(folder, "run", "log.jsonl").read_text().splitlines()]
    validations = sum(r["kind"] == "epoch" and r["mode"] == "validation" for r in records)
    if validations != (5 if validate else 0):
        sys.exit("%d validation passes in the log of %s" % (validations, " ".join(command)))
    digest = re.findall(r"^weights digest: ([0-9a-f]+)$", done.stdout + "\n" + done.stderr, flags=re.MULTILINE)
    if len(digest) != 1:
        sys.exit("no weights digest from %s" % " ".join(command))
    return [(r["mode"], r["metrics"]["objective function"]) for r in records
            if (r["kind"], r["mode"]) in (("step", "training"), ("epoch", "test"))] + [("weights", digest[0])]


def main():
    if len(sys.argv) != 3:
        sys.stderr.write("usage: check_bits.py LBANN_TRAIN NETWORK\n")
        return 2
    program, network = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    wanted = losses(program, network, ["--random-seed=7"], False)
    if len(wanted) != 22:
        print("%d items, expected 20 steps, a test pass and a digest" % len(wanted))
        return 1
    bad = 0
    for name, (options, validate) in VARIANTS.items():
        got = losses(program, network, ["--random-seed=7"] + options, validate)
        different = [i for i, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1]]
        if got != wanted:
            print("%s: %d items, the first difference at %s" % (name, len(got), different[:1] or "the end"))
            bad += 1
    if losses(program, network, ["--random-seed=8"], False)[0] == wanted[0]:
        print("another seed gives the same first loss")
        bad += 1
    print("%s: %d runs compared, %d differ" % (network, len(VARIANTS), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
