#!/usr/bin/env python3
"""Runs every fuzz target once over its kept corpus: no input may fail, and the edges covered may not fall.

    coverage.py BIN            compares with edges.txt (target, edges)
    coverage.py BIN --update   writes it

The numbers are clang 16's at -O1; code that is removed takes its edges with it, then --update is right.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STORE = os.path.join(HERE, "edges.txt")
SEEDS = {"prototext": ["tests/golden/bad", "examples"], "experiment": ["examples"], "logs": ["tests/log/golden"]}


def edges(program, name):
    folders = [os.path.join(ROOT, folder) for folder in SEEDS[name]]
    kept = os.path.join(HERE, "corpus", name)
    if os.path.isdir(kept):
        folders.append(kept)
    done = subprocess.run([program, "-runs=0", "-max_len=65536", *folders], stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("%s failed on its own corpus:\n%s" % (name, done.stderr[-4000:]))
    return max(int(n) for n in re.findall(r"cov: (\d+)", done.stderr))


def main():
    with open(STORE, encoding="utf-8") as file:
        stored = dict(line.split() for line in file if line.strip() and not line.startswith("#"))
    now = {name: edges(os.path.join(sys.argv[1], "fuzz_" + name), name) for name in sorted(SEEDS)}
    if "--update" in sys.argv:
        with open(STORE, "w", encoding="utf-8") as file:
            file.write("# Edges that the kept corpora cover: tests/fuzz/coverage.py\n")
            file.writelines("%s %d\n" % pair for pair in now.items())
        return 0
    # libFuzzer's count differs by some edges from run to run.
    fell = [name for name in now if now[name] < 0.995 * int(stored.get(name, 0))]
    for name in now:
        print("fuzz %s: %d edges, stored %s" % (name, now[name], stored.get(name, 0)))
    return 1 if fell else 0


if __name__ == "__main__":
    sys.exit(main())
