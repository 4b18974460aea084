"""PJM (Fugaku): pjsub and mpiexec."""

from .batch_script import BatchScript


class PJMBatchScript(BatchScript):
    """Script for pjsub; processes are started by mpiexec."""

    submit_command = ("pjsub",)

    def header(self):
        options = [f"-L node={self.nodes}"]
        if self.time_limit is not None:
            seconds = int(round(float(self.time_limit) * 60))
            options.append(f"-L elapse={seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}")
        if self.job_name:
            options.append(f"--name {self.job_name}")
        if self.partition:
            options.append(f"-L rscgrp={self.partition}")
        options.append("-L rscunit=rscunit_ft01")
        return [f"#PJM {option}" for option in options]

    def launcher(self):
        return ["mpiexec", *self.launcher_args]
