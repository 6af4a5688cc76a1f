"""A real Slurm of several nodes on this machine, for the tests of jobs/ (scripts/local_slurm.sh)."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

from fault_injection import Failure, expect

BINARY = os.environ["SLUICE_BINARY"]
SOURCE = pathlib.Path(os.environ["SLUICE_SOURCE"])
SCRIPT = SOURCE / "scripts/local_slurm.sh"
PROGRAMS = ["slurmctld", "slurmd", "sbatch", "munged", "nsenter", "unshare"]
DONE = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY"}


def why_not():
    """Why no Slurm can be started here; empty if one can."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        return f"missing: {', '.join(missing)}; run scripts/install_dependencies.sh slurm"
    return "" if os.geteuid() == 0 else "nodes with host names of their own need root"


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise Failure(f"waited {seconds} s: {what}")


def free_port(count):
    """The first of several ports in a row that nobody listens at."""
    for first in range(18000, 30000, 100):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise Failure("no free ports")


class Cluster:
    def __init__(self, nodes, cores, gpus=0):
        self.port = str(free_port(nodes + 1))
        self.environment = dict(os.environ)
        self.script("start", "--nodes", nodes, "--cores", cores, "--gpus", gpus)
        text = pathlib.Path(f"/tmp/sluice-slurm-{self.port}/environment").read_text()
        for word in text.replace("export ", " ").split():
            name, value = word.split("=", 1)
            self.environment[name] = value.replace("$PATH", os.environ["PATH"])
        self.environment.update(SLUICE=BINARY, SLUICE_JOBS=str(SOURCE / "jobs"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.script("stop")

    def script(self, *words):
        return self.run(str(SCRIPT), *words, "--port", self.port)

    def run(self, *words, folder=None, allow_failure=False, **more):
        result = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, cwd=folder,
                                env=dict(self.environment, **more), timeout=120, stdin=subprocess.DEVNULL)
        expect(allow_failure or result.returncode == 0, f"{words}: {result.returncode}: {result.stdout} "
               f"{result.stderr}")
        return result.stdout.strip()

    def submit(self, *words, folder=None, **more):
        """sbatch; the job's number."""
        return self.run("sbatch", "--parsable", *words, folder=folder, **more)

    def state(self, job):
        """The job's states: several for an array; empty if Slurm has forgotten it."""
        text = self.run("scontrol", "show", "job", "--oneliner", job, allow_failure=True)
        return {word.split("=")[1] for word in text.split() if word.startswith("JobState=")}

    def wait(self, job, seconds=90):
        wait_until(lambda: self.state(job) and self.state(job) <= DONE, f"job {job}: {self.state(job)}", seconds)
        return self.state(job)

    def jobs(self, *options):
        """squeue: (id, name, state, nodes) of each job and array task."""
        text = self.run("squeue", "--noheader", "--array", "--format=%i|%j|%T|%N", *options, allow_failure=True)
        return [tuple(line.split("|")) for line in text.splitlines()]

    def lose_node(self, node):
        """The node dies with all that runs on it, and Slurm is told so, for it notices late."""
        self.script("kill-node", node)
        self.run("scontrol", "update", f"nodename={node}", "state=down", "reason=killed")

    def bring_back(self, node):
        self.script("start-node", node)
        wait_until(lambda: "idle" in self.run("sinfo", "-h", "-p", "main", "-n", node, "-o", "%t") or
                   self.run("scontrol", "update", f"nodename={node}", "state=resume", allow_failure=True),
                   f"{node} comes back")
