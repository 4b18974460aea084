"""PJM (Fugaku): pjsub and mpiexec. The flags are those of lbann-launch."""

from .batch_script import BatchScript, hours


class PJMBatchScript(BatchScript):
    """Script for pjsub; processes are started by mpiexec."""

    submit_command = ("pjsub",)
    name = "PJM"
    refused = {"reservation": "PJM has no reservations for users; use a resource group (partition)"}

    def header(self):
        options = [("-L", f"node={self.nodes}"), ("--mpi", f"proc={self.num_procs}"),
                   ("--mpi", f"max-proc-per-node={self.procs_per_node}"), ("-o", self.out_log_file),
                   ("-e", self.err_log_file)]
        if self.seconds is not None:
            options.append(("-L", "elapse=" + hours(self.seconds)))
        options += [(flag, start + value) for flag, start, value in (("--name", "", self.job_name), ("-g", "", self.account),
                                                                     ("-L", "rscgrp=", self.partition)) if value]
        return [f"#PJM {flag} {self.quote(value)}" for flag, value in options]

    def launcher(self):
        return ["mpiexec", *self.launcher_args, "-n", str(self.num_procs)]
