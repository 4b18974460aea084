"""Flux: flux batch and flux run. The flags are those of lbann-launch."""

from .batch_script import BatchScript


class FluxBatchScript(BatchScript):
    """Script for flux batch; processes are started by flux run, from the enclosing instance when run by hand."""

    submit_command = ("flux", "batch")
    name = "Flux"
    refused = {"reservation": "Flux has no reservations; sites offer them as a queue"}

    def _common(self):
        options = [f"--nodes={self.nodes}", f"--cwd={self.work_dir}"]
        if self.seconds is not None:
            options.append(f"--time-limit={self.seconds}s")
        return options + self.given(job_name="--job-name=", partition="--queue=", account="--bank=")

    def header(self):
        options = [*self._common(), f"--nslots={self.num_procs}", f"--output={self.out_log_file}",
                   f"--error={self.err_log_file}"]
        return [f"# flux: {self.quote(option)}" for option in options]

    def launcher(self):
        return ["flux", "run", *self.launcher_args, f"--ntasks={self.num_procs}", *self._common()]
