#!/usr/bin/env python3
"""The regular expressions of log parsers written for LBANN, applied to our console lines."""
import os
import re
import subprocess
import sys

NUM = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf)"
PREFIX = r"(?:Model (\d+)|(\S+) \(instance (\d+)\))"
TRAIN = re.compile(PREFIX + r" training epoch (\d+) (.+?) : (" + NUM + r")(\S*)$")
EVAL = re.compile(PREFIX + r" (validation|tournament|test) (.+?) : (" + NUM + r")(\S*)$")
TIMES = re.compile(r"mini-batch time statistics : (N/A|" + NUM + r")s? mean,(?: (" + NUM + r")s median,)? (N/A|" + NUM +
                   r")s? max, (N/A|" + NUM + r")s? min, (N/A|" + NUM + r")s? stdev")
HEAD = re.compile(r"^\[(\d+)\] Epoch : stats formated \[tr/v/te(?:/to)?\] iter/epoch = \[(\d+)/(\d+)/(\d+)(?:/(\d+))?\]")
WORLD = [re.compile(r"Total number of processes\s*:\s*(\d+)"), re.compile(r"Processes on node\s*:\s*(\d+)"),
         re.compile(r"Trainers\s*:\s*(\d+)")]


def main():
    out = subprocess.run([os.path.join(sys.argv[1], "talk_sample"), "console"], capture_output=True, text=True,
                         timeout=60, check=True).stdout.splitlines()
    for pattern in WORLD:
        assert [m.group(1) for m in map(pattern.search, out) if m] == ["1"], pattern
    heads = [m.groups() for m in map(HEAD.search, out) if m]
    assert heads == [("3", "211", "24", "40", "0")], heads

    values = ["0.412346", "1e-05", "-3.25e+20", "0", "nan", "inf"]
    train = [m.groups() for m in map(TRAIN.match, out) if m]
    objective = [g[5] for g in train if g[4] == "objective function"]
    assert objective == values, objective
    metric = [g[5:] for g in train if g[4] == "top-5 categorical accuracy"]
    assert metric == [(v, "%") for v in values], metric
    assert all(g[:4] == (None, "model0", "0", "3") for g in train), train
    assert [g[5:] for g in train if g[4] == "run time"] == [("3.25", "s")]

    for mode in ("validation", "test"):
        found = [m.groups()[4:] for m in map(EVAL.match, out) if m and m.group(4) == mode]
        assert [g[1] for g in found if g[0] == "objective function"] == values, found
        assert [g[1:] for g in found if g[0] == "top-5 categorical accuracy"] == [(v, "%") for v in values], found

    times = [m.groups() for m in map(TIMES.search, out) if m]
    expected = [("0.015", "0.0148", "0.0921", "0.014", "5e-06"), ("0.015", "0.015", "0.015", "0.015", "N/A"),
                ("N/A", "nan", "N/A", "N/A", "N/A")]
    assert times == expected * 3, times
    # What LBANN's own continuous integration looks for.
    assert any(re.search(r"training epoch [0-9]+ mini-batch time statistics : ([0-9.]+)s mean", line) for line in out)
    print(f"console lines: {len(out)} lines, {len(train)} training values, {len(times)} time lines: ok")


main()
