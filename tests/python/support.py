"""What the tests of the Python package share: folders, tools, and a clean slate of name counters."""

import os
import subprocess
import tempfile
import unittest

import lbann

SOURCE = os.environ["LBANN_SOURCE_DIR"]
BINARY = os.environ["LBANN_BINARY_DIR"]


def tool(name):
    return os.path.join(BINARY, "bin", name)


def run(*command, cwd=None, env=None):
    return subprocess.run([str(c) for c in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=240)


class Case(unittest.TestCase):
    """A test with a folder of its own, in which it runs."""

    def setUp(self):
        lbann.Layer.global_count = 0
        lbann.Weights.global_count = 0
        folder = tempfile.TemporaryDirectory(prefix="lbann-python-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        old = os.getcwd()
        self.addCleanup(os.chdir, old)
        os.chdir(self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def succeed(self, *command, **kwargs):
        result = run(*command, **kwargs)
        self.assertEqual(result.returncode, 0, f"{command}\n{result.stdout}{result.stderr}")
        return result


READER = """data_reader {
  reader {
    name: "synthetic" role: "train" num_samples: 64 synth_dimensions: "1 28 28" num_labels: 10
    fraction_of_data_to_use: 1
  }
}
"""
OPTIMIZER = "optimizer { sgd { learn_rate: 0.01 momentum: 0.9 } }\n"
