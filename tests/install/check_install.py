#!/usr/bin/env python3
"""An installed LBANN serves where it lies: installed, moved to another folder, then used by others.

    check_install.py BUILD_FOLDER SOURCE_FOLDER

cmake --install into a folder that is then renamed (nothing may remember the first one); a project that says
find_package(LBANN CONFIG) is configured, built and run; its plan must be the one the installed
lbann-validate prints; pkg-config must name include folder and libraries there. Exit code 0: all of that holds.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUILD, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode != 0:
        sys.exit("exit code %d of %s\n%s" % (done.returncode, " ".join(map(str, command)), done.stdout))
    return done.stdout


with tempfile.TemporaryDirectory() as folder:
    first, prefix, work = (pathlib.Path(folder, name) for name in ("first", "opt", "consumer"))
    run("cmake", "--install", BUILD, "--prefix", first)
    first.rename(prefix)
    for text in [*prefix.glob("**/*.cmake"), *prefix.glob("**/*.pc")]:
        for trace in (str(first), str(SOURCE), BUILD):
            # As a whole path: a checkout in /lbann is not meant by <prefix>/include/lbann.
            if re.search(r"(?<![\w})])%s(?=[/\";\s])" % re.escape(trace), text.read_text()):
                sys.exit("%s mentions %s" % (text.relative_to(prefix), trace))

    experiment = SOURCE / "bench" / "lenet.prototext"
    run("cmake", "-G", "Ninja", "-S", SOURCE / "tests" / "install" / "consumer", "-B", work,
        "-DCMAKE_PREFIX_PATH=%s" % prefix, "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", work)
    told = run(work / "consumer", experiment)
    print(told, end="")
    numbers = [int(n) for n in re.findall(r"\d+", told)]

    env = dict(os.environ, PATH="%s:%s" % (prefix / "bin", os.environ["PATH"]))
    report = json.loads(run("lbann-validate", "--plan", "--format=json", "--threads=2", experiment, env=env))
    expected = [len(report["layers"]), report["plan"]["weights_bytes"], report["plan"]["arena_bytes"]]
    if numbers != expected or not report["plan"]["exact"]:
        sys.exit("the consumer says %s, lbann-validate %s" % (numbers, report["plan"]))

    pc = next(prefix.glob("**/lbann.pc"))
    told = run("pkg-config", "--static", "--cflags", "--libs", pc)
    for wanted in ("-llbann_runtime", "-ldnnl", "/lbann"):
        if wanted not in told:
            sys.exit("pkg-config does not say %s: %s" % (wanted, told))
    include = pathlib.Path(re.search(r"-I(\S*lbann)\b", told).group(1))
    if not (include / "train" / "trainer.hpp").exists():
        sys.exit("pkg-config's include folder %s has no headers" % include)
    for tool in ("train", "validate", "convert", "plot", "launch"):
        run("lbann-" + tool, "--version", env=env)
        if not (prefix / "share" / "man" / "man1" / ("lbann-%s.1" % tool)).exists():
            sys.exit("no manual of lbann-%s" % tool)
print("installed, moved, found, linked, run")
