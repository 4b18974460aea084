"""`lbann.contrib.launcher.run`: lbann.run with the keywords that scripts use."""

from ..launcher import make_batch_script, run as _run


def run(trainer, model, data_reader, optimizer=None, **kwargs):
    """See lbann.run. Keywords that are None count as absent."""
    return _run(trainer, model, data_reader, optimizer, **{k: v for k, v in kwargs.items() if v is not None})


__all__ = ["run", "make_batch_script"]
