"""One process on this machine: the program itself."""

from .batch_script import BatchScript


class LocalBatchScript(BatchScript):
    """Script without launcher; a time limit is kept by timeout(1)."""

    name = "the local launcher"
    refused = {setting: "there is no scheduler here" for setting in ("partition", "account", "reservation")}

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.num_procs != 1:
            raise ValueError(f"{self.nodes} nodes with {self.procs_per_node} processes each need a launcher, e.g. "
                             "scheduler='openmpi'")

    def launcher(self):
        return [] if self.seconds is None else ["timeout", str(self.seconds)]
