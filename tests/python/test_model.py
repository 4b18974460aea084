"""Layer graphs, names, weights, both forms of Model, and speed."""

import time
import unittest

import lbann
from support import Case


class Graph(Case):
    def test_every_layer_after_its_parents(self):
        a = lbann.Input(data_field="samples")
        b, c = lbann.Relu(a), lbann.Tanh(a)
        d = lbann.Sum([b, c])
        e = lbann.Add(d, lbann.Constant(value=1, num_neurons=3))
        for start in (a, e, [c], e.parents[1]):
            order = list(lbann.traverse_layer_graph(start))
            self.assertEqual(len(order), 6)
            for layer in order:
                for parent in layer.parents:
                    self.assertLess(order.index(parent), order.index(layer))

    def test_order_of_children_is_that_of_creation(self):
        x = lbann.Input(data_field="samples")
        cut = lbann.Slice(x, axis=0, slice_points=[0, 1, 2])
        second, first = lbann.Identity(name="second"), lbann.Identity(name="first")
        first(cut), second(cut)
        self.assertEqual(list(cut.export_proto().children), ["first", "second"])

    def test_deep_graphs(self):
        x = lbann.Input(data_field="samples")
        for _ in range(20000):
            x = lbann.Relu(x)
        self.assertEqual(sum(1 for _ in lbann.traverse_layer_graph(x)), 20001)

    def test_cycles(self):
        a = lbann.Relu()
        b = lbann.Relu(a)
        a(b)
        with self.assertRaisesRegex(ValueError, "cycle"):
            list(lbann.traverse_layer_graph(a))

    def test_children_keyword(self):
        child = lbann.Relu(name="child")
        parent = lbann.Input(data_field="samples", children=child)
        self.assertEqual(child.parents, [parent])


class Names(Case):
    def test_automatic_names_step_aside(self):
        x = lbann.Input(data_field="samples")  # layer1
        y = lbann.Relu(x, name="layer3")
        z = lbann.Relu(y)  # layer3 by count
        model = lbann.Model(1, x)
        names = [layer.name for layer in model.layers]
        self.assertEqual(len(set(names)), 3)
        self.assertEqual((y.name, z.name), ("layer3", "layer3_2"))

    def test_equal_names_are_an_error(self):
        x = lbann.Input(data_field="samples", name="x")
        with self.assertRaisesRegex(ValueError, "two layers are named 'x'"):
            lbann.Model(1, lbann.Relu(x, name="x"))

    def test_counters_can_be_reset(self):
        lbann.Layer.global_count = 41
        self.assertEqual(lbann.Relu().name, "layer42")
        lbann.Weights.global_count = 6
        self.assertEqual(lbann.Weights().name, "weights7")


class Models(Case):
    def test_both_forms(self):
        x = lbann.Input(data_field="samples")
        old = lbann.Model(256, 10, layers=x)
        self.assertEqual((old.mini_batch_size, old.epochs), (256, 10))
        made = lbann.proto.make_experiment(model=old)
        self.assertEqual((made.trainer.mini_batch_size, made.model.num_epochs), (256, 10))
        new = lbann.Model(5, [x], objective_function=x, metrics=[], callbacks=[])
        self.assertEqual((new.mini_batch_size, new.epochs), (None, 5))
        self.assertFalse(lbann.proto.make_experiment(model=new).HasField("trainer"))
        with self.assertRaisesRegex(ValueError, "256, the trainer 32"):
            lbann.proto.make_experiment(model=old, trainer=lbann.Trainer(mini_batch_size=32))

    def test_weights_of_layers_are_collected_once(self):
        w = lbann.Weights(initializer=lbann.HeNormalInitializer(), name="w")
        x = lbann.Input(data_field="samples")
        a = lbann.FullyConnected(x, weights=w, num_neurons=3)
        lbann.FullyConnected(a, weights=[w], num_neurons=3)
        proto = lbann.Model(1, x).export_proto()
        self.assertEqual([v.name for v in proto.weights], ["w"])
        self.assertTrue(proto.weights[0].initializer.HasField("he_normal_initializer"))

    def test_objective(self):
        x = lbann.Input(data_field="samples", name="x")
        w = lbann.Weights(name="w")
        objective = lbann.ObjectiveFunction([x, lbann.LayerTerm(x, scale=0.5),
                                             lbann.L2WeightRegularization(scale=1e-4, weights=[w])])
        proto = objective.export_proto()
        self.assertEqual([(t.layer, t.scale_factor) for t in proto.layer_term], [("x", 1.0), ("x", 0.5)])
        self.assertEqual(proto.l2_weight_regularization[0].scale_factor, 1e-4)
        self.assertEqual(list(proto.l2_weight_regularization[0].weights), ["w"])
        self.assertRaises(TypeError, lbann.ObjectiveFunction, [3])

    def test_training_algorithms(self):
        algo = lbann.LTFB("ltfb", metalearning=lbann.RandomPairwiseExchange(
            metric_strategies={"accuracy": lbann.RandomPairwiseExchange.MetricStrategy.HIGHER_IS_BETTER}),
            local_algo=lbann.BatchedIterativeOptimizer("sgd", num_iterations=10), metalearning_steps=7)
        text = lbann.proto.text(trainer=lbann.Trainer(mini_batch_size=4, training_algo=algo))
        for part in ("[type.googleapis.com/lbann_data.LTFB] {", "max_tournaments: 7", "max_batches: 10",
                     'key: "accuracy"', "value: HIGHER_IS_BETTER"):
            self.assertIn(part, text)

    def test_base_classes_can_be_extended(self):
        class Mine(lbann.Callback):
            def export_proto(self):
                return lbann.CallbackPrint(interval=3).export_proto()
        model = lbann.Model(1, lbann.Input(data_field="samples"), callbacks=[Mine()])
        self.assertEqual(model.export_proto().callback[0].print.interval, 3)

    def test_a_thousand_layers_in_a_second(self):
        x = lbann.Input(data_field="samples")
        start = time.process_time()
        for _ in range(333):
            x = lbann.Relu(lbann.BatchNormalization(lbann.Convolution(
                x, num_dims=2, out_channels=64, kernel_size=3, padding=1, stride=1, has_bias=False)))
        lbann.proto.save_prototext("deep.prototext", model=lbann.Model(1, x), trainer=lbann.Trainer(mini_batch_size=8))
        self.assertLess(time.process_time() - start, 1.0)


if __name__ == "__main__":
    unittest.main()
