"""What is printed is read by protobuf's text format as the same message. Judge: google.protobuf.text_format."""

import random
import unittest

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor as F

import lbann
from lbann import _schema, _text, _values
from support import Case

STRINGS = ["", "plain", 'quo"te', "back\\slash", "tab\tline\n", "Größe 層", "\x01\x7f"]
DOUBLES = [0.0, -0.0, 0.1, 1e-8, 1 / 3, 1e300, -2.5, 123456789.0, float("inf"), 5e-324]


def random_scalar(field, rng):
    kind = field.cpp_type
    if kind == F.CPPTYPE_STRING:
        return rng.choice(STRINGS)
    if kind == F.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if kind == F.CPPTYPE_ENUM:
        return rng.choice(field.enum_type.values).number
    if kind == F.CPPTYPE_DOUBLE:
        return rng.choice(DOUBLES)
    if kind == F.CPPTYPE_FLOAT:
        return rng.choice([0.0, 0.1, 1 / 3, 1e-8, 3e38, 16777217.0, -7.25])
    low, high = _values._INTEGERS[kind]
    return rng.choice([low, high, 0, 1, 42])


def fill(message, rng, depth=0):
    """Sets about half of the fields, of a oneof one."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.5 or (field.containing_oneof and message.WhichOneof(field.containing_oneof.name)):
            continue
        if _values.is_map(field):
            getattr(message, field.name)["key"] = 1
        elif _values.is_repeated(field):
            target = getattr(message, field.name)
            for _ in range(rng.randrange(3)):
                if field.message_type:
                    fill(target.add(), rng, depth + 1)
                else:
                    target.append(random_scalar(field, rng))
        elif field.message_type:
            if field.message_type.full_name == "google.protobuf.Any":
                inner = _schema.message(rng.choice(["ClampOperator", "SelectOperator", "TanhOperator"]))()
                fill(inner, rng)
                getattr(message, field.name).Pack(inner)
            elif depth < 5:
                fill(getattr(message, field.name), rng, depth + 1)
                getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, random_scalar(field, rng))
    return message


class Text(Case):
    def test_random_messages_read_back(self):
        rng = random.Random(7)
        for i in range(200):
            name = ("Layer", "LbannPB", "Weights", "Optimizer", "Callback", "Reader", "LTFB", "Trainer",
                    "RandomPairwiseExchange")[i % 9]
            made = fill(_schema.message(name)(), rng)
            text = _text.print_message(made)
            read = text_format.Parse(text, _schema.message(name)(), descriptor_pool=_schema.pool)
            self.assertEqual(read, made, text)
            self.assertEqual(_text.print_message(read), text)

    def test_spelling(self):
        made = lbann.Convolution(lbann.Input(data_field="samples"), out_channels=3, kernel_size=[3, 3], has_bias=True)
        self.assertEqual(_text.print_message(made.export_proto()), """name: "layer2"
parents: "layer1"
convolution {
  out_channels: 3
  kernel_size: 3
  kernel_size: 3
  has_bias {
    value: true
  }
}
""")
        self.assertIn("[type.googleapis.com/lbann_data.TanhOperator] {}",
                      _text.print_message(lbann.Tanh().export_proto()))

    def test_same_script_same_bytes(self):
        def write():
            lbann.Layer.global_count = 0
            x = lbann.Input(data_field="samples")
            model = lbann.Model(3, lbann.Relu(lbann.Sum(x, lbann.Identity(x))), objective_function=[])
            return lbann.proto.text(model=model, trainer=lbann.Trainer(mini_batch_size=2))
        self.assertEqual(write(), write())


if __name__ == "__main__":
    unittest.main()
