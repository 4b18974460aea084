#!/usr/bin/env python3
"""Crash tests of lbann-train: whatever happens to a run, the next one ends as if nothing had happened.

The judge is one uninterrupted run: its final checkpoint byte for byte, and its log.jsonl but for `wall`
and `attempt`. Every case damages, kills or signals a run in a fresh run directory and then starts
lbann-train again, without any fault, until it ends with 0.

  syscalls  the k-th file-system call below the run directory fails (ENOSPC, EIO, EINTR), is cut short, or is the
            moment of a kill -9 or a signal (LD_PRELOAD, fault_shim.c)
  kills     kill -9 at random instants, several attempts in a row
  signals   what each signal promises; two in a row; one in the middle of a save; time limits
  disk      a disk that stays full: exit 8, the old checkpoints and whole log lines are there
  observers checkpoints, their interval, signals asking for one, logging, a progress bar, threads: no bit changes
  damage    a damaged newest checkpoint: the next older one, at most three times, then exit 5

crash.py BIN SHIM [--full] [--seed N] [PART...]
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

EXPERIMENT = """
data_reader {
  reader { name: "synthetic" role: "train" shuffle: true num_samples: 150 synth_dimensions: "2 4 4" num_labels: 3
           fraction_of_data_to_use: 1.0 validation_fraction: 0.2 }
  reader { name: "synthetic" role: "test" num_samples: 20 synth_dimensions: "2 4 4" num_labels: 3
           fraction_of_data_to_use: 1.0 }
}
trainer { mini_batch_size: 10 random_seed: 5 }
optimizer { adam { learn_rate: 0.01 beta1: 0.9 beta2: 0.99 eps: 1e-8 } }
model {
  num_epochs: 5
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "fc1" parents: "x" fully_connected { num_neurons: 9 has_bias: true } }
  layer { name: "bn" parents: "fc1" batch_normalization {} }
  layer { name: "relu" parents: "bn" relu {} }
  layer { name: "drop" parents: "relu" dropout { keep_prob: 0.7 } }
  layer { name: "fc2" parents: "drop" fully_connected { num_neurons: 3 has_bias: true } }
  layer { name: "prob" parents: "fc2" softmax {} }
  layer { name: "loss" parents: "prob" parents: "t" cross_entropy {} }
  layer { name: "acc" parents: "prob" parents: "t" categorical_accuracy {} }
  objective_function { layer_term { layer: "loss" } l2_weight_regularization { scale_factor: 0.001 } }
  metric { layer_metric { layer: "acc" name: "accuracy" unit: "%" } }
  callback { early_stopping { patience: 100 } }
}
"""
STEPS = 60


class Tester:
    def __init__(self, binary, shim, full, seed):
        self.train = os.path.join(os.path.abspath(binary), "lbann-train")
        self.shim, self.full = os.path.abspath(shim), full
        self.random = random.Random(seed)
        self.work = os.path.realpath(tempfile.mkdtemp(prefix="lbann-crash-"))
        self.experiment = os.path.join(self.work, "exp.prototext")
        with open(self.experiment, "w", encoding="utf-8") as file:
            file.write(EXPERIMENT)
        self.count, self.failures = 0, []
        self.expected = None
        run = self.dir("straight")
        code, text = self.run(run)
        assert code == 0, text
        self.expected = self.outcome(run)
        shutil.rmtree(run)

    def dir(self, name):
        return os.path.join(self.work, name)

    def command(self, run, *options):
        return [self.train, "--threads=1", "--checkpoint-every=25steps", "--checkpoint-every=1epoch",
                "--log-steps", "--run-dir=" + run, *options, self.experiment]

    def environment(self, **fault):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("LBANN_", "FAULT_", "SLURM_"))}
        for name, value in fault.items():
            env[name] = str(value)
        return env

    def run(self, run, *options, env=None):
        done = subprocess.run(self.command(run, *options), env=env or self.environment(), capture_output=True,
                              text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    def faulty(self, run, k, kind, *options, calls="", sticky=0, prefix=None):
        count = self.dir("count")
        env = self.environment(LD_PRELOAD=self.shim, FAULT_PREFIX=prefix or run, FAULT_CALLS=calls, FAULT_AT=k,
                               FAULT_KIND=kind, FAULT_STICKY=sticky, FAULT_COUNT=count)
        code, text = self.run(run, *options, env=env)
        number = 0
        if os.path.exists(count):
            with open(count, encoding="utf-8") as file:
                number = int(file.read())
            os.unlink(count)
        return code, text, number

    def log(self, run):
        lines = []
        with open(os.path.join(run, "log.jsonl"), encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                del record["wall"], record["attempt"]
                lines.append(record)
        return lines

    def outcome(self, run):
        final = os.path.join(run, "ckpt", f"step-{STEPS:08}")
        files = {}
        for name in sorted(os.listdir(final)):
            with open(os.path.join(final, name), "rb") as file:
                files[name] = file.read()
        return files, self.log(run)

    def check(self, ok, what, text=""):
        if not ok:
            self.failures.append(what)
            print("FAILED", what, "\n   ", text.strip().replace("\n", "\n    ")[-1500:], flush=True)
        return ok

    def finish(self, run, what):
        """Starts it again, without fault; it must end as the straight run did."""
        self.count += 1
        code, text = self.run(run)
        if not self.check(code == 0, f"{what}: the next run ends with {code}", text):
            return
        files, log = self.outcome(run)
        want_files, want_log = self.expected
        self.check(files == want_files, f"{what}: other bits in {[n for n in want_files if files.get(n) != want_files[n]]}")
        self.check(log == want_log, f"{what}: another log ({len(log)} records, {len(want_log)} expected)")
        left = [n for n in os.listdir(os.path.join(run, "ckpt")) if ".partial" in n or ".removed" in n]
        left += [n for n in os.listdir(run) if ".tmp." in n]
        self.check(not left, f"{what}: leaves {left}")
        shutil.rmtree(run)

    # --- parts

    def syscalls(self):
        run = self.dir("sys")
        _, _, total = self.faulty(run, 0, "")
        shutil.rmtree(run)
        kinds = {"enospc": {0, 8, 5}, "eio": {0, 8, 5}, "eintr": {0, 8, 5}, "short": {0}, "kill": {-9}, "tear": {-9},
                 str(int(signal.SIGTERM)): {75, 0}, str(int(signal.SIGHUP)): {0}}
        cases = [(k, kind) for k in range(1, total + 1) for kind in kinds]
        if not self.full:
            cases = self.random.sample(cases, 24)
        print(f"syscalls: {total} calls below the run directory, {len(cases)} cases", flush=True)
        for k, kind in cases:
            code, text, _ = self.faulty(run, k, kind)
            what = f"call {k}, {kind}"
            allowed = kinds[kind] | ({0} if kind in ("kill", "tear") and k >= total else set())
            self.check(code in allowed, f"{what}: exit code {code}", text)
            if code > 0 and code != 75:
                self.check(f"LBANN error: 1 errors, exit {code}" in text, f"{what}: no last line", text)
            self.finish(run, what)

    def kills(self):
        run = self.dir("kill")
        begin = time.monotonic()
        self.run(run)
        usual = time.monotonic() - begin
        shutil.rmtree(run)
        attempts = ended = 0
        target = 200 if self.full else 8
        while attempts < target:
            process = subprocess.Popen(self.command(run), env=self.environment(), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(self.random.uniform(0, usual))
            process.kill()
            process.wait()
            attempts += 1
            if process.returncode == 0 or self.random.random() < 0.3:
                ended += 1
                self.finish(run, f"kill {attempts}")
        if os.path.exists(run):
            self.finish(run, "last kill")
        print(f"kills: {attempts}, {ended} runs brought to their end", flush=True)

    def signals(self):
        run = self.dir("signal")
        log = os.path.join(run, "log.jsonl")

        def raised(kind, k, *options):
            return self.faulty(run, k, str(int(kind)), *options, calls="write", prefix=log)

        steps = range(1, STEPS + 1) if self.full else self.random.sample(range(1, STEPS + 1), 4)
        for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU, signal.SIGUSR1):
            for k in steps if kind == signal.SIGTERM else [7]:
                code, text, _ = raised(kind, k)
                what = f"{kind.name} at log record {k}"
                self.check(code == 75, f"{what}: exit code {code}", text)
                self.check(f"{kind.name}: stopped after training step" in text, f"{what}: says nothing", text)
                self.check("LBANN error" not in text, f"{what}: calls itself failed", text)
                self.finish(run, what)
        # In the middle of a save, and a second one of the same kind there.
        for kind in (signal.SIGTERM, signal.SIGINT):
            code, text, _ = self.faulty(run, 3, str(int(kind)), calls="fsync", prefix=os.path.join(run, "ckpt"))
            self.check(code == 75, f"{kind.name} during a save: exit code {code}", text)
            self.finish(run, f"{kind.name} during a save")
        code, text, _ = self.faulty(run, 5, str(int(signal.SIGTERM)), calls="fsync", sticky=1)
        self.check(code == 75, f"SIGTERM again and again: exit code {code}", text)
        self.finish(run, "SIGTERM again and again")
        code, text, _ = self.faulty(run, 9, str(int(signal.SIGINT)), calls="write", sticky=1)
        self.check(code == -signal.SIGINT, f"two SIGINT: exit code {code}", text)
        self.finish(run, "two SIGINT")
        code, text, _ = raised(signal.SIGHUP, 7)
        self.check(code == 0, f"SIGHUP: exit code {code}", text)
        self.finish(run, "SIGHUP")
        code, text, _ = raised(signal.SIGUSR2, 20)
        self.check(code == 0 and "status: training, epoch 1" in text, f"SIGUSR2: exit code {code}", text)
        self.finish(run, "SIGUSR2")
        code, text, _ = raised(signal.SIGUSR1, 20, "--preempt-signal=none")
        self.check(code == -signal.SIGUSR1, f"SIGUSR1 when it is not asked for: {code}", text)
        self.finish(run, "SIGUSR1 when it is not asked for")
        # A job whose time is over before it begins still gets on, one step at a time.
        end = self.environment(SLURM_JOB_END_TIME=int(time.time()) - 5, SLURM_RESTART_COUNT=3)
        for step in (1, 2, 3):
            code, text = self.run(run, env=end)
            self.check(code == 75 and f"the time limit: stopped after training step {step};" in text,
                       f"time limit, step {step}: exit code {code}", text)
        with open(os.path.join(run, "run.json"), encoding="utf-8") as file:
            attempt = json.load(file)["attempt"]
        self.check(attempt == 6, f"attempt is {attempt}, 4 + 2 expected")
        self.finish(run, "time limit")
        code, text = self.run(run, "--time-limit=1h")
        self.check(code == 0, f"--time-limit=1h: exit code {code}", text)
        self.finish(run, "time limit that is not reached")
        print("signals: done", flush=True)

    def disk(self):
        run = self.dir("disk")
        _, _, total = self.faulty(run, 0, "", calls="write")
        shutil.rmtree(run)
        ks = range(1, total + 1) if self.full else self.random.sample(range(1, total + 1), 6)
        for k in ks:
            code, text, _ = self.faulty(run, k, "enospc", calls="write,mkdir", sticky=1)
            what = f"disk full from write {k} on"
            self.check(code in (8, 0) and (code == 8 or k >= total - 1), f"{what}: exit code {code}", text)
            self.check("No space left on device" in text or code == 0, f"{what}: does not say so", text)
            if os.path.exists(os.path.join(run, "log.jsonl")):
                with open(os.path.join(run, "log.jsonl"), "rb") as file:
                    content = file.read()
                self.check(content == b"" or content.endswith(b"\n"), f"{what}: a torn line in the log")
            self.finish(run, what)
        # Too little room is known before anything is written; the older checkpoint stays.
        self.run(run, "--num-epochs=2")
        before = sorted(os.listdir(os.path.join(run, "ckpt")))
        code, text = self.run(run, env=self.environment(LD_PRELOAD=self.shim, FAULT_PREFIX=run, FAULT_FREE=1000000))
        self.check(code == 8 and "not enough room for a checkpoint" in text and "bytes needed" in text,
                   f"too little room: exit code {code}", text)
        self.check(sorted(os.listdir(os.path.join(run, "ckpt"))) == before, "too little room: checkpoints changed")
        self.finish(run, "too little room")
        # One failure that lets failure.json be written.
        code, text, _ = self.faulty(run, 30, "enospc", calls="write", prefix=os.path.join(run, "log.jsonl"))
        with open(os.path.join(run, "failure.json"), encoding="utf-8") as file:
            failure = json.load(file)
        self.check(code == 8 and failure["code"] == 8 and failure["step"] > 20 and "log.jsonl" in failure["message"],
                   f"failure.json: {failure}", text)
        self.finish(run, "failure.json")
        print(f"disk: {len(ks)} of {total} writes", flush=True)

    def observers(self):
        def digest(*options, run=None, env=None):
            words = ["--run-dir=" + run, *options] if run else list(options)
            done = subprocess.run([self.train, *words, "--digest", self.experiment], env=env or self.environment(),
                                  capture_output=True, text=True, timeout=120, check=True)
            if run:
                shutil.rmtree(run)
            self.count += 1
            return done.stdout.splitlines()[-1]

        run = self.dir("observed")
        wanted = digest("--threads=1")
        self.check(wanted.startswith("weights digest: "), wanted)
        hup = self.environment(LD_PRELOAD=self.shim, FAULT_PREFIX=run, FAULT_CALLS="write", FAULT_AT=1,
                               FAULT_KIND=int(signal.SIGHUP), FAULT_STICKY=1)
        variants = {"each step": (["--checkpoint-every=1step"], run, None), "never": (["--checkpoint-every=never"], run, None),
                    "by time": (["--checkpoint-every=1s", "--keep-checkpoints=1"], run, None),
                    "SIGHUP again and again": (["--log-steps"], run, hup), "bar": (["--progress=always"], None, None),
                    "time limit": (["--time-limit=1h"], run, None), "two threads": (["--threads=2"], run, None),
                    "three reader threads": (["--num-io-threads=3"], None, None)}
        for name, (options, folder, env) in variants.items():
            got = digest(*options, *([] if "threads" in options[0] else ["--threads=1"]), run=folder, env=env)
            self.check(got == wanted, f"{name}: {got}, {wanted} expected")
        self.check(digest("--threads=1", "--seed=6") != wanted, "another seed changes nothing")
        print(f"observers: {len(variants)}", flush=True)

    def damage(self):
        run = self.dir("damage")
        for number in range(1, 5):
            self.run(run, "--keep-checkpoints=0", "--checkpoint-every=10steps", "--num-epochs=4")
            ckpt = os.path.join(run, "ckpt")
            newest = sorted(os.listdir(ckpt), reverse=True)
            for name in newest[:number]:
                file = os.path.join(ckpt, name, "arrays-0000.h5")
                with open(file, "r+b") as f:
                    f.seek(self.random.randrange(os.path.getsize(file)))
                    byte = f.read(1)
                    f.seek(-1, os.SEEK_CUR)
                    f.write(bytes([byte[0] ^ (1 << self.random.randrange(8))]))
            if number < 4:
                code, text = self.run(run)
                self.check(text.count("is refused") == number and "damaged" in text and "'bn_" in text,
                           f"{number} damaged: not named", text)
                files, log = self.outcome(run)
                self.check(code == 0 and (files, log) == self.expected, f"{number} damaged: exit {code}, another end", text)
                aside = [n for n in os.listdir(ckpt) if n.endswith(".set-aside")]
                self.check(len(aside) == number, f"{number} damaged: set aside {aside}")
            else:
                before = sorted(os.listdir(ckpt))
                code, text = self.run(run)
                self.check(code == 5 and "no usable checkpoint" in text, f"4 damaged: exit code {code}", text)
                self.check(sorted(os.listdir(ckpt)) == before, "4 damaged: something was changed")
                code, text = self.run(run, "--resume=never")
                self.check(code == 0 and self.outcome(run) == self.expected, f"--resume=never: exit code {code}", text)
            self.count += 1
            shutil.rmtree(run)
        print("damage: 1 to 4 checkpoints", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("shim")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("parts", nargs="*")
    args = parser.parse_intermixed_args()
    print(f"seed {args.seed}", flush=True)
    tester = Tester(args.binary, args.shim, args.full, args.seed)
    try:
        for part in args.parts or ["observers", "signals", "damage", "disk", "syscalls", "kills"]:
            getattr(tester, part)()
    finally:
        shutil.rmtree(tester.work, ignore_errors=True)
    print(f"{tester.count} runs brought to their end, {len(tester.failures)} failures")
    return 1 if tester.failures or tester.count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
