"""Prototext of a message: the same message gives the same bytes with every version of protobuf.

Fields by number, two blanks per level, `name {}` for an empty block, today's spelling. What is written here
reads back through `google.protobuf.text_format` as the same message; a test holds it to that.
"""

import math
import struct

from google.protobuf.descriptor import FieldDescriptor

from . import _schema

_MESSAGE = FieldDescriptor.CPPTYPE_MESSAGE
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(value):
    """A string or bytes as a quoted literal; text stays UTF-8, control characters become octal escapes."""
    if isinstance(value, bytes):
        return '"' + "".join(_ESCAPES.get(chr(b), chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in value) + '"'
    return '"' + "".join(
        _ESCAPES.get(c) or (c if ord(c) >= 32 and ord(c) != 127 else f"\\{ord(c):03o}") for c in value) + '"'


def _double(value):
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(value)


def _float(value):
    """The shortest decimal that is this float32."""
    if math.isnan(value) or math.isinf(value):
        return _double(value)
    bits = struct.pack("f", value)
    for digits in range(6, 9):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == bits:
            return _double(float(text))
    return _double(float(f"{value:.9g}"))


def _scalar(field, value):
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return quote(value)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return "true" if value else "false"
    if kind == FieldDescriptor.CPPTYPE_DOUBLE:
        return _double(value)
    if kind == FieldDescriptor.CPPTYPE_FLOAT:
        return _float(value)
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        found = field.enum_type.values_by_number.get(value)
        return found.name if found is not None else str(value)
    return str(value)


def _block(lines, indent, name, message):
    start = len(lines)
    lines.append(f"{indent}{name} {{")
    _write(lines, indent + "  ", message)
    if len(lines) == start + 1:
        lines[start] += "}"
    else:
        lines.append(indent + "}")


def _is_map(field):
    return field.message_type.GetOptions().map_entry


def _write(lines, indent, message):
    if message.DESCRIPTOR.full_name == "google.protobuf.Any":
        if not message.type_url:
            return
        packed = _schema.message_class(_schema.pool.FindMessageTypeByName(message.type_url.rsplit("/", 1)[-1]))()
        packed.ParseFromString(message.value)
        _block(lines, indent, f"[{message.type_url}]", packed)
        return
    for field, value in message.ListFields():
        # Newer versions of protobuf deprecate `label`; a container tells itself.
        repeated = hasattr(value, "__len__") and not isinstance(value, (str, bytes))
        if field.cpp_type != _MESSAGE:
            for item in (value if repeated else [value]):
                lines.append(f"{indent}{field.name}: {_scalar(field, item)}")
        elif repeated and _is_map(field):
            entry = _schema.message_class(field.message_type)
            for key in sorted(value):
                _block(lines, indent, field.name, entry(key=key, value=value[key]))
        else:
            for item in (value if repeated else [value]):
                _block(lines, indent, field.name, item)


def print_message(message):
    """Prototext of a message, without the type's name."""
    lines = []
    _write(lines, "", message)
    return "".join(line + "\n" for line in lines)
