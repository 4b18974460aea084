#!/usr/bin/env python3
"""The man pages the build wrote are what the tools write now; every option of --help is in
them and the reverse; choices agree; groff has no complaint; a page that tells of no option is refused.

Also: no tool links MPI, CUDA or Python, which would cost every --help their start-up.
"""
import os
import re
import shutil
import subprocess
import sys

BIN, SOURCE, SHARE = sys.argv[1:4]


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
            choices = re.findall(r"Cm ([\w-]+)", item)
            found["-" + name.group(1)] = "|".join(choices)
    return found


def check_generation(program, tool, man_text):
    with open(os.path.join(SOURCE, "man", tool + ".1"), encoding="utf-8") as file:
        page = file.read()

    def generate(text):
        return subprocess.run([program, "--generate=man"], input=text, capture_output=True, text=True, timeout=60)

    assert generate(page).stdout == man_text, f"{tool}: the man page is not fresh"
    # Made from what was made it stays as it is: nothing is lost on the way.
    assert generate(man_text).stdout == man_text, f"{tool}: the page changes when it is made again"
    entry = ".It Fl -quiet\n"
    listed = man_text.replace(".It Fl q , Fl -quiet\n", entry)
    assert listed != man_text
    for wrong in (listed.replace(entry, ".It Fl -no-such-option\n"), listed.replace(".Ss Common options", ".Ss No options"),
                  listed[:listed.index(".Ss ")]):
        done = generate(wrong)
        assert done.returncode == 2 and done.stdout == "", done
    # An option the page does not know gets its help text.
    bare = generate(re.sub(r"\.It Fl q , Fl -quiet\n(?!\.It)[^.].*\n", "", man_text))
    assert bare.returncode == 0 and ".It Fl q , Fl -quiet\nPrint only errors" in bare.stdout, bare


def main():
    for tool in ("lbann-train", "lbann-validate", "lbann-convert", "lbann-plot", "lbann-launch"):
        program = os.path.join(BIN, tool)
        page = os.path.join(SHARE, "man", "man1", tool + ".1")
        help_text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
        with open(page, encoding="utf-8") as file:
            man_text = file.read()
        check_generation(program, tool, man_text)
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
