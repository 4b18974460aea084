#!/usr/bin/env python3
"""What validates, trains: random experiments go to lbann-validate and to lbann-train.

    random_experiments.py BIN [COUNT [SEED]]

An experiment is some layers of the golden table (tests/layers/golden) put onto random parents, with a random
optimizer, callbacks and readers; about half are then damaged: a number changed, a line lost, a name misspelt. When
lbann-validate accepts, `lbann-train --smoke=1` must train (exit 6, no memory, and 7,
a numerical failure, are outcomes of training); when it does not, lbann-train must say the same to the letter and end
with the same code. Nobody knows beforehand which experiments are right, so both outcomes must be frequent or nothing
was tested. Programs get 4 GiB.
"""
import ast
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).resolve().parent.parent / "layers" / "golden"
NUMBERS = ["0", "-1", "1", "2", "3", "5", "7", "100", "4096", "9223372036854775807", "0.5", "-0.25", "1e30", "nan"]
OPTIMIZERS = ["sgd { learn_rate: 0.01 }", "sgd { learn_rate: 0.01 momentum: 0.9 nesterov: true }",
              "adam { learn_rate: 0.001 beta1: 0.9 beta2: 0.99 eps: 1e-8 }", "adam { learn_rate: 0.001 }",
              "rmsprop { learn_rate: 0.01 decay_rate: 0.9 eps: 1e-8 }", "adagrad { learn_rate: 0.01 eps: 1e-8 }",
              "no_optimizer {}", "", "sgd { learn_rate: -1 }", "hypergradient_adam { }"]
CALLBACKS = ["print {}", "timer {}", "timer { skip_steps: 3 }", "progress_bar { bar_width: 12 }", "early_stopping { patience: 2 }",
             'check_metric { metric: "m" lower_bound: -1e300 upper_bound: 1e300 }', 'check_metric { metric: "nobody" }',
             "step_learning_rate { step: 2 amt: 0.5 }", "step_learning_rate { amt: 0.5 }",
             'drop_fixed_learning_rate { drop_epoch: 1 amt: 0.1 weights: "l0_linearity_weights" }',
             "poly_learning_rate { power: 2 num_epochs: 3 }", "poly_learning_rate { power: 2 }",
             "adaptive_learning_rate { patience: 1 amt: 0.5 }", "adaptive_learning_rate { patience: -1 }",
             "optimizerwise_adaptive_learning_rate { scale: 0.1 }", "cosine_decay_learning_rate { lr_max: 0.1 decay_steps: 9 }",
             "check_nan {}", "check_gradients { error_on_failure: false }", 'dump_weights { directory: "w" }', "save_model {}",
             'save_model { dir: "m" }', "debug {}", "ltfb { batch_interval: 2 }"]


def npy_dims(path):
    with open(path, "rb") as file:
        file.seek(8)
        header = file.read(int.from_bytes(file.read(2), "little"))
    return ast.literal_eval(header.decode("latin1").strip())["shape"][1:]


