"""Writes experiment and job script into a folder and runs them.

`run` looks for a scheduler (sbatch, bsub, flux); without one the script starts mpiexec, or, for a single
process, lbann-train itself. The script's output also goes to out.log and err.log; its exit code is returned.
"""

import os
import shutil
import subprocess
import sys
import time

from .. import proto
from ..core.optimizer import Optimizer
from .batch_script import BatchScript
from .flux import FluxBatchScript
from .local import LocalBatchScript
from .lsf import LSFBatchScript
from .openmpi import MPICHBatchScript, OpenMPIBatchScript
from .pbs import PBSBatchScript
from .pjm import PJMBatchScript
from .slurm import SlurmBatchScript

SCRIPTS = {"slurm": SlurmBatchScript, "lsf": LSFBatchScript, "flux": FluxBatchScript, "pjm": PJMBatchScript,
           "pbs": PBSBatchScript, "mpich": MPICHBatchScript, "openmpi": OpenMPIBatchScript, "mpirun": OpenMPIBatchScript, "local": LocalBatchScript}
_VARIABLES = (("FLUX_URI", "flux"), ("SLURM_JOB_ID", "slurm"), ("LSB_JOBID", "lsf"), ("PBS_JOBID", "pbs"),
              ("PJM_JOBID", "pjm"))
_COMMANDS = (("sbatch", "slurm"), ("flux", "flux"), ("bsub", "lsf"), ("pjsub", "pjm"))


def lbann_exe():
    """Path of lbann-train: LBANN_EXE, else beside this package's build or installation, else in PATH."""
    if os.environ.get("LBANN_EXE"):
        return os.environ["LBANN_EXE"]
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for up in ("../../bin", "../../../bin"):  # <build>/python/lbann, <prefix>/share/python/lbann
        path = os.path.normpath(os.path.join(folder, up, "lbann-train"))
        if os.access(path, os.X_OK):
            return path
    return shutil.which("lbann-train") or "lbann-train"


