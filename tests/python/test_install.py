"""`pip install ./python` into a fresh environment, without network: Debian's setuptools, wheel and protobuf."""

import os
import shutil
import sys
import unittest

from support import SOURCE, Case

CHECK = """
import lbann, os, lbann._schema as s
assert os.path.dirname(lbann.__file__).startswith({venv!r}), lbann.__file__
assert open(s.SCHEMA_FILE, 'rb').read() == open({schema!r}, 'rb').read()
print(lbann.Convolution(out_channels=1).export_proto().convolution.out_channels)
"""


class Install(Case):
    def test_pip_installs_offline_into_a_virtual_environment(self):
        # A copy of what pip needs, so that the checkout stays clean.
        for part in ("python", "proto"):
            shutil.copytree(os.path.join(SOURCE, part), part,
                            ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
        self.succeed(sys.executable, "-m", "venv", "--system-site-packages", "venv")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        environment["PIP_NO_INDEX"] = "1"
        python = os.path.join(self.folder, "venv", "bin", "python")
        self.succeed(python, "-m", "pip", "install", "--no-build-isolation", "--no-deps", "./python", env=environment)
        check = CHECK.format(venv=os.path.join(self.folder, "venv"),
                             schema=os.path.join(os.environ["LBANN_BINARY_DIR"], "python", "lbann", "schema.desc"))
        self.assertEqual(self.succeed(python, "-c", check, env=environment, cwd="/").stdout, "1\n")
        listed = self.succeed(python, "-m", "pip", "show", "lbann", env=environment).stdout
        self.assertIn("Requires: protobuf", listed)


if __name__ == "__main__":
    unittest.main()
