"""The scripts of lbann.launcher say the same as lbann-launch, flag by flag, and refuse the same."""

import os
import shlex
import subprocess
import unittest

from lbann.launcher import make_batch_script

TOOL = os.path.join(os.environ["LBANN_BINARY_DIR"], "bin", "lbann-launch")
PREFIX = {"slurm": "#SBATCH ", "flux": "# flux: ", "lsf": "#BSUB ", "pbs": "#PBS ", "pjm": "#PJM "}
SETTINGS = {"partition": "p1", "account": "my bank", "reservation": "r1"}


def tool(scheduler, *words):
    """Lines of lbann-launch's script."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "LBANN_", "FLUX_", "LSB_", "PBS_", "PJM_"))}
    return subprocess.run([TOOL, "--site=none", f"--scheduler={scheduler}", "--run-dir=/runs/one", "--work-dir=/runs/one", *words, "--dry-run",
                           "--", "prog", "a b"], capture_output=True, text=True, timeout=60, check=False, env=env)


def header_of(text, prefix):
    """Options and values of the directives, each line a tuple."""
    return {tuple(shlex.split(line[len(prefix):])) for line in text.splitlines() if line.startswith(prefix)}


def launch_line_of(text):
    """The words before the program."""
    line = next(line for line in text.splitlines() if line.endswith(" prog 'a b'"))
    words = shlex.split(line.strip())
    return [w for w in words if w != "exec"][:-2]


def script(scheduler, **settings):
    made = make_batch_script(scheduler=scheduler, work_dir="/runs/one", nodes=2, procs_per_node=3, time_limit=90, job_name="j", **settings)
    made.add_run(["prog", "a b"])
    return made.text()


class AgreesWithTheTool(unittest.TestCase):
    def given(self, scheduler):
        """Settings that the tool honours, and the words for it."""
        words, settings = ["--nodes=2", "--procs-per-node=3", "--time-limit=90", "--job-name=j"], {}
        for name, value in SETTINGS.items():
            done = tool(scheduler, "--batch", *words, f"--{name}={value}")
            if scheduler == "pbs" and name == "reservation":
                continue  # it excludes a partition there
            if done.returncode == 0:
                settings[name] = value
                words.append(f"--{name}={value}")
            else:
                self.assertIn(f"'--{name}' cannot be honoured", done.stderr)
                with self.assertRaisesRegex(ValueError, f"{name}=.* cannot be honoured"):
                    script(scheduler, **{name: value})
        return words, settings

    def test_headers(self):
        for scheduler, prefix in PREFIX.items():
            with self.subTest(scheduler):
                words, settings = self.given(scheduler)
                theirs = header_of(tool(scheduler, "--batch", *words).stdout, prefix)
                ours = header_of(script(scheduler, **settings), prefix)
                # Who writes the logs differs: here the scheduler, there often the script. PBS and PJM have no option for the folder.
                logs = {"-o", "-e", "-j", "-oe"}
                ours = {o for o in ours if o[0] not in logs and not o[0].startswith(("--output=", "--error="))}
                theirs = {o for o in theirs if o[0] not in logs and not o[0].startswith(("--output=", "--error="))}
                self.assertEqual(ours, theirs)

    def test_launch_lines(self):
        for scheduler in PREFIX:
            with self.subTest(scheduler):
                words, settings = self.given(scheduler)
                # Scripts of Python get the nodes themselves when they are run by hand.
                batch = [] if scheduler in ("slurm", "flux") else ["--batch"]
                self.assertEqual(sorted(launch_line_of(script(scheduler, **settings))),
                                 sorted(launch_line_of(tool(scheduler, *batch, *words).stdout)))

    def test_mpi_launchers(self):
        for scheduler in ("openmpi", "mpich"):
            with self.subTest(scheduler):
                words = ["--nodes=1", "--procs-per-node=3", "--time-limit=90", "--job-name=j"]
                made = make_batch_script(scheduler=scheduler, work_dir="/runs/one", procs_per_node=3, time_limit=90)
                made.add_run(["prog", "a b"])
                ours = launch_line_of(made.text())[1:]
                theirs = launch_line_of(tool(scheduler, *words).stdout)[1:]
                for word in ours:
                    self.assertIn(word, theirs)
                with self.assertRaisesRegex(ValueError, "partition='p' cannot be honoured"):
                    make_batch_script(scheduler=scheduler, partition="p")


if __name__ == "__main__":
    unittest.main()
