"""`select --where`: only rows whose numbers meet the conditions are chosen, on any number of ranks."""

import csv
import io
import os
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

BINARY = os.environ["SLUICE_BINARY"]
ROWS, BATCH = 400, 12


class Where(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        random = np.random.default_rng(23)
        self.data = {"features": random.normal(size=(ROWS, 3)).astype(np.float32),
                     "probabilities": random.dirichlet(np.ones(4), ROWS).astype(np.float32),
                     "cost": random.integers(1, 6, ROWS).astype(np.int32),
                     "groups": np.arange(ROWS, dtype=np.int64) // 4,
                     "columns/brightness": random.random(ROWS)}
        self.scores = (np.float32(1) - self.data["probabilities"].max(axis=1)).astype(np.float64)

    def select(self, *options, ranks=1, expect=0):
        pool, target = (os.path.join(self.folder, name) for name in ("pool.h5", "selected.csv"))
        with h5py.File(pool, "w") as file:
            file.attrs["format"] = "sluice-pool"
            file.attrs["format_version"] = 1
            for name, values in self.data.items():
                file.create_dataset(name, data=values)
        result = subprocess.run(
            ["mpirun", "-n", str(ranks), "--bind-to", "none", "--oversubscribe", BINARY, "select",
             "--pool", pool, "--selected", target, "--batch", str(BATCH), "--score",
             "least_confidence", *options], capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, expect, result.stderr)
        if expect != 0:
            return next(line for line in result.stderr.splitlines() if "error:" in line)
        with open(target, encoding="utf-8", newline="") as file:
            return file.read()

    def rows(self, *options):
        answers = {self.select(*options, "--block-rows", blocks, ranks=ranks)
                   for ranks, blocks in ((1, "auto"), (2, "64"), (3, "7"), (7, "1"))}
        self.assertEqual(len(answers), 1)
        return [int(record["row"]) for record in csv.DictReader(io.StringIO(answers.pop()))]

    def best(self, wanted):
        order = np.lexsort((np.arange(ROWS), -self.scores))
        return [int(row) for row in order if wanted[row]][:BATCH]

    def test_conditions_on_columns_and_cost(self):
        brightness, cost = self.data["columns/brightness"], self.data["cost"]
        for text, wanted in (("column:brightness >= 0.7", brightness >= 0.7),
                             ("column:brightness<.5,cost!=2", (brightness < 0.5) & (cost != 2)),
                             ("cost == 3, column:brightness > 0.1", (cost == 3) & (brightness > 0.1)),
                             ("cost <= 1", cost <= 1), ("cost < 2", cost < 2),
                             ("cost >= 5", cost >= 5), ("cost > 4", cost > 4)):
            with self.subTest(text=text):
                self.assertEqual(self.rows("--diversify", "none", "--where", text),
                                 self.best(wanted))

    def test_stage_two_sees_only_rows_that_meet_them(self):
        chosen = self.rows("--where", "column:brightness >= 0.7")
        self.assertEqual(len(chosen), BATCH)
        self.assertTrue((self.data["columns/brightness"][chosen] >= 0.7).all())

    def test_with_keys_other_than_scores(self):
        chosen = self.rows("--where", "cost > 1", "--per-cost", "--diversify", "none")
        cost = self.data["cost"].astype(np.float64)
        order = np.argsort(-self.scores / cost, kind="stable")
        self.assertEqual(chosen, [int(row) for row in order if cost[row] > 1][:BATCH])

    def test_instances_that_fail_are_left_out_of_their_items(self):
        wanted = self.data["columns/brightness"] >= 0.5
        chosen = self.rows("--where", "column:brightness >= 0.5", "--groups", "sum", "--diversify",
                           "none")
        sums = np.bincount(self.data["groups"][wanted], self.scores[wanted], ROWS // 4)
        items = np.argsort(-sums, kind="stable")[:BATCH]
        expected = [row for item in items for row in range(4 * item, 4 * item + 4) if wanted[row]]
        self.assertEqual(chosen, expected)

    def test_numbers_that_are_not_finite_are_bad_rows(self):
        self.data["columns/brightness"][77] = np.nan
        options = ("--where", "column:brightness >= 0.5", "--diversify", "none")
        self.assertIn("/columns/brightness[77]: holds nan", self.select(*options, expect=65))
        wanted = self.data["columns/brightness"] >= 0.5
        self.assertEqual(self.rows(*options, "--bad-rows", "skip"), self.best(wanted))

    def test_what_cannot_be_asked(self):
        for text, code, message in (
                ("column:brightness", 64, "compares nothing"),
                ("brightness > 1", 64, "names no column"),
                ("cost > much", 64, "does not end in a number"),
                ("cost => 1", 64, "unknown sign"),
                ("cost > 3, cost < 2", 64, "is met by no number of cost"),
                ("cost == 3, cost != 3", 64, "is met by no number of cost"),
                ("column:absent > 1", 65, "absent")):
            with self.subTest(text=text):
                self.assertIn(message, self.select("--where", text, expect=code))


if __name__ == "__main__":
    unittest.main()
