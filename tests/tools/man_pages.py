#!/usr/bin/env python3
"""Every option of --help is in the man page and the reverse; choices agree; groff has no complaint.

Also: no tool links MPI, CUDA or Python, which would cost every --help their start-up.
"""
import os
import re
import shutil
import subprocess
import sys

BIN, SOURCE = sys.argv[1], sys.argv[2]


def options_of_help(text):
    """Long and short names with the choices of their value, if any."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"  ((?:-\w, )*)--([a-z0-9-]+)(?:\[?=([^\s\]]+)\]?)?", line)
        if match:
            value = match.group(3) or ""
            found["--" + match.group(2)] = value if "|" in value else ""
            for short in re.findall(r"-\w", match.group(1)):
                found[short] = ""
    joined = re.sub(r"\s+", " ", text)
    for aliases in re.findall(r"Also ((?:--[a-z0-9-]+(?:, )?)+)\.", joined):
        for alias in aliases.split(", "):
            found[alias] = ""
    return found


def options_of_man(text):
    found = {}
    for line in text.splitlines():
        if not re.match(r"\.It Fl ", line):
            continue
        for item in line[4:].split(" , "):
            name = re.match(r"Fl (-?[A-Za-z0-9-]+)", item)
            choices = re.findall(r"Cm (\w+)", item)
            found["-" + name.group(1)] = "|".join(choices)
    return found


def main():
    for tool in ("lbann-train", "lbann-validate", "lbann-convert", "lbann-plot", "lbann-launch"):
        program = os.path.join(BIN, tool)
        page = os.path.join(SOURCE, "man", tool + ".1")
        help_text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
        with open(page, encoding="utf-8") as file:
            man_text = file.read()
        in_help, in_man = options_of_help(help_text), options_of_man(man_text)
        assert len(in_help) > 15, in_help
        missing = {name for name in in_help if name not in in_man}
        extra = {name for name in in_man if name not in in_help}
        assert not missing, f"{tool}: not in the man page: {sorted(missing)}"
        assert not extra, f"{tool}: only in the man page: {sorted(extra)}"
        wrong = {n: (c, in_man[n]) for n, c in in_help.items() if c and c != in_man[n]}
        assert not wrong, f"{tool}: different choices: {wrong}"

        if shutil.which("groff"):
            result = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True,
                                    timeout=60)
            assert result.returncode == 0 and not result.stderr, result.stderr

        libraries = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=60).stdout
        unwanted = re.findall(r"lib(?:mpi|cuda|cudart|cudnn|cublas|nccl|python)\S*", libraries)
        assert not unwanted, f"{tool} links {unwanted}"
        print(f"{tool}: {len(in_help)} options: ok")


main()
