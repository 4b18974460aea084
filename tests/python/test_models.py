"""Modules and models: what they build validates, with the numbers of parameters that the papers' networks have."""

import re
import unittest

import lbann
import lbann.contrib.args
import lbann.contrib.launcher
import lbann.util.amp
from support import OPTIMIZER, Case, run, tool


class Models(Case):
    def validate(self, build, dims, *, labels=10, expect=0):
        """Exit code and number of parameters of a classifier over `build(images)`."""
        images = lbann.Input(data_field="samples")
        y = build(images)
        loss = lbann.CrossEntropy(lbann.Softmax(y), lbann.Input(data_field="labels"))
        reader = lbann.DataReader([lbann.Reader(name="synthetic", role="train", num_samples=8, synth_dimensions=dims,
                                                num_labels=labels, fraction_of_data_to_use=1.0)])
        lbann.proto.save_prototext("m.prototext", model=lbann.Model(1, [loss], objective_function=loss),
                                   data_reader=reader, trainer=lbann.Trainer(mini_batch_size=2),
                                   optimizer=lbann.SGD(learn_rate=0.1))
        done = run(tool("lbann-validate"), "m.prototext")
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return int(re.search(r"(\d+) parameters", done.stdout).group(1))

    def test_lenet(self):
        # 156 + 2416 + 48120 + 10164 + 850
        self.assertEqual(self.validate(lbann.models.LeNet(10), "1 28 28"), 61706)

    def test_alexnet(self):
        # The paper: 60 million; torch's and Caffe's count for two groups: 60,965,224.
        self.assertEqual(self.validate(lbann.models.AlexNet(1000), "3 227 227", labels=1000), 60965224)

    def test_resnets(self):
        # torchvision's parameters and the running statistics of batch normalisation (2 per channel).
        self.assertEqual(self.validate(lbann.models.ResNet18(1000), "3 224 224", labels=1000), 11689512 + 2 * 4800)
        lbann.models.ResNet50.global_count = 0
        self.assertEqual(self.validate(lbann.models.ResNet50(1000), "3 224 224", labels=1000), 25557032 + 2 * 26560)

    def test_recurrent_cells(self):
        def lstm(x):
            cell, state = lbann.modules.LSTMCell(5), None
            for _ in range(3):
                y, state = cell(lbann.Relu(x), state)
            return lbann.FullyConnected(y, num_neurons=10)
        self.assertEqual(self.validate(lstm, "5"), 4 * 5 * (5 + 5 + 1) + 50)

        def gru(x):
            cell, state = lbann.modules.GRU(5), None
            for _ in range(2):
                y, state = cell(lbann.Relu(x), state)
            return lbann.FullyConnected(y, num_neurons=10)
        self.assertEqual(self.validate(gru, "5"), 2 * 3 * 5 * (5 + 1) + 50)

    def test_transformer(self):
        def build(x):
            x = lbann.modules.transformer.PositionalEncoding(8, 6)(x)
            x = lbann.models.Transformer(8, 2, 6, num_encoder_layers=2)(x)
            return lbann.FullyConnected(x, num_neurons=10)
        per_layer = 4 * (64 + 8) + (8 * 32 + 32) + (32 * 8 + 8) + 4 * 8
        self.assertEqual(self.validate(build, "6 8"), 2 * per_layer + 480 + 48)

    def test_small_modules(self):
        def build(x):
            x = lbann.modules.Silu(lbann.modules.Gelu(x))
            x = lbann.modules.PytorchLayerNorm(x, 1e-5, [4, 3])
            x = lbann.modules.PytorchLinear(x, [4, 3], 2, name="linear")
            x = lbann.modules.Permute(x, axes=[1, 0])
            return lbann.FullyConnected(x, num_neurons=10)
        self.assertEqual(self.validate(build, "4 3"), 6 + 8 + 80)

    def test_names_and_counters(self):
        lbann.models.LeNet.global_count = 0
        self.assertEqual(lbann.models.LeNet(10).name, "lenet1")
        fc = lbann.modules.FullyConnectedModule(3, activation=lbann.Relu, name="fc")
        y = fc(lbann.Input(data_field="samples"))
        self.assertEqual((y.name, y.parents[0].name), ("fc_instance1_activation", "fc_instance1_fc"))
        self.assertEqual([w.name for w in fc.weights], ["fc_matrix", "fc_bias"])
        with self.assertRaisesRegex(TypeError, "a layer class"):
            lbann.modules.FullyConnectedModule(3, activation="relu")(y)

    def test_mixed_precision(self):
        model = lbann.Model(1, lbann.Input(data_field="samples"))
        lbann.util.amp.enable_amp(model, growth_interval=100)
        self.assertEqual((model.export_proto().amp.enabled, model.export_proto().amp.growth_interval), (True, 100))


class Arguments(Case):
    def test_options_of_scripts(self):
        import argparse
        parser = argparse.ArgumentParser()
        for add in (lbann.contrib.args.add_scheduler_arguments, lbann.contrib.args.add_optimizer_arguments,
                    lbann.contrib.args.add_training_arguments, lbann.contrib.args.add_profiling_arguments,
                    lbann.contrib.args.add_amp_arguments):
            add(parser)
        args = parser.parse_args("--nodes 2 --procs-per-node 4 --optimizer adam --optimizer-learning-rate 0.5 "
                                 "--setup-only --profile".split())
        self.assertEqual(lbann.contrib.args.get_scheduler_kwargs(args),
                         dict(nodes=2, procs_per_node=4, job_name="lbann", setup_only=True))
        adam = lbann.contrib.args.create_optimizer(args).export_proto().adam
        self.assertEqual((adam.learn_rate, adam.beta1, adam.beta2, adam.eps), (0.5, 0.9, 0.99, 1e-8))
        self.assertEqual(len(lbann.contrib.args.create_profile_callbacks(args)), 1)
        for name in ("momentum", "sgd", "adamw", "adagrad", "rmsprop"):
            args.optimizer = name
            self.assertTrue(lbann.contrib.args.create_optimizer(args).export_proto().WhichOneof("optimizer_type"))

    def test_launcher_of_scripts(self):
        model = lbann.Model(1, lbann.Input(data_field="samples"))
        self.assertEqual(lbann.contrib.launcher.run(
            lbann.Trainer(mini_batch_size=1), model, lbann.DataReader(), lbann.SGD(learn_rate=1), job_name="x",
            setup_only=True, scheduler="local", partition=None, lbann_args=None, work_dir="w"), 0)


if __name__ == "__main__":
    unittest.main()
