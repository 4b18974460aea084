#!/usr/bin/env python3
"""The progress bar on a pseudo-terminal: shown there, absent in a pipe, gone before log lines."""
import os
import pty
import re
import subprocess
import sys
import time

SAMPLE = os.path.join(sys.argv[1], "talk_sample")


def open_terminal():
    """Ends the test as skipped (77) where there are no pseudo-terminals: a chroot without /dev/pts."""
    try:
        return pty.openpty()
    except OSError as error:
        print("skipped: no pseudo-terminal here: %s" % error)
        sys.exit(77)


def on_terminal(when, **environment):
    """Everything the program writes to a terminal of 80 columns."""
    env = {"PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8", "COLUMNS": "80", **environment}
    master, slave = open_terminal()
    process = subprocess.Popen([SAMPLE, "progress", when], stdin=slave, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    data = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:  # Linux: the last writer has closed the terminal
            break
        if not block:
            break
        data += block
    os.close(master)
    assert process.wait(60) == 0
    return data.decode()


def screen(text):
    """What a terminal shows in the end: carriage return, erase to end of line, newline."""
    lines, column = [""], 0
    for token in re.findall(r"\033\[K|\r|\n|.", text, re.S):
        if token == "\r":
            column = 0
        elif token == "\n":
            lines.append("")
            column = 0
        elif token == "\033[K":
            lines[-1] = lines[-1][:column]
        else:
            lines[-1] = lines[-1][:column] + token + lines[-1][column + 1:]
            column += 1
    return lines


def main():
    begin = time.monotonic()
    shown = on_terminal("auto")
    seconds = time.monotonic() - begin
    frames = re.findall(r"\repoch 1/1  ▕[^▏]*.*?\033\[K", shown)
    # Ten a second, and one more after each of the two lines in between.
    assert 4 <= len(frames) <= 10 * seconds + 3, f"{len(frames)} frames in {seconds:.2f} s"
    assert "loss" in shown and "steps/s" in shown and "ETA" in shown and "%" in shown, shown
    for frame in re.findall(r"\r([^\r\n]*)\033\[K", shown):
        assert len(frame) < 80, f"{len(frame)} columns: {frame!r}"
    assert screen(shown) == ["a log line", "a data line", "the end", ""], screen(shown)

    plain = on_terminal("auto", LC_ALL="C")
    assert "▕" not in plain and re.search(r"epoch 1/1  \[=*>? *\]", plain), plain
    assert plain.isascii()

    for when, extra in (("never", {}), ("auto", {"TERM": "dumb"})):
        text = on_terminal(when, **extra)
        assert text.replace("\r\n", "\n") == "a log line\na data line\nthe end\n", text

    piped = subprocess.run([SAMPLE, "progress", "auto"], capture_output=True, text=True, timeout=60)
    assert (piped.stdout, piped.stderr) == ("a data line\nthe end\n", "a log line\n"), piped
    forced = subprocess.run([SAMPLE, "progress", "always"], capture_output=True, timeout=60,
                            env={"LC_ALL": "C"})
    assert forced.stdout == b"a data line\nthe end\n", forced.stdout
    assert b"\repoch 1/1" in forced.stderr, forced.stderr
    print("progress bar: ok")


main()
