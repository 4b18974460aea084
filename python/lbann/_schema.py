"""The schema: message classes and comments of the .proto files, from one shipped FileDescriptorSet.

`schema.desc` is what protoc makes of proto/*.proto, comments included. It is registered in protobuf's
default pool, so `Any` resolves and messages mix with the user's own code. No generated Python code is
shipped: such code is tied to the protobuf version that made it, a descriptor set is not (tried: 4.21 and
newer). Comments are looked up only when a docstring is asked for.
"""

import os
import sys
import types

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, wrappers_pb2  # noqa: F401 (register)

PACKAGE = "lbann_data"
SCHEMA_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema.desc")


def _load_files():
    """The FileDescriptorProtos, each after its imports, registered in the default pool."""
    try:
        with open(SCHEMA_FILE, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ImportError(
            f"cannot read {SCHEMA_FILE}: {error.strerror}. It is made by the build (PYTHONPATH=<build>/python) "
            "and by `pip install ./python`; the folder python/ of the sources alone is not importable") from None
    files = descriptor_pb2.FileDescriptorSet.FromString(data).file
    own = [f for f in files if not f.name.startswith("google/protobuf/")]
    for file in own:
        bare = descriptor_pb2.FileDescriptorProto()
        bare.CopyFrom(file)
        bare.ClearField("source_code_info")
        pool.AddSerializedFile(bare.SerializeToString())
    return {f.name: f for f in own}


pool = descriptor_pool.Default()
_files = _load_files()

try:  # protobuf >= 4.22
    from google.protobuf.message_factory import GetMessageClass as message_class
except ImportError:
    from google.protobuf import message_factory as _factory
    message_class = _factory.MessageFactory(pool).GetPrototype


def descriptor(name):
    """Descriptor of the message `name`, without the package: 'Layer.Relu'."""
    return pool.FindMessageTypeByName(f"{PACKAGE}.{name}")


def message(name):
    """Message class of `name`, without the package."""
    return message_class(descriptor(name))


def top_level_messages():
    """Descriptors of all messages that are not nested, in the order of files and declarations."""
    for name in _files:
        yield from pool.FindFileByName(name).message_types_by_name.values()


def make_modules(parent):
    """Modules `<parent>.<file>_pb2` with the messages and enums of each file, importable at once."""
    made = {}
    everything = types.ModuleType(f"{parent}.lbann_pb2", "All messages and enums of the schema.")
    for name in _files:
        stem = name.rsplit("/", 1)[-1][: -len(".proto")]
        file = pool.FindFileByName(name)
        module = everything if stem == "lbann" else types.ModuleType(
            f"{parent}.{stem}_pb2", f"Messages and enums of {name}.")
        for target in {id(module): module, id(everything): everything}.values():
            target.DESCRIPTOR = file
            for key, desc in file.message_types_by_name.items():
                setattr(target, key, message_class(desc))
            for key, enum in file.enum_types_by_name.items():
                setattr(target, key, EnumNames(enum))
                for value in enum.values:
                    setattr(target, value.name, value.number)
        made[f"{stem}_pb2"] = module
    for stem, module in made.items():
        sys.modules[f"{parent}.{stem}"] = module
    return made


class EnumNames:
    """The values of an enum as attributes: `lbann.DataType.FLOAT`; `Name` and `Value` as protobuf has them."""

    def __init__(self, enum):
        self.DESCRIPTOR = enum
        self.__name__ = enum.name
        for value in enum.values:
            setattr(self, value.name, value.number)

    def Name(self, number):
        """Name of a value."""
        found = self.DESCRIPTOR.values_by_number.get(number)
        if found is None:
            raise ValueError(f"{self.__name__} has no value {number}")
        return found.name

    def Value(self, name):
        """Number of a name."""
        found = self.DESCRIPTOR.values_by_name.get(name)
        if found is None:
            raise ValueError(f"{self.__name__} has no value '{name}'")
        return found.number

    def keys(self):
        """Names, in the order of the schema."""
        return [v.name for v in self.DESCRIPTOR.values]

    def values(self):
        """Numbers, in the order of the schema."""
        return [v.number for v in self.DESCRIPTOR.values]

    def items(self):
        """Pairs of name and number."""
        return [(v.name, v.number) for v in self.DESCRIPTOR.values]

    def __repr__(self):
        return f"<enum {self.__name__}: {', '.join(self.keys())}>"


_comments = {}


def comment(desc, field=None):
    """The comment of a message or of one of its fields, as written in the .proto file; '' if there is none."""
    table = _comments_of(desc.file.name)
    return table.get(_path(desc) + ((2, field.index) if field is not None else ()), "")


def _comments_of(file_name):
    if file_name not in _comments:
        _comments[file_name] = {
            tuple(place.path): place.leading_comments.strip()
            for place in _files[file_name].source_code_info.location if place.leading_comments
        } if file_name in _files else {}
    return _comments[file_name]


def _path(desc):
    """Place of a message in its file, as numbered by descriptor.proto: 4 = messages of a file, 3 = nested ones."""
    if desc.containing_type is None:
        names = [m.name for m in _files[desc.file.name].message_type] if desc.file.name in _files else [desc.name]
        return (4, names.index(desc.name))
    return _path(desc.containing_type) + (3, [n.name for n in desc.containing_type.nested_types].index(desc.name))
