"""Rows that are instances of items: chosen, counted and issued as items, scored by all their rows.

Runs the real `sluice select` and compares with a plain NumPy selection in float64; every answer
must be the same for any number of ranks and any block size.
"""

import csv
import io
import itertools
import os
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

BINARY = os.environ["SLUICE_BINARY"]
BATCH = 8
LAYOUTS = ((1, "auto", "1"), (2, "1", "2"), (3, "7", "2"), (7, "64", "1"))
LARGE_LAYOUTS = ((1, "auto", "1"), (2, "5000", "2"))


def least_confidence(probabilities):
    return (np.float32(1) - probabilities.max(axis=1)).astype(np.float64)


def reduced(rule, scores):
    ordered = sorted(scores, reverse=True)
    if rule.startswith("top_mean:"):
        return np.mean(ordered[:int(rule.split(":")[1])])
    return {"max": max, "mean": np.mean, "sum": sum}[rule](scores)


class Groups(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        random = np.random.default_rng(17)
        sizes = random.integers(1, 9, size=60)
        sizes[[4, 33]] = 150, 1  # longer than most blocks and than a rank's share
        numbers = random.permutation(1000)[:60] - 30  # in no order, some below 0
        self.groups = np.repeat(numbers, sizes).astype(np.int64)
        rows = len(self.groups)
        self.features = random.normal(size=(rows, 3)).astype(np.float32)
        self.probabilities = random.dirichlet(np.ones(4), rows).astype(np.float32)
        self.cost = random.integers(1, 5, size=rows).astype(np.float64)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write_pool(self, **changes):
        data = {"features": self.features, "probabilities": self.probabilities,
                "groups": self.groups, "cost": self.cost, **changes}
        with h5py.File(self.path("pool.h5"), "w") as file:
            file.attrs["format"] = "sluice-pool"
            file.attrs["format_version"] = 1
            for name, values in data.items():
                if values is not None:
                    file.create_dataset(name, data=values)

    def select(self, *options, ranks=1, expect=0, queue=None):
        """The batch's records, or what stderr says."""
        target = self.path("selected.csv")
        place = ["--queue", queue] if queue else []
        result = subprocess.run(
            ["mpirun", "-n", str(ranks), "--bind-to", "none", "--oversubscribe", BINARY, "select",
             "--pool", self.path("pool.h5"), "--selected", target, "--batch", str(BATCH), "--score",
             "least_confidence", *place, *options], capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, expect, result.stderr)
        if expect != 0:
            lines = [line for line in result.stderr.splitlines() if line.startswith("sluice: error")]
            self.assertEqual(len(lines), 1, result.stderr)
            return lines[0]
        with open(target, encoding="utf-8", newline="") as file:
            return file.read()

    def one_answer(self, *options, layouts=LAYOUTS[1:3]):
        answers = {self.select("--block-rows", blocks, "--threads", threads, *options, ranks=ranks)
                   for ranks, blocks, threads in layouts}
        self.assertEqual(len(answers), 1)
        return list(csv.DictReader(io.StringIO(answers.pop())))

    def items(self, rule, taken=(), left_out=()):
        """(score, representative row, rows) of every item that could be chosen, best first."""
        scores = least_confidence(self.probabilities)
        found = []
        for _, members in itertools.groupby(range(len(self.groups)), key=lambda r: self.groups[r]):
            rows = list(members)
            if set(rows) & set(taken):
                continue
            rows = [row for row in rows if row not in left_out]
            if rows:
                best = max(rows, key=lambda row: (scores[row], -row))
                found.append((reduced(rule, [scores[row] for row in rows]), best, rows))
        return sorted(found, key=lambda item: (-np.float32(item[0]), item[1]))

    def check(self, records, chosen):
        expected = [row for _, _, rows in chosen for row in rows]
        self.assertEqual([int(record["row"]) for record in records], expected)
        scores = least_confidence(self.probabilities)
        of_row = {row: item[0] for item in chosen for row in item[2]}
        for record in records:
            row = int(record["row"])
            np.testing.assert_allclose(float(record["score"]), of_row[row], rtol=1e-6)
            np.testing.assert_allclose(float(record["instance_score"]), scores[row], rtol=1e-6)
            self.assertEqual(int(record["group"]), self.groups[row])

    def test_rules_against_the_oracle(self):
        self.write_pool()
        for rule in ("max", "mean", "sum", "top_mean:3"):
            with self.subTest(rule=rule):
                records = self.one_answer("--groups", rule, "--diversify", "none",
                                          layouts=LAYOUTS if rule == "sum" else LAYOUTS[2:])
                self.check(records, self.items(rule)[:BATCH])

    def test_the_best_row_stands_for_its_item_in_stage_two(self):
        self.write_pool()
        records = self.one_answer("--groups", "mean", "--shortlist", "20", layouts=LAYOUTS)
        left = self.items("mean")[:20]
        distances = np.full(len(left), np.inf)
        chosen, at = [], 0
        for _ in range(BATCH):
            chosen.append(left[at])
            distances[at] = -1
            gap = self.features[[item[1] for item in left]].astype(np.float64) - self.features[
                left[at][1]]
            distances = np.minimum(distances, (gap**2).sum(axis=1))
            at = int(np.argmax(distances))
        self.check(records, chosen)

    def test_an_item_with_a_labeled_or_issued_row_is_taken(self):
        self.write_pool()
        taken = [self.items("max")[2][2][0]]
        with h5py.File(self.path("labels.h5"), "w") as file:
            file.create_dataset("row", data=np.array(taken, dtype="<i8"))
            file.create_dataset("y", data=np.array([1], dtype="<i4"))
        options = ("--groups", "max", "--diversify", "none", "--labels", self.path("labels.h5"))
        first = self.select(*options, queue=self.path("queue"), ranks=2)
        second = self.select(*options, "--round", "2", queue=self.path("queue"), ranks=3)
        expected = self.items("max", taken)
        self.check(list(csv.DictReader(io.StringIO(first))), expected[:BATCH])
        self.check(list(csv.DictReader(io.StringIO(second))), expected[BATCH:2 * BATCH])
        status = subprocess.run([BINARY, "queue", "fsck", "--queue", self.path("queue")],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(status.returncode, 0, status.stdout + status.stderr)

    def test_bad_rows_are_named_or_left_out(self):
        bad = self.items("max")[1][1]
        self.probabilities[bad, 0] = np.nan
        self.write_pool()
        options = ("--groups", "mean", "--diversify", "none")
        for ranks in (1, 3):
            self.assertIn(f"/probabilities[{bad}]",
                          self.select(*options, ranks=ranks, expect=65))
        records = self.one_answer(*options, "--bad-rows", "skip")
        self.probabilities[bad] = 1  # not looked at by the oracle: the row is left out
        self.check(records, self.items("mean", left_out=[bad])[:BATCH])

    def test_budgets_of_instances_and_of_cost(self):
        self.write_pool()
        items = self.items("max")[:BATCH]
        options = ("--groups", "max", "--diversify", "none")
        sizes = np.cumsum([len(rows) for _, _, rows in items])
        costs = np.cumsum([self.cost[rows].sum() for _, _, rows in items])
        for option, sums in (("--batch-instances", sizes), ("--batch-cost", costs)):
            with self.subTest(option=option):
                self.check(self.one_answer(*options, option, str(int(sums[3]))), items[:4])
                self.check(self.one_answer(*options, option, str(int(sums[3]) - 1)), items[:3])
        self.groups[:] = 5
        self.write_pool()
        self.assertIn("is less than the", self.select(*options, "--batch-instances", "3", expect=64))
        self.assertEqual(len(self.one_answer(*options)), len(self.groups))  # empty shares

    def test_rows_of_an_item_must_lie_together(self):
        self.groups[200] = self.groups[0]
        self.write_pool()
        for ranks in (1, 7):
            message = self.select("--groups", "max", ranks=ranks, expect=65)
            self.assertIn("/groups[200]: the item of row 0 goes on here", message)
            self.assertIn("sort", message)

    def test_more_items_than_one_pass_compares(self):
        rows = (1 << 21) + 50  # three passes on one rank, two on two
        groups = np.arange(rows, 0, -1, dtype=np.int64)
        probabilities = np.tile(self.probabilities[:50], (rows // 50 + 1, 1))[:rows]
        made = {"features": None, "cost": None, "probabilities": probabilities}
        self.write_pool(groups=groups, **made)
        self.one_answer("--groups", "max", "--diversify", "none", layouts=LARGE_LAYOUTS)
        groups[-10], groups[-3] = groups[4000], groups[5]
        self.write_pool(groups=groups, **made)
        for ranks in (1, 2):
            message = self.select("--groups", "max", "--diversify", "none", ranks=ranks, expect=65)
            self.assertIn(f"/groups[{rows - 10}]: the item of row 4000 goes on here", message)

    def test_noise_and_trust_levels_are_of_items(self):
        self.write_pool()
        for noise in ("power:2", "softmax:1", "softrank"):
            records = self.one_answer("--groups", "mean", "--randomize", noise)
            self.assertEqual(len({record["group"] for record in records}), BATCH)
        items = self.items("mean")
        level = str(items[3][0] + 1e-4)
        self.assertLess(items[3][0] + 1e-4, items[2][0])
        records = self.one_answer("--groups", "mean", "--diversify", "none", "--max-score", level)
        self.check(records, items[3:3 + BATCH])

    def test_quotas_balance_chance_and_distances_are_of_items(self):
        kinds = np.random.default_rng(3).integers(0, 3, size=len(self.groups))
        self.write_pool(**{"columns/kind": kinds})
        items = self.items("mean")
        options = ("--groups", "mean", "--diversify", "none", "--class-by", "column:kind")
        of_kind = lambda kind: [item for item in items if kinds[item[1]] == kind]
        chosen = of_kind(2)[:3] + of_kind(0)[:1]
        chosen += [item for item in items if item not in chosen][:BATCH - 4]
        self.check(self.one_answer(*options, "--quota", "2=3, 0=1"), chosen)
        rows = sum(len(rows) for _, _, rows in chosen[:5])
        self.check(self.one_answer(*options, "--quota", "2=3, 0=1", "--batch-instances", str(rows),
                                   layouts=LAYOUTS[3:]), chosen[:5])
        records = self.one_answer(*options, "--balance", "1=0.5, 2=0.5", layouts=LAYOUTS[1:2])
        self.check(records, of_kind(1)[:4] + of_kind(2)[:4])
        self.assertEqual({record["reason"] for record in records}, {"balance 1", "balance 2"})
        apart = []
        for item in items:
            gaps = [self.features[item[1]].astype(np.float64) - self.features[other[1]]
                    for other in apart]
            if all(np.sqrt((gap**2).sum()) > 1.5 for gap in gaps):
                apart.append(item)
        self.assertNotEqual(apart[:BATCH], items[:BATCH])
        self.check(self.one_answer(*options[:4], "--distinct-within", "1.5"), apart[:BATCH])
        records = self.one_answer(*options[:4], "--random-share", "0.5", layouts=LAYOUTS[1:2])
        drawn = {int(r["group"]) for r in records if r["reason"] == "random share"}
        self.assertEqual(len(drawn), BATCH // 2)
        rest = [item for item in items if self.groups[item[1]] not in drawn][:BATCH // 2]
        of_rest = {int(r["group"]) for r in records if r["reason"] == "score"}
        self.assertEqual(of_rest, {int(self.groups[item[1]]) for item in rest})

    def test_what_cannot_be_asked(self):
        self.write_pool()
        self.assertIn("--groups: unknown rule",
                      self.select("--groups", "top_mean:0", expect=64))
        for option in ("--distinct", "--per-cost"):
            self.assertIn(option, self.select("--groups", "max", option, expect=64))
        self.assertIn("--groups RULE", self.select("--batch-instances", "5", expect=64))
        self.write_pool(groups=None)
        self.assertIn("groups", self.select("--groups", "max", expect=65))


if __name__ == "__main__":
    unittest.main()
