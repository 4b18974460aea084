#!/usr/bin/env python3
"""Scripts of lbann-launch to the byte: golden/*.sh, read through by hand; shellcheck judges them again.

golden_scripts.py BIN [--update]
"""
import os
import shutil
import subprocess
import sys

BIN = os.path.abspath(sys.argv[1])
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
COMMON = ["--run-dir=/runs/my run", "--work-dir=/home/me", "--job-name=job1", "--nodes=2", "--procs-per-node=4",
          "--cores-per-proc=3", "--time-limit=1:30:00", "--env=A=it's $HOME", "--preamble=module load gcc",
          "--cleanup=rm -rf /tmp/x", "--max-restarts=3", "--signal-before=5m"]
BATCH = ["--batch", "--partition=p1", "--account=my bank"]
CASES = {
    "slurm": BATCH + ["--gpus-per-proc=1", "--memory-per-node=64G", "--reservation=r", "--qos=q", "--constraint=c", "--exclusive",
                      "--nodelist=n[1-2]", "--exclude=n9", "--begin=now+1hour", "--dependency=5", "--licenses=l:1",
                      "--mail-user=a@b.org", "--mail-type=END", "--comment=a remark", "--bind=core", "--mpi=pmix",
                      "--launcher-arg=--kill-on-bad-exit=1", "--scheduler-arg=--hint=nomultithread"],
    "slurm-openmpi": BATCH + ["--launcher=openmpi", "--gpus-per-proc=1"],
    "slurm-now": ["--partition=p1"],
    "flux": BATCH + ["--gpus-per-proc=1", "--constraint=c", "--exclusive", "--nodelist=n[1-2]", "--exclude=n9", "--begin=+1h",
                     "--dependency=f5", "--comment=a remark", "--bind=core", "--mpi=pmix"],
    "lsf": BATCH + ["--gpus-per-proc=1", "--reservation=r", "--constraint=c", "--exclusive", "--nodelist=n1,n2", "--begin=20:00",
                    "--dependency=5", "--mail-user=a@b.org", "--comment=a remark", "--bind=core"],
    "lsf-mpich": BATCH + ["--launcher=mpich", "--gpus-per-proc=1", "--memory-per-node=64G", "--bind=core"],
    "pbs": BATCH + ["--gpus-per-proc=1", "--memory-per-node=64G", "--constraint=model=x", "--exclusive", "--begin=2000",
                    "--dependency=5.s", "--licenses=matlab=1", "--mail-user=a@b.org", "--mail-type=e"],
    "pjm": BATCH + ["--memory-per-node=64G", "--mail-user=a@b.org", "--mail-type=e"],
    "openmpi": ["--hostfile=/hosts", "--bind=socket"],
    "mpich": ["--hostfile=/hosts", "--bind=core"],
    "local": ["--nodes=1", "--procs-per-node=1"],
}


def main():
    failed = 0
    for name, words in CASES.items():
        done = subprocess.run([os.path.join(BIN, "lbann-launch"), "--site=none", "--scheduler=" + name.split("-")[0], *COMMON, *words,
                               "--dry-run", "--", "prog", "a b", "it's", "$x"], capture_output=True, text=True, timeout=60,
                              cwd="/", check=False,
                              env={k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "FLUX_", "LBANN_"))})
        path = os.path.join(GOLDEN, name + ".sh")
        if done.returncode:
            print(f"{name}: exit {done.returncode}\n{done.stderr}")
            failed += 1
            continue
        if "--update" in sys.argv:
            with open(path, "w", encoding="utf-8") as file:
                file.write(done.stdout)
        with open(path, encoding="utf-8") as file:
            if file.read() != done.stdout:
                print(f"{name}: differs from {path}:\n{done.stdout}")
                failed += 1
        if shutil.which("shellcheck"):
            checked = subprocess.run(["shellcheck", "--shell=bash", path], capture_output=True, text=True, timeout=60, check=False)
            if checked.returncode:
                print(checked.stdout)
                failed += 1
    print(f"{len(CASES)} scripts, {failed} failures" + ("" if shutil.which("shellcheck") else "; shellcheck is not installed"))
    return 1 if failed else 0


sys.exit(main())
