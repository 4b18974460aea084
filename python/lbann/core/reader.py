"""Data readers and their transforms, as classes; `lbann.reader_pb2.Reader()` and the like work as well."""

from .. import _generate, _schema
from .util import make_iterable

Reader = _generate.make_class("Reader", _schema.descriptor("Reader"), _generate.Config, __name__)


class DataReader:
    """All readers of an experiment. readers: Reader objects or messages."""

    def __init__(self, readers=(), requires_data_set_metadata=None):
        self.readers = list(make_iterable(readers))
        self.requires_data_set_metadata = requires_data_set_metadata

    def export_proto(self):
        """The message DataReader."""
        proto = _schema.message("DataReader")()
        for reader in self.readers:
            proto.reader.add().CopyFrom(reader.export_proto() if hasattr(reader, "export_proto") else reader)
        if self.requires_data_set_metadata is not None:
            proto.requires_data_set_metadata = self.requires_data_set_metadata
        return proto


class Transform(_generate.Config):
    """Base of all transforms of samples."""

    _descriptor, _fields, _message, _member = _schema.descriptor("Transform"), {}, None, None

    def export_proto(self):
        proto = _schema.message("Transform")()
        member = getattr(proto, self._member)
        self._export_fields(member)
        member.SetInParent()
        return proto


transforms = _generate.make_member_classes("Transform", _schema.descriptor("Transform").oneofs[0].name, Transform,
                                           "lbann.transforms")

__all__ = ["Reader", "DataReader"]
