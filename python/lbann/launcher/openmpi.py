"""No scheduler, several processes: the launchers of Open MPI and MPICH. The flags are those of lbann-launch."""

import shutil

from .batch_script import BatchScript

_NO_QUEUE = "it starts processes on hosts that are there"


class OpenMPIBatchScript(BatchScript):
    """Script that starts Open MPI's mpiexec."""

    name = "Open MPI"
    refused = {"partition": _NO_QUEUE, "account": _NO_QUEUE, "reservation": _NO_QUEUE}
    program = "mpiexec"

    def launcher(self):
        words = [self.program, *self.launcher_args, "-n", str(self.num_procs),
                 "--map-by", f"ppr:{self.procs_per_node}:node", "-wdir", self.work_dir]
        return words if self.seconds is None else [*words, "--timeout", str(self.seconds)]

    def run(self):
        if not shutil.which(self.program):
            raise FileNotFoundError(f"{self.program} is not in PATH; one process needs none: nodes=1, procs_per_node=1")
        return super().run()


class MPICHBatchScript(OpenMPIBatchScript):
    """Script that starts MPICH's mpiexec.hydra."""

    name = "MPICH"
    program = "mpiexec.hydra"

    def launcher(self):
        if self.seconds is not None:
            self.add_environment("MPIEXEC_TIMEOUT", self.seconds, default=True)
        return [self.program, *self.launcher_args, "-n", str(self.num_procs), "-ppn", str(self.procs_per_node), "-wdir",
                self.work_dir]
