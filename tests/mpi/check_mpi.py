#!/usr/bin/env python3
"""lbann-train under a real mpirun: what the simulated ranks of the unit tests cannot show.

    check_mpi.py BIN [CASE...]      exit code 77: no mpirun or no module here

Each case starts a few processes on this machine; whatever it starts is gone when it ends, and it checks that.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(sys.argv[1])
LIMIT = 90

MODEL = """
trainer { mini_batch_size: 10 }
data_reader {
  reader {
    name: "synthetic" role: "train" shuffle: true num_samples: 145 synth_dimensions: "2 4 4" num_labels: 3
    fraction_of_data_to_use: 1.0 validation_fraction: 0.2
  }
}
optimizer { adam { learn_rate: 0.003 beta1: 0.9 beta2: 0.99 eps: 1e-3 } }
model {
  num_epochs: 5
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "conv" parents: "x"
          convolution { num_dims: 2 out_channels: 5 kernel_size: 3 padding: 1 stride: 1 has_bias: true } }
  layer { name: "bn" parents: "conv" batch_normalization {} }
  layer { name: "relu" parents: "bn" relu {} }
  layer { name: "drop" parents: "relu" dropout { keep_prob: 0.8 } }
  layer { name: "fc" parents: "drop" fully_connected { num_neurons: 3 has_bias: true } }
  layer { name: "prob" parents: "fc" softmax {} }
  layer { name: "loss" parents: "prob" parents: "t" cross_entropy {} }
  layer { name: "acc" parents: "prob" parents: "t" categorical_accuracy {} }
  objective_function { layer_term { scale_factor: 1 layer: "loss" } }
  metric { layer_metric { layer: "acc" name: "accuracy" unit: "%" } }
  callback { print {} }
}
"""

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMP_NUM_THREADS="1")
TRAIN = str(BIN / "lbann-train")


def command(ranks, words, before=()):
    program = [TRAIN, *words, "model.prototext"]
    return ["mpirun", "-n", str(ranks), *before, *program] if ranks > 1 else program


def run(words, folder, env=None):
    return subprocess.run(words, cwd=folder, env=dict(ENVIRONMENT, **(env or {})), capture_output=True, text=True,
                          timeout=LIMIT)


def train(folder, ranks, *words, env=None):
    return run(command(ranks, words), folder, env)


def losses(folder, run_dir):
    records = map(json.loads, (folder / run_dir / "log.jsonl").read_text().splitlines())
    return [r["metrics"]["objective function"] for r in records if r["kind"] == "step" and r["mode"] == "training"]


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def close(got, want, tolerance):
    check(len(got) == len(want) > 0, "steps:", len(got), "and", len(want))
    worst = max(abs(a - b) / max(abs(b), 1e-3) for a, b in zip(got, want))
    check(worst <= tolerance, "losses differ by", worst)
    return worst


def processes(folder):
    """Those that were started in this folder and are still there."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def case_same_losses(folder):
    """The last mini-batch of an epoch has 6 samples: uneven, and on 8 ranks two have none."""
    for name, words, tolerance in (("double", ["--oracle"], 1e-9), ("float", ["--smoke=10"], 1e-4)):
        expected = None
        for ranks in (1, 2, 4) if name == "double" else (1, 2, 4, 8):
            done = train(folder, ranks, f"--run-dir={name}{ranks}", "--log-steps", "--seed=5", *words)
            check(done.returncode == 0, name, ranks, done.returncode, done.stderr)
            found = losses(folder, f"{name}{ranks}")
            expected = expected or found
            print(f"  {name}, {ranks} ranks: {len(found)} losses, largest relative difference "
                  f"{close(found, expected, tolerance):.1e}")
            check(done.stdout.count("training epoch 0 objective function") == 1, "rank 0 alone speaks:\n", done.stdout)


def case_world_of_wrong_size(folder):
    done = train(folder, 1, env={"LBANN_EXPECTED_WORLD": "4"})
    check(done.returncode == 10 and "LBANN_EXPECTED_WORLD = 4, but the world has 1 rank" in done.stderr, done)
    done = train(folder, 2, env={"LBANN_EXPECTED_WORLD": "3"})
    check(done.returncode == 10 and "= 3, but the world has 2 ranks" in done.stderr, done)


def case_resume_on_other_ranks(folder):
    whole = train(folder, 1, "--run-dir=whole", "--log-steps", "--seed=5", "--oracle")
    check(whole.returncode == 0, whole.stderr)
    first = train(folder, 4, "--run-dir=parts", "--log-steps", "--seed=5", "--oracle", "--num-epochs=2")
    check(first.returncode == 0, first.stderr)
    rest = train(folder, 2, "--run-dir=parts", "--log-steps", "--seed=5", "--oracle")
    check(rest.returncode == 0 and "Restarting from" in rest.stdout, rest)
    close(losses(folder, "parts"), losses(folder, "whole"), 1e-9)


