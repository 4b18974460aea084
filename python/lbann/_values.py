"""Python values into fields of protobuf messages, with errors that name the keyword.

What is taken beyond protobuf's own types: one value where a list is meant, NumPy arrays and scalars, blank
separated numbers ('3 4'), plain values for wrapper messages, names of enum values, dictionaries for messages,
objects of this package (by their name where a text is meant, by their message otherwise).
"""

import difflib
import numbers

from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import Message

_INTEGERS = {F.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1), F.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
             F.CPPTYPE_UINT32: (0, (1 << 32) - 1), F.CPPTYPE_UINT64: (0, (1 << 64) - 1)}
_FLOATS = (F.CPPTYPE_DOUBLE, F.CPPTYPE_FLOAT)
_NUMBERS = tuple(_INTEGERS) + _FLOATS


class UnknownKeyword(TypeError, ValueError):
    """A keyword that is no field. Both TypeError (as Python says) and ValueError (as LBANN said)."""


def unknown_keyword(owner, name, known):
    """The exception for a keyword `name` that `owner` does not have."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return UnknownKeyword(f"{owner}: unknown keyword '{name}'{hint}")


def is_map(field):
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def is_repeated(field):
    """Whether a field is a list; newer versions of protobuf deprecate `label`."""
    known = getattr(field, "is_repeated", None)
    return field.label == F.LABEL_REPEATED if known is None else known


def is_wrapper(message_type):
    """Whether a message is one of google/protobuf/wrappers.proto."""
    return message_type is not None and message_type.file.name == "google/protobuf/wrappers.proto"


def type_name(field):
    """The type of a field as a Python reader would write it."""
    if is_map(field):
        return "dict"
    if field.cpp_type == F.CPPTYPE_MESSAGE:
        inner = field.message_type
        one = type_name(inner.fields_by_name["value"]) if is_wrapper(inner) else inner.full_name.split(".", 1)[1]
    elif field.cpp_type in _INTEGERS:
        one = "int"
    elif field.cpp_type in _FLOATS:
        one = "float"
    elif field.cpp_type == F.CPPTYPE_BOOL:
        one = "bool"
    elif field.cpp_type == F.CPPTYPE_ENUM:
        one = field.enum_type.name
    else:
        one = "str"
    return f"list[{one}]" if is_repeated(field) else one


def _refuse(where, wanted, value):
    raise TypeError(f"{where}: {wanted} expected, got {type(value).__name__} {value!r}")


def _scalar(field, value, where):
    kind = field.cpp_type
    if kind == F.CPPTYPE_STRING:
        if isinstance(value, str):
            return value
        name = getattr(value, "name", None)
        if isinstance(name, str):
            return name
        if isinstance(value, (list, tuple)):  # lists of names in one blank-separated text
            return " ".join(_scalar(field, v, where) for v in value)
        _refuse(where, "a text", value)
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        value = value.item()  # NumPy scalars and arrays of one element
    if kind == F.CPPTYPE_BOOL:
        if isinstance(value, numbers.Integral) and value in (0, 1):
            return bool(value)
        _refuse(where, "True or False", value)
    if kind == F.CPPTYPE_ENUM:
        return _enum(field.enum_type, value, where)
    if kind in _INTEGERS:
        if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral) and value == value // 1:
            value = int(value)
        if not isinstance(value, numbers.Integral):
            _refuse(where, "an integer", value)
        low, high = _INTEGERS[kind]
        if not low <= value <= high:
            raise ValueError(f"{where}: {value} is outside {low}..{high}")
        return int(value)
    if not isinstance(value, numbers.Real):
        _refuse(where, "a number", value)
    return float(value)


def _enum(enum, value, where):
    if isinstance(value, str):
        found = enum.values_by_name.get(value) or enum.values_by_name.get(value.upper())
        if found is None:
            names = [v.name for v in enum.values]
            close = difflib.get_close_matches(value.upper(), names, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(names)}"
            raise ValueError(f"{where}: {enum.name} has no value '{value}'{hint}")
        return found.number
    if not isinstance(value, numbers.Integral) or int(value) not in enum.values_by_number:
        _refuse(where, f"a value of {enum.name}", value)
    return int(value)


def _items(field, value, where):
    if isinstance(value, str):
        if field.cpp_type not in _NUMBERS:
            return [value]
        words = value.split()
        try:
            return [int(w) if field.cpp_type in _INTEGERS else float(w) for w in words]
        except ValueError:
            _refuse(where, "blank-separated numbers", value)
    if isinstance(value, (dict, Message)) or hasattr(value, "export_proto"):
        return [value]
    if hasattr(value, "flat"):
        return list(value.flat)  # NumPy arrays, in C order
    try:
        return list(value)
    except TypeError:
        return [value]


def fill_message(target, value, where):
    """Fills an empty message from a message, an object of this package, a dictionary or nothing at all."""
    if hasattr(value, "export_proto"):
        value = value.export_proto()
    if target.DESCRIPTOR.full_name == "google.protobuf.Any":
        if not isinstance(value, Message):
            _refuse(where, "a message", value)
        if value.DESCRIPTOR.full_name == "google.protobuf.Any":
            target.CopyFrom(value)
        else:
            target.Pack(value)
    elif isinstance(value, Message):
        if value.DESCRIPTOR.full_name != target.DESCRIPTOR.full_name:
            if not _fill_member(target, value):
                _refuse(where, target.DESCRIPTOR.full_name, value)
        else:
            target.CopyFrom(value)
        target.SetInParent()
    elif isinstance(value, dict):
        target.SetInParent()
        for key, item in value.items():
            field = target.DESCRIPTOR.fields_by_name.get(key)
            if field is None:
                raise unknown_keyword(where, key, target.DESCRIPTOR.fields_by_name)
            set_field(target, field, item, f"{where}, {key}")
    else:
        _refuse(where, target.DESCRIPTOR.full_name, value)


def _fill_member(target, value):
    """An Adam where an Optimizer is meant: the member of the oneof that has this type."""
    for oneof in target.DESCRIPTOR.oneofs:
        for field in oneof.fields:
            if field.message_type is value.DESCRIPTOR:
                getattr(target, field.name).CopyFrom(value)
                getattr(target, field.name).SetInParent()
                return True
    return False


def set_field(message, field, value, where):
    """Sets one field; `where` opens the text of an error. None leaves it unset."""
    if value is None:
        return
    name = field.name
    if is_map(field):
        entry = field.message_type.fields_by_name
        target = getattr(message, name)
        for key in value:
            target[_scalar(entry["key"], key, where)] = _scalar(entry["value"], value[key], where)
    elif is_repeated(field):
        target = getattr(message, name)
        for item in _items(field, value, where):
            if field.message_type is not None:
                fill_message(target.add(), item, where)
            else:
                target.append(_scalar(field, item, where))
    elif is_wrapper(field.message_type):
        inner = getattr(message, name)
        if isinstance(value, Message):
            fill_message(inner, value, where)
        else:
            inner.value = _scalar(field.message_type.fields_by_name["value"], value, where)
            inner.SetInParent()
    elif field.message_type is not None:
        fill_message(getattr(message, name), value, where)
    else:
        setattr(message, name, _scalar(field, value, where))
