"""Flux: flux batch and flux run."""

from .batch_script import BatchScript


class FluxBatchScript(BatchScript):
    """Script for flux batch; processes are started by flux run."""

    @property
    def submit_command(self):
        """flux batch needs the size of the allocation."""
        return ("flux", "batch", f"--nodes={self.nodes}")

    def header(self):
        return [f"#flux: --output={self.out_log_file}", f"#flux: --error={self.err_log_file}"]

    def launcher(self):
        words = ["flux", "run", *self.launcher_args, "-u", f"--setattr=system.cwd={self.work_dir}",
                 f"--nodes={self.nodes}", f"--ntasks={self.nodes * self.procs_per_node}", "--exclusive",
                 "-o", "nosetpgrp"]
        if self.time_limit is not None:
            words.append(f"--time={int(round(float(self.time_limit)))}m")
        for option, value in (("job-name", self.job_name), ("queue", self.partition), ("account", self.account)):
            if value:
                words.append(f"--{option}={value}")
        return words
