#!/usr/bin/env python3
"""The files of jobs/: the options file names real options, and the program takes it."""

import os
import re
import subprocess
import tempfile
import unittest

import repository

BINARY = os.environ.get("SLUICE_BINARY", str(repository.ROOT / "build/release/sluice"))
OPTIONS_FILE = repository.ROOT / "jobs/select.ini"
JOBS = repository.ROOT / "jobs"
BATCH_SCRIPTS = ["sluice", "select", "train", "label", "campaign", "scaling"]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)


def keys_of(text):
    """Keys of an options file, those that are commented out included."""
    return re.findall(r"^(?:# )?([a-z][a-z-]*) = ", text, re.MULTILINE)


class OptionsFile(unittest.TestCase):
    def test_every_key_is_an_option(self):
        helped = run(BINARY, "help", "select")
        self.assertEqual(helped.returncode, 0, helped.stderr)
        options = set(re.findall(r"^ +--([a-z][a-z-]*)", helped.stdout, re.MULTILINE))
        keys = keys_of(OPTIONS_FILE.read_text(encoding="utf-8"))
        self.assertGreater(len(keys), 10)
        self.assertEqual(set(keys) - options, set())

    def test_the_program_takes_it(self):
        with tempfile.TemporaryDirectory() as folder:
            pool = os.path.join(folder, "pool.h5")
            made = run(BINARY, "pool", "make", "blobs", "--rows", "1000", "--dim", "4", "--out", pool)
            self.assertEqual(made.returncode, 0, made.stderr)
            planned = run(BINARY, "select", "--config", str(OPTIONS_FILE), "--pool", pool,
                          "--queue", os.path.join(folder, "queue"), "--dry-run")
            self.assertEqual(planned.returncode, 0, planned.stderr)

    def test_an_unknown_key_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".ini", encoding="utf-8") as copy:
            copy.write(OPTIONS_FILE.read_text(encoding="utf-8").replace("shortlist =", "shortlst ="))
            copy.flush()
            refused = run(BINARY, "select", "--config", copy.name, "--dry-run")
        self.assertEqual(refused.returncode, 78, refused.stderr)
        self.assertIn("shortlist", refused.stderr)


class Studies(unittest.TestCase):
    def test_every_key_is_an_option(self):
        helped = run(BINARY, "help", "simulate")
        self.assertEqual(helped.returncode, 0, helped.stderr)
        options = set(re.findall(r"^ +--([a-z][a-z-]*)", helped.stdout, re.MULTILINE))
        studies = sorted((repository.ROOT / "jobs/studies").glob("*.ini"))
        self.assertGreater(len(studies), 4)
        for study in studies:
            self.assertEqual(set(keys_of(study.read_text(encoding="utf-8"))) - options, set(), study)


