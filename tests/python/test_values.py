"""What keywords take, and what they refuse."""

import unittest

import numpy

import lbann
from support import Case


def fields(layer):
    proto = layer.export_proto()
    return getattr(proto, proto.WhichOneof("layer_type"))


class Values(Case):
    def test_lists_take_one_value_numpy_and_blank_separated_text(self):
        for value, expected in ((5, [5]), ([3, 4], [3, 4]), ("3 4", [3, 4]), (numpy.array([[1, 2], [3, 4]]), [1, 2, 3, 4]),
                                (numpy.int64(7), [7]), ((1, 2), [1, 2]), (range(3), [0, 1, 2])):
            with self.subTest(value=value):
                self.assertEqual(list(fields(lbann.Reshape(dims=value)).dims), expected)
        self.assertEqual(list(fields(lbann.WeightedSum(scaling_factors="1 -0.5")).scaling_factors), [1.0, -0.5])
        values = lbann.ValueInitializer(values=numpy.nditer(numpy.array([1.5, 2.5], numpy.float32)))
        self.assertEqual(list(values.export_proto().value_initializer.values), [1.5, 2.5])

    def test_wrapper_messages_take_plain_values(self):
        conv = fields(lbann.Convolution(out_channels=4, kernel_size=3, groups=2, has_bias=False))
        self.assertEqual((conv.groups.value, conv.HasField("has_bias"), conv.has_bias.value), (2, True, False))
        self.assertFalse(fields(lbann.Convolution(out_channels=4, kernel_size=3)).HasField("has_bias"))

    def test_an_explicit_zero_is_written(self):
        self.assertTrue(fields(lbann.Dropout(keep_prob=0)).HasField("keep_prob"))
        self.assertFalse(fields(lbann.Dropout()).HasField("keep_prob"))

    def test_enums_by_name_and_number(self):
        self.assertEqual(lbann.Relu(datatype="DOUBLE").export_proto().datatype, 2)
        self.assertEqual(lbann.Relu(datatype=lbann.DataType.FP16).export_proto().datatype, 3)
        with self.assertRaisesRegex(ValueError, "did you mean 'DOUBLE'"):
            lbann.Relu(datatype="DUBLE")
        with self.assertRaises(TypeError):
            lbann.Relu(datatype=99)

    def test_parallel_strategy_is_a_dictionary(self):
        layer = lbann.Relu(parallel_strategy=lbann.get_parallel_strategy_args(sample_groups=2, height_groups=4))
        self.assertEqual(layer.export_proto().parallel_strategy.height_groups, 4)
        with self.assertRaisesRegex(TypeError, "did you mean 'height_groups'"):
            lbann.Relu(parallel_strategy={"height_group": 4})

    def test_unknown_keywords_are_refused_with_a_suggestion(self):
        with self.assertRaisesRegex(TypeError, "Convolution: unknown keyword 'kernel_sise'; did you mean 'kernel_size'"):
            lbann.Convolution(out_channels=3, kernel_sise=3)
        with self.assertRaises(ValueError):  # what LBANN raised
            lbann.Adam(learning_rat=0.1)
        for make in (lambda: lbann.CallbackPrint(intervall=1), lambda: lbann.Trainer(mini_batch_sizes=1),
                     lambda: lbann.Model(1, [], epoch=3), lambda: lbann.Weights(initialiser=None),
                     lambda: lbann.Reader(rolle="train"), lambda: lbann.HeNormalInitializer(x=1)):
            self.assertRaises(TypeError, make)

    def test_wrong_types_name_the_keyword(self):
        for make, text in ((lambda: lbann.FullyConnected(num_neurons="ten"), "FullyConnected, num_neurons: an integer"),
                           (lambda: lbann.FullyConnected(num_neurons=2.5), "integer"),
                           (lambda: lbann.FullyConnected(num_neurons=4, has_bias="no"), "True or False"),
                           (lambda: lbann.Dropout(keep_prob="half"), "a number"),
                           (lambda: lbann.Pooling(pool_mode=3), "a text"),
                           (lambda: lbann.Reshape(dims="3 x"), "numbers"),
                           (lambda: lbann.Relu("x"), "a parent is a layer"),
                           (lambda: lbann.Relu([lbann.Input(), 3]), "a parent is a layer")):
            with self.subTest(text=text), self.assertRaisesRegex(TypeError, text):
                make()
        with self.assertRaisesRegex(ValueError, "outside 0..4294967295"):
            lbann.TensorPermute(axes=[-1])

    def test_old_convolution_keywords(self):
        conv = fields(lbann.Convolution(num_dims=2, num_output_channels=64, conv_dims_i=5, conv_pads_i=2,
                                        conv_strides_i=2, has_bias=True))
        self.assertEqual((conv.out_channels, list(conv.kernel_size), list(conv.padding), list(conv.stride)),
                         (64, [5], [2], [2]))
        vectors = fields(lbann.Convolution(num_output_channels=8, has_vectors=True, conv_dims="3 5", conv_pads="1 2",
                                           conv_strides="1 1", conv_dilations_i=0, num_groups=0))
        self.assertEqual((list(vectors.kernel_size), list(vectors.padding)), ([3, 5], [1, 2]))
        self.assertTrue(vectors.HasField("has_bias"))
        self.assertFalse(vectors.has_bias.value)  # in the old spelling an absent has_bias is false
        self.assertFalse(vectors.HasField("groups"))
        with self.assertRaisesRegex(TypeError, "both are given"):
            lbann.Convolution(num_output_channels=8, out_channels=8)

    def test_old_reader_names(self):
        reader = lbann.Reader(name="mnist", percent_of_data_to_use=0.5, validation_percent=0.1).export_proto()
        self.assertEqual((reader.fraction_of_data_to_use, reader.validation_fraction), (0.5, 0.1))

    def test_defaults_that_the_front_end_writes(self):
        def parameters(layer, kind):
            message = getattr(lbann.lbann_pb2, kind)() if hasattr(lbann.lbann_pb2, kind) else None
            layer.export_proto().operator_layer.ops[0].parameters.Unpack(message)
            return message
        clamp = parameters(lbann.Clamp(), "ClampOperator")
        self.assertEqual((clamp.min, clamp.max), (0.0, 1.0))
        self.assertEqual(parameters(lbann.Select(), "SelectOperator").epsilon, 1e-5)

    def test_attributes_may_be_changed(self):
        fc = lbann.FullyConnected(num_neurons=3)
        fc.num_neurons = 5
        self.assertEqual(fields(fc).num_neurons, 5)
        self.assertIsNone(fc.transpose)

    def test_names_of_layers_in_text_fields(self):
        a, b = lbann.Relu(name="a"), lbann.Relu(name="b")
        self.assertEqual(lbann.CallbackDumpOutputs(layers=[a, "b"]).export_proto().dump_outputs.layers, "a b")
        self.assertEqual(lbann.Relu(hint_layer=b).export_proto().hint_layer, "b")


if __name__ == "__main__":
    unittest.main()
