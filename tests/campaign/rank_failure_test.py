"""One rank fails in one phase: the job ends within 10 s, non-zero, with one line naming the rank.

SLUICE_FAULT=PHASE:RANK:ACTION makes a rank throw, exit or be killed as it enters a phase. After
each failure the same command, undisturbed, must give the batch of a run that never failed.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = os.environ["SLUICE_BINARY"]
PHASES = ("open pool", "read labels", "open queue", "plan", "score", "shortlist",
          "read shortlist", "diversify", "publish")
LIMIT_SECONDS = 10.0


def mpirun(ranks, arguments, fault=None):
    """Exit code, stderr and wall seconds of one run."""
    environment = dict(os.environ)
    if fault is not None:
        environment["SLUICE_FAULT"] = fault
    started = time.monotonic()
    result = subprocess.run(["mpirun", "-n", str(ranks), "--bind-to", "none", BINARY, *arguments],
                            capture_output=True, text=True, timeout=60, env=environment)
    return result.returncode, result.stderr, time.monotonic() - started


class RankFailure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.pool = os.path.join(cls.folder.name, "pool.h5")
        code, errors, _ = mpirun(1, ["pool", "make", "blobs", "--rows", "2000", "--dim", "8",
                                     "--out", cls.pool])
        assert code == 0, errors
        cls.reference = cls.select("reference", None)[3]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def select(cls, name, fault):
        queue = os.path.join(cls.folder.name, name)
        target = queue + ".csv"
        code, errors, seconds = mpirun(
            3, ["select", "--pool", cls.pool, "--queue", queue, "--batch", "20", "--selected",
                target], fault)
        selected = None
        if os.path.exists(target):
            with open(target, "rb") as file:
                selected = file.read()
        return code, errors, seconds, selected

    def check(self, phase, rank, action):
        name = f"{phase}-{rank}-{action}".replace(" ", "-")
        code, errors, seconds, selected = self.select(name, f"{phase}:{rank}:{action}")
        with self.subTest(phase=phase, rank=rank, action=action):
            self.assertNotEqual(code, 0)
            self.assertLess(seconds, LIMIT_SECONDS)
            # Rank 0 may have published before the job ended; then it is the whole batch.
            self.assertIn(selected, (None, self.reference))
            self.assertRegex(errors, self.naming(rank, action))
            self.assertEqual(len(re.findall(r"^sluice: error: ", errors, re.M)),
                             0 if action == "kill" else 1, errors)
            code, errors, _, selected = self.select(name, None)
            self.assertEqual(code, 0, errors)
            self.assertEqual(selected, self.reference)

    @staticmethod
    def naming(rank, action):
        # A killed process says nothing itself: mpirun names it.
        return rf"process rank {rank} " if action == "kill" else rf"error: rank {rank}: "

    def test_throw(self):
        for phase in PHASES:
            self.check(phase, 1, "throw")
        self.check("score", 0, "throw")

    def test_exit(self):
        for phase in PHASES:
            self.check(phase, 2, "exit")

    def test_kill(self):
        for phase in PHASES:
            self.check(phase, 1, "kill")
        self.check("publish", 0, "kill")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
