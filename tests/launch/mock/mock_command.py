#!/usr/bin/env python3
"""Stand-ins for schedulers and launchers, one program under many names (symbolic links).

Each knows the options of the real program as its manual lists them, whether they take a value, and refuses
every other word with exit code 2, as the real one would. Submission commands read the directives of the
script, check them in the same way, and run the script; state commands answer in the real one's form.
Sources: Slurm 22.05 manuals; flux-core manuals; IBM LSF 10.1 command reference and JSM's jsrun; PBS
Professional reference guide; RIKEN's Fugaku user guide (pjsub); Open MPI 4.1 mpirun(1); MPICH hydra's usage.

State: a folder MOCK_STATE with calls (one JSON line per call) and jobs/ID (state, exit code, process).
"""
import json
import os
import re
import shlex
import signal
import subprocess
import sys

STATE = os.environ["MOCK_STATE"]
NAME = os.path.basename(sys.argv[0])

# option -> number of values; "=" forms are taken apart. V: a pattern that the value must match.
NUM, TIME_DHMS, HMS, HM = r"\d+", r"\d+-\d\d:\d\d:\d\d", r"\d+:\d\d:\d\d", r"\d+:\d\d"
ANY = r"(?s).+"
SLURM_COMMON = {
    "--nodes": NUM, "--ntasks": NUM, "--ntasks-per-node": NUM, "--cpus-per-task": NUM, "--gpus-per-node": NUM,
    "--mem": r"\d+[KMGT]", "--time": TIME_DHMS, "--partition": ANY, "--account": ANY, "--reservation": ANY,
    "--qos": ANY, "--constraint": ANY, "--exclusive": None, "--nodelist": ANY, "--exclude": ANY, "--begin": ANY,
    "--dependency": r"afterok:\d+", "--licenses": ANY, "--mail-user": ANY, "--mail-type": ANY, "--comment": ANY,
    "--job-name": ANY, "--chdir": ANY, "--output": ANY, "--error": ANY, "--open-mode": "append|truncate",
    "--hint": ANY}
FLUX_COMMON = {
    "--nodes": NUM, "--time-limit": r"\d+(\.\d+)?[smhd]?", "--queue": ANY, "--bank": ANY, "--requires": ANY,
    "--exclusive": None, "--begin-time": ANY, "--dependency": r"afterok:\w+", "--setattr": r"[\w.^]+=.*",
    "--job-name": ANY, "--cwd": ANY, "--setopt": ANY, "-o": ANY, "--urgency": NUM, "--env": ANY,
    "--signal": r"\w+@\d+[smhd]?", "--output": ANY, "--error": ANY}
LSF = {"-nnodes": NUM, "-n": NUM, "-R": ANY, "-W": HM, "-q": ANY, "-P": ANY, "-G": ANY, "-U": ANY, "-x": None,
       "-m": ANY, "-b": ANY, "-w": r"done\(\d+\)", "-u": ANY, "-Jd": ANY, "-J": ANY, "-cwd": ANY, "-o": ANY,
       "-e": ANY, "-r": None, "-wa": r"[A-Z0-9]+", "-wt": NUM, "-gpu": ANY, "-sla": ANY, "-alloc_flags": ANY}
PBS = {"-l": r"select=\d+(:[\w]+=[^:]+)*|place=\w+(:\w+)?|walltime=\d+:\d\d:\d\d|\w+=\w+|value7", "-q": ANY, "-A": ANY,
       "-a": r"\d{4,12}(\.\d\d)?", "-W": r"depend=afterok:[\w.]+", "-M": ANY, "-m": r"[abejn]+", "-N": r"\S{1,230}",
       "-o": ANY, "-e": ANY, "-j": "oe|eo|n", "-r": "y|n", "-k": ANY}
PJM = {"-L": r"(node|node-mem|elapse|rscgrp|rscunit|proc-core)=.+", "--mpi": r"(proc|max-proc-per-node|shape)=\d+",
       "-g": ANY, "--mail-list": ANY, "-m": r"[a-z,]+", "--name": r".{1,63}", "-o": ANY, "-e": ANY, "-j": None,
       "--restart": None, "--norestart": None, "-x": ANY, "-X": None, "--sparam": ANY}
OPENMPI = {"-n": NUM, "-np": NUM, "--map-by": r"ppr:\d+:node(:PE=\d+)?", "--bind-to": "none|core|socket|numa",
           "-x": r"\w+(=.*)?", "-wdir": ANY, "--timeout": NUM, "--hostfile": ANY, "--oversubscribe": None}
HYDRA = {"-n": NUM, "-ppn": NUM, "-f": ANY, "-bind-to": r"none|core:\d+|socket|numa", "-wdir": ANY,
         "-genv": ANY, "-l": None}
