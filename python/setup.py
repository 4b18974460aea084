"""Packaging: what pyproject.toml cannot say. Makes lbann/schema.desc from ../proto with protoc.

A source distribution carries a finished schema.desc instead of the .proto files.
"""

import glob
import os
import shutil
import subprocess
import sys

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = os.path.dirname(os.path.abspath(__file__))
PROTO = os.path.join(os.path.dirname(HERE), "proto")


def make_schema(target):
    """Writes the descriptor set of all messages, comments included."""
    finished = os.path.join(HERE, "lbann", "schema.desc")
    if not os.path.isdir(PROTO):
        if not os.path.exists(finished):
            sys.exit(f"neither {PROTO} nor {finished} exists")
        shutil.copyfile(finished, target)
        return
    protoc = os.environ.get("PROTOC") or shutil.which("protoc")
    command = [protoc] if protoc else [sys.executable, "-m", "grpc_tools.protoc"]
    files = sorted(glob.glob(os.path.join(PROTO, "*.proto")))
    try:
        subprocess.run([*command, f"-I{PROTO}", "--include_imports", "--include_source_info",
                        f"--descriptor_set_out={target}", *files], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"cannot make {target}: {error}\nprotoc is needed: Debian's protobuf-compiler, or pip install "
                 "grpcio-tools; PROTOC names another one")


class BuildWithSchema(build_py):
    """build_py, then the schema."""

    def run(self):
        super().run()
        folder = os.path.join(self.build_lib, "lbann")
        os.makedirs(folder, exist_ok=True)
        make_schema(os.path.join(folder, "schema.desc"))


class SdistWithSchema(sdist):
    """sdist with the schema in its tree."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        make_schema(os.path.join(base_dir, "lbann", "schema.desc"))


setup(cmdclass={"build_py": BuildWithSchema, "sdist": SdistWithSchema})
