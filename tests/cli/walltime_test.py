#!/usr/bin/env python3
"""`--walltime` where no rounds are: what could last for hours stops in time with 75, writes nothing half, and says so.
(`run`, `select` and `train`: tests/campaign/status_test.py.)"""

import json
import pathlib
import subprocess
import sys
import time
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from program import BINARY, run
from synthesis import SynthesizeCase

SHORT = ["--walltime", "0.001", "--grace", "1"]


def files():
    return sorted(path for path in pathlib.Path(".").rglob("*") if path.is_file())


class Walltime(SynthesizeCase):
    def setUp(self):
        super().setUp()
        features = numpy.random.default_rng(1).normal(size=(300, 3)).astype("f4")
        with h5py.File("pool.h5", "w") as file:
            file["features"] = features
        with h5py.File("labels.h5", "w") as file:
            file["row"] = numpy.arange(300)
            file["y"] = features[:, :1].astype("f8")

    def check_stops(self, *words, **environment):
        before = files()
        stopped = run([*words, *([] if environment else SHORT)], environment=environment)
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        self.assertIn("stopped before the walltime is over", stopped.stderr)
        self.assertEqual(files(), before)

    def check_each(self, words, written):
        self.check_stops(*words)
        self.check_stops(*words, SLURM_JOB_END_TIME="1")
        done = run([*words, "--walltime", "60"], environment={"SLURM_JOB_END_TIME": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)  # the option comes first
        self.assertTrue(pathlib.Path(written).exists())

    def test_simulate(self):
        words = ["simulate", "--data", "made=pool.h5:labels.h5", "--head", "squares", "--hidden", "4", "--epochs", "3",
                 "--members", "2", "--rounds", "1", "--batch", "5", "--start", "10", "--seeds", "2", "--out", "study"]
        self.check_each(words, "study/summary.json")
        first = json.loads(pathlib.Path("study/summary.json").read_text(encoding="utf-8"))
        self.assertNotIn("walltime", json.dumps(first))  # no part of what a study is

    def test_nearest(self):
        self.check_each(["nearest", "--pool", "pool.h5", "--to-rows", "3", "--neighbors", "2", "--out", "found.csv"],
                        "found.csv")

    def test_synthesize(self):
        self.check_each(self.words(), "new.h5")

    def test_a_stream_whose_writer_is_silent(self):
        words = [BINARY, "stream", "--budget", "0.5", "--policy", "variable", "--state", "state.h5"]
        line = json.dumps({"id": 1, "probabilities": [0.5, 0.5]}) + "\n"
        for ending in (["--walltime", "0.02", "--grace", "0.5"], "signal"):
            process = subprocess.Popen(words + (ending if ending != "signal" else []), stdin=subprocess.PIPE, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(line)
            process.stdin.flush()
            self.assertIn('"id"', process.stdout.readline())
            if ending == "signal":
                process.terminate()
            started = time.monotonic()
            self.assertEqual(process.wait(timeout=20), 75)
            self.assertLess(time.monotonic() - started, 10)
            self.assertIn("go on", process.stderr.read())
            for stream in (process.stdin, process.stdout, process.stderr):
                stream.close()
        with h5py.File("state.h5") as file:
            self.assertTrue(file.attrs)


if __name__ == "__main__":
    unittest.main()
