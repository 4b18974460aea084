#!/usr/bin/env python3
"""lbann-launch against a real Slurm of four pretend nodes (slurm_cluster.py).

What was asked for is read back from the scheduler: nodes, ranks, time, names, folders, environment, GPUs. A
trainer that is signalled, or whose node goes down, is requeued and must end with the bytes and the log of a
run that was left alone. Exit code 77 (skipped) where Slurm is not installed.

real_slurm.py BIN [unittest arguments]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import slurm_cluster

BIN = os.path.abspath(sys.argv.pop(1))
EXPERIMENT = """
data_reader {
  reader { name: "synthetic" role: "train" shuffle: true num_samples: 3000 synth_dimensions: "2 4 4" num_labels: 3
           fraction_of_data_to_use: 1.0 validation_fraction: 0.2 }
}
trainer { mini_batch_size: 10 random_seed: 5 }
optimizer { adam { learn_rate: 0.01 beta1: 0.9 beta2: 0.99 eps: 1e-8 } }
model {
  num_epochs: %d
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "y" input { data_field: "labels" } }
  layer { name: "fc" parents: "x" fully_connected { num_neurons: 64 } }
  layer { name: "relu" parents: "fc" relu { } }
  layer { name: "drop" parents: "relu" dropout { keep_prob: 0.7 } }
  layer { name: "out" parents: "drop" fully_connected { num_neurons: 3 } }
  layer { name: "prob" parents: "out" softmax { } }
  layer { name: "loss" parents: "prob y" cross_entropy { } }
  layer { name: "acc" parents: "prob y" categorical_accuracy { } }
  objective_function { layer_term { layer: "loss" } }
  metric { layer_metric { name: "accuracy" layer: "acc" unit: "%%" } }
}
"""


class RealSlurm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="lbann-slurm-", dir="/tmp")  # a short path: sockets have 108 letters
        os.chmod(cls.folder, 0o755)
        cls.cluster = slurm_cluster.SlurmCluster(os.path.join(cls.folder, "slurm"), nodes=4)
        try:
            cls.cluster.start()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        self.work = os.path.join(self.folder, self._testMethodName)
        os.mkdir(self.work)
        self.run_dir = os.path.join(self.work, "my run")

    def env(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "LBANN_", "OMPI_"))}
        return {**kept, **self.cluster.env(), "PATH": BIN + ":/usr/bin:/bin:/usr/sbin", "LBANN_SITE": "none"}

    def launch(self, *words, before=(), timeout=120):
        return subprocess.run([*before, os.path.join(BIN, "lbann-launch"), *words], env=self.env(), cwd=self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)

    def batch(self, *words, timeout=120):
        return self.launch("--batch", f"--run-dir={self.run_dir}", *words, timeout=timeout)

    def read(self, name, folder=None):
        with open(os.path.join(folder or self.run_dir, name), encoding="utf-8") as file:
            return file.read()

    def job(self, number):
        return dict(re.findall(r"(\w[\w/:]*)=(\S*)", self.cluster.ask("scontrol", "show", "job", "--oneliner", number)))

    def wait_until(self, what, seconds=60):
        end = time.time() + seconds
        while time.time() < end:
            if what():
                return
            time.sleep(0.1)
        self.fail("waited in vain")

    # ---- what the scheduler says it was asked

    def test_requests_are_read_back(self):
        done = self.batch("--nodes=2", "--procs-per-node=2", "--cores-per-proc=2", "--time-limit=45", "--partition=other",
                          "--account=my bank", "--job-name=job one", "--comment=a remark", "--exclusive", "--memory-per-node=512M",
                          "--env=MINE=it's $HOME", "--", "sh", "-c",
                          'echo "$(hostname) $SLURM_PROCID $SLURM_NTASKS $OMP_NUM_THREADS $LBANN_EXPECTED_WORLD $MINE"; exit 7')
        self.assertEqual(done.returncode, 0, done.stderr)
        number = done.stdout.strip()
        job = self.job(number)
        self.assertEqual((job["NumNodes"].split("-")[0], job["NumTasks"], job["CPUs/Task"], job["TimeLimit"]), ("2", "4", "2", "00:45:00"))
        self.assertEqual((job["Partition"], job["MinMemoryNode"]), ("other", "512M"))
        text = self.cluster.ask("scontrol", "show", "job", "--oneliner", number)
        for part in ("JobName=job one ", "Account=my bank", "Comment=a remark", f"WorkDir={self.work}",
                     f"StdOut={self.run_dir}/out.log", f"StdErr={self.run_dir}/err.log", f"Command={self.run_dir}/batch.sh"):
            self.assertIn(part, text)
        waited = self.launch("--wait", f"--run-dir={self.run_dir}", "--format=json")
        self.assertEqual(waited.returncode, 7, waited.stderr)
        report = json.loads(waited.stdout)
        self.assertEqual((report["job"], report["state"], report["exit_code"]), (number, "FAILED", 7))
        lines = sorted(line.split(" ", 5) for line in self.read("out.log").splitlines() if "$HOME" in line)
        self.assertEqual(sorted(int(line[1]) for line in lines), [0, 1, 2, 3])
        self.assertEqual({tuple(line[2:5]) for line in lines}, {("4", "2", "4")})
        self.assertEqual({line[5] for line in lines}, {"it's $HOME"})
        if self.cluster.isolated:
            self.assertEqual(len({line[0] for line in lines}), 2)

    def test_at_once_srun_gets_four_nodes(self):
        done = self.launch("--nodes=4", "--procs-per-node=2", "--time-limit=5m", "--", "sh", "-c",
                           'echo "$SLURMD_NODENAME $SLURM_LOCALID"; exit 9')
        self.assertEqual(done.returncode, 9, done.stderr)
        self.assertEqual(sorted(line for line in done.stdout.splitlines() if line.startswith("n")),
                         [f"n{i} {k}" for i in range(1, 5) for k in range(2)])

    def test_inside_an_allocation(self):
        inside = ["salloc", "--quiet", "--nodes=3", "--ntasks-per-node=2"]
        done = self.launch("--nodes=2", "--procs-per-node=2", "--", "sh", "-c", "echo $SLURMD_NODENAME; exit 5", before=inside)
        self.assertEqual(done.returncode, 5, done.stderr)
        names = sorted(done.stdout.split())  # two nodes, two ranks on each
        self.assertEqual((len(set(names)), names[0], names[2]), (2, names[1], names[3]), names)
        refused = self.launch("--partition=other", "--", "true", before=inside)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("'--partition' asks for new nodes", refused.stderr)

    def test_reservation_nodelist_and_dependency(self):
        user = self.cluster.ask("id", "-un").strip()
        self.cluster.ask("scontrol", "create", "reservation", "ReservationName=mine", "StartTime=now", "Duration=10",
                         f"Users={user}", "Nodes=n3")
        self.addCleanup(self.cluster.ask, "scontrol", "delete", "ReservationName=mine")
        first = self.batch("--reservation=mine", "--wait", "--", "sh", "-c", "echo on $SLURMD_NODENAME")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("on n3\n", self.read("out.log"))
        number = self.read("jobs").split()[1]
        second = self.launch("--batch", f"--run-dir={self.work}/second", "--nodelist=n4", f"--dependency={number}", "--wait", "--", "sh",
                             "-c", "echo on $SLURMD_NODENAME")
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertIn("on n4\n", self.read("out.log", self.work + "/second"))

    def test_gpus_are_handed_out(self):
        done = self.launch("--nodes=2", "--procs-per-node=2", "--gpus-per-proc=1", "--", "sh", "-c", "echo gpus $CUDA_VISIBLE_DEVICES")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split("\n")[:-1], ["gpus 0,1"] * 4)

    def test_what_slurm_refuses_is_said(self):
        done = self.batch("--partition=nowhere", "--", "true")
        self.assertEqual(done.returncode, 10)
        self.assertIn("invalid partition specified: nowhere", done.stderr)
        trial = self.batch("--nodes=2", "--test-only", "--", "true")
        self.assertEqual(trial.returncode, 0, trial.stderr)
        self.assertIn("to start at", trial.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.run_dir, "jobs")))
        too_many = self.batch("--nodes=20", "--test-only", "--", "true")
        self.assertEqual(too_many.returncode, 10)

    def test_cancel_is_the_end(self):
        self.assertEqual(self.batch("--max-restarts=5", "--", "sh", "-c", "echo here; trap 'exit 75' TERM; sleep 60 & wait").returncode, 0)
        self.wait_until(lambda: os.path.exists(self.run_dir + "/out.log") and "here" in self.read("out.log"))
        status = self.launch("--status", self.run_dir)
        self.assertIn("running RUNNING", status.stdout)
        self.assertEqual(self.launch("--cancel", self.run_dir).returncode, 0)
        waited = self.launch("--wait", f"--run-dir={self.run_dir}")
        self.assertIn(waited.returncode, (75, 143), waited.stderr)
        self.assertEqual(len(self.read("jobs").splitlines()), 1)
        self.assertEqual(self.read("out.log").count("here"), 1)

    def test_the_signal_before_the_limit_restarts_the_job(self):
        # Slurm sends it up to a minute early; what counts is that it comes, and what follows.
        command = ('echo begun; n=$(ls "$D" 2>/dev/null | wc -l); if [ $n -ge 1 ]; then exit 3; fi; '
                   """trap 'mkdir -p "$D/step-1"; exit 75' USR1; while :; do sleep 0.1; done""")
        done = self.batch("--time-limit=1", "--signal-before=55s", "--max-restarts=1", f"--env=D={self.run_dir}/ckpt", "--wait",
                          "--", "bash", "-c", command, timeout=200)
        self.assertEqual(done.returncode, 3, done.stderr + self.read("err.log"))
        self.assertEqual(self.read("out.log").count("begun"), 2)
        self.assertEqual(len(self.read("jobs").splitlines()), 1)  # requeued, not submitted anew

    def test_the_ranks_are_one_world(self):
        if not shutil.which("mpicc"):
            self.skipTest("mpicc is not installed")
        with open(self.work + "/p.c", "w", encoding="utf-8") as file:
            file.write('#include <mpi.h>\n#include <stdio.h>\n#include <stdlib.h>\nint main(int n, char **v) { int s; MPI_Init(&n, &v);\n'
                       'MPI_Comm_size(MPI_COMM_WORLD, &s); printf("world %d of %s\\n", s, getenv("LBANN_EXPECTED_WORLD")); return MPI_Finalize(); }\n')
        subprocess.run(["mpicc", self.work + "/p.c", "-o", self.work + "/p"], check=True, timeout=60)
        done = self.launch("--nodes=2", "--procs-per-node=2", "--", "./p")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split("\n")[:-1], ["world 4 of 4"] * 4)
        inside = self.batch("--nodes=2", "--procs-per-node=2", "--launcher=openmpi", "--wait", "--", self.work + "/p")
        self.assertEqual(inside.returncode, 0, inside.stderr + self.read("err.log"))
        self.assertEqual(self.read("out.log").count("world 4 of 4"), 4)

    # ---- training

    def experiment(self, epochs):
        path = os.path.join(self.work, "exp.prototext")
        with open(path, "w", encoding="utf-8") as file:
            file.write(EXPERIMENT % epochs)
        return path

    def final_state(self, folder):
        """All bytes of the newest checkpoint, and the log without times and attempts."""
        newest = os.path.join(folder, "ckpt", sorted(n for n in os.listdir(folder + "/ckpt") if n.startswith("step-"))[-1])
        files = {}
        for root, _, names in os.walk(newest):
            for name in names:
                with open(os.path.join(root, name), "rb") as file:
                    files[os.path.relpath(os.path.join(root, name), newest)] = file.read()
        log = []
        for line in self.read("log.jsonl", folder).splitlines():
            record = json.loads(line)
            log.append({k: v for k, v in record.items() if k not in ("wall", "attempt")})
        return os.path.basename(newest), files, log

    def interrupt_and_compare(self, interrupt):
        epochs = 60
        alone = self.launch("--scheduler=local", f"--run-dir={self.work}/alone", self.experiment(epochs), "--threads=1")
        self.assertEqual(alone.returncode, 0, alone.stderr)
        done = self.batch("--cores-per-proc=1", self.experiment(epochs), "--threads=1")
        self.assertEqual(done.returncode, 0, done.stderr)
        number = done.stdout.strip()
        log = os.path.join(self.run_dir, "log.jsonl")
        self.wait_until(lambda: os.path.exists(log) and os.path.getsize(log) > 0)
        interrupt(number)
        waited = self.launch("--wait", f"--run-dir={self.run_dir}", timeout=180)
        self.assertEqual(waited.returncode, 0, waited.stderr + self.read("err.log"))
        self.assertEqual(self.job(number)["Restarts"], "1")
        attempts = {json.loads(line)["attempt"] for line in self.read("log.jsonl").splitlines()}
        self.assertEqual(attempts, {1, 2})
        ours, theirs = self.final_state(self.run_dir), self.final_state(self.work + "/alone")
        self.assertEqual(ours[0], theirs[0])
        self.assertEqual(ours[2], theirs[2])
        self.assertEqual(ours[1].keys(), theirs[1].keys())
        arrays = [name for name in theirs[1] if name.endswith(".h5")]  # the manifest counts attempts
        self.assertTrue(arrays)
        for name in arrays:
            self.assertEqual(ours[1][name], theirs[1][name], name)
        plot = subprocess.run(["lbann-plot", "--format=csv", self.run_dir], env=self.env(), capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(plot.returncode, 0, plot.stderr)
        self.assertIn("accuracy", plot.stdout)

    def test_preempted_training_goes_on_to_the_same_bits(self):
        self.interrupt_and_compare(lambda number: self.cluster.ask("scancel", "--batch", "--signal=USR1", number))

    def test_training_whose_node_goes_down(self):
        def down(number):
            node = self.job(number)["NodeList"]
            self.cluster.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
            self.addCleanup(self.cluster.ask, "scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)
        self.interrupt_and_compare(down)

    def test_two_nodes_train(self):
        """Two ranks of one training where lbann-train has MPI; else one training on each of two nodes."""
        file = self.experiment(3)
        alone = self.launch("--scheduler=local", f"--run-dir={self.work}/alone", file, "--threads=1")
        self.assertEqual(alone.returncode, 0, alone.stderr)
        both = self.batch("--nodes=2", "--procs-per-node=1", "--wait", file, "--threads=1")
        if both.returncode != 10:
            self.assertEqual(both.returncode, 0, both.stderr + self.read("err.log"))
            ours, theirs = self.final_state(self.run_dir)[2], self.final_state(self.work + "/alone")[2]
            self.assertEqual(len(ours), len(theirs))  # one log, not one of each rank
            for mine, other in zip(ours, theirs):
                self.assertAlmostEqual(mine["metrics"]["objective function"], other["metrics"]["objective function"], places=3)
            return
        each = f'exec env -u LBANN_EXPECTED_WORLD lbann-train --run-dir="{self.work}/$SLURMD_NODENAME" --threads=1 "$1"'
        done = self.batch("--nodes=2", "--procs-per-node=1", "--overwrite", "--wait", "--", "sh", "-c", each, "sh", file)
        self.assertEqual(done.returncode, 0, done.stderr + self.read("err.log"))
        nodes = [name for name in os.listdir(self.work) if name.startswith("n")]
        self.assertEqual(len(nodes), 2)
        for name in nodes:
            self.assertEqual(self.final_state(os.path.join(self.work, name))[2], self.final_state(self.work + "/alone")[2])

    def test_a_sweep_of_jobs(self):
        done = self.batch("--wait", "--sweep=optimizer.adam.learn_rate=0.1,0.01", "--sweep=trainer.random_seed=1..2",
                          self.experiment(1), "--threads=1", timeout=200)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual(rows[0][:5], ["run", "optimizer.adam.learn_rate", "trainer.random_seed", "job", "exit"])
        self.assertEqual([row[:3] for row in rows[1:]], [["001", "0.1", "1"], ["002", "0.1", "2"], ["003", "0.01", "1"], ["004", "0.01", "2"]])
        self.assertEqual({row[4] for row in rows[1:]}, {"0"})
        self.assertEqual(len({row[3] for row in rows[1:]}), 4)
        self.assertEqual(done.stdout, self.read("summary.tsv"))
        column = rows[0].index("validation accuracy")
        for row in rows[1:]:
            last = [json.loads(line) for line in self.read(f"{row[0]}/log.jsonl").splitlines()]
            value = [r["metrics"]["accuracy"] for r in last if r["mode"] == "validation"][-1]
            self.assertAlmostEqual(float(row[column]), value, places=3)


if __name__ == "__main__":
    reason = slurm_cluster.missing()
    if reason:
        print("skipped: " + reason)
        sys.exit(77)
    unittest.main()
