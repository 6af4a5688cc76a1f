#!/usr/bin/env python3
"""The jobs of jobs/ on a real Slurm of four nodes on this machine: a selection over nodes, campaigns as chains of
jobs, and everything that a cluster does to them. A disturbed campaign ends in the same state as one that no
scheduler ever saw. Exit code 77: no Slurm can be started here (the reason is printed)."""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import ORACLE, Campaign, campaign_text, check_same, make_pool
from fault_injection import SKIPPED, Failure, expect
from labeling import Audit
from slurm import BINARY, SOURCE, Cluster, wait_until, why_not

JOBS = SOURCE / "jobs"
OUTSIDE = {"label.where": "outside", "label.oracle": "oracle.ini", "select.ticket-items": "2",
           "campaign.random-arm": None}
SLOW = "0.2"  # seconds an item: time to lose the node
RUN_OPTIONS = "--nodes=2 --ntasks-per-node=2 --cpus-per-task=1 --time=5"
LABEL_OPTIONS = "--time=5"
TASKS = "3"
MOST_MENDS = 2
STATE_SAVED_S = 6.0  # the controller saves its state every 5 s

# Stands for sluice in a job: hangs on entering a phase of `sluice run`, once, and says on which node.
HANGING = f"""#!/bin/bash
if [ "$1" = run ] && [ -n "${{HANG_IN:-}}" ] && [ ! -e "$HANG_MARK.done" ]; then
    if [ "${{PMIX_RANK:-0}}" = 0 ]; then hostname >"$HANG_MARK"; fi
    SLUICE_FAULT="$HANG_IN:0:hang" exec {BINARY} "$@"
fi
exec {BINARY} "$@"
"""


