#!/usr/bin/env python3
"""lbann-launch against stand-ins for every scheduler (mock/mock_command.py), which refuse what they do not know.

For each: all options it honours at once; exit codes through script and queue; output in out.log and err.log;
restarts after 75 with progress, and their end without; status, cancel, JSON; starts inside an allocation.

mock_schedulers.py BIN [-v] [TEST...]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BIN = os.path.abspath(sys.argv.pop(1))
HERE = os.path.dirname(os.path.abspath(__file__))
COMMANDS = {
    "slurm": ["sbatch", "srun", "scontrol", "scancel"], "flux": ["flux"], "lsf": ["bsub", "bjobs", "bkill", "jsrun"],
    "pbs": ["qsub", "qstat", "qdel", "mpiexec"], "pjm": ["pjsub", "pjstat", "pjdel", "mpiexec"],
    "openmpi": ["mpirun"], "mpich": ["mpiexec.hydra"]}
VARIABLE = {"slurm": "SLURM_JOB_ID", "flux": "FLUX_URI", "lsf": "LSB_JOBID", "pbs": "PBS_JOBID", "pjm": "PJM_JOBID"}
LAUNCHER = {"slurm": "srun", "flux": "flux run", "lsf": "jsrun", "pbs": "mpiexec", "pjm": "mpiexec",
            "openmpi": "mpirun", "mpich": "mpiexec.hydra"}
# every option with a value that the scheduler would take
OPTIONS = {
    "nodes": "2", "procs-per-node": "3", "cores-per-proc": "4", "gpus-per-proc": "1", "memory-per-node": "2G",
    "time-limit": "90", "partition": "p1", "account": "my bank", "reservation": "r1", "qos": "high",
    "constraint": "gen=3", "exclusive": None, "nodelist": "n1,n2", "exclude": "n9", "begin": "202912312359",
    "dependency": "77", "licenses": "matlab=1", "mail-user": "a@b.org", "mail-type": "e", "comment": "a remark",
    "job-name": "job1", "work-dir": "/tmp", "env": "A=it's $HOME", "preamble": "true", "cleanup": "true",
    "max-restarts": "2", "signal-before": "5m", "bind": "core", "mpi": "pmix", "hostfile": "/hosts"}


class Mock(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lbann-mock-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        os.mkdir(os.path.join(self.folder, "state"))
        self.run_dir = os.path.join(self.folder, "my run")

    def env(self, scheduler, **more):
        bin_folder = os.path.join(self.folder, "bin-" + scheduler)
        if not os.path.isdir(bin_folder):
            os.mkdir(bin_folder)
            for name in COMMANDS.get(scheduler, []) + COMMANDS["openmpi"] + COMMANDS["mpich"]:
                target = os.path.join(bin_folder, name)
                if not os.path.lexists(target):
                    os.symlink(os.path.join(HERE, "mock", "mock_command.py"), target)
        return {"PATH": f"{bin_folder}:{BIN}:/usr/bin:/bin", "HOME": self.folder, "LC_ALL": "C.UTF-8",
                "MOCK_STATE": os.path.join(self.folder, "state"), "LBANN_SITE": "none", **more}

    def launch(self, scheduler, *words, **more):
        return subprocess.run([os.path.join(BIN, "lbann-launch"), *words], env=self.env(scheduler, **more),
                              cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False)

    def calls(self, tool=None):
        try:
            with open(os.path.join(self.folder, "state", "calls"), encoding="utf-8") as file:
                found = [json.loads(line) for line in file]
        except OSError:
            return []
        return [c for c in found if tool is None or c["tool"] == tool]

    def read(self, name):
        with open(os.path.join(self.run_dir, name), encoding="utf-8") as file:
            return file.read()

    def batch(self, scheduler, *words):
        return self.launch(scheduler, f"--scheduler={scheduler}", "--batch", f"--run-dir={self.run_dir}", *words)


def per_scheduler(function):
    """One test for each scheduler with batch jobs."""
    def run(self):
        for scheduler in VARIABLE:
            with self.subTest(scheduler):
                self.setUp()
                function(self, scheduler)
    run.__name__ = function.__name__
    return run


class Schedulers(Mock):
    @per_scheduler
    def test_every_option_is_taken_or_refused_by_name(self, scheduler):
        words, refused = [], []
        for name, value in OPTIONS.items():
            word = f"--{name}" if value is None else f"--{name}={value}"
            extra = ["--time-limit=90"] if name == "signal-before" else ["--cores-per-proc=4"] if name == "bind" else []
            one = self.batch(scheduler, word, *extra, "--dry-run", "--", "true")
            if one.returncode == 0:
                words.append(word)
            else:
                self.assertEqual(one.returncode, 2, one.stderr)
                self.assertIn(f"error: option '--{name}' cannot be honoured by", one.stderr)
                refused.append(name)
        self.assertGreaterEqual(len(words), 16, refused)
        if scheduler == "pbs":  # there a reservation is a queue
            words.remove("--partition=p1")
        done = self.batch(scheduler, *words, "--wait", "--", "sh", "-c", 'echo "A is $A"; pwd; exit 7')
        self.assertEqual(done.returncode, 7, done.stderr + done.stdout)
        self.assertIn("A is it's $HOME\n/tmp\n", self.read("out.log"))
        launched = self.calls(LAUNCHER[scheduler])
        self.assertEqual(len(launched), 1)
        self.assertEqual(launched[0]["world"], "6")
        submitted = [c for c in self.calls() if "job" in c]
        self.assertEqual(len(submitted), 1)
        values = [v for _, v in submitted[0]["options"]]
        for value in ("p1", "my bank", "job1"):
            if f"--partition={value}" in words or value != "p1":
                self.assertTrue(any(value in v for v in values), values)

    @per_scheduler
    def test_exit_code_output_and_json(self, scheduler):
        done = self.batch(scheduler, "--wait", "--format=json", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
        self.assertEqual(done.returncode, 3, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["scheduler"], report["phase"], report["exit_code"]), (scheduler, "ended", 3))
        self.assertTrue(report["job"])
        self.assertIn("out\n", self.read("out.log"))
        self.assertIn("err\n", self.read("err.log"))
        again = self.launch(scheduler, "--status=" + self.run_dir)
        self.assertTrue(again.stdout.startswith(f"{scheduler} {report['job']} ended"), again.stdout)
        self.assertTrue(again.stdout.endswith(" exit 3\n"), again.stdout)
        by_id = self.launch(scheduler, f"--scheduler={scheduler}", "--status=" + report["job"])
        self.assertIn("ended", by_id.stdout)

    @per_scheduler
    def test_follow_shows_both_logs(self, scheduler):
        done = self.batch(scheduler, "--follow", "--", "sh", "-c", "echo out1; sleep 0.5; echo err1 >&2; echo out2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("out1\nout2\n", done.stdout)
        self.assertIn("err1\n", done.stderr)

    @per_scheduler
    def test_restarts_while_there_is_progress(self, scheduler):
        command = ('mkdir -p "$D/ckpt"; n=$(ls "$D/ckpt" | wc -l); echo "attempt $n"; '
                   '[ "$n" -lt 4 ] || exit 5; mkdir "$D/ckpt/step-0000000$n"; exit 75')
        done = self.batch(scheduler, "--wait", "--max-restarts=2", f"--env=D={self.run_dir}", "--", "sh", "-c", command)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(self.read("out.log").count("attempt"), 5)
        self.assertEqual(len(self.read("jobs").splitlines()), 1 if scheduler == "slurm" else 5)

    @per_scheduler
    def test_restarts_end_without_progress(self, scheduler):
        done = self.batch(scheduler, "--wait", "--max-restarts=3", "--", "sh", "-c", "echo attempt; exit 75")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertEqual(self.read("out.log").count("attempt\n"), 3)
        self.assertIn("started 3 times without a newer checkpoint", self.read("err.log"))

    @per_scheduler
    def test_cancel(self, scheduler):
        done = self.batch(scheduler, "--max-restarts=3", "--", "sh", "-c", "touch started; sleep 30; exit 75")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.split()), 1)
        self.assertIn(done.stdout.strip(), self.read("jobs"))
        self.assertEqual(self.launch(scheduler, "--cancel=" + self.run_dir).returncode, 0)
        waited = self.launch(scheduler, "--wait", "--run-dir=" + self.run_dir)
        self.assertEqual(waited.returncode, 143, waited.stderr)
        self.assertEqual(len(self.read("jobs").splitlines()), 1)

    @per_scheduler
    def test_inside_an_allocation_the_launcher_runs_at_once(self, scheduler):
        inside = {VARIABLE[scheduler]: "7"}
        done = self.launch(scheduler, "-N2", "-n2", "--", "sh", "-c", "exit 9", **inside)
        self.assertEqual(done.returncode, 9, done.stderr)
        self.assertEqual([c["tool"] for c in self.calls()], [LAUNCHER[scheduler]])
        refused = self.launch(scheduler, "--partition=p", "--", "true", **inside)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("'--partition' asks for new nodes", refused.stderr)

    @per_scheduler
    def test_what_the_scheduler_refuses_is_said(self, scheduler):
        done = self.batch(scheduler, "--scheduler-arg=--nonsense", "--", "true")
        self.assertEqual(done.returncode, 10)
        self.assertIn("--nonsense", done.stderr)

    @per_scheduler
    def test_found_by_its_commands(self, scheduler):
        # Slurm and Flux get nodes themselves; the others say what to do.
        done = self.launch(scheduler, "--explain", "--", "true")
        if scheduler in ("slurm", "flux"):
            self.assertIn(LAUNCHER[scheduler] + " ", done.stdout, done.stderr)
        else:
            self.assertEqual(done.returncode, 2)
            self.assertIn("add --batch", done.stderr)

    @per_scheduler
    def test_mpirun_as_the_launcher(self, scheduler):
        done = self.batch(scheduler, "--launcher=openmpi", "-N2", "-n2", "--cores-per-proc=2", "--env=B=2", "--wait", "--",
                          "sh", "-c", "exit 4")
        self.assertEqual(done.returncode, 4, done.stderr)
        options = dict(self.calls("mpirun")[0]["options"])
        self.assertEqual((options["-n"], options["--map-by"], options["--bind-to"]), ("4", "ppr:2:node:PE=2", "core"))


class Launchers(Mock):
    def test_openmpi_and_mpich(self):
        for scheduler in ("openmpi", "mpich"):
            with self.subTest(scheduler):
                self.setUp()
                honoured = []
                for name, value in OPTIONS.items():
                    word = f"--{name}" if value is None else f"--{name}={value}"
                    extra = ["--time-limit=90"] if name == "signal-before" else ["--hostfile=/hosts"] if name == "nodes" else []
                    one = self.launch(scheduler, f"--scheduler={scheduler}", word, *extra, "--dry-run", "--", "true")
                    if one.returncode == 0:
                        honoured.append(word)
                    else:
                        self.assertIn(f"error: option '--{name}' cannot be honoured by", one.stderr)
                self.assertGreaterEqual(len(honoured), 12)
                done = self.launch(scheduler, f"--scheduler={scheduler}", f"--run-dir={self.run_dir}", *honoured, "--",
                                   "sh", "-c", 'echo "A is $A"; pwd; exit 7')
                self.assertEqual(done.returncode, 7, done.stderr)
                self.assertIn("A is it's $HOME\n/tmp\n", done.stdout)
                self.assertIn("A is it's $HOME\n/tmp\n", self.read("out.log"))
                self.assertEqual(self.calls()[0]["tool"], LAUNCHER[scheduler])

    def test_srun_gets_the_pmi_of_the_program(self):
        libmpi = "/usr/lib/x86_64-linux-gnu/libmpi.so.40"
        if not os.path.exists(libmpi):
            self.skipTest("Open MPI is not installed")
        program = os.path.join(self.folder, "prog")
        source = os.path.join(self.folder, "p.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int MPI_Initialized(int *); int main(void) { int f; return MPI_Initialized(&f) ? 1 : 0; }\n")
        if subprocess.run(["cc", source, libmpi, "-o", program], check=False).returncode:
            self.skipTest("no C compiler")
        done = self.launch("slurm", "--scheduler=slurm", "-n2", "--explain", "--", program)
        self.assertIn("--mpi=pmix", done.stdout, done.stderr)

    def test_the_stand_ins_refuse(self):
        for tool in ("sbatch", "bsub", "qsub", "pjsub", "srun", "jsrun", "mpirun", "mpiexec.hydra"):
            scheduler = next(s for s, names in COMMANDS.items() if tool in names)
            done = subprocess.run([tool, "--no-such-option"], env=self.env(scheduler), input="", capture_output=True, text=True,
                                  timeout=20, check=False)
            self.assertEqual(done.returncode, 2, tool)

    def test_local_restarts_in_place(self):
        command = ('mkdir -p "$D/ckpt"; n=$(ls "$D/ckpt" | wc -l); [ "$n" -lt 3 ] || exit 0; '
                   'mkdir "$D/ckpt/step-0000000$n"; echo attempt; exit 75')
        done = self.launch("none", "--scheduler=local", f"--run-dir={self.run_dir}", "--max-restarts=1",
                           f"--env=D={self.run_dir}", "--", "sh", "-c", command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("attempt\n"), 3)
        self.assertEqual(self.read("out.log"), done.stdout)
        self.assertEqual(self.read("exit_code"), "0\n")

    def test_signal_before_the_limit_by_the_scripts_own_timer(self):
        command = "trap 'echo saved; exit 75' USR1; echo go; while :; do sleep 0.1; done"
        done = self.launch("none", "--scheduler=local", f"--run-dir={self.run_dir}", "--time-limit=30s",
                           "--signal-before=29s", "--", "bash", "-c", command)
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("saved\n", done.stdout)

    def test_cleanup_runs_when_the_run_is_stopped(self):
        process = subprocess.Popen([os.path.join(BIN, "lbann-launch"), "--scheduler=local", f"--run-dir={self.run_dir}",
                                    "--cleanup=echo cleaned", "--", "bash", "-c", "echo go; exec sleep 60"],
                                   env=self.env("none"), stdout=subprocess.PIPE, text=True, cwd=self.folder)
        lines = iter(process.stdout.readline, "")
        for line in lines:
            if line == "go\n":
                break
        process.terminate()
        rest = "".join(lines)
        process.stdout.close()
        self.assertEqual(process.wait(timeout=20), 143)
        self.assertIn("cleaned\n", rest)


if __name__ == "__main__":
    unittest.main()
