"""Scripts from end to end: what they save validates and trains; lbann.run keeps its files and exit code."""

import glob
import os
import sys
import unittest

from google.protobuf import text_format

import lbann
from support import OPTIMIZER, READER, SOURCE, Case, run, tool


def classifier():
    images = lbann.Input(data_field="samples", name="images")
    labels = lbann.Input(data_field="labels", name="labels")
    x = lbann.Relu(lbann.FullyConnected(images, num_neurons=16, has_bias=True))
    probabilities = lbann.Softmax(lbann.FullyConnected(x, num_neurons=10, has_bias=True))
    loss = lbann.CrossEntropy(probabilities, labels)
    accuracy = lbann.CategoricalAccuracy(probabilities, labels)
    return lbann.Model(2, [images, labels], objective_function=loss, callbacks=[lbann.CallbackPrint()],
                       metrics=[lbann.Metric(accuracy, name="accuracy", unit="%")])


def data():
    return lbann.DataReader([lbann.Reader(
        name="synthetic", role="train", num_samples=64, synth_dimensions="1 28 28", num_labels=10,
        fraction_of_data_to_use=1.0)])


class Seed(Case):
    """The script of the first days, to the letter."""

    def save(self):
        self.succeed(sys.executable, os.path.join(SOURCE, "examples", "seed_cnn.py"))
        return os.path.join(self.folder, "test.prototext")

    def test_trains_with_reader_and_optimizer_of_the_command_line(self):
        model = self.save()
        files = [f"--model={model}", f"--reader={self.write('reader.prototext', READER)}",
                 f"--optimizer={self.write('optimizer.prototext', OPTIMIZER)}"]
        self.succeed(tool("lbann-validate"), "--strict", model)  # alone, as a model
        self.succeed(tool("lbann-validate"), *files)
        done = self.succeed(tool("lbann-train"), *files, "--num_epochs=2", "--seed=1")
        self.assertIn("training epoch 1 objective function : ", done.stdout)
        self.assertRegex(done.stdout, r"training epoch 1 accuracy : [\d.]+%")
        self.assertIn("training epoch 1 run time : ", done.stdout)

    def test_same_bytes_twice(self):
        with open(self.save(), "rb") as file:
            first = file.read()
        with open(self.save(), "rb") as file:
            self.assertEqual(first, file.read())

    def test_the_front_end_reads_the_message_that_protobuf_reads(self):
        """Judge: text_format on our file, against lbann-validate's resolved configuration without its defaults."""
        model = self.save()
        printed = self.succeed(tool("lbann-validate"), "--print-config", f"--model={model}",
                               f"--reader={self.write('r.prototext', READER)}",
                               f"--optimizer={self.write('o.prototext', OPTIMIZER)}").stdout
        kept = [line for line in printed.splitlines(True) if not line.rstrip().endswith("# default")]
        resolved = text_format.Parse("".join(kept), lbann.lbann_pb2.LbannPB())
        expected = lbann.lbann_pb2.LbannPB()
        for text in (open(model, encoding="utf-8").read(), READER, OPTIMIZER):
            text_format.Merge(text, expected)
        self.assertEqual(resolved, expected)


SCRIPT = """
import os, sys
import lbann
import lbann.contrib.launcher

def num_samples(): return 40
def sample_dims(): return (4,)
def get_sample(i): return [i / 40, 1, 2, i % 2]

if __name__ == "__main__":
    readers = lbann.reader_pb2.DataReader()
    reader = readers.reader.add()
    reader.name, reader.role, reader.shuffle, reader.fraction_of_data_to_use = "python", "train", True, 1.0
    reader.python.module = os.path.splitext(os.path.basename(__file__))[0]
    reader.python.module_dir = os.path.dirname(os.path.abspath(__file__))
    reader.python.sample_function = "get_sample"
    reader.python.num_samples_function = "num_samples"
    reader.python.sample_dims_function = "sample_dims"
    cut = lbann.Slice(lbann.Input(data_field="samples"), slice_points=[0, 3, 4])
    x, y = lbann.Identity(cut), lbann.Identity(cut)
    loss = lbann.MeanSquaredError(lbann.FullyConnected(x, num_neurons=1), y)
    model = lbann.Model(2, [loss], objective_function=loss, callbacks=[lbann.CallbackPrint()])
    sys.exit(lbann.contrib.launcher.run(lbann.Trainer(mini_batch_size=8), model, readers, lbann.SGD(learn_rate=0.1),
                                        job_name="own", scheduler="local", work_dir="work"))
"""


