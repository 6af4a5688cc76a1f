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
BATCH_SCRIPT = repository.ROOT / "jobs/sluice.sbatch"


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
    """jobs/sluice.sbatch outside Slurm, with srun, scontrol and sluice played."""

    def run_script(self, sluice, restarts="0", words=("select", "--config", "my.ini")):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("srun", '[ "$1" = --mpi=list ] && echo pmix && exit\n'
                                        'while [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"'),
                               ("scontrol", "echo scontrol $*"), ("sluice", sluice)):
                path = os.path.join(folder, name)
                with open(path, "w", encoding="utf-8") as program:
                    program.write(f"#!/bin/bash\n{text}\n")
                os.chmod(path, 0o755)
            environment = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}",
                               SLURM_SUBMIT_DIR=folder, SLURM_JOB_ID="7",
                               SLURM_RESTART_COUNT=restarts, SLUICE=os.path.join(folder, "sluice"))
            return subprocess.run(["bash", str(BATCH_SCRIPT), *words],
                                  capture_output=True, text=True, check=False, env=environment)

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
