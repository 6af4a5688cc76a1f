"""Campaigns as chains of jobs on a real Slurm: what the cases of slurm_test.py share."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import Campaign, campaign_text, check_same
from fault_injection import Failure, expect
from labeling import Audit
from slurm import BINARY, SOURCE, wait_until

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


def run_by_hand(campaign, rounds=None):
    """The same campaign without a scheduler: to its end, or as far as the labels of a round."""
    for _ in range(20):
        result = campaign.run()
        if result.returncode == 0 or (campaign.directory / f"rounds/{rounds or 99:04}/selected.csv").exists():
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


class CampaignTester:
    """Campaigns on a cluster, and what must be true of them in the end."""

    def __init__(self, directory, cluster):
        self.directory, self.cluster = pathlib.Path(directory), cluster
        reference = self.campaign("reference")
        run_by_hand(reference)
        self.reference = state_of(reference)

    def campaign(self, name, changes=None):
        return Campaign(self.directory / name, {**OUTSIDE, **(changes or {})}, oracle_words=SLOW)

    def submit(self, campaign, run_options=RUN_OPTIONS, label_options=LABEL_OPTIONS, **environment):
        return self.cluster.run(BINARY, "submit", "--campaign", campaign.directory, "--tasks", TASKS,
                                f"--run-options={run_options}", f"--label-options={label_options}", **environment)

    def status(self, campaign):
        path = campaign.directory.with_suffix(".json")
        self.cluster.run(BINARY, "status", "--campaign", campaign.directory, "--json", path)
        return json.loads(path.read_text())

    def wait_for_end(self, campaign, context, seconds=120):
        """Until a stop rule holds; a chain that has lost its jobs is mended as its user would."""
        mends = []

        def is_over():
            status = self.status(campaign)
            jobs = status["jobs"] or []
            is_broken = status["jobs"] == [] or (len(jobs) > 0 and all(job["lost"] for job in jobs))
            if status["next"] != "nothing" and is_broken:
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
