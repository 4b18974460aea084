"""The trainer: mini-batch size, seed, training algorithm and callbacks of the trainer."""

from .. import _schema, _values
from .util import make_iterable


class Trainer:
    """A group of processes that trains one model.

    mini_batch_size: samples per step. callbacks: callbacks of the trainer, above all CallbackCheckpoint.
    training_algo: a TrainingAlgorithm; default: mini-batch training for the model's epochs.
    Further keywords are fields of the message Trainer.
    """

    def __init__(self, mini_batch_size=None, name=None, callbacks=(), random_seed=None, serialize_io=None,
                 training_algo=None, hydrogen_block_size=None, **kwargs):
        self._fields = _schema.descriptor("Trainer").fields_by_name
        # Settings of the past without a meaning today.
        for old in ("num_parallel_readers", "procs_per_trainer"):
            kwargs.pop(old, None)
        for key in kwargs:
            if key not in self._fields or key == "callback":
                raise _values.unknown_keyword("Trainer", key, [*self._fields, "callbacks", "training_algo"])
        self.mini_batch_size = mini_batch_size
        self.callbacks = list(make_iterable(callbacks))
        self.training_algo = training_algo
        self._others = dict(name=name, random_seed=random_seed, serialize_io=serialize_io,
                            hydrogen_block_size=hydrogen_block_size, **kwargs)
        self.export_proto()

    def add_callback(self, callback):
        """Appends a callback."""
        self.callbacks.append(callback)

    def export_proto(self):
        """The message Trainer."""
        proto = _schema.message("Trainer")()
        values = dict(self._others, mini_batch_size=self.mini_batch_size)
        if self.training_algo is not None:
            values["training_algorithm"] = self.training_algo
        for name, value in values.items():
            _values.set_field(proto, self._fields[name], value, f"Trainer, {name}")
        for callback in self.callbacks:
            proto.callback.add().CopyFrom(callback.export_proto() if hasattr(callback, "export_proto") else callback)
        return proto


__all__ = ["Trainer"]
