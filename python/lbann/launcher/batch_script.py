"""The job script: a shell script with the launcher line of a scheduler, its dates and its exit code."""

import os
import shlex
import subprocess
import sys
import threading


class BatchScript:
    """Base of the scripts of all schedulers: `header`, `launcher` and `submitter` differ."""

    submit_command = None

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
        lines = [f"#!{self.interpreter}", *self.header(), ""]
        lines += [f"export {name}={shlex.quote(str(value))}" for name, value in self.environment]
        lines += ["", 'echo "Started at $(date)"']
        for command in self.commands:
            words = [*self.launcher(), *command]
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
        return _run_and_copy([*self.submit_command, self.script_file], self.work_dir, self.out_log_file,
                             self.err_log_file)


def _run_and_copy(command, folder, out_file, err_file):
    with open(out_file, "ab") as out, open(err_file, "ab") as err:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
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