class Run(Case):
    def setUp(self):
        super().setUp()
        # The package may be installed anywhere: the program is that of this build.
        os.environ["LBANN_EXE"] = tool("lbann-train")
        self.addCleanup(os.environ.pop, "LBANN_EXE")

    def test_a_script_that_is_its_own_data_reader(self):
        os.mkdir("elsewhere")
        script = self.write("elsewhere/own_data.py", SCRIPT)
        done = self.succeed(sys.executable, "-B", script)
        self.assertIn("training epoch 1 objective function : 0.", done.stdout)

    def test_newer_style_validates_and_trains(self):
        code = lbann.run(lbann.Trainer(mini_batch_size=16, random_seed=3), classifier(), data(),
                         lbann.Adam(learn_rate=0.001, beta1=0.9, beta2=0.99, eps=1e-8), work_dir="work",
                         scheduler="local", job_name="job")
        self.assertEqual(code, 0)
        self.assertEqual(sorted(os.listdir("work")), ["batch.sh", "err.log", "experiment.prototext", "out.log"])
        with open("work/out.log", encoding="utf-8") as file:
            text = file.read()
        self.assertIn("training epoch 1 accuracy", text)
        self.assertTrue(text.startswith("Started at "))
        self.assertIn("Finished at ", text)

    def test_a_pickled_data_set_with_labels(self):
        os.mkdir("code")
        self.write("code/squares_data.py", """
import lbann.util.data as data

class Squares(data.Dataset):
    def __len__(self): return 30
    def get_sample_dims(self): return data.SampleDims(sample=[3], label=[2])
    def __getitem__(self, i): return data.Sample([i / 30, 1, 0], [i % 2, 1 - i % 2])
""")
        sys.path.insert(0, os.path.abspath("code"))
        self.addCleanup(sys.path.pop, 0)
        import squares_data
        import lbann.util.data
        reader = lbann.util.data.construct_python_dataset_reader(squares_data.Squares(), "set.pkl",
                                                                 validation_fraction=0.2)
        x, label = lbann.Input(data_field="samples"), lbann.Input(data_field="labels")
        loss = lbann.CrossEntropy(lbann.Softmax(lbann.FullyConnected(x, num_neurons=2)), label)
        model = lbann.Model(1, [loss], objective_function=loss, callbacks=[lbann.CallbackPrint()])
        code = lbann.run(lbann.Trainer(mini_batch_size=7), model, lbann.DataReader([reader]), lbann.SGD(learn_rate=0.1),
                         work_dir="work", scheduler="local", lbann_args="--num_io_threads=2")
        with open("work/out.log", encoding="utf-8") as out, open("work/err.log", encoding="utf-8") as err:
            text = out.read()
            self.assertEqual(code, 0, err.read())
        self.assertIn("validation objective function", text)

        class Local(lbann.util.data.Dataset):
            __module__ = "__main__"
        with self.assertRaisesRegex(ValueError, "defined in the script itself"):
            lbann.util.data.construct_python_dataset_reader(Local())

    def test_exit_code_of_a_failing_run(self):
        model = classifier()
        model.layers[0].data_field = "nonsense"
        code = lbann.run(lbann.Trainer(mini_batch_size=16), model, data(), lbann.SGD(learn_rate=0.1), work_dir="work",
                         scheduler="local")
        self.assertEqual(code, 3)
        with open("work/err.log", encoding="utf-8") as file:
            self.assertIn("LBANN error", file.read())

    def test_setup_only(self):
        for _ in range(2):
            self.assertEqual(lbann.run(lbann.Trainer(mini_batch_size=16), classifier(), data(), lbann.NoOptimizer(),
                                       setup_only=True, scheduler="openmpi", nodes=2, procs_per_node=3,
                                       procs_per_trainer=2, lbann_args="--num_epochs=1", environment={"A": "b c"}), 0)
        folders = glob.glob("*_lbann_*")
        self.assertEqual(len(folders), 2)
        script = open(os.path.join(sorted(folders)[0], "batch.sh"), encoding="utf-8").read()
        self.assertIn("export A='b c'", script)
        self.assertIn("mpiexec -n 6 --map-by ppr:3:node -wdir", script)
        self.assertIn("--num_epochs=1 --prototext=", script)
        self.assertIn("--procs_per_trainer=2\nstatus=$?\n", script)
        self.assertTrue(script.endswith("exit ${status}\n"))
        with self.assertRaises(FileExistsError):
            lbann.run(lbann.Trainer(mini_batch_size=1), classifier(), data(), lbann.NoOptimizer(), setup_only=True,
                      work_dir=folders[0], scheduler="local")

    def test_headers_of_schedulers(self):
        from lbann.launcher import make_batch_script
        options = dict(work_dir=self.folder, nodes=2, procs_per_node=4, time_limit=90, job_name="j", partition="p",
                       account="a")
        slurm = make_batch_script(scheduler="slurm", **options)
        slurm.add_run(["lbann-train", "x y"])
        text = slurm.text()
        for part in ("#SBATCH --ntasks=8", "#SBATCH --time=0-01:30:00", "#SBATCH --partition=p",
                     "--ntasks-per-node=4 --time=0-01:30:00", "lbann-train 'x y'"):
            self.assertIn(part, text)
        self.assertIn("#BSUB -W 1:30", make_batch_script(scheduler="lsf", **options).text())
        self.assertIn("#PJM -L elapse=01:30:00", make_batch_script(scheduler="pjm", **options).text())
        flux = make_batch_script(scheduler="flux", **options)
        self.assertIn("--time-limit=5400s", flux.launcher())
        with self.assertRaisesRegex(ValueError, "unknown scheduler 'cron'"):
            make_batch_script(scheduler="cron")

    def test_without_a_file_nothing_is_left_behind(self):
        with self.assertRaises(OSError):
            lbann.proto.save_prototext("no/such/folder/x.prototext", trainer=lbann.Trainer(mini_batch_size=1))
        self.assertEqual(os.listdir("."), [])

    def test_binary_form(self):
        lbann.proto.save_prototext("m.protobin", model=classifier(), trainer=lbann.Trainer(mini_batch_size=4),
                                   data_reader=data(), optimizer=lbann.SGD(learn_rate=0.1))
        with open("m.protobin", "rb") as file:
            message = lbann.lbann_pb2.LbannPB.FromString(file.read())
        self.assertEqual(message.trainer.mini_batch_size, 4)
        self.assertEqual(run(tool("lbann-validate"), "m.protobin").returncode, 0)


if __name__ == "__main__":
    unittest.main()
