#!/usr/bin/env python3
"""Seeds one violation of each rule into a small clean tree: lint.py must report it and nothing else."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

LINT = pathlib.Path(__file__).resolve().parent / "lint.py"

CLEAN = {
    "libcore/base/text.hpp": "// Text.\n#pragma once\n#include <string>\nnamespace lbann::base {}\n",
    "libcore/base/text.cpp": '// Text.\n#include "base/text.hpp"\nnamespace lbann::base {}\n',
    "libcore/tensor/shape.hpp": '// Shapes.\n#pragma once\n#include "base/text.hpp"\nnamespace lbann::tensor {}\n',
    "libcore/model/bind.cpp": '// Binding.\n#include <google/protobuf/message.h>\n#include "base/text.hpp"\nnamespace lbann::model {}\n',
    "libcore/kernels/cpu/conv.cpp": '// Convolution.\n#include <dnnl.hpp>\n#include "tensor/shape.hpp"\nnamespace lbann::kernels {}\n',
    "libcore/train/run.cpp": '// Runs.\n#include "model/bind.cpp"\nnamespace lbann::train {}\n',
    "tools/common/options.cpp": "// Options.\n#include <CLI/CLI.hpp>\n",
    "tests/base/main.cpp": "// Tests.\n#define BOOST_TEST_MODULE base\n#include <boost/test/unit_test.hpp>\n",
    "README.md": "# Text\n",
}


def run(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        done = subprocess.run([sys.executable, str(LINT), folder], stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout.splitlines()[:-1]


class SeededViolations(unittest.TestCase):
    def expect(self, rule, path, text, **others):
        code, found = run({**CLEAN, path: text, **others})
        self.assertEqual(code, 1)
        self.assertEqual(len(found), 1, found)
        self.assertIn(": %s: " % rule, found[0])
        self.assertTrue(found[0].startswith(path if rule != "module" else path.rsplit("/", 1)[0]), found[0])

    def test_clean_tree(self):
        self.assertEqual(run(CLEAN), (0, []))

    def test_lower_room_includes_upper(self):
        self.expect("layering", "libcore/base/up.cpp", '// Up.\n#include "tensor/shape.hpp"\nnamespace lbann::base {}\n')

    def test_tier_one_includes_tier_two(self):
        self.expect("layering", "libcore/model/up.cpp", '// Up.\n#include "kernels/cpu/conv.cpp"\nnamespace lbann::model {}\n')

    def test_siblings(self):
        self.expect("layering", "libcore/log/side.cpp", '// Side.\n#include "model/bind.cpp"\nnamespace lbann::log {}\n')

    def test_data_does_not_know_the_model(self):
        self.expect("layering", "libcore/data/side.cpp", '// Side.\n#include "model/bind.cpp"\nnamespace lbann::data {}\n')

    def test_schema_comments(self):
        proto = "// A file.\n// A node of the graph.\nmessage Layer {\n%s  optional int64 kernel_size = 1;\n}\n"
        self.expect("docs", "proto/a.proto", proto % "")
        self.expect("docs", "proto/a.proto", proto % "  // The size of the kernels.\n")
        self.assertEqual(run({**CLEAN, "proto/a.proto": proto % "  // Window per spatial dim.\n"}), (0, []))
        kind = "// A file.\n// A node.\nmessage Layer {\n  oneof kind {\n    Layer.Relu relu = 1;\n  }\n%s  message Relu {}\n}\n"
        self.expect("docs", "proto/a.proto", kind % "")
        self.assertEqual(run({**CLEAN, "proto/a.proto": kind % "  // y = max(x, 0).\n"}), (0, []))

    def test_unknown_room(self):
        self.expect("layering", "libcore/attic/a.cpp", "// Attic.\nnamespace lbann::attic {}\n")

    def test_libraries(self):
        for header in ("google/protobuf/message.h", "layers.pb.h", "CLI/CLI.hpp", "dnnl.hpp", "oneapi/dnnl/dnnl.h", "mpi.h",
                       "cuda_runtime.h", "hdf5.h", "boost/test/unit_test.hpp"):
            with self.subTest(header):
                self.expect("library", "libcore/train/a.cpp", "// A.\n#include <%s>\nnamespace lbann::train {}\n" % header)

    def test_protobuf_in_quotes(self):
        self.expect("library", "libcore/train/a.cpp", '// A.\n#include "layers.pb.h"\nnamespace lbann::train {}\n')

    def test_cli_in_a_tool(self):
        self.expect("library", "tools/lbann-train/main.cpp", "// A.\n#include <CLI/CLI.hpp>\n")

    def test_missing_file(self):
        self.expect("include", "libcore/tensor/a.cpp", '// A.\n#include "base/nowhere.hpp"\nnamespace lbann::tensor {}\n')

    def test_include_relative_to_the_folder(self):
        self.expect("include", "libcore/tensor/a.cpp", '// A.\n#include "shape.hpp"\nnamespace lbann::tensor {}\n')

    def test_namespace(self):
        self.expect("namespace", "libcore/tensor/a.cpp", "// A.\nnamespace lbann::base {}\n")

    def test_no_opening_comment(self):
        self.expect("header", "libcore/tensor/a.cpp", "namespace lbann::tensor {}\n")

    def test_no_pragma_once(self):
        self.expect("header", "libcore/tensor/a.hpp", "// A.\nnamespace lbann::tensor {}\n")

    def test_length(self):
        self.expect("length", "libcore/tensor/a.cpp", "// A.\nnamespace lbann::tensor {}\n" + "//\n" * 599)
        self.assertEqual(run({**CLEAN, "libcore/tensor/a.cpp": "// A.\nnamespace lbann::tensor {}\n" + "//\n" * 598}), (0, []))

    def test_words(self):
        for word in ("TO" + "DO", "FIX" + "ME", "/wo" + "rk/main"):
            with self.subTest(word):
                self.expect("words", "docs/a.md", "one %s two\n" % word)

    def test_no_test_module(self):
        self.expect("module", "tests/graph/a.cpp", "// A.\n#include <boost/test/unit_test.hpp>\n")

    def test_two_test_modules(self):
        text = "// A.\n#define BOOST_TEST_MODULE base\n#include <boost/test/unit_test.hpp>\n"
        self.expect("module", "tests/base/other.cpp", text)


if __name__ == "__main__":
    unittest.main()
