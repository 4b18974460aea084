"""The shipped schema is that of proto/, and every message of it is a class."""

import glob
import inspect
import os
import re
import subprocess
import unittest

from google.protobuf import descriptor_pb2

import lbann
from lbann import _dialect, _schema
from support import SOURCE, Case


class Schema(Case):
    def test_equals_the_proto_files(self):
        files = sorted(glob.glob(os.path.join(SOURCE, "proto", "*.proto")))
        subprocess.run(["protoc", "-I" + os.path.join(SOURCE, "proto"), "--include_imports", "--include_source_info",
                        "--descriptor_set_out=fresh.desc", *files], check=True)
        with open("fresh.desc", "rb") as fresh, open(_schema.SCHEMA_FILE, "rb") as shipped:
            self.assertEqual(fresh.read(), shipped.read())
        self.assertGreaterEqual(len(files), 15)

    def test_every_layer_kind_is_a_class(self):
        kinds = _schema.descriptor("Layer").oneofs_by_name["layer_type"].fields
        self.assertGreater(len(kinds), 80)
        for field in kinds:
            made = getattr(lbann, field.message_type.name)
            proto = made(name="x").export_proto()
            self.assertEqual(proto.WhichOneof("layer_type"), field.name)
            self.assertEqual(proto.name, "x")

    def test_every_operator_is_a_layer(self):
        names = [d.name for d in _schema.pool.FindFileByName("operators.proto").message_types_by_name.values()
                 if d.name != "Operator"]
        self.assertGreater(len(names), 70)
        for name in names:
            self.assertTrue(issubclass(getattr(lbann, name[: -len("Operator")]), lbann.Layer), name)
            message = getattr(lbann, name)().export_proto()
            self.assertEqual(message.parameters.type_url, f"type.googleapis.com/lbann_data.{name}")

    def test_every_member_of_the_other_unions(self):
        for owner, oneof, minimum in (("Callback", "callback_type", 55), ("Optimizer", "optimizer_type", 6),
                                      ("Initializer", "initializer_type", 11), ("Metric", "metric_type", 3)):
            fields = _schema.descriptor(owner).oneofs_by_name[oneof].fields
            self.assertGreaterEqual(len(fields), minimum)
            for field in fields:
                made = getattr(lbann, field.message_type.name)
                one = made("l") if field.name == "layer_metric" else made()
                self.assertEqual(one.export_proto().WhichOneof(oneof), field.name)

    def test_modules_of_messages(self):
        import lbann.lbann_pb2
        import lbann.reader_pb2
        from lbann.callbacks_pb2 import Callback
        self.assertEqual(Callback.DESCRIPTOR.full_name, "lbann_data.Callback")
        reader = lbann.reader_pb2.DataReader()
        reader.reader.add().name = "mnist"
        experiment = lbann.lbann_pb2.LbannPB()
        experiment.data_reader.CopyFrom(reader)
        self.assertEqual(experiment.data_reader.reader[0].name, "mnist")
        self.assertIs(lbann.proto.lbann_pb2.Reader, lbann.reader_pb2.Reader)

    def test_enums(self):
        self.assertEqual(lbann.DataType.FLOAT, 1)
        self.assertEqual(lbann.DataType.Value("DOUBLE"), 2)
        self.assertEqual(lbann.ShardingStrategy.Name(0), "FULL")
        self.assertEqual(lbann.SubGraphCommunication.COLL_OPT, 2)

    def test_documentation_comes_from_the_comments(self):
        text = inspect.getdoc(lbann.Convolution)
        self.assertIn("Cross-correlation with zero padding", text)
        self.assertIn("out_channels (int): Number of filters.", text)
        self.assertIn("kernel_size (list[int])", text)
        self.assertIn("has_bias (bool)", text)
        self.assertIn("num_neurons", str(inspect.signature(lbann.FullyConnected)))
        self.assertIn("Hyperbolic tangent", inspect.getdoc(lbann.Tanh))

    def test_renamed_kinds(self):
        self.assertIs(lbann.CallbackDumpActivations, lbann.CallbackDumpOutputs)

    def test_renames_are_those_of_the_front_end(self):
        with open(os.path.join(SOURCE, "libcore", "model", "dialect_table.cpp"), encoding="utf-8") as file:
            rows = re.findall(r'\{"([\w.]+)", "(\w+)", rename,\s*"([\w.]+)"', file.read())
        renames = {}
        for message, old, today in rows:
            if "." not in today and message != "Callback":  # there the kind is renamed: the class
                renames.setdefault(message, {})[old] = today
        self.assertGreater(sum(map(len, renames.values())), 10)
        for message, names in renames.items():
            for old, today in names.items():
                self.assertEqual(_dialect.RENAMES.get(message, {}).get(old), today, f"{message}.{old}")


if __name__ == "__main__":
    unittest.main()
