#!/usr/bin/env python3
"""lbann-plot --follow: a growing file, a replaced file, a pipe, a terminal; how it ends.

    follow.py BIN
"""
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time

PLOT = os.path.join(sys.argv[1], "lbann-plot")


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("never: " + what)


def lines(first, last):
    return "".join(f"m (instance 0) training epoch {e} loss : {10 - e}\n" for e in range(first, last))


def points(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().count("training,loss")
    except FileNotFoundError:
        return 0


def check_file(folder):
    log, out = os.path.join(folder, "run.log"), os.path.join(folder, "out.csv")
    with open(log, "w", encoding="utf-8") as file:
        file.write(lines(0, 2))
    follower = subprocess.Popen([PLOT, log, "--follow=0.05", "-o", out], stderr=subprocess.PIPE)
    wait_for(lambda: points(out) == 2, "two points")
    with open(log, "a", encoding="utf-8") as file:
        file.write(lines(2, 4) + "m (instance 0) training epoch 4 lo")
        file.flush()
        wait_for(lambda: points(out) == 4, "four points")
        file.write("ss : 6\n")
        file.flush()
        wait_for(lambda: points(out) == 5, "the line that came in two parts")
    with open(log + ".new", "w", encoding="utf-8") as file:
        file.write(lines(0, 1))
    os.rename(log + ".new", log)
    wait_for(lambda: points(out) == 1, "the file that took its place")
    follower.send_signal(signal.SIGINT)
    assert follower.wait(30) == -signal.SIGINT
    assert follower.stderr.read() == b""


def check_assertion(folder):
    log, junit = os.path.join(folder, "run.log"), os.path.join(folder, "junit.xml")
    with open(log, "w", encoding="utf-8") as file:
        file.write(lines(0, 2))
    follower = subprocess.Popen([PLOT, log, "--follow=0.05", "--assert", "training loss <= 5", "--junit", junit],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    assert follower.poll() is None, "ended before the assertion was met"
    with open(log, "a", encoding="utf-8") as file:
        file.write(lines(2, 6))
    out, err = follower.communicate(timeout=30)
    assert follower.returncode == 0, err
    assert b"| 5 |" in out and b"met: " in err, (out, err)
    with open(junit, encoding="utf-8") as file:
        assert 'failures="0"' in file.read()


def check_pipe():
    follower = subprocess.Popen([PLOT, "-", "--follow=0.05", "--format=csv", "--assert", "training loss <= 1"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    follower.stdin.write(lines(0, 1).encode())
    follower.stdin.flush()
    time.sleep(0.2)
    out, err = follower.communicate(lines(1, 3).encode(), timeout=30)
    assert follower.returncode == 1, (follower.returncode, err)
    assert out.count(b"training,loss") == 3 and b"not met" in err, (out, err)


def check_terminal(folder):
    log = os.path.join(folder, "run.log")
    with open(log, "w", encoding="utf-8") as file:
        file.write(lines(0, 2))
    master, slave = pty.openpty()
    follower = subprocess.Popen([PLOT, log, "--follow=0.05"], stdin=slave, stdout=slave, stderr=slave,
                                env=dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm-256color"))
    os.close(slave)
    seen = b""

    def read_until(word):
        nonlocal seen
        end = time.monotonic() + 30
        while word not in seen and time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 65536)
        assert word in seen, (word, seen[-2000:])

    read_until(b"\x1b[J")
    assert seen.startswith(b"\x1b[2J\x1b[H") and "⠀" <= max(seen.decode()) <= "⣿", seen
    seen = b""
    with open(log, "a", encoding="utf-8") as file:
        file.write(lines(2, 8))
    read_until(b"\x1b[J")
    assert seen.startswith(b"\x1b[H") and b" 7" in seen, seen
    follower.send_signal(signal.SIGINT)
    assert follower.wait(30) == -signal.SIGINT
    os.close(master)


def main():
    for check in (check_file, check_assertion, check_terminal):
        with tempfile.TemporaryDirectory(prefix="lbann-follow-") as folder:
            check(folder)
    check_pipe()
    print("--follow: file, replaced file, assertion, terminal and pipe: ok")


main()
