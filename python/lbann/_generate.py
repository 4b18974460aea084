"""Python classes from message descriptors: one keyword per field, the field's comment as its documentation.

A generated object holds the values it was given as attributes; `export_proto()` makes the message. Values are
checked when the object is made, so an error points at the line of the script that wrote it, and again when it
is exported, because attributes may be changed in between.
"""

import inspect
import textwrap

from . import _dialect, _schema, _values


class _LazyDoc:
    """Docstring of a generated class, put together when it is asked for."""

    def __get__(self, instance, owner):
        desc = owner.__dict__.get("_descriptor") or owner._descriptor
        lines = [_schema.comment(desc) or f"{desc.name}."]
        fields = [(f, _schema.comment(desc, f)) for f in desc.fields]
        if fields:
            lines += ["", "Keywords:"]
        for field, text in fields:
            lines.append(f"  {field.name} ({_values.type_name(field)})" + (f": {text.splitlines()[0]}" if text else ""))
            lines += [textwrap.indent(line.strip(), "    ") for line in text.splitlines()[1:]]
        return "\n".join(lines)


class _LazySignature:
    """Signature of a generated class, for help() and editors."""

    def __get__(self, instance, owner):
        own = [inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_values.type_name(f))
               for f in owner._descriptor.fields]
        return inspect.Signature(list(owner._leading) + own)


class Config:
    """Base of what is one message: keywords are fields."""

    _descriptor = None
    _leading = ()
    _defaults = {}

    def __init__(self, *args, **kwargs):
        fields = self._fields
        if len(args) > len(fields):
            raise TypeError(f"{type(self).__name__}: {len(args)} values for {len(fields)} fields")
        for name, value in zip(fields, args):
            if name in kwargs:
                raise TypeError(f"{type(self).__name__}: '{name}' is given twice")
            kwargs[name] = value
        self._set_fields(kwargs)

    def _set_fields(self, kwargs):
        cls = type(self)
        kwargs = _dialect.translate(cls._descriptor, kwargs, cls.__name__)
        for name in kwargs:
            if name not in self._fields:
                raise _values.unknown_keyword(cls.__name__, name, self._known_keywords())
        for name, value in cls._defaults.items():
            if kwargs.get(name) is None:
                kwargs[name] = value
        for name, value in kwargs.items():  # what can be read only once is read now
            if hasattr(value, "__next__"):
                kwargs[name] = [v.item() if hasattr(v, "item") else v for v in value]
        # Unset fields are class attributes; an object holds what it was given.
        self.__dict__.update(kwargs)
        if kwargs:
            self._export_fields(cls._message())

    @classmethod
    def _known_keywords(cls):
        return list(cls._fields) + _dialect.old_names(cls._descriptor)

    def _export_fields(self, message):
        values = self.__dict__
        for name, field in self._fields.items():
            value = values.get(name)
            if value is not None:
                _values.set_field(message, field, value, f"{type(self).__name__}, {name}")
        return message

    def export_proto(self):
        """The protobuf message of this object."""
        return self._export_fields(self._message())

    def __repr__(self):
        given = ", ".join(f"{n}={self.__dict__[n]!r}" for n in self._fields if self.__dict__.get(n) is not None)
        return f"{type(self).__name__}({given})"


def make_class(name, desc, base=Config, module="lbann", **attributes):
    """A class `name` for the message `desc`."""
    body = {field.name: None for field in desc.fields}
    body.update(_descriptor=desc, _fields=dict(desc.fields_by_name), _message=_schema.message_class(desc),
                __doc__=_LazyDoc(), __signature__=_LazySignature(), __module__=module, **attributes)
    return type(name, (base,), body)


def make_member_classes(owner, oneof, base, module, prefix=""):
    """One class per member of a oneof: {class name: class}; each remembers its member."""
    made = {}
    for field in _schema.descriptor(owner).oneofs_by_name[oneof].fields:
        desc = field.message_type
        made[prefix + desc.name] = make_class(prefix + desc.name, desc, base, module, _member=field.name)
    return made
