"""Optimizers: one class per member of the message Optimizer."""

from .. import _generate, _schema


class Optimizer(_generate.Config):
    """Base of all optimizers. `export_proto()` gives the message Optimizer with its one member set."""

    _descriptor, _fields, _message, _member = _schema.descriptor("Optimizer.NoOptimizer"), {}, None, None

    def export_proto(self):
        proto = _schema.message("Optimizer")()
        member = getattr(proto, self._member)
        self._export_fields(member)
        member.SetInParent()
        return proto


classes = _generate.make_member_classes("Optimizer", "optimizer_type", Optimizer, __name__)
globals().update(classes)
__all__ = ["Optimizer", *classes]
