"""What narrows a selection: rows held out for tests, a cost budget, rows of different features.

Runs the real `sluice select` and compares with a plain NumPy selection; every answer must be the
same for one rank and for several.
"""

import csv
import io
import os
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

BINARY = os.environ["SLUICE_BINARY"]
ROWS, DIM, BATCH = 600, 5, 24


def write_pool(path, **datasets):
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "sluice-pool"
        file.attrs["format_version"] = 1
        for name, values in datasets.items():
            file.create_dataset(name, data=values)


def write_labels(path, rows, **datasets):
    with h5py.File(path, "w") as file:
        file.create_dataset("row", data=np.asarray(rows, dtype="<i8"))
        for name, values in datasets.items():
            file.create_dataset(name, data=values)


def least_confidence(probabilities):
    return np.float32(1) - probabilities.max(axis=1)


def k_center(features, candidates, centers, count):
    """Picks and the covering radius before each, in float64; ties go to the lower row."""
    distances = np.full(len(candidates), np.inf)
    for center in centers:
        distances = np.minimum(distances, ((features[candidates] - features[center])**2).sum(1))
    picks, radii = [], []
    for _ in range(count):
        best = int(np.argmax(distances))
        picks.append(candidates[best])
        radii.append(distances[best])
        distances = np.minimum(distances, ((features[candidates] - features[picks[-1]])**2).sum(1))
        distances[best] = -1
    return picks, np.sqrt(np.array(radii + [max(0, distances.max())]))