JSRUN = {"--nrs": NUM, "--rs_per_host": NUM, "--tasks_per_rs": NUM, "--launch_distribution": "packed|cyclic|plane.*",
         "--cpu_per_rs": r"\d+|ALL_CPUS", "--gpu_per_rs": r"\d+|ALL_GPUS", "--chdir": ANY,
         "--bind": r"none|rs|packed:\d+", "--smpiargs": ANY}
GRAMMAR = {
    "sbatch": {**SLURM_COMMON, "--parsable": None, "--requeue": None, "--signal": r"B:\w+@\d+", "--test-only": None},
    "srun": {**SLURM_COMMON, "--mpi": ANY, "--cpu-bind": "none|cores|sockets|ldoms", "--signal": r"\w+@\d+",
             "--kill-on-bad-exit": ANY},
    "flux batch": {**FLUX_COMMON, "--nslots": NUM, "--cores-per-slot": NUM, "--gpus-per-slot": NUM},
    "flux run": {**FLUX_COMMON, "--ntasks": NUM, "--cores-per-task": NUM, "--gpus-per-task": NUM, "--unbuffered": None},
    "bsub": LSF, "qsub": PBS, "pjsub": PJM, "jsrun": JSRUN, "mpirun": OPENMPI, "mpiexec.hydra": HYDRA,
    "mpiexec": {"-n": NUM, "-np": NUM, "-x": r"\w+", "-stdout-proc": ANY, "-stderr-proc": ANY},
}
PREFIX = {"sbatch": "#SBATCH", "flux batch": "# flux:", "bsub": "#BSUB", "qsub": "#PBS", "pjsub": "#PJM"}
JOB_VARIABLE = {"sbatch": "SLURM_JOB_ID", "flux batch": "FLUX_URI", "bsub": "LSB_JOBID", "qsub": "PBS_JOBID",
                "pjsub": "PJM_JOBID"}


def refuse(message):
    sys.stderr.write(f"{NAME}: {message}\n")
    sys.exit(2)


def parse(tool, words):
    """Options as a list of (name, value), and the words after them."""
    grammar, found = GRAMMAR[tool], []
    i = 0
    while i < len(words) and words[i].startswith("-"):
        name, equals, value = words[i].partition("=") if words[i].startswith("--") else (words[i], "", "")
        if name not in grammar:
            refuse(f"unrecognized option '{words[i]}'")
        pattern = grammar[name]
        if pattern is None:
            if equals:
                refuse(f"option '{name}' takes no value")
        else:
            if not equals:
                i += 1
                if i >= len(words):
                    refuse(f"option '{name}' needs a value")
                value = words[i]
            if not re.fullmatch(pattern, value):
                refuse(f"option '{name}': bad value '{value}'")
        found.append((name, value))
        i += 1
    return found, words[i:]


def record(tool, options, command, **more):
    with open(os.path.join(STATE, "calls"), "a", encoding="utf-8") as file:
        file.write(json.dumps({"tool": tool, "options": options, "command": command, **more}) + "\n")


def directives(tool, script):
    words = []
    for line in script.splitlines()[1:]:
        if line.startswith(PREFIX[tool]):
            words += shlex.split(line[len(PREFIX[tool]):])
        elif line and not line.startswith("#"):
            break
    return words


def job_file(number):
    return os.path.join(STATE, "jobs", number)


