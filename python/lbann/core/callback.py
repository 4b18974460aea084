"""Callbacks: one class per member of the message Callback. `Callback` may be subclassed (override export_proto)."""

from .. import _generate, _schema


class Callback(_generate.Config):
    """Base of all callbacks. `export_proto()` gives the message Callback with its one member set."""

    _descriptor, _fields, _message, _member = _schema.descriptor("Callback"), {}, None, None

    def export_proto(self):
        proto = _schema.message("Callback")()
        member = getattr(proto, self._member)
        self._export_fields(member)
        member.SetInParent()
        return proto


classes = {}
for _field in _schema.descriptor("Callback").oneofs_by_name["callback_type"].fields:
    classes[_field.message_type.name] = _generate.make_class(
        _field.message_type.name, _field.message_type, Callback, __name__, _member=_field.name)
classes["CallbackDumpActivations"] = classes["CallbackDumpOutputs"]  # its name until v0.97
globals().update(classes)
__all__ = ["Callback", *classes]