def load_rows():
    rows = []
    for line in (TABLE / "index.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, kind, _, inputs, _, _, outputs = line.split("\t")[:7]
        text = (TABLE / name / "layer.prototext").read_text()
        dims = [npy_dims(TABLE / name / ("in%d.npy" % i)) for i in range(int(inputs))]
        if "weights:" not in text and all(0 < len(d) for d in dims):
            rows.append((kind, text, dims, int(outputs)))
    return rows


class Writer:
    """One random experiment."""

    def __init__(self, rows, seed):
        self.random, self.rows = random.Random(seed), rows
        self.layers, self.names, self.kinds = [], [], []

    def add(self, name, parents, body):
        listed = "".join(' parents: "%s"' % p for p in parents)
        kind = ' datatype: %s' % self.random.choice(["DOUBLE", "FLOAT", "FP16"]) if self.random.random() < 0.01 else ""
        self.layers.append('layer { name: "%s"%s%s %s }' % (name, listed, kind, body))
        self.names.append(name)
        return name

    def make_input(self, layer, index, dims):
        if self.random.random() < 0.1:
            return self.random.choice(self.names)
        size = 1
        for d in dims:
            size *= d
        source = self.add("%s_f%d" % (layer, index), [self.random.choice(self.names)],
                          "fully_connected { num_neurons: %d has_bias: %s }" % (size, self.random.choice(["true", "false"])))
        return self.add("%s_i%d" % (layer, index), [source], "reshape { dims: [%s] }" % ", ".join(map(str, dims)))

    def add_row(self, number):
        kind, text, dims, outputs = self.random.choice(self.rows)
        layer = "l%d" % number
        parents = [self.make_input(layer, i, d) for i, d in enumerate(dims)]
        text = text.replace('"layer"', '"%s"' % layer)
        for i, parent in enumerate(parents):
            text = text.replace('"in%d"' % i, '"%s"' % parent)
        children = [layer] if outputs == 1 else ["%s_o%d" % (layer, i) for i in range(outputs)]
        if outputs != 1:
            for i, child in enumerate(children):
                text = text.replace('"out%d"' % i, '"%s"' % child)
        self.layers.append(text)
        if outputs == 1:
            self.names.append(layer)
        else:
            for child in children:
                self.add(child, [layer], "identity {}")
        self.kinds.append(kind)
        return children[0] if children else self.names[-1]

    def write(self):
        r = self.random
        self.add("x", [], 'input { data_field: "samples" }')
        if r.random() < 0.5:
            self.add("y", [], 'input { data_field: "%s" }' % ("labels" if r.random() < 0.95 else "responses"))
        last = [self.add_row(i) for i in range(r.randint(1, 5))][-1]
        terms = 'layer_term { layer: "norm" scale_factor: %s }' % r.choice(["1", "0.5", "0"])
        if r.random() < 0.2:
            terms += " l2_weight_regularization { scale_factor: 0.001%s }" % r.choice(["", ' weights: "l0_f0_linearity_weights"'])
        self.add("norm", [last], r.choice(["l2_norm2 {}", "reduction { mode: \"mean\" }"]))
        order = list(self.layers)
        if r.random() < 0.1:
            r.shuffle(order)
        model = "  num_epochs: 2\n  " + "\n  ".join(order) + "\n  objective_function { %s }\n" % terms
        if r.random() < 0.5:
            model += '  metric { layer_metric { layer: "norm" name: "m" } }\n'
        for _ in range(r.choice([0, 0, 1, 2])):
            model += "  callback { %s }\n" % r.choice(CALLBACKS)
        optimizer = r.choice(OPTIMIZERS[:6]) if r.random() < 0.9 else r.choice(OPTIMIZERS)
        reader = ('name: "synthetic" role: "train" num_samples: 7 fraction_of_data_to_use: 1 synth_dimensions: "%s" num_labels: 3'
                  % r.choice(["12", "3 8 8", "2 6", "1 4 4 4"]))
        if r.random() < 0.3:
            reader += " validation_fraction: 0.4"
        text = "trainer { mini_batch_size: %d random_seed: 1 }\ndata_reader { reader { %s } }\noptimizer { %s }\nmodel {\n%s}\n" % (
            r.choice([1, 3, 3, 7]), reader, optimizer, model)
        for _ in range(r.choice([0, 0, 0, 1, 1, 2])):
            text = self.damage(text)
        return text

    def damage(self, text):
        r, kind = self.random, self.random.random()
        numbers = list(re.finditer(r"(?<=[ \[])-?\d+(\.\d+)?(?=[ ,\]\n])", text))
        words = list(re.finditer(r"\b[a-z_]{4,}\b(?=[:\" ])", text))
        if kind < 0.55 and numbers:
            m = r.choice(numbers)
            return text[:m.start()] + r.choice(NUMBERS) + text[m.end():]
        if kind < 0.75:
            lines = text.splitlines(True)
            plain = [i for i, line in enumerate(lines) if "{" not in line and "}" not in line]
            if plain:
                del lines[r.choice(plain)]
            return "".join(lines)
        if kind < 0.95:
            m = r.choice(words)
            return text[:m.end() - 1] + "x" + text[m.end():]
        at = r.randrange(len(text))
        return text[:at] + r.choice("{}\"x:") + text[at:]


def run(program, folder, *options):
    done = subprocess.run([program, "--color=never", *options, "e.prototext"], cwd=folder, capture_output=True, text=True,
                          errors="replace", timeout=300,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)))
    return done.returncode, done.stderr


def warnings(text):
    return [line for line in text.splitlines() if "warning" in line]


def compare(bin_folder, rows, seed):
    """Kinds, accepted?, and what is wrong (empty: nothing)."""
    writer = Writer(rows, seed)
    text = writer.write()
    with tempfile.TemporaryDirectory(prefix="lbann-random-") as folder:
        (pathlib.Path(folder) / "e.prototext").write_text(text)
        said, told = run(bin_folder + "/lbann-validate", folder)
        code, log = run(bin_folder + "/lbann-train", folder, "--smoke=1", "--threads=1", "--progress=never")
    wrong = ""
    if said == 0:
        if code not in (0, 6, 7):
            wrong = "validated, but lbann-train ended with %d" % code
        elif warnings(told) != warnings(log):
            wrong = "other warnings"
    elif said != 3:
        wrong = "lbann-validate ended with %d" % said
    elif (code, log) != (said, told):
        wrong = "refused with %d, lbann-train with %d, or other words" % (said, code)
    if wrong:
        wrong = "experiment %d: %s\n%s\n--- lbann-validate\n%s--- lbann-train\n%s" % (seed, wrong, text, told, log[-3000:])
    return writer.kinds, said == 0, wrong


def main():
    bin_folder = os.path.abspath(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    rows, kinds, accepted, wrong = load_rows(), collections.Counter(), 0, []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for used, good, problem in pool.map(lambda s: compare(bin_folder, rows, s), range(first, first + count)):
            kinds.update(used)
            accepted += good
            if problem:
                wrong.append(problem)
    print("%d experiments of %d kinds from seed %d: %d train, %d are refused by both alike, %d differ" % (
        count, len(kinds), first, accepted, count - accepted - len(wrong), len(wrong)))
    print("\n".join(wrong[:5]))
    return 1 if wrong or min(accepted, count - accepted) < 0.2 * count else 0


if __name__ == "__main__":
    sys.exit(main())