def submit(tool, words):
    options, rest = parse(tool, words)
    script_file = rest[0] if rest else None
    script = open(script_file, encoding="utf-8").read() if script_file else sys.stdin.read()
    if not script.startswith("#!"):
        refuse("this does not look like a batch script")
    inside, extra = parse(tool, directives(tool, script))
    if extra:
        refuse(f"stray words in directives: {extra}")
    if ("--test-only", "") in options:
        sys.stderr.write("sbatch: Job 1 to start at 2030-01-01T00:00:00\n")
        sys.exit(0)
    os.makedirs(os.path.join(STATE, "jobs"), exist_ok=True)
    number = str(100 + len(os.listdir(os.path.join(STATE, "jobs"))))
    record(tool, inside + options, [script_file], job=number)
    copy = os.path.join(STATE, "script" + number)
    with open(copy, "w", encoding="utf-8") as file:
        file.write(script)
    with open(job_file(number), "w", encoding="utf-8") as file:
        file.write("queued")
    values = dict(inside + options)
    env = {**os.environ, JOB_VARIABLE[tool]: number}
    cwd = values.get("--chdir") or values.get("--cwd") or values.get("-cwd") or "/"
    out, err = values.get("--output"), values.get("--error")
    runner = subprocess.Popen([sys.executable, os.path.realpath(__file__), "--runner", number, copy, cwd, out or "", err or ""],
                              env={**env, "MOCK_RUNNER": "1"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True)
    with open(job_file(number) + ".pid", "w", encoding="utf-8") as file:
        file.write(str(runner.pid))
    print({"sbatch": number, "flux batch": "f" + number, "bsub": f"Job <{number}> is submitted to queue <normal>.",
           "qsub": number + ".server", "pjsub": f"[INFO] PJM 0000 pjsub Job {number} submitted."}[tool])


def run_job():
    """The scheduler's side of a job: runs the script again as long as it was requeued."""
    number, script, cwd, out, err = sys.argv[2:]
    while True:
        with open(job_file(number), "w", encoding="utf-8") as file:
            file.write("running")
        out_file = open(out, "ab") if out else subprocess.DEVNULL
        err_file = open(err, "ab") if err else subprocess.DEVNULL
        code = subprocess.call(["bash", script], cwd=cwd, stdout=out_file, stderr=err_file, stdin=subprocess.DEVNULL)
        if os.path.exists(job_file(number) + ".requeue"):
            os.remove(job_file(number) + ".requeue")
            continue
        with open(job_file(number), "w", encoding="utf-8") as file:
            file.write(f"ended {code if code >= 0 else 128 - code}")
        return


def state_of(number):
    try:
        with open(job_file(number), encoding="utf-8") as file:
            return file.read().split()
    except OSError:
        sys.stderr.write("Invalid job id specified\n")
        sys.exit(1)


def show_state(form, number):
    words = state_of(number)
    phase, code = words[0], words[1] if len(words) > 1 else "-"
    if form == "slurm":
        state = {"queued": "PENDING", "running": "RUNNING"}.get(phase, "COMPLETED" if code == "0" else "FAILED")
        print(f"JobId={number} JobName=x JobState={state} Reason=None ExitCode={0 if code == '-' else code}:0")
    elif form == "flux":
        print({"queued": "SCHED", "running": "RUN"}.get(phase, "INACTIVE"), code)
    elif form == "lsf":
        print({"queued": "PEND", "running": "RUN"}.get(phase, "DONE" if code == "0" else "EXIT"), code)
    elif form == "pbs":
        print(f"Job Id: {number}.server\n    Job_Name = x\n    job_state = {dict(queued='Q', running='R').get(phase, 'F')}")
        if phase == "ended":
            print(f"    Exit_status = {code}")
    else:
        print("ST  EC\n" + {"queued": "QUE 0", "running": "RUN 0"}.get(phase, f"EXT {code}"))


def cancel(number):
    with open(job_file(number) + ".pid", encoding="utf-8") as file:
        os.killpg(int(file.read()), signal.SIGTERM)
    with open(job_file(number), "w", encoding="utf-8") as file:
        file.write("ended 143")


def launch(tool, words):
    options, command = parse(tool, words)
    if not command:
        refuse("no command")
    record(tool, options, command, world=os.environ.get("LBANN_EXPECTED_WORLD"), cwd=os.getcwd())
    values = dict(options)
    folder = values.get("--chdir") or values.get("--cwd") or values.get("-wdir")
    if folder:
        os.chdir(folder)
    os.execvp(command[0], command)


def main():
    words = sys.argv[1:]
    if words[:1] == ["--runner"]:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return run_job()
    if NAME == "flux":
        if words[:1] == ["--parent"]:
            words = words[1:]
        sub, words = words[0], words[1:]
        if sub == "batch":
            return submit("flux batch", words)
        if sub == "run":
            return launch("flux run", words)
        if sub == "jobs" and words[:2] == ["--no-header", "--format={state} {returncode}"]:
            return show_state("flux", words[2][1:])
        if sub == "cancel":
            return cancel(words[0][1:])
        refuse(f"unknown command '{sub}'")
    if NAME in PREFIX:
        if NAME == "bsub" and any(not w.startswith("-") for w in words):
            refuse("the script is read from standard input")
        if NAME == "qsub" and words == ["--version"]:
            return print("pbs_version = 23.06")
        return submit(NAME, words)
    if NAME == "srun" and words == ["--mpi=list"]:
        return print("MPI plugin types are...\n\tnone\n\tpmi2\n\tpmix")
    if NAME == "mpirun" and words == ["--version"]:
        return print("mpirun (Open MPI) 4.1.4")
    if NAME in GRAMMAR:
        return launch(NAME, words)
    if NAME == "scontrol" and words[:3] == ["show", "job", "--oneliner"]:
        return show_state("slurm", words[3])
    if NAME == "scontrol" and words[:1] == ["requeue"]:
        return open(job_file(words[1]) + ".requeue", "w", encoding="utf-8").close()
    if NAME == "bjobs" and words[:3] == ["-noheader", "-o", "stat exit_code"]:
        return show_state("lsf", words[3])
    if NAME == "qstat" and words[:2] == ["-x", "-f"]:
        return show_state("pbs", words[2].split(".")[0])
    if NAME == "pjstat" and words[:2] == ["--choose", "st,ec"]:
        return show_state("pjm", words[2])
    if NAME in ("scancel", "bkill", "qdel", "pjdel") and len(words) == 1:
        return cancel(words[0].split(".")[0])
    refuse(f"words not understood: {words}")


main()
