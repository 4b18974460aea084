"""LSF: bsub and jsrun."""

from .batch_script import BatchScript


class LSFBatchScript(BatchScript):
    """Script for bsub; processes are started by jsrun, one resource set per node."""

    submit_command = ("bsub",)

    def header(self):
        options = [f"-cwd {self.work_dir}", f"-o {self.out_log_file}", f"-e {self.err_log_file}",
                   f"-nnodes {self.nodes}"]
        if self.time_limit is not None:
            minutes = int(round(float(self.time_limit)))
            options.append(f"-W {minutes // 60}:{minutes % 60:02}")
        for flag, value in (("-J", self.job_name), ("-q", self.partition), ("-G", self.account),
                            ("-U", self.reservation)):
            if value:
                options.append(f"{flag} {value}")
        return [f"#BSUB {option}" for option in options]

    def launcher(self):
        return ["jsrun", *self.launcher_args, "--chdir", self.work_dir, "--nrs", str(self.nodes),
                "--rs_per_host", "1", "--tasks_per_rs", str(self.procs_per_node), "--launch_distribution", "packed",
                "--cpu_per_rs", "ALL_CPUS", "--gpu_per_rs", "ALL_GPUS"]
