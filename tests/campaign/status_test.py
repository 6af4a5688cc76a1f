#!/usr/bin/env python3
"""`sluice status`, `sluice submit` and `--walltime`, without Slurm: sbatch and squeue are played."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import BINARY, Campaign, check_same, make_pool

OUTSIDE = {"label.where": "outside"}
# Writes down how it was called and answers with a number.
SBATCH = """#!/bin/bash
echo "$*" >>"$PLAY/calls"
echo "$SLUICE_CHAIN" >"$PLAY/chain"
env | grep -c '^SLURM_JOB' >"$PLAY/leaked"
[ ! -e "$PLAY/refusal" ] || { cat "$PLAY/refusal" >&2; exit 1; }
wc -l <"$PLAY/calls"
"""
SQUEUE = """#!/bin/bash
[ ! -e "$PLAY/silent" ] || exit 1
cat "$PLAY/jobs" 2>/dev/null; true
"""
SCANCEL = """#!/bin/bash
echo "scancel $*" >>"$PLAY/cancelled"
sed -i "/^${@: -1}|/d" "$PLAY/jobs"
"""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        self.campaign = Campaign(self.folder / "campaign", OUTSIDE)

    def sluice(self, *words, **environment):
        own = dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}", PLAY=str(self.folder), **environment)
        return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False, env=own,
                              timeout=60)

    def status(self):
        path = self.folder / "status.json"
        told = self.sluice("status", "--campaign", self.campaign.directory, "--json", path)
        self.assertEqual(told.returncode, 0, told.stderr)
        return json.loads(path.read_text()), told.stdout

    def submit(self, *words, **environment):
        return self.sluice("submit", "--campaign", self.campaign.directory, *words, **environment)

    def label(self):
        for queue in self.campaign.directory.rglob("queue"):
            if queue.is_dir():
                done = self.sluice("label", "--queue", queue, "--oracle", self.campaign.directory / "oracle.ini",
                                   "--until-empty")
                self.assertEqual(done.returncode, 0, done.stderr)

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


class Status(Case):
    def test_before_anything_is_there(self):
        told, text = self.status()
        self.assertEqual((told["next"], told["rounds"], told["queues"], told["damaged"]), ("run", [], {}, []))
        self.assertIn("round 1: not begun", text)

    def test_follows_a_campaign_and_changes_nothing(self):
        for expected in ("label", "label", "label", "nothing"):
            self.campaign.run()
            before = self.campaign.state()
            told, text = self.status()
            check_same(self.campaign.state(), before, "status")
            self.assertEqual(told["next"], expected, text)
            self.assertEqual(told["damaged"], [])
            self.label()
        self.assertEqual([each["complete"] for each in told["rounds"]], [True] * 3)
        self.assertEqual([each["labels"] for each in told["rounds"]], [6, 12, 18])
        self.assertIn("stopped after round 3: rounds: 3 of 3", text)

    def test_shows_what_is_there_of_a_damaged_campaign(self):
        self.campaign.run()
        self.label()
        self.campaign.run()
        (self.campaign.directory / "rounds/0001/metrics.json").write_text("{")
        (self.campaign.directory / "rounds/0002/batch.json").write_bytes(b"\xff\x00")
        told, text = self.status()
        self.assertTrue(told["damaged"])
        self.assertIn("damaged: ", text)
        self.assertIn("rounds/0001/metrics.json", text)
        self.assertTrue(told["queues"])

    def test_a_broken_campaign_file_is_told_of(self):
        self.campaign.run()
        self.campaign.file.write_text("[campaign\n")
        told, _ = self.status()
        self.assertIn("campaign.ini", told["damaged"][0])
        self.assertTrue(told["queues"])

    def test_jobs_are_a_hint(self):
        (self.folder / "jobs").write_text("7|sluice-run-x|PENDING|(Dependency)\n")
        told, text = self.status()
        self.assertEqual(told["jobs"], [{"id": "7", "name": "sluice-run-x", "state": "PENDING",
                                         "place": "(Dependency)", "lost": []}])
        self.assertIn("job 7 sluice-run-x PENDING (Dependency)", text)
        (self.folder / "silent").touch()
        self.assertIsNone(self.status()[0]["jobs"])

    def test_jobs_that_wait_for_a_lost_one(self):
        lines = ["4_1|sluice-label-x|COMPLETED|n1|4|", "6_[0-2]|sluice-label-x|PENDING|(Resources)|6|",
                 "7|sluice-run-x|PENDING|(Dependency)|7|afterany:4_*(unfulfilled),singleton(unfulfilled)",
                 "8|sluice-run-x|PENDING|(Dependency)|8|afterany:6_*(unfulfilled),afterany:15(unfulfilled)",
                 "9|sluice-run-x|CANCELLED|(Dependency)|9|afterany:16(unfulfilled)"]
        (self.folder / "jobs").write_text("\n".join(lines) + "\n")
        told, text = self.status()
        self.assertEqual([(job["id"], job["lost"]) for job in told["jobs"]], [("6_[0-2]", []), ("7", []), ("8", ["15"])])
        self.assertIn("job 8 waits for job 15, which Slurm has lost: 'sluice submit' cancels it", text)


class Submit(Case):
    def test_begins_with_a_run(self):
        told = self.submit("--run-options=--nodes=8 --time=90", "--tasks", 3)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertEqual(len(self.calls()), 1)
        call = self.calls()[0]
        for words in ("--parsable", "--dependency=singleton", "--nodes=8 --time=90", "/jobs/campaign.sbatch ",
                      f"{self.campaign.file} --tasks=3 --run-options=--nodes=8 --time=90"):
            self.assertIn(words, call)

    def test_items_outside_get_workers_and_a_run_after_them(self):
        self.campaign.run()
        self.assertEqual(self.submit(SLURM_JOB_ID="5", SLURM_JOB_END_TIME="1").returncode, 0)
        *labels, run = self.calls()
        self.assertEqual(len(labels), 2)  # the campaign's own queue and the test rows'
        for call in labels:
            self.assertRegex(call, r"--array=0-3 .*/label.sbatch --queue /.*/queue --oracle /.*/oracle.ini$")
        self.assertIn("--dependency=afterany:1:2,singleton", run)
        self.assertEqual((self.folder / "leaked").read_text().strip(), "0")

    def test_people_are_waited_for(self):
        self.campaign.write({**OUTSIDE, "label.oracle": None})
        self.campaign.run()
        told = self.submit()
        self.assertIn("for people", told.stdout)
        self.assertEqual((told.returncode, self.calls()), (0, []))

    def test_dry_run_submits_nothing(self):
        self.campaign.run()
        told = self.submit("--dry-run")
        self.assertEqual(len(told.stdout.splitlines()), 3)
        self.assertIn("--dependency=afterany:JOB1:JOB2,singleton", told.stdout)
        self.assertEqual(self.calls(), [])
        self.assertFalse((self.campaign.directory / "jobs").exists())

    def test_there_is_one_chain(self):
        name = self.submit("--dry-run").stdout.split("--job-name=")[1].split()[0]
        (self.folder / "jobs").write_text(f"7|{name}|RUNNING|n1\n")
        self.assertIn("job 7 of this campaign is RUNNING", self.submit().stdout)
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.submit(SLURM_JOB_ID="7").returncode, 0)  # from the job itself
        self.assertEqual(len(self.calls()), 1)

    def lose_a_job(self, *lines):
        name = self.submit("--dry-run").stdout.split("--job-name=")[1].split()[0]
        text = "".join(f"{line}\n" for line in ("7|NAME|PENDING|(Dependency)|7|afterany:5_*(unfulfilled)", *lines))
        (self.folder / "jobs").write_text(text.replace("NAME", name))

    def test_what_waits_for_a_lost_job_is_cancelled_and_submitted_anew(self):
        self.lose_a_job()
        self.assertTrue(self.submit("--dry-run").stdout.startswith("scancel 7\nsbatch "))
        self.assertFalse((self.folder / "cancelled").exists())
        told = self.submit()
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertEqual((self.folder / "cancelled").read_text(), "scancel --state=PENDING 7\n")
        self.assertEqual(len(self.calls()), 1)

    def test_a_chain_beside_a_lost_one_stays_the_only_one(self):
        self.lose_a_job("8|NAME|PENDING|(Priority)|8|")
        self.assertIn("job 8 of this campaign is PENDING", self.submit().stdout)
        self.assertEqual((self.calls(), (self.folder / "cancelled").exists()), ([], False))

    def test_nothing_is_submitted_before_the_lost_one_is_gone(self):
        self.lose_a_job()
        (self.folder / "scancel").write_text(f"#!/bin/bash\nsed -i 's/PENDING/RUNNING/; s/after.*//' {self.folder}/jobs\n")
        told = self.submit()
        self.assertEqual((told.returncode, self.calls()), (75, []), told)
        self.assertIn("job 7 has begun to run", told.stderr)

    def test_a_chain_that_stands_still_slows_down_and_ends(self):
        chain = ""
        for link in range(5):
            self.assertEqual(self.submit(SLUICE_CHAIN=chain).returncode, 0)
            chain = (self.folder / "chain").read_text().strip()
            begin = f"--begin=now+{60 * link}"
            self.assertEqual(begin in self.calls()[-1], link > 0, self.calls()[-1])
        told = self.submit(SLUICE_CHAIN=chain)
        self.assertEqual(told.returncode, 75)
        self.assertIn("left it where it was", told.stderr)
        self.campaign.run()
        self.assertEqual(self.submit(SLUICE_CHAIN=chain).returncode, 0)  # it has moved

    def test_refusals(self):
        (self.folder / "refusal").write_text("sbatch: error: invalid partition specified: x\n")
        told = self.submit()
        self.assertEqual(told.returncode, 78)
        self.assertIn("invalid partition", told.stderr)
        (self.folder / "refusal").write_text("sbatch: error: Unable to contact slurm controller (connect failure)\n")
        self.assertEqual(self.submit().returncode, 75)


class Walltime(Case):
    """What would last for hours stops in time, as after a signal, and goes on later."""

    def test_run_stops_and_goes_on(self):
        stopped = self.sluice("run", "--campaign", self.campaign.file, "--walltime", "0.001", "--grace", "1")
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        self.assertIn("stopped before the walltime is over before the step 'draw test rows'", stopped.stderr)
        self.assertEqual(self.campaign.run().returncode, 75)  # as far as the labels
        self.assertEqual(self.status()[0]["next"], "label")

    def test_slurm_says_when(self):
        for end, words in (("1", "stopped before the walltime"), ("99999999999", "waits for labels")):
            done = self.sluice("run", "--campaign", self.campaign.file, SLURM_JOB_END_TIME=end)
            self.assertIn(words, done.stderr)
        own = self.sluice("run", "--campaign", self.campaign.file, "--walltime", "60", SLURM_JOB_END_TIME="1")
        self.assertIn("waits for labels", own.stderr)  # the option comes first

    def test_select_and_train_write_nothing(self):
        make_pool(self.folder / "pool.h5")
        words = ["select", "--pool", self.folder / "pool.h5", "--batch", 5, "--score", "random"]
        made = self.sluice(*words, "--queue", self.folder / "q", "--walltime", "0.001", "--grace", "1")
        self.assertEqual(made.returncode, 75, made.stderr)
        self.assertEqual(list((self.folder / "q").glob("batches/*")), [])
        self.campaign.run()
        self.label()
        self.campaign.run()
        model = self.folder / "model.h5"
        trained = self.sluice("train", "--labels", self.campaign.directory / "labels", "--out", model,
                              "--walltime", "0.001", "--grace", "1")
        self.assertEqual(trained.returncode, 75, trained.stderr)
        self.assertFalse(model.exists())


if __name__ == "__main__":
    unittest.main()
