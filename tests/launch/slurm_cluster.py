"""A Slurm of a few pretend nodes on this machine, for tests: with SlurmCluster(folder, nodes=4) as cluster.

Everything it needs lies in its folder (keys, sockets, state, logs); nothing of /etc is used, and any user can
start one. Daemons run in the foreground as children and are ended one by one, by process id. As root each node
has its own host name and /dev/shm (unshare), so that programs see different machines; otherwise the nodes
share this machine's. GPUs are character devices that nobody opens. Two clusters at once need different ports.

`missing()` says what is not installed, in words, or None.
"""
import os
import shutil
import socket
import subprocess
import time

SBIN = "/usr/sbin"


def missing():
    for program in ("munged", "mungekey", "slurmctld", "slurmd"):
        if not os.access(os.path.join(SBIN, program), os.X_OK):
            return f"{SBIN}/{program} is not there (Debian: slurm-wlm munge)"
    for program in ("sbatch", "srun", "scontrol"):
        if not shutil.which(program):
            return f"{program} is not in PATH"
    return None


def free_ports(count):
    """The first of `count` neighbouring TCP ports nobody listens on."""
    for first in range(26000, 32000, count):
        held = []
        try:
            for port in range(first, first + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise RuntimeError("no free ports")


class SlurmCluster:
    """Starts on entering, stops on leaving."""

    def __init__(self, folder, nodes=4, cpus=4, gpus=2):
        self.folder, self.nodes, self.cpus, self.gpus = os.path.abspath(folder), nodes, cpus, gpus
        self.children = []
        self.isolated = False

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def env(self):
        """What a client needs."""
        out = {"SLURM_CONF": self.path("slurm.conf"), "OMPI_MCA_btl_tcp_if_include": "lo", "OMPI_MCA_oob_tcp_if_include": "lo"}
        if os.geteuid() == 0:
            out.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        if not self.isolated:
            out["OMPI_MCA_btl"] = "self,tcp"  # shared memory of two "nodes" would have one name
        return out

    def ask(self, *words, check=True):
        done = subprocess.run(words, env={**os.environ, **self.env()}, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{words}: {done.stderr}")
        return done.stdout

    def spawn(self, name, words, env=None):
        log = open(self.path("log", name + ".out"), "wb")
        self.children.append((name, subprocess.Popen(words, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                                                     stdout=log, stderr=log)))
        log.close()

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)  # munged wants nobody else to be able to write on its way
        for name in ("munge", "state", "log", "dev"):
            os.makedirs(self.path(name), exist_ok=True)
        self.start_munge()
        self.configure(free_ports(self.nodes + 1))
        self.spawn("slurmctld", [f"{SBIN}/slurmctld", "-D", "-c"], self.env())
        self.isolated = subprocess.run(["unshare", "-u", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
        for i in range(1, self.nodes + 1):
            self.start_node(f"n{i}")
        self.wait_idle()

    def start_munge(self):
        key, sock = self.path("munge", "key"), self.path("munge", "socket")
        subprocess.run([f"{SBIN}/mungekey", "-c", "-f", "-k", key], check=True)
        self.spawn("munged", [f"{SBIN}/munged", "-F", "--force", "--key-file=" + key, "--socket=" + sock,
                              "--pid-file=" + self.path("munge", "pid"), "--log-file=" + self.path("log", "munged.log"),
                              "--seed-file=" + self.path("munge", "seed"), "--num-threads=2"])
        for _ in range(100):
            if os.path.exists(sock):
                return
            time.sleep(0.1)
        raise RuntimeError("munged did not come up")

    def devices(self):
        try:
            names = []
            for i in range(self.gpus):
                os.mknod(self.path("dev", f"gpu{i}"), 0o600 | 0o020000, os.makedev(1, 3))
                names.append(self.path("dev", f"gpu{i}"))
            return names
        except PermissionError:
            return ["/dev/null", "/dev/zero", "/dev/full", "/dev/random"][:self.gpus]

    def configure(self, port):
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.write("gres.conf", "".join(f"NodeName=n[1-{self.nodes}] Name=gpu File={d}\n" for d in self.devices()))
        self.write("plugstack.conf", "")
        settings = {
            "ClusterName": "test", "SlurmctldHost": "localhost(127.0.0.1)", "SlurmUser": user, "SlurmdUser": user,
            "AuthType": "auth/munge", "CredType": "cred/munge",
            # A requeued job waits as long as a credential lives: two minutes, were it the default.
            "AuthInfo": f"socket={self.path('munge', 'socket')},cred_expire=5",
            "SlurmctldPort": port, "CommunicationParameters": "NoInAddrAny,NoCtldInAddrAny",
            "StateSaveLocation": self.path("state"), "SlurmctldPidFile": self.path("slurmctld.pid"),
            "SlurmdPidFile": self.path("slurmd-%n.pid"), "SlurmdSpoolDir": self.path("spool-%n"),
            "SlurmctldLogFile": self.path("log", "slurmctld.log"), "SlurmdLogFile": self.path("log", "slurmd-%n.log"),
            "PlugStackConfig": self.path("plugstack.conf"), "ProctrackType": "proctrack/linuxproc", "TaskPlugin": "task/none",
            "SwitchType": "switch/none", "MpiDefault": "none", "JobAcctGatherType": "jobacct_gather/none",
            "AccountingStorageType": "accounting_storage/none", "JobCompType": "jobcomp/filetxt",
            "JobCompLoc": self.path("finished.txt"), "SchedulerType": "sched/backfill",
            "SchedulerParameters": "sched_interval=1,bf_interval=1", "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_CPU", "SlurmdParameters": "config_overrides", "ReturnToService": 2,
            "TreeWidth": max(2, self.nodes), "KillWait": 5, "GresTypes": "gpu"}
        text = "".join(f"{key}={value}\n" for key, value in settings.items())
        text += (f"NodeName=n[1-{self.nodes}] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[{port + 1}-{port + self.nodes}] "
                 f"CPUs={self.cpus} RealMemory=2048 Gres=gpu:{self.gpus} State=UNKNOWN\n"
                 "PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP OverSubscribe=FORCE:4\n"
                 "PartitionName=other Nodes=ALL MaxTime=INFINITE State=UP\n")
        self.write("slurm.conf", text)

    def start_node(self, name):
        # Its own configuration folder, only because PMIx would put all nodes' files into one place.
        conf = self.path("conf-" + name)
        for folder in (conf, self.path("spool-" + name), self.path("pmix-" + name)):
            os.makedirs(folder, exist_ok=True)
        for file in ("slurm.conf", "gres.conf", "plugstack.conf"):
            if not os.path.lexists(os.path.join(conf, file)):
                os.symlink(self.path(file), os.path.join(conf, file))
        self.write(f"conf-{name}/mpi.conf", f"PMIxCliTmpDirBase={self.path('pmix-' + name)}\n")
        daemon = [f"{SBIN}/slurmd", "-D", "-f", conf + "/slurm.conf", "-N", name]
        if self.isolated:
            names = "".join(f"127.0.0.1 n{i}\n" for i in range(1, self.nodes + 1))
            self.write("hosts", f"127.0.0.1 localhost\n::1 localhost\n{names}127.0.0.1 {socket.gethostname()}\n")
            inside = ('hostname "$1" && mount --bind "$2" /etc/hosts && mount -t tmpfs tmpfs /dev/shm && shift 2 && exec "$@"')
            daemon = ["unshare", "-u", "-m", "sh", "-c", inside, "sh", name, self.path("hosts"), *daemon]
        self.spawn("slurmd-" + name, daemon, {"SLURM_CONF": conf + "/slurm.conf"})

    def wait_idle(self):
        states = ""
        for _ in range(300):
            states = self.ask("sinfo", "-h", "-N", "-p", "main", "-o", "%T", check=False)
            if states.split() == ["idle"] * self.nodes:
                return
            time.sleep(0.2)
        raise RuntimeError(f"nodes did not become idle: {states}")

    def stop(self):
        if any(name == "slurmctld" and child.poll() is None for name, child in self.children):
            self.ask("scancel", "--user", subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip(),
                     check=False)
            for _ in range(40):
                if not self.ask("squeue", "-h", check=False).strip():
                    break
                time.sleep(0.2)
        for prefix in ("slurmd", "slurmctld", "munged"):
            mine = [child for name, child in self.children if name.startswith(prefix)]
            for child in mine:
                child.terminate()
            for child in mine:
                try:
                    child.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self.children = []