def has_feature(name):
    """Whether lbann-train was built with a feature, as `lbann-train --version --verbose` lists it."""
    try:
        shown = subprocess.run([lbann_exe(), "--version", "--verbose"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    for line in shown.stdout.splitlines():
        words = line.replace(":", " ").lower().split()
        if words and words[0] == name.lower():
            return not {"no", "off", "absent", "none"} & set(words[1:])
    return False


def find_scheduler(num_procs):
    """Name of the scheduler of the allocation this runs in, else of this machine."""
    for variable, name in _VARIABLES:
        if os.environ.get(variable):
            return name
    for command, name in _COMMANDS:
        if shutil.which(command) and not (name == "slurm" and not _has_slurm()):
            return name
    return "local" if num_procs == 1 else "openmpi"


def _has_slurm():
    """False where Slurm's commands are installed but belong to no cluster."""
    if not shutil.which("scontrol"):
        return True
    answer = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False)
    said = answer.stdout + answer.stderr
    return answer.returncode == 0 or not ("configuration source" in said or "Unable to process configuration" in said)


def make_work_dir(job_name="lbann", nodes=1, procs_per_node=1, experiment_dir=None):
    """A new folder <LBANN_EXPERIMENT_DIR or .>/<date>_<time>_<job>_n<nodes>_ppn<procs>."""
    base = experiment_dir or os.environ.get("LBANN_EXPERIMENT_DIR") or os.getcwd()
    stem = os.path.join(os.path.abspath(base), f"{time.strftime('%Y%m%d_%H%M%S')}_{job_name}")
    path, i = f"{stem}_n{nodes}_ppn{procs_per_node}", 0
    while True:
        try:
            os.makedirs(path)
            return path
        except FileExistsError:
            i += 1
            path = f"{stem}_{i}"


def make_batch_script(script_file=None, work_dir=None, nodes=1, procs_per_node=1, time_limit=None, scheduler=None,
                      job_name=None, partition=None, account=None, reservation=None, launcher_args=(),
                      environment=None, launcher=None):
    """The script object of a scheduler."""
    name = (scheduler or launcher or find_scheduler(nodes * procs_per_node)).lower()
    if name not in SCRIPTS:
        raise ValueError(f"unknown scheduler '{name}'; known are {', '.join(SCRIPTS)}")
    work_dir = os.path.abspath(work_dir or os.getcwd())
    script = SCRIPTS[name](
        script_file=script_file or os.path.join(work_dir, "batch.sh"), work_dir=work_dir, nodes=nodes,
        procs_per_node=procs_per_node, time_limit=time_limit, job_name=job_name, partition=partition,
        account=account, reservation=reservation, launcher_args=list(launcher_args))
    for key, value in (environment or {}).items():
        script.add_environment(key, value)
    return script


def run(trainer, model, data_reader, optimizer=None, metadata=None, work_dir=None, proto_file_name=None, nodes=1,
        procs_per_node=1, time_limit=None, scheduler=None, job_name="lbann", partition=None, account=None,
        reservation=None, launcher=None, launcher_args=(), lbann_exe=None, lbann_args=(), procs_per_trainer=None,
        environment=None, overwrite_script=False, setup_only=False, batch_job=False, binary_protobuf=False,
        experiment_dir=None, weights=None):
    """Writes experiment.prototext and batch.sh into the work folder and runs the script.

    work_dir: default a new folder, see make_work_dir. time_limit: minutes. lbann_args: further words for
    lbann-train. environment: variables to export. setup_only: write the files only. batch_job: submit instead
    of waiting. Returns the exit code of the run, 0 for setup_only.
    """
    if work_dir is None:
        work_dir = make_work_dir(job_name or "lbann", nodes, procs_per_node, experiment_dir)
    work_dir = os.path.abspath(work_dir)
    os.makedirs(work_dir, exist_ok=True)
    name = proto_file_name or ("experiment.protobin" if binary_protobuf else "experiment.prototext")
    proto_file = os.path.join(work_dir, name)
    if optimizer is None:
        from ..core.optimizer import NoOptimizer
        optimizer = NoOptimizer()
    elif isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        optimizer = optimizer()
    sections = dict(trainer=trainer, model=model, data_reader=data_reader, optimizer=optimizer)
    if metadata is not None:
        sections["data_set_metadata"] = metadata
    proto.save_prototext(proto_file, **sections)

    script = make_batch_script(
        work_dir=work_dir, nodes=nodes, procs_per_node=procs_per_node, time_limit=time_limit, scheduler=scheduler,
        job_name=job_name, partition=partition, account=account, reservation=reservation,
        launcher_args=launcher_args, environment=environment, launcher=launcher)
    if os.path.exists(script.script_file) and not overwrite_script:
        raise FileExistsError(f"{script.script_file} exists; overwrite_script=True replaces it")
    # A reader that calls Python must meet the interpreter and modules of this script.
    script.add_environment("LBANN_PYTHON", sys.executable, default=True)
    paths = [os.path.abspath(p) for p in sys.path if p and os.path.isdir(p) and p not in _standard_paths()]
    script.add_environment("PYTHONPATH", os.pathsep.join([os.getcwd(), *[p for p in paths if p != os.getcwd()]]),
                           default=True)
    command = [lbann_exe or globals()["lbann_exe"](), *_words(lbann_args), f"--prototext={proto_file}"]
    if procs_per_trainer is not None:
        command.append(f"--procs_per_trainer={procs_per_trainer}")
    script.add_run(command)
    script.write(overwrite=overwrite_script)
    if setup_only:
        return 0
    return script.submit() if batch_job else script.run()


def _words(args):
    return args.split() if isinstance(args, str) else [str(a) for a in args]


def _standard_paths():
    """Folders that the interpreter finds without PYTHONPATH."""
    return {p for p in sys.path if p.startswith(sys.prefix + os.sep) or p.startswith(sys.base_prefix + os.sep + "lib")}