def sluice(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


def state_of(campaign):
    """What must be the same, without the logs of jobs."""
    return {name: content for name, content in campaign.state().items() if not name.startswith("jobs/")}


def queues_of(campaign):
    return [path for path in (campaign.directory / "queue", campaign.directory / "random/queue",
                              campaign.directory / "test/queue") if path.exists()]


def audit(campaign, context):
    """Every issued item has its label, once; or a result that says why it has none."""
    for queue in queues_of(campaign):
        labels = queue.parent / "labels"
        found = Audit(queue, labels, context).check_whole()
        missing = [key for key in sorted(set(found.items) - set(found.labels)) if not found.is_finished(key) or
                   any(result["status"] == "ok" for result in found.results[key])]
        expect(not missing, f"{context}: {queue}: not labeled: {missing[:5]}")


def finish_by_hand(campaign):
    """The same campaign without a scheduler."""
    for _ in range(20):
        result = campaign.run()
        if result.returncode == 0:
            return
        expect(result.returncode == 75, f"by hand: {result}")
        for queue in queues_of(campaign):
            sluice("label", "--queue", queue, "--oracle", campaign.directory / "oracle.ini", "--until-empty")
    raise Failure("by hand: does not end")


class WaterDimers(Campaign):
    """Energies of two water molecules by xtb, three rounds of a few."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.file = directory / "campaign.ini"
        for name in ("oracle.ini", "geometry.xyz"):
            shutil.copy(SOURCE / "jobs/examples/water-dimer" / name, directory)
        made = sluice("pool", "make", "water-dimer", "--rows", 200, "--out", directory / "pool.h5")
        expect(made.returncode == 0, f"pool: {made}")
        self.file.write_text(campaign_text({**OUTSIDE, "test.rows": "8", "select.batch": "4"}))


class Tester:
    def __init__(self, directory, cluster):
        self.directory, self.cluster = pathlib.Path(directory), cluster
        reference = self.campaign("reference")
        finish_by_hand(reference)
        self.reference = state_of(reference)

    def campaign(self, name, changes=None):
        return Campaign(self.directory / name, {**OUTSIDE, **(changes or {})}, oracle_words=SLOW)

    def submit(self, campaign, label_options=LABEL_OPTIONS, **environment):
        return self.cluster.run(BINARY, "submit", "--campaign", campaign.directory, "--tasks", TASKS,
                                f"--run-options={RUN_OPTIONS}", f"--label-options={label_options}", **environment)

    def status(self, campaign):
        path = campaign.directory.with_suffix(".json")
        self.cluster.run(BINARY, "status", "--campaign", campaign.directory, "--json", path)
        return json.loads(path.read_text())

    def wait_for_end(self, campaign, context, seconds=120):
        """Until a stop rule holds; a chain that has lost its jobs is mended as its user would."""
        mends = []

        def is_over():
            status = self.status(campaign)
            if status["next"] != "nothing" and status["jobs"] == []:
                print(f"{context}: mended at {status['next_text']}", flush=True)
                mends.append(status["next_text"])
                expect(len(mends) <= MOST_MENDS, f"{context}: the chain breaks again and again")
                self.submit(campaign)
            return status["next"] == "nothing" and status["jobs"] == []
        try:
            wait_until(is_over, context, seconds)
        except Failure as late:
            logs = "".join(f"{path}\n{path.read_text()[-1500:]}\n"
                           for path in sorted((campaign.directory / "jobs").glob("*.log"))[-3:])
            raise Failure(f"{late}; {self.status(campaign)['next_text']}\n{self.cluster.jobs()}\n{logs}") from late
        check_same(state_of(campaign), self.reference, context)
        audit(campaign, context)

    def task_of(self, campaign, name, state="RUNNING"):
        """A job of the campaign by its name's beginning: (id, node)."""
        own = {job["id"].split("_")[0] for job in self.status(campaign)["jobs"] or []}
        for job, job_name, job_state, nodes in self.cluster.jobs():
            if job.split("_")[0] in own and job_name.startswith(name) and job_state == state:
                return job, nodes
        return None

    def selection_over_nodes(self):
        pool = self.directory / "pool.h5"
        expect(sluice("pool", "make", "blobs", "--rows", 20000, "--dim", 8, "--out", pool).returncode == 0, "pool")
        words = ["--pool", pool, "--batch", 40, "--shortlist", 2000, "--score", "random", "--diversify", "k_center"]
        config = self.directory / "select.ini"
        config.write_text("threads = 1\n")
        expect(sluice("select", *words, "--threads", 1, "--queue", self.directory / "queue-1").returncode == 0, "select")
        for launcher in ("srun", "mpirun"):
            job = self.cluster.submit("--wait-all-nodes=1", "--nodes=4", "--ntasks-per-node=2", "--cpus-per-task=1",
                                      "--time=5", JOBS / "select.sbatch", *words, "--queue",
                                      self.directory / f"queue-{launcher}", "--json",
                                      self.directory / f"{launcher}.json", folder=self.directory,
                                      SLUICE_CONFIG=str(config), SLUICE_LAUNCHER=launcher)
            states = self.cluster.wait(job)
            log = (self.directory / f"select-{job}.log").read_text()
            expect(states == {"COMPLETED"}, f"select by {launcher}: {states}: {log}")
            ranks = json.loads((self.directory / f"{launcher}.json").read_text())["provenance"]["ranks"]
            expect(ranks == 8, f"{launcher}: {ranks} ranks: {log}")
            one, eight = ({path.name: path.read_bytes() for path in
                           (self.directory / f"queue-{name}" / "batches").glob("*/selected.csv")}
                          for name in ("1", launcher))
            expect(one == eight and len(one) == 1, f"{launcher}: 8 ranks choose another batch than one")

    def undisturbed_chain(self):
        campaign = self.campaign("undisturbed")
        told = self.submit(campaign)
        expect(re.match(r"job \d+: sbatch ", told), f"submit says {told!r}")
        expect("nothing submitted" in self.submit(campaign), "a second chain was submitted")
        self.wait_for_end(campaign, "undisturbed")
        expect("nothing submitted" in self.submit(campaign), "a chain of a campaign that is over")

    def lost_nodes(self):
        """A node dies during select, during label, and during train."""
        for phase in ("select 2", "label", "train 2"):
            context = f"node lost in {phase}"
            campaign = self.campaign("lost-" + phase.replace(" ", "-"))
            mark = campaign.directory.with_suffix(".hang")
            if phase == "label":
                self.submit(campaign)
                job, node = wait_until(lambda: self.task_of(campaign, "sluice-label"), context)
                time.sleep(0.5)
            else:
                hanging = {"HANG_IN": phase, "HANG_MARK": str(mark), "SLUICE": self.wrapper()}
                self.submit(campaign, **hanging)
                node = self.wait_for_hang(campaign, mark, phase, hanging)
            mark.with_suffix(".hang.done").touch()
            self.cluster.lose_node(node)
            self.cluster.bring_back(node)
            self.wait_for_end(campaign, context)

    def requeued(self):
        campaign = self.campaign("requeued")
        mark = campaign.directory.with_suffix(".hang")
        self.submit(campaign, HANG_IN="evaluate 2", HANG_MARK=str(mark), SLUICE=self.wrapper())
        self.wait_for_hang(campaign, mark, "evaluate 2")
        mark.with_suffix(".hang.done").touch()
        job, _ = self.task_of(campaign, "sluice-run")
        self.cluster.run("scontrol", "requeue", job)
        self.wait_for_end(campaign, "requeued")
        text = (campaign.directory / f"jobs/run-{job}.log").read_text()
        expect("start 1 of job" in text and "start 0 of job" in text, f"requeued: the log says {text}")

    def cancelled(self):
        campaign = self.campaign("cancelled")
        self.submit(campaign)
        job, _ = wait_until(lambda: self.task_of(campaign, "sluice-label"), "a worker to cancel")
        own = {job["id"].split("_")[0] for job in self.status(campaign)["jobs"]}
        self.cluster.run("scancel", *own)
        wait_until(lambda: self.status(campaign)["jobs"] == [], "its jobs are gone", 30)
        expect(self.status(campaign)["next"] == "label", f"cancelled: {self.status(campaign)}")
        self.submit(campaign)
        self.wait_for_end(campaign, "cancelled")

    def lost_controller(self):
        """What was submitted in the last seconds before is lost with it, so the job that runs then is older."""
        campaign = self.campaign("controller")
        mark = campaign.directory.with_suffix(".hang")
        self.submit(campaign, HANG_IN="evaluate 2", HANG_MARK=str(mark), SLUICE=self.wrapper())
        self.wait_for_hang(campaign, mark, "evaluate 2")
        mark.with_suffix(".hang.done").touch()
        time.sleep(STATE_SAVED_S)
        job, _ = self.task_of(campaign, "sluice-run")
        self.cluster.script("kill-controller")
        time.sleep(1.0)
        self.cluster.script("start-controller")
        wait_until(lambda: self.cluster.state(job) == {"RUNNING"}, "the job runs on under the new controller")
        self.cluster.run("scontrol", "requeue", job)
        self.wait_for_end(campaign, "controller killed")

    def queue(self, name, items, seconds):
        """A queue of its own, with an oracle that takes its time."""
        folder = self.directory / name
        folder.mkdir()
        (folder / "oracle.ini").write_text(ORACLE.format(words=seconds, is_class="no"))
        make_pool(folder / "pool.h5")
        made = sluice("select", "--pool", folder / "pool.h5", "--queue", folder / "queue", "--batch", items,
                      "--score", "random", "--diversify", "none", "--ticket-items", 2)
        expect(made.returncode == 0, f"{name}: {made}")
        return folder

    def work(self, folder, *options):
        return self.cluster.submit(*options, JOBS / "label.sbatch", "--queue", folder / "queue", "--oracle",
                                   folder / "oracle.ini", folder=folder)

    def check_queue(self, folder, job, context):
        states = self.cluster.wait(job, 150)
        log = "".join(path.read_text() for path in folder.glob("label-*.log"))
        expect(states == {"COMPLETED"}, f"{context}: {states}: {log}")
        expect(len(re.findall("start [01] of job", log)) >= 2, f"{context}: did not start again: {log}")
        expect(sluice("ingest", "--queue", folder / "queue", "--labels", folder / "labels").returncode == 0, "ingest")
        Audit(folder / "queue", folder / "labels", context).check_labeled()
        return log

    def out_of_time(self):
        """A worker whose time limit comes first; it stops before, and goes on after a requeue. Begun by main()."""
        log = self.check_queue(self.timed[0], self.timed[1], "out of time")
        expect("exit code 75: requeued" in log and "DUE TO TIME LIMIT" not in log, f"out of time: {log}")

    def begin_out_of_time(self):
        folder = self.queue("timed", 20, "3")
        self.timed = folder, self.work(folder, "--array=0-0", "--time=1", "--nodelist=n4")

    def preempted(self):
        folder = self.queue("preempted", 16, SLOW)
        job = self.work(folder, "--array=0-0", "--time=5", "--partition=spare", "--nodelist=n3")
        wait_until(lambda: self.cluster.state(job) == {"RUNNING"}, "the worker runs")
        time.sleep(1.0)
        first = self.cluster.submit("--partition=main", "--nodelist=n3", "--exclusive", "--time=1",
                                    "--wrap=sleep 2", "--output=/dev/null", folder=folder)
        expect(self.cluster.wait(first) == {"COMPLETED"}, "the job that comes first")
        self.check_queue(folder, job, "preempted")

    def with_xtb(self):
        """A campaign whose workers run a real code."""
        if shutil.which("xtb") is None:
            print("with_xtb: left out, xtb is missing")
            return
        by_hand, chain = (WaterDimers(self.directory / f"xtb-{name}") for name in ("by-hand", "chain"))
        finish_by_hand(by_hand)
        slow_reference, self.reference = self.reference, state_of(by_hand)
        self.submit(chain)
        self.wait_for_end(chain, "xtb")
        self.reference = slow_reference

    def wrapper(self):
        path = self.directory / "hanging-sluice"
        if not path.exists():
            path.write_text(HANGING)
            path.chmod(0o755)
        return str(path)

    def wait_for_hang(self, campaign, mark, phase, mended_with=None):
        """The node of rank 0, which waits for ever on entering the phase. A chain that has lost its
        jobs to the nodes of the case before is submitted again with the environment given."""
        number = phase.split()[1]
        before = {"select": "plan.json", "train": "labels.csv", "evaluate": "labels.csv"}[phase.split()[0]]
        path = campaign.directory / f"rounds/{int(number):04}/{before}"

        def appears():
            if mended_with is not None and not path.exists() and self.status(campaign)["jobs"] == []:
                print(f"before {phase}: mended", flush=True)
                self.submit(campaign, **mended_with)
            return path.exists()
        wait_until(appears, f"{path} appears", 120)
        time.sleep(1.0)
        return mark.read_text().strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="regular expression of the cases to run")
    options = parser.parse_args()
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    names = [name for name in CASES if re.search(options.only, name)]
    left, failure = run_cases(names)
    if failure is None:
        return 0
    # On a busy machine daemons that were killed may not come back in time: that is Slurm's.
    print(f"failed: {failure}\nonce more, on a new cluster: {' '.join(left)}", flush=True)
    left, failure = run_cases(sorted({"undisturbed_chain", *left}, key=CASES.index))
    if failure is None:
        return 0
    print(f"failed again: {failure}")
    return 1


def run_cases(names):
    """Runs the cases on a cluster of their own: those left and the failure, if one fails."""
    folder = tempfile.mkdtemp(prefix="sluice-slurm-test-")
    left = list(names)
    try:
        with Cluster(nodes=4, cores=4) as cluster:
            tester = Tester(folder, cluster)
            if "out_of_time" in names:
                tester.begin_out_of_time()
            for name in names:
                started = time.monotonic()
                getattr(tester, name)()
                left.remove(name)
                print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    except Failure as failure:
        return left, failure
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return left, None


CASES = ["selection_over_nodes", "undisturbed_chain", "lost_nodes", "requeued", "cancelled", "lost_controller",
         "preempted", "with_xtb", "out_of_time"]

if __name__ == "__main__":
    sys.exit(main())
