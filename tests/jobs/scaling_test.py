#!/usr/bin/env python3
"""scripts/scaling.py and scripts/scaling.sh: what is measured, and that no model is shown that does not hold."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(os.environ["SLUICE_SOURCE"]) / "scripts"


def report(ranks, cpu, batch="b1", waiting=0.5):
    use = [{"collectives": 40, "bytes_sent": 2**20, "bytes_received": 12 * 2**20, "peak_memory_bytes": 50 * 2**20,
            "cpu_seconds": cpu + waiting, "collective_cpu_seconds": waiting} for _ in range(ranks)]
    return {"batch": batch, "provenance": {"ranks": ranks, "rounds": 7, "seconds": cpu, "use": use}}


class Table(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def table(self, **reports):
        for name, content in reports.items():
            (self.folder / f"{name.lstrip('_')}.1.json").write_text(json.dumps(content))
        return subprocess.run([sys.executable, SCRIPTS / "scaling.py", "table", self.folder, "--cores", "2"],
                              capture_output=True, text=True, check=False)

    def test_the_model_is_own_plus_shared_plus_exchange(self):
        told = self.table(_1=report(1, 1.0), half=report(1, 0.6), _2=report(2, 0.6), _4=report(4, 0.4))
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("0.200 s own, 0.800 s shared", told.stdout)
        # 0.2 + 0.8 / 1000 + 40 collectives x 10 hops x 2 us + 12 MiB / 12 GB/s
        self.assertRegex(told.stdout, r"\n 1000 +0\.203 +0\.201 +- +0\.001849\n")
        self.assertRegex(told.stdout, r"\n +4 +0\.401 +0\.400 +0\.400 +0\.001209\n")

    def test_no_model_that_does_not_foretell_two_ranks(self):
        told = self.table(_1=report(1, 1.0), half=report(1, 0.6), _2=report(2, 0.75))
        self.assertIn("no model is shown", told.stdout)
        self.assertNotIn("1000", told.stdout)

    def test_no_model_where_starting_up_foretells_all(self):
        told = self.table(_1=report(1, 1.0), half=report(1, 0.8), _2=report(2, 0.8))
        self.assertIn("the pool is 40% of 1 rank's time\nno model is shown", told.stdout)
        self.assertNotIn("1000", told.stdout)

    def test_no_seconds_of_ranks_that_share_cores(self):
        lines = self.table(_1=report(1, 1.0), _4=report(4, 0.4)).stdout.splitlines()
        self.assertTrue(lines[1].endswith("1.00"), lines[1])
        self.assertTrue(lines[2].endswith(" -"), lines[2])

    def test_another_batch_is_an_error(self):
        self.assertEqual(self.table(_1=report(1, 1.0), _2=report(2, 0.5, batch="b2")).returncode, 65)


class Script(unittest.TestCase):
    def scaling(self, *words):
        """The script, ended in time by a signal that lets it clear up its namespaces."""
        return subprocess.run(["timeout", "120", SCRIPTS / "scaling.sh", *words], capture_output=True, text=True,
                              check=False)

    def test_measures_a_selection(self):
        told = self.scaling("--rows", "4000", "--ranks", "4", "--batch", "40")
        self.assertEqual(told.returncode, 0, told.stderr)
        rows = re.findall(r"^ +(\d+) +(\d+) +(\d+) +([0-9.]+) +([0-9.]+) ", told.stdout, re.MULTILINE)[:3]
        self.assertEqual([int(row[0]) for row in rows], [1, 2, 4])
        self.assertEqual(int(rows[0][2]), 0)  # one rank exchanges nothing
        self.assertGreater(int(rows[1][2]), 20)
        self.assertGreater(float(rows[2][4]), 0.0)
        self.assertIn("calibration: 1 rank on half the pool", told.stdout)
        self.assertIn("no model is shown", told.stdout)  # 4,000 rows are read in no time

    def test_time_grows_with_collectives_and_not_with_picks(self):
        for attempt in (1, 2, 3):  # other work on the machine delays packets, too
            told = self.scaling("--rows", "20000", "--batch", "400", "--only-latency")
            self.assertEqual(told.returncode, 0, told.stderr)
            if "latency: skipped" in told.stdout:
                self.skipTest(told.stdout.strip())
            try:
                return self.check_latency(told.stdout)
            except AssertionError:
                if attempt == 3:
                    raise

    def check_latency(self, text):
        lines = re.findall(r"^ +(\d+) +(\d+) +\d+ +(\d+) +4 +[0-9.]+ +([0-9.]+) +([0-9.]+)$", text, re.MULTILINE)
        few, many, long = ({"task": tuple(map(int, line[:2])), "collectives": int(line[2]), "added": float(line[3]),
                            "each": float(line[4])} for line in lines)
        self.assertEqual([few["task"], many["task"], long["task"]], [(2000, 100), (2000, 400), (20000, 400)])
        for found in (few, many, long):
            self.assertGreater(found["each"], 0.8, text)  # the latency is there
            self.assertLess(found["each"], 2.5, text)     # and counts once for a collective
        # Four times as many picks in as many collectives take no longer; each pick would have cost a message.
        self.assertLess(abs(many["collectives"] / few["collectives"] - 1), 0.2)
        self.assertLess(abs(many["added"] / few["added"] - 1), 0.4, text)
        self.assertLess(many["added"], 0.6 * 400, text)
        # As many picks in more collectives do.
        self.assertGreater(long["collectives"], 1.2 * many["collectives"])
        self.assertGreater(long["added"], 1.1 * many["added"], text)


if __name__ == "__main__":
    unittest.main()
