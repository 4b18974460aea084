"""The job script: a shell script with the launcher line of a scheduler, its dates and its exit code."""

import os
import shlex
import subprocess
import sys
import threading


class BatchScript:
    """Base of the scripts of all schedulers: `header`, `launcher` and `submitter` differ."""

    submit_command = None
    script_to_stdin = False  # whether the submission command reads the script instead of taking its name
    name = "this launcher"
    refused = {}  # setting -> why it cannot be honoured

    def __init__(self, script_file="batch.sh", work_dir=".", nodes=1, procs_per_node=1, time_limit=None,
                 job_name=None, partition=None, account=None, reservation=None, launcher_args=(),
                 interpreter="/bin/bash"):
        self.script_file = os.path.abspath(script_file)
        self.work_dir = os.path.abspath(work_dir)
        self.nodes, self.procs_per_node = int(nodes), int(procs_per_node)
        if self.nodes < 1 or self.procs_per_node < 1:
            raise ValueError(f"{nodes} nodes with {procs_per_node} processes each: both must be at least 1")
        self.time_limit, self.job_name = time_limit, job_name
        self.partition, self.account, self.reservation = partition, account, reservation
        self.launcher_args = list(launcher_args)
        self.interpreter = interpreter
        self.out_log_file = os.path.join(self.work_dir, "out.log")
        self.err_log_file = os.path.join(self.work_dir, "err.log")
        self.environment, self.commands = [], []
        for setting, why in self.refused.items():
            if getattr(self, setting):
                raise ValueError(f"{setting}={getattr(self, setting)!r} cannot be honoured by {self.name}: {why}")

    @property
    def num_procs(self):
        """Processes of all nodes."""
        return self.nodes * self.procs_per_node

    @property
    def seconds(self):
        """The time limit, given in minutes."""
        return None if self.time_limit is None else int(round(float(self.time_limit) * 60))

    @staticmethod
    def quote(value):
        """A value as a word of a directive."""
        return shlex.quote(str(value))

    def given(self, **flags):
        """flag + value for each setting that has a value, in this order."""
        return [flag + str(getattr(self, setting)) for setting, flag in flags.items() if getattr(self, setting)]

    # -- what a scheduler says ----------------------------------------------------------------------

    def header(self):
        """Lines that the scheduler reads."""
        return []

    def launcher(self):
        """Words in front of the program."""
        return []

    # -- content --------------------------------------------------------------------------------------

    def add_environment(self, name, value, default=False):
        """Exports a variable; `default`: unless it was added before."""
        if not (default and any(n == name for n, _ in self.environment)):
            self.environment.append((name, value))

    def add_run(self, command):
        """The program and its arguments."""
        self.commands.append([str(word) for word in command])

    def text(self):
        """The script."""
        launcher = self.launcher()
        lines = [f"#!{self.interpreter}", *self.header(), ""]
        lines += [f"export {name}={shlex.quote(str(value))}" for name, value in self.environment]
        lines += ["", 'echo "Started at $(date)"']
        for command in self.commands:
            words = [*launcher, *command]
            lines.append(" ".join(shlex.quote(word) for word in words))
        lines += ["status=$?", 'echo "Finished at $(date)"', "exit ${status}"]
        return "\n".join(lines) + "\n"

    def write(self, overwrite=False):
        """Writes the script, executable."""
        if os.path.exists(self.script_file) and not overwrite:
            raise FileExistsError(f"{self.script_file} exists")
        os.makedirs(os.path.dirname(self.script_file), exist_ok=True)
        with open(self.script_file, "w", encoding="utf-8") as file:
            file.write(self.text())
        os.chmod(self.script_file, 0o755)

    # -- running --------------------------------------------------------------------------------------

    def run(self):
        """Runs the script here, copies its output to out.log and err.log, returns its exit code."""
        return _run_and_copy([self.script_file], self.work_dir, self.out_log_file, self.err_log_file)

    def submit(self):
        """Hands the script to the scheduler; returns that program's exit code."""
        if self.submit_command is None:
            raise RuntimeError(f"{type(self).__name__}: there is no batch mode without a scheduler")
        script = [] if self.script_to_stdin else [self.script_file]
        with open(self.script_file, "rb") if self.script_to_stdin else open(os.devnull, "rb") as source:
            return _run_and_copy([*self.submit_command, *script], self.work_dir, self.out_log_file,
                                 self.err_log_file, source)


def hours(seconds):
    """Seconds as hh:mm:ss."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _run_and_copy(command, folder, out_file, err_file, source=None):
    with open(out_file, "ab") as out, open(err_file, "ab") as err:
        process = subprocess.Popen(command, cwd=folder, stdin=source, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        threads = [threading.Thread(target=_copy, args=(process.stdout, out, sys.stdout)),
                   threading.Thread(target=_copy, args=(process.stderr, err, sys.stderr))]
        for thread in threads:
            thread.start()
        try:
            code = process.wait()
        except KeyboardInterrupt:  # the program got the signal too and ends in its own way
            code = process.wait()
        for thread in threads:
            thread.join()
    return code if code >= 0 else 128 - code


def _copy(source, file, screen):
    for line in iter(source.readline, b""):
        file.write(line)
        file.flush()
        screen.write(line.decode(errors="replace"))
        screen.flush()