class BatchScript(unittest.TestCase):
    """jobs/*.sbatch outside Slurm, with srun, squeue, scontrol and sluice played."""

    def run_script(self, sluice, restarts="0", words=("select", "--config", "my.ini"), job="sluice"):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("srun", '[ "$1" = --mpi=list ] && echo pmix && exit\n'
                                        'while [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"'),
                               ("scontrol", "echo scontrol $*"), ("squeue", "echo 2100-01-01T00:00:00"),
                               ("sluice", sluice)):
                path = os.path.join(folder, name)
                with open(path, "w", encoding="utf-8") as program:
                    program.write(f"#!/bin/bash\n{text}\n")
                os.chmod(path, 0o755)
            environment = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}",
                               SLURM_SUBMIT_DIR=folder, SLURM_JOB_ID="7",
                               SLURM_RESTART_COUNT=restarts, SLUICE=os.path.join(folder, "sluice"),
                               SLUICE_JOBS=str(JOBS))
            return subprocess.run(["bash", str(JOBS / f"{job}.sbatch"), *words], cwd=folder,
                                  capture_output=True, text=True, check=False, env=environment)

    def test_each_is_ready_to_be_requeued_and_says_how_to_submit_it(self):
        for name in BATCH_SCRIPTS:
            text = (JOBS / f"{name}.sbatch").read_text(encoding="utf-8")
            for line in ("#SBATCH --signal=B:USR1@120", "#SBATCH --open-mode=append", f"jobs/{name}.sbatch"):
                self.assertIn(line, text, name)
            if name != "scaling":
                self.assertIn("#SBATCH --requeue\n", text, name)

    def test_tells_sluice_when_the_job_ends(self):
        finished = self.run_script('echo "until $SLURM_JOB_END_TIME"')
        self.assertRegex(finished.stdout, r"until 41024[0-9]{5}\n")

    def test_select_train_and_label_call_their_command(self):
        for name, begin in (("select", "select --config jobs/select.ini"), ("train", "train"),
                            ("label", "label --workers 1 --until-empty")):
            finished = self.run_script('echo "got $*"', job=name, words=("--more",))
            self.assertIn(f"got {begin} --more\n", finished.stdout)
            self.assertEqual(finished.returncode, 0, finished.stderr)

    def test_a_campaign_that_is_done_submits_nothing(self):
        finished = self.run_script('echo "got $*"', job="campaign", words=("c.ini", "--tasks", "3"))
        self.assertIn("got run --campaign c.ini\n", finished.stdout)
        self.assertNotIn("submit", finished.stdout)

    def test_a_campaign_that_comes_back_submits_its_next_link(self):
        sluice = 'echo "got $*"; [ "$1" = submit ] || exit 75'
        finished = self.run_script(sluice, job="campaign", words=("c.ini", "--tasks", "3"))
        self.assertIn("got submit --campaign c.ini --tasks 3\n", finished.stdout)
        self.assertEqual(finished.returncode, 0, finished.stderr)

    def test_a_campaign_that_fails_submits_nothing(self):
        finished = self.run_script('echo "got $*"; exit 65', job="campaign", words=("c.ini",))
        self.assertNotIn("submit", finished.stdout)
        self.assertEqual(finished.returncode, 65)

    def test_a_cancelled_job_does_not_come_back(self):
        for name in ("sluice", "label", "campaign"):
            finished = self.run_script('echo "got $*"; trap "exit 75" TERM; sleep 0.2; kill -TERM $PPID\n'
                                       'for i in $(seq 200); do sleep 0.05; done', job=name)
            self.assertNotIn("scontrol requeue", finished.stdout, name)
            self.assertNotIn("got submit", finished.stdout, name)
            self.assertEqual(finished.returncode, 75, name)

    def test_passes_options_and_exit_code(self):
        finished = self.run_script('echo "got $*"; exit 65')
        self.assertIn("got select --config my.ini", finished.stdout)
        self.assertEqual(finished.returncode, 65)

    def test_needs_a_command(self):
        refused = self.run_script("exit 0", words=())
        self.assertEqual(refused.returncode, 64)
        self.assertIn("no command given", refused.stderr)

    def test_come_back_later_is_requeued(self):
        finished = self.run_script("exit 75")
        self.assertIn("scontrol requeue 7", finished.stdout)
        self.assertEqual(finished.returncode, 0)

    def test_a_lost_rank_or_launcher_is_tried_again(self):
        for code in (1, 137, 143):
            finished = self.run_script(f"exit {code}")
            self.assertIn(f"exit code {code}: requeued", finished.stdout)
            finished = self.run_script(f'echo "got $*"; [ "$1" = submit ] || exit {code}', job="campaign", words=("c",))
            self.assertIn("got submit --campaign c\n", finished.stdout)
        for code in (64, 70, 78):
            self.assertNotIn("requeue", self.run_script(f"exit {code}").stdout)

    def test_gives_up_after_five_requeues(self):
        finished = self.run_script("exit 75", restarts="5")
        self.assertNotIn("scontrol requeue", finished.stdout)
        self.assertEqual(finished.returncode, 75)

    def test_time_limit_stops_the_ranks_and_requeues(self):
        finished = self.run_script(
            'trap "exit 75" USR1\nsleep 0.2\nkill -USR1 $PPID\nfor i in $(seq 200); do sleep 0.05; done')
        self.assertIn("scontrol requeue 7", finished.stdout)


if __name__ == "__main__":
    unittest.main()
