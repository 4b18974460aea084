"""No scheduler, several processes: Open MPI's mpiexec."""

import shutil

from .batch_script import BatchScript


class OpenMPIBatchScript(BatchScript):
    """Script that starts mpiexec."""

    def launcher(self):
        return ["mpiexec", *self.launcher_args, "-n", str(self.nodes * self.procs_per_node),
                "--map-by", f"ppr:{self.procs_per_node}:node", "-wdir", self.work_dir]

    def run(self):
        if not shutil.which("mpiexec"):
            raise FileNotFoundError("mpiexec is not in PATH; one process needs none: nodes=1, procs_per_node=1")
        return super().run()