class SelectOptions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        random = np.random.default_rng(3)
        # Small integers: distances are exact, so NumPy's picks are those of exact arithmetic.
        self.features = random.integers(-9, 10, (ROWS, DIM)).astype("<f4")
        values = random.random((ROWS, 3)) + 0.05
        self.probabilities = (values / values.sum(axis=1, keepdims=True)).astype("<f4")
        self.costs = random.integers(1, 9, ROWS).astype("<f8")
        self.pool = os.path.join(self.folder, "pool.h5")
        self.write_pool()

    def write_pool(self):
        write_pool(self.pool, features=self.features, probabilities=self.probabilities,
                   cost=self.costs)

    def run_select(self, *extra, ranks=1, batch=BATCH, expect=0):
        """The rows chosen, or stderr of a selection that must fail."""
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "selected.csv")
            command = ["mpirun", "-n", str(ranks), "--bind-to", "none", BINARY, "select", "--pool",
                       self.pool, "--queue", os.path.join(folder, "queue"), "--selected", target,
                       "--score", "least_confidence", "--batch", str(batch), *extra]
            result = subprocess.run(command, capture_output=True, text=True, timeout=120)
            self.assertEqual(result.returncode, expect, result.stderr)
            if expect != 0:
                return result.stderr
            with open(target, encoding="utf-8") as file:
                text = file.read()
        rows = [int(line["row"]) for line in csv.DictReader(io.StringIO(text))]
        self.report = result.stdout
        return rows

    def same_on_all_ranks(self, *extra):
        rows = self.run_select(*extra)
        for ranks in (2, 3):
            self.assertEqual(self.run_select(*extra, ranks=ranks), rows, ranks)
        return rows

    def in_score_order(self, candidates):
        scores = least_confidence(self.probabilities)
        return sorted(candidates, key=lambda row: (-scores[row], row))

    def test_held_out_rows_are_never_chosen_and_are_no_centres(self):
        held_out = sorted(self.in_score_order(range(ROWS))[:150:2])
        labels = os.path.join(self.folder, "held_out.h5")
        write_labels(labels, held_out)
        others = sorted(set(range(ROWS)) - set(held_out))
        shortlist = sorted(self.in_score_order(others)[:10 * BATCH])

        rows = self.same_on_all_ranks("--held-out", labels)

        first = self.in_score_order(others)[0]
        picks, _ = k_center(self.features, [row for row in shortlist if row != first], [first],
                            BATCH - 1)
        self.assertEqual(rows, [first] + picks)

    def test_labels_of_some_rounds_only(self):
        """Generations carry rounds; a file without them counts whole."""
        labels = os.path.join(self.folder, "labels.h5")
        write_labels(labels, [5, 6, 7], round=np.array([1, 2, 3]), y=np.array([0, -1, 1]))
        rows = self.run_select("--labels", labels, "--diversify", "none", batch=ROWS - 2)
        self.assertEqual(set(range(ROWS)) - set(rows), {5, 7})

    def test_budget_takes_the_first_rows_that_it_pays_for(self):
        for diversify in ("none", "k_center"):
            with self.subTest(diversify=diversify):
                everything = self.run_select("--diversify", diversify)
                budget = self.costs[everything[:10]].sum() + 0.5
                rows = self.same_on_all_ranks("--diversify", diversify, "--batch-cost", str(budget))
                self.assertEqual(rows, everything[:10])

    def test_radius_of_a_budget_is_that_of_its_rows(self):
        everything = self.run_select()
        rows = self.run_select("--batch-cost", str(self.costs[everything[:7]].sum()))
        self.assertEqual(rows, everything[:7])
        shortlist = sorted(self.in_score_order(range(ROWS))[:10 * BATCH])
        _, radii = k_center(self.features, [row for row in shortlist if row != rows[0]],
                            [rows[0]], 6)
        self.assertIn(f"covering radius {radii[-1]:.6g}", self.report)

    def test_equal_costs_are_the_count(self):
        self.costs[:] = 2.0
        self.write_pool()
        self.assertEqual(self.run_select("--batch-cost", "11"), self.run_select()[:5])

    def test_bad_costs(self):
        first = self.run_select()[0]
        message = self.run_select("--batch-cost", str(self.costs[first] - 0.5), expect=64)
        self.assertRegex(message, rf"--batch-cost: .* does not pay for .* row {first}, which costs")
        self.costs[first] = np.nan
        self.write_pool()
        message = self.run_select("--batch-cost", "100", expect=65)
        self.assertRegex(message, rf"pool.h5: /cost\[{first}\]: a cost of nan")

    def test_trust_levels(self):
        scores = least_confidence(self.probabilities)
        order = self.in_score_order(range(ROWS))
        high, low = scores[order[40]], scores[order[55]]
        levels = ("--max-score", repr(float(high)), "--min-score", repr(float(low)))
        inside = [row for row in order if low <= scores[row] <= high]

        top = self.same_on_all_ranks("--diversify", "none", *levels)
        diverse = self.same_on_all_ranks(*levels)

        self.assertEqual(top, inside[:BATCH])
        self.assertEqual(set(diverse), set(inside[:BATCH]))
        self.assertLess(len(inside), BATCH)
        message = self.run_select("--max-score", "0.2", "--min-score", "0.3", expect=64)
        self.assertRegex(message, "--min-score: 0.3.* is above --max-score 0.2")

    def test_copies_count_once(self):
        random = np.random.default_rng(8)
        originals = random.integers(0, 80, ROWS)
        self.features = self.features[originals]
        self.probabilities = self.probabilities[originals]
        self.write_pool()
        labels = os.path.join(self.folder, "labels.h5")
        labeled = self.in_score_order(range(ROWS))[0]
        write_labels(labels, [labeled])
        distinct = []
        seen = {self.features[labeled].tobytes()}
        for row in self.in_score_order(range(ROWS)):
            content = self.features[row].tobytes()
            if row != labeled and content not in seen:
                seen.add(content)
                distinct.append(row)

        top = self.same_on_all_ranks("--distinct", "--labels", labels, "--diversify", "none")
        diverse = self.same_on_all_ranks("--distinct", "--labels", labels, "--shortlist", "30")

        self.assertEqual(top, distinct[:BATCH])
        picks, _ = k_center(self.features, sorted(distinct[:30]), [labeled], BATCH)
        self.assertEqual(diverse, picks)
        plain = self.run_select("--labels", labels, "--diversify", "none")
        self.assertLess(len({self.features[row].tobytes() for row in plain}), BATCH)

    def test_copies_without_features(self):
        write_pool(self.pool, probabilities=self.probabilities)
        message = self.run_select("--distinct", "--diversify", "none", expect=65)
        self.assertRegex(message, "--distinct")


if __name__ == "__main__":
    unittest.main()
