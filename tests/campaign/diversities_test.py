"""Every diversity through the whole program: one answer over ranks and threads, published picks.

The names come from `sluice check`, so that no rule is left out.
"""

import os
import re
import subprocess
import tempfile
import unittest

import h5py
import numpy as np
from sklearn.datasets import load_digits

from one_answer_test import BINARY, run_select, softmax, write_pool


def rows_of(csv):
    return [int(line.split(",")[1]) for line in csv.decode().splitlines()[1:]]


def write_labels(path, rows):
    with h5py.File(path, "w") as file:
        file["row"] = np.array(rows, dtype=np.int64)
        file["y"] = np.zeros(len(rows), dtype=np.int32)


def diversities(pool):
    result = subprocess.run([BINARY, "check", pool], capture_output=True, text=True, check=True)
    table = result.stdout.split("diversities (--diversify):\n")[1].split("\nfindings")[0]
    return re.findall(r"^  (\w+)", table, re.MULTILINE)


class EveryDiversity(unittest.TestCase):
    """A pool with ties and copies, some rows labeled."""

    def test_one_answer(self):
        rng = np.random.default_rng(3)
        rows = 400
        features = rng.normal(size=(rows, 6)).astype(np.float32)
        features[200:240] = features[0:40]
        committee = softmax(2 * rng.normal(size=(rows, 3, 4))).astype(np.float32)
        committee[200:240] = committee[0:40]
        with tempfile.TemporaryDirectory() as folder:
            pool, labels = os.path.join(folder, "pool.h5"), os.path.join(folder, "labels.h5")
            write_pool(pool, {"features": features, "committee": committee})
            write_labels(labels, [3, 17, 90, 201])
            names = diversities(pool)
            self.assertGreater(len(names), 14)
            for name in names:
                options = ("--score", "entropy", "--diversify", name, "--batch", "8",
                           "--shortlist", "90", "--seed", "4", "--labels", labels,
                           *(("--radius", "2") if name == "prob_cover" else ()))
                answers = {run_select([pool], ranks, (*options, "--threads", threads))
                           for ranks, threads in ((1, "2"), (3, "1"))}
                with self.subTest(diversity=name):
                    self.assertEqual(len(answers), 1)
                    chosen = rows_of(answers.pop())
                    self.assertEqual(len(set(chosen)), 8)
                    self.assertFalse(set(chosen) & {3, 17, 90, 201})

    def test_a_number_that_a_rule_does_not_take_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            pool = os.path.join(folder, "pool.h5")
            data = np.random.default_rng(1).normal(size=(30, 3)).astype(np.float32)
            write_pool(pool, {"features": data})
            plain = ("--score", "random", "--batch", "3")
            self.assertIn("--sigma: --diversify lcmd does not use it", run_select(
                [pool], 1, (*plain, "--diversify", "lcmd", "--sigma", "1"), expect=64))
            self.assertIn("probabilities", run_select(
                [pool], 1, (*plain, "--diversify", "badge"), expect=65))


class Digits(unittest.TestCase):
    """Picks that bmdal_reg makes of scikit-learn's digits: train = rows 0 to 9, pool = the rest.

    \\source Holzmueller et al. 2023, A Framework and Benchmark for Deep Batch Active Learning for
    Regression, JMLR 24(164): MaxDist-TP, and MaxDet-P with sigma = 1, linear kernel.
    """

    max_dist = [1267, 1562, 1409, 208, 1561, 1094, 1023, 1617, 590, 1278, 1732, 1457, 798, 975, 51,
                1675, 972, 623, 1262, 1153]
    max_det = [1737, 1210, 978, 756, 1562, 822, 1286, 1265, 1495, 1084, 1103, 67, 988, 1409, 1575,
               1187, 383, 1528, 1132, 1331]

    def picks(self, features, labeled, extra):
        with tempfile.TemporaryDirectory() as folder:
            pool, labels = os.path.join(folder, "pool.h5"), os.path.join(folder, "labels.h5")
            write_pool(pool, {"features": features.astype(np.float32)})
            options = ("--score", "random", "--batch", "20", "--shortlist", "1797", *extra)
            if labeled:
                write_labels(labels, labeled)
                options += ("--labels", labels)
            csv = run_select([pool], 2, options)
        values = [float(line.split(",")[4]) for line in csv.decode().splitlines()[1:]]
        return rows_of(csv), values

    def test_max_dist(self):
        rows, values = self.picks(load_digits().data, list(range(10)), ("--diversify", "k_center"))
        self.assertEqual([row - 10 for row in rows], self.max_dist)
        self.assertEqual(round(values[0] ** 2), 2720)

    def test_max_det(self):
        rows, values = self.picks(load_digits().data[10:], [],
                                  ("--diversify", "maxdet", "--sigma", "1"))
        self.assertEqual(rows, self.max_det)
        self.assertAlmostEqual(2 * np.log(values).sum(), 144.0920731, places=4)


if __name__ == "__main__":
    unittest.main()