class Background:
    """Three ranks that train for a long time; process ids by rank."""

    def __init__(self, folder, run_dir):
        words = [f"--run-dir={run_dir}", "--seed=5", "--comm-timeout=3s", "--num-epochs=1000000"]
        self.process = subprocess.Popen(command(3, words), cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        log = folder / run_dir / "log.jsonl"
        deadline = time.time() + 30
        while not (log.exists() and log.stat().st_size > 2000):
            check(time.time() < deadline and self.process.poll() is None, "training did not begin")
            time.sleep(0.05)
        self.pids = {}
        for pid in processes(folder):
            if os.readlink(f"/proc/{pid}/exe").endswith("lbann-train"):
                text = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
                self.pids[int(re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", text).group(1))] = pid
        check(len(self.pids) == 3, self.pids)

    def send(self, rank, number):
        """Exit code, stderr and seconds until the end."""
        start = time.time()
        os.kill(self.pids[rank], number)
        _, err = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, err, time.time() - start


def case_signal_stops_all_after_a_checkpoint(folder):
    code, err, _ = Background(folder, "signal").send(2, signal.SIGUSR1)
    check(code == 75, code, err[-2000:])
    check("stopped after training step" in err and "SIGUSR1" in err, err[-2000:])
    check(any((folder / "signal/ckpt").iterdir()), "no checkpoint")


def case_stopped_rank_ends_all(folder):
    code, err, seconds = Background(folder, "stopped").send(1, signal.SIGSTOP)
    check(code == 9, code, err[-3000:])
    said = [line for line in err.splitlines() if "waited 3 s for rank 1" in line]
    check(len(said) == 1, "one message names the rank:", err[-3000:])
    check(re.search(r"for rank 1 \(\w+, step \d+, layer '.*', (in|after) \w+\)", said[0]), said)
    check(seconds < 15, "it took", seconds)
    print(f"  {said[0]}  ({seconds:.1f} s)")


def case_killed_rank_ends_all(folder):
    code, err, seconds = Background(folder, "killed").send(1, signal.SIGKILL)
    # mpirun reports the signal (128 + 9) or, when a rank is faster, our code.
    check(code in (9, 137), code, err[-3000:])
    check(seconds < 15, "it took", seconds)
    print(f"  exit code {code} after {seconds:.1f} s")


def case_one_rank_differs(folder):
    """Another file, another configuration on one rank only."""
    def with_words_on_rank_1(words):
        text = f"case $OMPI_COMM_WORLD_RANK in 1) exec {TRAIN} {words};; *) exec {TRAIN} model.prototext;; esac"
        return run(["mpirun", "-n", "3", "sh", "-c", text], folder, {"LBANN_RANDOM_SEED": "5"})
    done = with_words_on_rank_1("missing.prototext")
    check(done.returncode == 9 and "cannot read 'missing.prototext'" in done.stderr and "this was rank 1" in done.stderr, done)
    (folder / "other.prototext").write_text(MODEL.replace("out_channels: 5", "out_channels: 6"))
    done = with_words_on_rank_1("other.prototext")
    check(done.returncode == 9 and "ranks 0 and 1 have made different programs" in done.stderr, done)
    check("\n- " in done.stderr and "\n+ " in done.stderr, done.stderr)


def case_what_is_not_there_yet_is_refused(folder):
    path = folder / "model.prototext"
    path.write_text(path.read_text().replace('parents: "drop" fully', 'parents: "drop" data_layout: "model_parallel" fully'))
    done = run(command(2, []), folder)
    check(done.returncode == 3 and "layer 'fc'" in done.stderr and "2 ranks" in done.stderr, done)
    check(run(command(1, ["--smoke=1"]), folder).returncode == 0, "one rank")


def case_several_trainers_are_refused(folder):
    done = train(folder, 4, "--procs-per-trainer=2")
    check(done.returncode == 10 and "only one trainer" in done.stderr, done)


def main():
    if shutil.which("mpirun") is None or not (BIN.parent / "lib/liblbann_mpi_openmpi.so").exists():
        print("no mpirun, or no module for Open MPI")
        return 77
    wanted = sys.argv[2:]
    before = set(os.listdir("/dev/shm"))
    for name, case in list(globals().items()):
        if not name.startswith("case_") or (wanted and name[5:] not in wanted):
            continue
        with tempfile.TemporaryDirectory() as path:
            folder = pathlib.Path(path).resolve()
            (folder / "model.prototext").write_text(MODEL)
            print(name[5:], flush=True)
            case(folder)
            deadline = time.time() + 5
            while processes(folder) and time.time() < deadline:
                time.sleep(0.1)
            check(not processes(folder), "left running:", processes(folder))
    left = {f for f in set(os.listdir("/dev/shm")) - before if re.search("vader|osc|lbann|ompi", f)}
    check(not left, "left in shared memory:", left)
    return 0


if __name__ == "__main__":
    sys.exit(main())
