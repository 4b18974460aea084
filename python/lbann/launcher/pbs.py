"""PBS Pro: qsub and the site's mpiexec. The flags are those of lbann-launch."""

from .batch_script import BatchScript, hours


class PBSBatchScript(BatchScript):
    """Script for qsub; processes are started by mpiexec, which reads PBS_NODEFILE."""

    submit_command = ("qsub",)
    name = "PBS"

    def __init__(self, **settings):
        super().__init__(**settings)
        if self.partition and self.reservation:
            raise ValueError("partition and reservation: with PBS a reservation is a queue, and a job has one queue")

    def header(self):
        options = [("-l", f"select={self.nodes}:mpiprocs={self.procs_per_node}:ncpus={self.procs_per_node}"),
                   ("-l", "place=scatter"), ("-o", self.out_log_file), ("-e", self.err_log_file)]
        if self.seconds is not None:
            options.append(("-l", "walltime=" + hours(self.seconds)))
        options += [(flag, value) for flag, value in (("-N", self.job_name), ("-q", self.partition or self.reservation),
                                                      ("-A", self.account)) if value]
        return [f"#PBS {flag} {self.quote(value)}" for flag, value in options]

    def launcher(self):
        return ["mpiexec", *self.launcher_args, "-n", str(self.num_procs)]
