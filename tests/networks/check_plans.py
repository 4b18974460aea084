#!/usr/bin/env python3
"""No plan of a shipped network runs a reference kernel: neither one of our naive ones nor one of the library's.

    check_plans.py BIN ROOT FILE...

For each experiment and for both --numerics, `lbann-train --dry-run` makes the kernels of the training plan. Its
plan names ours; the library's own trace (DNNL_VERBOSE=2) names the implementation of every primitive made.
Experiments that read files get a folder of drawn digits.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile


def run(command, **more):
    """Both outputs in one text: the library's trace goes where the process's own talk goes."""
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=True, timeout=300, **more).stdout


def check(program, path, numerics, data):
    environment = dict(os.environ, DNNL_VERBOSE="2", ONEDNN_VERBOSE="2")
    out = run([program, "--dry-run", "--threads=2", "--numerics=" + numerics, "--data-dir=" + data, path], env=environment)
    kernels = collections.Counter(re.findall(r"\b(?:cpu|direct|dnnl|ref)\.\w+", out))
    made = collections.Counter()
    for line in out.splitlines():
        fields = line.split(",")
        if fields[0] in ("dnnl_verbose", "onednn_verbose") and fields[1].startswith("create"):
            made[fields[4]] += 1
    name = f"{os.path.basename(path)} ({numerics})"
    assert any(k.startswith(("cpu.", "dnnl.")) for k in kernels), f"{name}: no kernels in the plan"
    naive = [k for k in kernels if k.startswith("ref.")]
    assert not naive, f"{name}: naive kernels {naive}"
    reference = [i for i in made if re.search(r"\bref\b|simple:any", i)]
    assert not reference, f"{name}: the library's reference kernels {reference}"
    if "dnnl.conv" in kernels or "dnnl.conv_winograd" in kernels:
        assert any("avx" in i or "brgconv" in i or "sse" in i for i in made), f"{name}: no trace of the library: {made}"
    winograd = sum(n for k, n in kernels.items() if k.endswith("_winograd"))
    print(f"{name}: {sum(kernels.values())} kernels, {sum(made.values())} of the library, {winograd} times Winograd")
    return winograd


def main():
    program, root, files = os.path.join(sys.argv[1], "lbann-train"), sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        run([os.path.join(sys.argv[1], "lbann-digits"), folder, "--count", 1000])
        fast = 0
        for path in files:
            assert check(program, os.path.join(root, path), "exact", folder) == 0, f"{path}: Winograd in exact numerics"
            fast += check(program, os.path.join(root, path), "fast", folder)
        if "avx512f" in open("/proc/cpuinfo", encoding="utf-8").read() and any("resnet" in f for f in files):
            assert fast > 0, "no network uses Winograd's algorithm"


main()
