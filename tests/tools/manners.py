#!/usr/bin/env python3
"""The manners that all five tools share, checked the same way for each: --help, --version, what a wrong command line
gets, exit codes, where data and talk go, colours, the environment.

    manners.py BIN
"""
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile

BIN = os.path.abspath(sys.argv[1])
TOOLS = ("lbann-train", "lbann-validate", "lbann-convert", "lbann-plot", "lbann-launch")
ESCAPE = "\x1b["


def run(tool, *words, env=None, stdin="", **options):
    environment = {"PATH": BIN + ":/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "xterm"}
    for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            environment[name] = os.environ[name]
    environment.update(env or {})
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.run([os.path.join(BIN, tool), *words], input=stdin, text=True, env=environment, timeout=60,
                          **options)


def run_on_terminal(tool, *words, env=None):
    """stderr of a run whose stderr is a terminal."""
    master, slave = pty.openpty()
    run(tool, *words, env=env, stderr=slave)
    os.close(slave)
    text = b""
    try:
        while True:
            piece = os.read(master, 65536)
            if not piece:
                break
            text += piece
    except OSError:  # a terminal without writers ends with EIO
        pass
    os.close(master)
    return text.decode()


def check_help(tool):
    done = run(tool, "--help")
    assert done.returncode == 0 and done.stderr == "", done
    assert done.stdout.startswith(f"usage: {tool} "), done.stdout[:80]
    assert max(map(len, done.stdout.splitlines())) <= 200
    assert run(tool, "-h").stdout == done.stdout
    # Help wins over everything else on the line, wrong or not.
    assert run(tool, "--no-such-option", "--help").stdout == done.stdout
    assert re.search(r"^Common options:$", done.stdout, re.M)
    assert re.search(r"[Ee]xit codes?", done.stdout), "exit codes are not told"


def check_version(tool):
    done = run(tool, "--version")
    assert done.returncode == 0 and done.stderr == "", done
    assert re.fullmatch(rf"{tool} \d+\.\d+\.\d+\n", done.stdout), done.stdout
    details = run(tool, "--version", "--verbose").stdout
    assert details.startswith(done.stdout) and details == run(tool, "--verbose", "--version").stdout
    for name in ("git", "build type", "compiler", "C++ standard", "target", "protobuf", "fmt", "zlib", "oneDNN", "HDF5",
                 "ONNX", "modules"):
        assert re.search(rf"^{re.escape(name)}: \S", details, re.M), (name, details)


def check_usage(tool):
    done = run(tool)
    assert done.returncode == 2 and done.stdout == "" and "usage: " in done.stderr, done
    done = run(tool, "--verson", "--colour=never", "x")
    assert done.returncode == 2 and done.stdout == "", done
    # Both mistakes are told, each with the nearest name.
    assert "unknown option '--verson'" in done.stderr and "did you mean '--version'?" in done.stderr, done.stderr
    assert "did you mean '--color'?" in done.stderr, done.stderr
    assert re.search(r"LBANN error: \d+ errors, exit 2\n$", done.stderr), done.stderr
    done = run(tool, "--log-level", "loud", "x")
    assert done.returncode == 2 and "error|warning|info|debug|trace" in done.stderr, done.stderr
    # `=` or a blank, `-` or `_`: the same.
    for words in (["--log_level=loud"], ["--log-level=loud"], ["--log_level", "loud"]):
        assert run(tool, *words, "x").stderr == done.stderr, words
    done = run(tool, "x", env={"LBANN_LOG_LEVEL": "loud"})
    assert done.returncode == 2 and "LBANN_LOG_LEVEL" in done.stderr, done.stderr
    # The command line wins over the environment's value, and `--` ends the options.
    assert run(tool, "--version", "--log-level=info", env={"LBANN_LOG_LEVEL": "debug"}).returncode == 0
    done = run(tool, "--", "--help")
    assert done.returncode != 0 and not done.stdout.startswith("usage"), done


def check_output(tool):
    """A full disk is exit code 8, a reader that went away 128 + SIGPIPE."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = run(tool, "--help", stdout=full)
    assert done.returncode == 8 and "exit 8" in done.stderr, done
    reader, writer = os.pipe()
    os.close(reader)
    done = run(tool, "--help", stdout=writer)
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == "", done


def check_missing_file(tool):
    with tempfile.TemporaryDirectory() as folder:
        done = run(tool, "no/such/file", cwd=folder)
        expected = {"lbann-launch": None}.get(tool, 4)
        if expected is not None:
            assert done.returncode == expected, (tool, done.returncode, done.stderr)
            assert "no/such/file" in done.stderr and done.stdout == "", done
        assert os.listdir(folder) == [], os.listdir(folder)


def check_colours(tool):
    wrong = ["--no-such-option", "x"]
    assert ESCAPE not in run(tool, *wrong).stderr, "colours in a pipe"
    assert ESCAPE in run(tool, "--color=always", *wrong).stderr
    assert ESCAPE not in run(tool, "--color=never", *wrong, env={"CLICOLOR_FORCE": "1"}).stderr
    assert ESCAPE in run(tool, *wrong, env={"CLICOLOR_FORCE": "1"}).stderr
    assert ESCAPE in run_on_terminal(tool, *wrong), "no colours on a terminal"
    assert ESCAPE not in run_on_terminal(tool, *wrong, env={"NO_COLOR": "1"})
    assert ESCAPE not in run_on_terminal(tool, *wrong, env={"TERM": "dumb"})
    assert ESCAPE not in run_on_terminal(tool, "--color=never", *wrong)
    assert ESCAPE in run_on_terminal(tool, "--color=always", *wrong, env={"NO_COLOR": "1", "TERM": "dumb"})


def check_descriptors(tool):
    """Started with closed descriptors, nothing is written into a file that got their numbers."""
    done = subprocess.run(["/bin/sh", "-c", f"exec {os.path.join(BIN, tool)} --version >&-"], capture_output=True,
                          timeout=60)
    assert done.returncode == 8, done


def main():
    for tool in TOOLS:
        for check in (check_help, check_version, check_usage, check_output, check_missing_file, check_colours,
                      check_descriptors):
            try:
                check(tool)
            except AssertionError:
                print(f"{tool}: {check.__name__} failed")
                raise
        print(f"{tool}: ok")


main()
