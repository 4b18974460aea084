"""Slurm: sbatch and srun."""

from .batch_script import BatchScript


def time_text(minutes):
    """Minutes as D-hh:mm:ss."""
    seconds = int(round(float(minutes) * 60))
    days, seconds = divmod(seconds, 86400)
    return f"{days}-{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


class SlurmBatchScript(BatchScript):
    """Script for sbatch; processes are started by srun."""

    submit_command = ("sbatch",)

    def _resources(self):
        procs = self.nodes * self.procs_per_node
        options = [f"--chdir={self.work_dir}", f"--nodes={self.nodes}", f"--ntasks={procs}",
                   f"--ntasks-per-node={self.procs_per_node}"]
        if self.time_limit is not None:
            options.append(f"--time={time_text(self.time_limit)}")
        for option in ("job_name", "partition", "account", "reservation"):
            value = getattr(self, option)
            if value:
                options.append(f"--{option.replace('_', '-')}={value}")
        return options

    def header(self):
        files = [f"--output={self.out_log_file}", f"--error={self.err_log_file}"]
        return [f"#SBATCH {option}" for option in [*self._resources(), *files, *self.launcher_args]]

    def launcher(self):
        return ["srun", *self.launcher_args, *self._resources()]
