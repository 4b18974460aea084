#!/usr/bin/env python3
"""Completions are fresh, cover every option of --help, and really complete: bash and zsh with the Tab key of an
interactive shell on a pseudo-terminal, bash's function besides for many words, fish by `complete -C`.

    completions.py BIN SHARE     SHARE: the folder the build wrote man pages and completions to
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

BIN, SHARE = (os.path.abspath(path) for path in sys.argv[1:3])
TOOLS = ("lbann-train", "lbann-validate", "lbann-convert", "lbann-plot", "lbann-launch")
FILES = {"bash": "bash-completion/completions/{}", "zsh": "zsh/site-functions/_{}",
         "fish": "fish/vendor_completions.d/{}.fish"}
ENVIRONMENT = {"PATH": BIN + ":/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, (words, done.returncode, done.stderr)
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def options_of(tool):
    """Long names with their choices."""
    text = run(os.path.join(BIN, tool), "--help")
    found = {}
    for line in text.splitlines():
        match = re.match(r"  (?:-\w, )*--([a-z0-9-]+)(?:\[?=([^\s\]]+)\]?)?", line)
        if match:
            found["--" + match.group(1)] = (match.group(2) or "").split("|") if "|" in (match.group(2) or "") else []
    assert len(found) > 10, found
    return found


def check_fresh(tool):
    for shell, path in FILES.items():
        path = os.path.join(SHARE, path.format(tool))
        assert read(path) == run(os.path.join(BIN, tool), "--generate=" + shell), f"{path} is not fresh"
        text = read(path)
        for name in options_of(tool):
            spelled = f"-l {name[2:]} " if shell == "fish" else name
            assert spelled in text, f"{shell}: {tool} {name} is missing"


def bash_replies(tool, words, folder):
    """What bash's function answers for these words, split as readline does (a `=` is a word)."""
    split = []
    for word in words:
        split += [part for part in re.split("(=)", word) if part] if word.startswith("--") else [word]
    quoted = " ".join("'" + w.replace("'", "'\\''") + "'" for w in split)
    function = "_" + tool.replace("-", "_")
    script = (f"compopt() {{ :; }}; source {SHARE}/{FILES['bash'].format(tool)}; COMP_WORDS=({quoted}); "
              f"COMP_CWORD={len(split) - 1}; {function}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return sorted(set(run("bash", "--norc", "-c", script, cwd=folder, env=ENVIRONMENT).split("\n")) - {""})


def check_bash(tool, folder):
    options = options_of(tool)
    assert set(options) <= set(bash_replies(tool, [tool, "--"], folder)), tool
    for name, choices in options.items():
        assert name in bash_replies(tool, [tool, name[:-1]], folder), name
        if not choices:
            continue
        for choice in choices:
            assert choice in bash_replies(tool, [tool, f"{name}={choice[0]}"], folder), (name, choice)
        # An optional value is only attached: a word behind such an option is a file.
        attached_only = "[=" in next(line for line in run(os.path.join(BIN, tool), "--help").splitlines()
                                     if re.search(re.escape(name) + r"[\[=]", line))
        replies = bash_replies(tool, [tool, name, choices[0][:1]], folder)
        assert (choices[0] in replies) != attached_only, (name, replies)
    assert bash_replies(tool, [tool, "an"], folder) == ["an.prototext"]
    assert bash_replies(tool, [tool, "--", "an"], folder) == ["an.prototext"]


class Terminal:
    """An interactive shell."""

    def __init__(self, words, folder):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=ENVIRONMENT,
                                        start_new_session=True)
        os.close(slave)

    def wait_for(self, pattern, seconds=30):
        seen, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                seen += os.read(self.master, 65536).decode(errors="replace")
            if re.search(pattern, seen):
                return
        raise AssertionError(f"never saw {pattern}: {seen!r}")

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def check_tab_key(shell, folder):
    if shell == "bash":
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], folder)
        terminal.type(f"PS1='ready> '; source {SHARE}/{FILES['bash'].format('lbann-plot')}\n")
    else:
        terminal = Terminal(["zsh", "-f", "-i"], folder)
        terminal.type(f"PS1='ready> '; fpath=({SHARE}/zsh/site-functions $fpath); autoload -U compinit; "
                      f"compinit -u -d {folder}/dump\n")
    try:
        terminal.wait_for(r"[\r\n]ready> ")
        terminal.type("lbann-plot --stit\t")
        terminal.wait_for("lbann-plot --stitch")
        terminal.type("--group=tr\t")
        terminal.wait_for("--group=trainers")
        terminal.type("an\t")
        terminal.wait_for(r"an\.prototext")
    finally:
        terminal.close()


def check_fish(folder):
    def complete(line):
        script = f"source {SHARE}/{FILES['fish'].format('lbann-plot')}; complete -C '{line}'"
        text = run("fish", "--no-config", "-c", script, cwd=folder, env=dict(ENVIRONMENT, HOME=folder))
        return [reply.split("\t")[0] for reply in text.splitlines()]

    assert "--stitch" in complete("lbann-plot --stit"), complete("lbann-plot --stit")
    assert "trainers" in complete("lbann-plot --group "), complete("lbann-plot --group ")
    assert "an.prototext" in complete("lbann-plot --output an"), complete("lbann-plot --output an")


def main():
    for tool in TOOLS:
        check_fresh(tool)
    with tempfile.TemporaryDirectory(prefix="lbann-completions-") as folder:
        open(os.path.join(folder, "an.prototext"), "w", encoding="utf-8").close()
        for tool in TOOLS:
            check_bash(tool, folder)
        check_tab_key("bash", folder)
        print("bash: completes")
        for shell, check in (("zsh", lambda: check_tab_key("zsh", folder)), ("fish", lambda: check_fish(folder))):
            if shutil.which(shell):
                check()
                print(shell + ": completes")
            else:
                print(shell + ": not installed, skipped")


main()
