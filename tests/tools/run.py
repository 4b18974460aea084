#!/usr/bin/env python3
"""Text tests of the command-line tools: a command, and exactly what it must say and return.

A .test file holds cases:

    # a comment
    === name of the case
    $ printf 'x' | lbann-validate -          run by /bin/sh in an empty folder
    --- file exp.prototext                    a file to create there (may be repeated)
    model { }
    --- stdin                                 default: empty
    --- exit 2                                default: 0
    --- stdout                                exact text; absent: there must be none
    --- stderr regex                          one regular expression per line, matched whole;
    error: unknown option .*                  the line ... stands for any number of lines
    ...
    --- stdout any                            whatever it says
    --- creates out.txt sub/log.jsonl         files it writes; any other new file is an error
    --- has out.txt                           exact content of a file afterwards
    --- timeout 30                            seconds (60)
    --- needs /usr/bin/strace                 skip the case without this file

The build's bin folder comes first in PATH; the environment has hardly anything else of the caller's.
"""
import argparse
import difflib
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

SECTIONS = {"file", "stdin", "exit", "stdout", "stderr", "creates", "has", "timeout", "needs"}


class Case:
    def __init__(self, path, line, name):
        self.path, self.line, self.name = path, line, name
        self.command = None
        self.files, self.has, self.creates, self.needs = {}, {}, [], []
        self.stdin, self.exit, self.timeout = "", 0, 60.0
        self.stdout, self.stderr = ("exact", ""), ("exact", "")


def fail_format(path, number, message):
    sys.exit(f"{path}:{number}: {message}")


def parse(path):
    """The cases of one file; stops at the first line it does not understand."""
    cases, case, sink = [], None, None
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("=== "):
            case, sink = Case(path, number, line[4:].strip()), None
            cases.append(case)
        elif case is None:
            if line and not line.startswith("#"):
                fail_format(path, number, "text before the first case")
        elif line.startswith("$ ") and case.command is None:
            case.command = line[2:]
        elif line.startswith("--- "):
            sink = open_section(case, line[4:].split(), number)
        elif sink is not None:
            sink.append(line)
        elif line and not line.startswith("#"):
            fail_format(path, number, "text outside a section")
    for case in cases:
        if case.command is None:
            fail_format(path, case.line, "case without a command")
        finish(case)
    return cases


def open_section(case, words, number):
    kind, rest = words[0], words[1:]
    if kind not in SECTIONS:
        fail_format(case.path, number, f"unknown section '{kind}'")
    lines = []
    if kind in ("file", "has"):
        getattr(case, "files" if kind == "file" else "has")[rest[0]] = lines
        return lines
    if kind == "stdin":
        case.stdin = lines
        return lines
    if kind in ("stdout", "stderr"):
        mode = rest[0] if rest else "exact"
        if mode not in ("exact", "regex", "any"):
            fail_format(case.path, number, f"unknown mode '{mode}'")
        setattr(case, kind, (mode, lines))
        return lines
    if kind == "exit":
        case.exit = int(rest[0])
    elif kind == "timeout":
        case.timeout = float(rest[0])
    else:
        getattr(case, kind).extend(rest)
    return None


def trimmed(lines):
    """Section lines without the blank lines and comments that separate cases."""
    if isinstance(lines, str):
        return lines
    end = len(lines)
    while end and (not lines[end - 1] or lines[end - 1].startswith("# ")):
        end -= 1
    return "".join(line + "\n" for line in lines[:end])


def finish(case):
    case.files = {name: trimmed(lines) for name, lines in case.files.items()}
    case.has = {name: trimmed(lines) for name, lines in case.has.items()}
    case.stdin = trimmed(case.stdin)
    case.stdout = (case.stdout[0], trimmed(case.stdout[1]))
    case.stderr = (case.stderr[0], trimmed(case.stderr[1]))


def match_lines(patterns, lines):
    """Whether the patterns, `...` meaning any number of lines, match all lines in order."""
    reachable = {0}  # how many lines the patterns so far may have consumed
    for pattern in patterns:
        if pattern == "...":
            reachable = set(range(min(reachable), len(lines) + 1)) if reachable else set()
        else:
            compiled = re.compile(pattern)
            reachable = {i + 1 for i in reachable if i < len(lines) and compiled.fullmatch(lines[i])}
    return len(lines) in reachable


def compare(what, expected, got):
    mode, text = expected
    if mode == "any" or (mode == "exact" and text == got):
        return []
    if mode == "regex" and match_lines(text.splitlines(), got.splitlines()):
        return []
    return [f"{what} differs:"] + list(
        difflib.unified_diff(text.splitlines(), got.splitlines(), f"expected ({mode})", "got", lineterm="", n=100))


def files_below(folder):
    found = set()
    for root, _, names in os.walk(folder):
        found.update(os.path.relpath(os.path.join(root, name), folder) for name in names)
    return found


def run(case, bin_folder):
    """The differences found, as lines."""
    with tempfile.TemporaryDirectory(prefix="lbann-tool-") as folder:
        for name, text in case.files.items():
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
        environment = {"PATH": bin_folder + ":/usr/bin:/bin", "HOME": folder, "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        for name in ("LD_LIBRARY_PATH", "OMP_WAIT_POLICY", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"):
            if name in os.environ:
                environment[name] = os.environ[name]
        process = subprocess.Popen(["/bin/sh", "-c", case.command], cwd=folder, env=environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        try:
            out, err = process.communicate(case.stdin.encode(), timeout=case.timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return [f"still running after {case.timeout:g} s"]
        out, err = out.decode(errors="replace"), err.decode(errors="replace")
        problems = []
        if process.returncode != case.exit:
            problems.append(f"exit code {process.returncode}, expected {case.exit}")
        problems += compare("stdout", case.stdout, out)
        problems += compare("stderr", case.stderr, err)
        for name, text in case.has.items():
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    problems += compare(name, ("exact", text), file.read())
            except OSError as error:
                problems.append(str(error))
        new = files_below(folder) - set(case.files) - set(case.creates) - set(case.has)
        problems += [f"unexpected new file: {name}" for name in sorted(new)]
        problems += [f"not created: {name}" for name in case.creates if not os.path.exists(os.path.join(folder, name))]
        if problems and err and not any(line.startswith("stderr differs") for line in problems):
            problems += ["stderr was:"] + err.splitlines()
        return problems


def main():
    parser = argparse.ArgumentParser(description="Runs text tests of the tools.")
    parser.add_argument("files", nargs="*", help=".test files (default: all beside this script)")
    parser.add_argument("--bin", default="build/bin", help="folder of the executables")
    parser.add_argument("-k", metavar="TEXT", default="", help="only cases whose name contains TEXT")
    parser.add_argument("-v", action="store_true", help="name the cases that pass")
    args = parser.parse_args()
    bin_folder = os.path.abspath(args.bin)
    files = args.files or sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*.test")))
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in files:
        for case in parse(path):
            if args.k not in case.name:
                continue
            if any(not os.path.exists(needed) for needed in case.needs):
                counts["skipped"] += 1
                continue
            problems = run(case, bin_folder)
            counts["failed" if problems else "passed"] += 1
            if problems:
                print(f"FAILED {case.path}:{case.line}: {case.name}\n$ {case.command}")
                print("\n".join("    " + line for line in problems))
            elif args.v:
                print(f"passed {case.name}")
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    # A filter that matches nothing must not look like success.
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


if __name__ == "__main__":
    main()
