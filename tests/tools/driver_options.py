#!/usr/bin/env python3
"""Every option of LBANN's driver (driver_options.tsv), with underscores and with hyphens, through lbann-train.

None may be ignored: each means something, or is noted as meaningless, or is refused by name.
"""
import os
import re
import subprocess
import sys
import tempfile

BIN, TABLE = os.path.abspath(sys.argv[1]), os.path.join(os.path.dirname(os.path.abspath(__file__)), "driver_options.tsv")
NUM_OPTIONS = 106  # at the last change of the table; none is lost

EXPERIMENT = """
model { num_epochs: 1
  layer { name: "x" input {} } layer { name: "y" input { data_field: "labels" } }
  layer { name: "f" parents: "x" fully_connected { num_neurons: 2 } } layer { name: "s" parents: "f" softmax {} }
  layer { name: "l" parents: "s" parents: "y" cross_entropy {} } objective_function { layer_term { layer: "l" } } }
data_reader { reader { name: "synthetic" role: "train" num_samples: 8 synth_dimensions: "3" num_labels: 2
  fraction_of_data_to_use: 1 } }
optimizer { sgd { learn_rate: 1 } }
trainer { mini_batch_size: 4 }
"""


def run(words, folder):
    return subprocess.run([os.path.join(BIN, "lbann-train"), *words], cwd=folder, capture_output=True, text=True,
                          timeout=60, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})


def check(name, value, kind, shows, folder):
    """What is wrong, empty if nothing."""
    words = ["--%s=%s" % (name, value.lstrip("@")) if value else "--" + name]
    # --model begins a split experiment: the other parts come as files.
    split = ["--reader=none", "--optimizer=none"] if name == "model" else ["exp"]
    done = run(words + split + ["--print-config"], folder)
    note = "option '--%s' has no effect any more" % name in done.stderr
    if kind == "refused":
        if done.returncode != 2 or "option '--%s' is known to LBANN but not yet supported here" % name not in done.stderr:
            return "not refused by name: %d\n%s" % (done.returncode, done.stderr)
        return ""
    if done.returncode != 0:
        return "exit code %d\n%s" % (done.returncode, done.stderr)
    if note != (kind == "noted"):
        return "a note of no effect" if note else "no note says that it has no effect"
    if shows and not any(re.search(re.escape(shows), line) for line in done.stdout.splitlines()):
        return "--print-config does not show '%s'\n%s" % (shows, done.stdout)
    return ""


def main():
    with open(TABLE, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    failures, counts = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("exp", EXPERIMENT), ("none", "# nothing"), ("part", "optimizer { sgd { learn_rate: 5 } }")):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        for row in rows:
            name, value, kind, shows = (row + [""] * 4)[:4]
            counts[kind] = counts.get(kind, 0) + 1
            for spelling in sorted({name, name.replace("_", "-"), name.replace("-", "_")}):
                wrong = check(spelling, value, kind, shows, folder)
                if wrong:
                    failures.append("--%s: %s" % (spelling, wrong))
    print("driver options: %d: %s" % (len(rows), ", ".join("%s %d" % c for c in sorted(counts.items()))))
    for failure in failures:
        print(failure)
    if len(rows) < NUM_OPTIONS:
        failures.append("rows were lost")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
