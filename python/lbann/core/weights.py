"""Weights and their initializers."""

from .. import _generate, _schema, _values


class Initializer(_generate.Config):
    """Base of all initializers. `export_proto()` gives the message Initializer with its one member set."""

    _descriptor, _fields, _message, _member = _schema.descriptor("Initializer.HeNormalInitializer"), {}, None, None

    def export_proto(self):
        proto = _schema.message("Initializer")()
        member = getattr(proto, self._member)
        self._export_fields(member)
        member.SetInParent()
        return proto


initializers = _generate.make_member_classes("Initializer", "initializer_type", Initializer, __name__)
globals().update(initializers)


class Weights:
    """A named tensor of trainable values that several layers may share.

    initializer: an Initializer; default zeros.
    optimizer: an Optimizer; default the experiment's; NoOptimizer() freezes the values.
    name: unique, without blanks; default weights<N>, N counting from 1.
    """

    global_count = 0

    def __init__(self, initializer=None, optimizer=None, name=None, datatype=None, **kwargs):
        Weights.global_count += 1
        self._fields = _schema.descriptor("Weights").fields_by_name
        for key in kwargs:
            if key not in self._fields:
                raise _values.unknown_keyword("Weights", key, self._fields)
        self.name_is_automatic = not name
        self.name = name or f"weights{Weights.global_count}"
        self.initializer = initializer
        self.optimizer = optimizer
        self.datatype = datatype
        self.sharded = kwargs.get("sharded")
        self.sharding_strategy = kwargs.get("sharding_strategy")
        self.export_proto()

    def export_proto(self):
        """The message Weights."""
        proto = _schema.message("Weights")()
        for name in ("name", "initializer", "optimizer", "datatype", "sharded", "sharding_strategy"):
            _values.set_field(proto, self._fields[name], getattr(self, name), f"Weights, {name}")
        return proto


__all__ = ["Initializer", "Weights", *initializers]
