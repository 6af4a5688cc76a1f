#!/usr/bin/env python3
"""The scripts: help, refusals, and the last line of test.sh, with builds and tests played."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import repository

SCRIPTS = ["install_dependencies.sh", "quickstart.sh", "test.sh", "bench.sh", "bundle.sh", "gpu_check.sh", "studies.sh",
           "format.sh", "lint.sh", "local_slurm.sh", "scaling.sh"]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)


class Scripts(unittest.TestCase):
    def test_each_has_help(self):
        for name in SCRIPTS:
            finished = run([repository.ROOT / "scripts" / name, "--help"])
            self.assertEqual(finished.returncode, 0, name)
            self.assertTrue(finished.stdout.startswith(f"Usage: scripts/{name}"), name)

    def test_each_refuses_unknown_options(self):
        for name in SCRIPTS:
            finished = run([repository.ROOT / "scripts" / name, "--no-such-option"])
            self.assertEqual(finished.returncode, 64, name)
            self.assertIn("--no-such-option", finished.stderr, name)
            self.assertEqual(len(finished.stderr.splitlines()), 1, name)


class TestScript(unittest.TestCase):
    """scripts/test.sh in a copy, with cmake and ctest played by two-line programs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copytree(repository.ROOT / "scripts", self.root / "scripts")
        self.play(self.root / "scripts/install_dependencies.sh", "exit 0")
        self.play(self.root / "scripts/format.sh", "exit 0")

    def play(self, path, text):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def run_script(self, *options, cmake="exit 0", ctest="exit 0"):
        self.play(self.root / "bin/cmake", cmake)
        self.play(self.root / "bin/ctest", ctest)
        environment = dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}")
        finished = run([self.root / "scripts/test.sh", *options], env=environment)
        return finished.returncode, finished.stdout.splitlines()[-1]

    def test_sums_up_all_runs(self):
        ctest = 'echo "100% tests passed, 0 tests failed out of 40"'
        self.assertEqual(self.run_script("--quick", ctest=ctest), (0, "41 passed, 0 failed"))
        self.assertEqual(self.run_script(ctest=ctest), (0, "83 passed, 0 failed"))

    def test_a_failing_test_fails_it(self):
        ctest = 'echo "98% tests passed, 1 tests failed out of 40"; exit 8'
        status, line = self.run_script("--quick", ctest=ctest)
        self.assertEqual((status != 0, line), (True, "40 passed, 1 failed"))

    def test_a_broken_build_fails_it(self):
        status, line = self.run_script("--quick", cmake="exit 1")
        self.assertEqual((status != 0, line), (True, "0 passed, 1 failed"))

    def test_a_ctest_without_tests_fails_it(self):
        status, line = self.run_script("--quick", ctest="echo 'No tests were found!!!'; exit 8")
        self.assertEqual((status != 0, line), (True, "1 passed, 1 failed"))

    def test_a_ctest_that_dies_after_its_summary_fails_it(self):
        ctest = 'echo "100% tests passed, 0 tests failed out of 40"; exit 139'
        status, line = self.run_script("--quick", ctest=ctest)
        self.assertEqual((status != 0, line), (True, "40 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
