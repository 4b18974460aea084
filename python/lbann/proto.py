"""Writing an experiment to a file."""

import os

from . import _schema, _text, _values
from ._schema import message as _message

lbann_pb2 = None  # set by the package when the modules exist


def make_experiment(**sections):
    """The message LbannPB of trainer, model, data_reader, optimizer, data_set_metadata; each a message or an object.

    The mini-batch size that an old two-number Model carries goes to the trainer.
    """
    proto = _message("LbannPB")()
    fields = proto.DESCRIPTOR.fields_by_name
    for name, value in sections.items():
        if name not in fields:
            raise _values.unknown_keyword("save_prototext", name, fields)
        _values.set_field(proto, fields[name], value, f"save_prototext, {name}")
    size = getattr(sections.get("model"), "mini_batch_size", None)
    if size is not None:
        if proto.trainer.HasField("mini_batch_size") and proto.trainer.mini_batch_size != size:
            raise ValueError(f"the model says mini_batch_size {size}, the trainer {proto.trainer.mini_batch_size}")
        _values.set_field(proto.trainer, proto.trainer.DESCRIPTOR.fields_by_name["mini_batch_size"], size,
                          "Model, mini_batch_size")
    return proto


def save_prototext(filename, **sections):
    """Writes an experiment, or the sections of one that are given, as prototext.

    Keywords: trainer, model, data_reader, optimizer, data_set_metadata. A file with 'protobin' in its name is
    written as binary protobuf. The file appears as a whole or not at all.
    """
    proto = make_experiment(**sections)
    if "protobin" in os.path.basename(os.fspath(filename)):
        data = proto.SerializeToString(deterministic=True)
    else:
        head = "# proto-file: proto/lbann.proto\n# proto-message: lbann_data.LbannPB\n"
        data = (head + _text.print_message(proto)).encode()
    _write(os.fspath(filename), data)


def text(**sections):
    """What save_prototext writes, as a text."""
    return _text.print_message(make_experiment(**sections))


def _write(filename, data):
    if os.path.exists(filename) and not os.path.isfile(filename):  # /dev/stdout, a pipe
        with open(filename, "wb") as file:
            file.write(data)
        return
    temporary = f"{filename}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, filename)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
