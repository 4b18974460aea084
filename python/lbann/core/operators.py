"""Entrywise operators: as layers (`lbann.Tanh(x)`) and as messages for `OperatorLayer(ops=[TanhOperator()])`."""

from .. import _generate, _schema
from .layer import Layer, classes as _layers

# Where an unset number would make the operator useless (layers.md: clamp to [0, 0], a choice that is never taken).
_DEFAULTS = {"Clamp": {"min": 0.0, "max": 1.0}, "Select": {"epsilon": 1e-5}}


class Operator(_generate.Config):
    """Base of operator messages. `export_proto()` gives the message Operator with its parameters."""

    _descriptor, _fields, _message = _schema.descriptor("Operator"), {}, None

    def export_proto(self):
        proto = _schema.message("Operator")()
        proto.parameters.Pack(self._export_fields(self._message()))
        return proto


class OperatorAsLayer(Layer):
    """Base of layers that apply one operator."""

    def _export_kind(self, proto):
        parameters = self._export_fields(self._message())
        proto.operator_layer.ops.add().parameters.Pack(parameters)


operators, layers = {}, {}
for _desc in _schema.pool.FindFileByName("operators.proto").message_types_by_name.values():
    if _desc.name == "Operator" or not _desc.name.endswith("Operator"):
        continue
    _name = _desc.name[: -len("Operator")]
    _common = {"_defaults": _DEFAULTS.get(_name, {})}
    operators[_desc.name] = _generate.make_class(_desc.name, _desc, Operator, __name__, **_common)
    if _name not in _layers:
        layers[_name] = _generate.make_class(_name, _desc, OperatorAsLayer, __name__, **_common)
globals().update(operators)
globals().update(layers)
__all__ = ["Operator", *operators, *layers]
