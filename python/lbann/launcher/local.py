"""One process on this machine: the program itself."""

from .batch_script import BatchScript


class LocalBatchScript(BatchScript):
    """Script without launcher."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.nodes * self.procs_per_node != 1:
            raise ValueError(f"{self.nodes} nodes with {self.procs_per_node} processes each need a launcher, e.g. "
                             "scheduler='openmpi'")
