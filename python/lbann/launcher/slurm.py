"""Slurm: sbatch and srun. The flags are those of lbann-launch."""

from .batch_script import BatchScript, hours


class SlurmBatchScript(BatchScript):
    """Script for sbatch; processes are started by srun, which gets the nodes itself when the script is run by hand."""

    submit_command = ("sbatch",)
    name = "Slurm"

    def _resources(self):
        options = [f"--chdir={self.work_dir}", f"--nodes={self.nodes}", f"--ntasks={self.num_procs}",
                   f"--ntasks-per-node={self.procs_per_node}"]
        if self.seconds is not None:
            options.append(f"--time={self.seconds // 86400}-{hours(self.seconds % 86400)}")
        return options + self.given(job_name="--job-name=", partition="--partition=", account="--account=",
                                    reservation="--reservation=")

    def header(self):
        files = [f"--output={self.out_log_file}", f"--error={self.err_log_file}", "--open-mode=append"]
        return [f"#SBATCH {option}" for option in [*map(self.quote, self._resources()), *map(self.quote, files)]]

    def launcher(self):
        return ["srun", *self.launcher_args, *self._resources()]
