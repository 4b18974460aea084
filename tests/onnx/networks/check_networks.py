#!/usr/bin/python3
"""Networks of PyTorch through importer and runtime: check_networks.py RUN_VECTORS WORK_FOLDER small|full

make_networks.py writes them with random weights into the work folder; PyTorch's outputs judge at 1e-4. Exit code
77: PyTorch is not there.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ["resnet50", "mobilenetv3", "vit_b16", "bert", "gpt2"]


def main():
    run_vectors, work, size = sys.argv[1:]
    suite = pathlib.Path(work) / size
    suite.mkdir(parents=True, exist_ok=True)
    made = subprocess.run([sys.executable, "-B", str(HERE / "make_networks.py"), str(suite)]
                          + (["--small"] if size == "small" else []))
    if made.returncode != 0:
        sys.exit(made.returncode)
    passing = pathlib.Path(work) / (size + ".txt")
    passing.write_text("".join("%s/%s\n" % (size, n) for n in NAMES))
    sys.exit(subprocess.run([run_vectors, str(passing), str(pathlib.Path(work) / "work"), str(suite)],
                            env=dict(os.environ, LBANN_VECTOR_STRICT="1", LBANN_VECTOR_TOLERANCE="1e-4")).returncode)


main()
