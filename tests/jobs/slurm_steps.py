"""Jobs of one step on several nodes, and arrays of workers on a queue."""

import json
import re
import subprocess
import time

from campaigns import ORACLE, make_pool
from fault_injection import expect
from labeling import Audit
from slurm import BINARY, wait_until
from slurm_campaigns import JOBS, SLOW, CampaignTester, sluice


class Steps(CampaignTester):
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

    def training(self):
        """A committee trained by four ranks on two nodes is that of one rank, byte for byte."""
        folder = self.queue("training", 20, "0")
        labeled = sluice("label", "--queue", folder / "queue", "--oracle", folder / "oracle.ini", "--until-empty")
        expect(labeled.returncode == 0, f"training: {labeled}")
        ingested = sluice("ingest", "--queue", folder / "queue", "--labels", folder / "labels")
        expect(ingested.returncode == 0, f"training: {ingested}")
        words = ["--labels", folder / "labels", "--head", "squares", "--hidden", "8", "--members", "5", "--epochs", "30"]
        alone = sluice("train", *words, "--out", folder / "alone.h5")
        expect(alone.returncode == 0, f"training: {alone}")
        job = self.cluster.submit("--nodes=2", "--ntasks-per-node=2", "--time=5", JOBS / "train.sbatch", *words,
                                  "--out", folder / "model.h5", folder=folder)
        states = self.cluster.wait(job)
        log = (folder / f"train-{job}.log").read_text()
        expect(states == {"COMPLETED"}, f"training: {states}: {log}")
        expect((folder / "alone.h5").read_bytes() == (folder / "model.h5").read_bytes(), "training: another model")

    def scaling(self):
        """The table of one selection on 1, 2, 4 and 8 ranks, on up to four nodes."""
        folder = self.directory / "scaling"
        folder.mkdir()
        expect(sluice("pool", "make", "blobs", "--rows", 4000, "--dim", 8, "--out", folder / "pool.h5").returncode == 0,
               "pool")
        for launcher, nodes in (("srun", 4), ("mpirun", 2)):
            job = self.cluster.submit("--wait-all-nodes=1", f"--nodes={nodes}", "--ntasks-per-node=2", "--time=5",
                                      JOBS / "scaling.sbatch", "--pool", folder / "pool.h5", "--batch", 20,
                                      "--shortlist", 500, "--score", "random", "--threads", 1, folder=folder,
                                      SLUICE_LAUNCHER=launcher)
            states = self.cluster.wait(job)
            log = (folder / f"scaling-{job}.log").read_text()
            expect(states == {"COMPLETED"}, f"scaling by {launcher}: {states}: {log}")
            rows = re.findall(r"^ +(\d+) +\d+ +(\d+) +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ ", log, re.MULTILINE)
            wanted = [ranks for ranks in (1, 2, 4, 8) if ranks <= 2 * nodes]
            expect([int(row[0]) for row in rows] == wanted, f"scaling by {launcher}: {rows}: {log}")
            expect(int(rows[0][1]) == 0 and int(rows[-1][1]) > 20, f"scaling by {launcher}: collectives: {rows}")

    def gpus(self):
        """A job with a GPU for each task sees it; a sluice that cannot use it says so in one line, and runs."""
        teller = self.directory / "telling-sluice"
        teller.write_text(f'#!/bin/bash\necho "rank $PMIX_RANK: GPU $CUDA_VISIBLE_DEVICES"\nexec {BINARY} "$@"\n')
        teller.chmod(0o755)
        words = ["--pool", self.directory / "pool.h5", "--batch", 40, "--shortlist", 2000, "--score", "random",
                 "--diversify", "k_center", "--threads", 1, "--queue", self.directory / "queue-gpus"]
        job = self.cluster.submit("--wait-all-nodes=1", "--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=1",
                                  "--gpus-per-task=1", "--time=5", JOBS / "select.sbatch", *words,
                                  folder=self.directory, SLUICE=str(teller), SLUICE_CONFIG=str(self.directory / "select.ini"))
        states = self.cluster.wait(job)
        log = (self.directory / f"select-{job}.log").read_text()
        expect(states == {"COMPLETED"}, f"gpus: {states}: {log}")
        seen = sorted(re.findall(r"rank (\d): GPU ([01])$", log, re.MULTILINE))
        expect([rank for rank, _ in seen] == list("0123") and {gpu for _, gpu in seen} == set("01"), f"gpus: {log}")
        expect(len(re.findall("running on the CPU", log)) == 1, f"gpus: not one line about the CPU: {log}")
        one, other = ((self.directory / name / "batches").glob("*/selected.csv") for name in ("queue-1", "queue-gpus"))
        expect(next(one).read_bytes() == next(other).read_bytes(), "gpus: another batch")
