"""LSF: bsub and jsrun. The flags are those of lbann-launch."""

from .batch_script import BatchScript


class LSFBatchScript(BatchScript):
    """Script for bsub; processes are started by jsrun, one resource set per node."""

    submit_command = ("bsub",)
    script_to_stdin = True  # bsub reads directives there only
    name = "LSF"

    def header(self):
        options = [("-cwd", self.work_dir), ("-o", self.out_log_file), ("-e", self.err_log_file), ("-nnodes", self.nodes)]
        if self.seconds is not None:
            minutes = -(-self.seconds // 60)
            options.append(("-W", f"{minutes // 60}:{minutes % 60:02}"))
        options += [(flag, value) for flag, value in (("-J", self.job_name), ("-q", self.partition), ("-P", self.account),
                                                      ("-U", self.reservation)) if value]
        return [f"#BSUB {flag} {self.quote(value)}" for flag, value in options]

    def launcher(self):
        return ["jsrun", *self.launcher_args, f"--nrs={self.nodes}", "--rs_per_host=1",
                f"--tasks_per_rs={self.procs_per_node}", "--launch_distribution=packed", "--cpu_per_rs=ALL_CPUS",
                "--gpu_per_rs=ALL_GPUS", f"--chdir={self.work_dir}"]
