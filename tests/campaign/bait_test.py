"""BAIT and MaxDiag for a regression through the whole program, against float64 NumPy.

The oracle inverts the information afresh for each pick, and knows nothing of updates:
least tr((s^2 I + sum of x x')^-1 F), the sum over labeled rows and picks, F over all rows.
"""

import os
import tempfile
import unittest

import h5py
import numpy as np
from sklearn.datasets import load_digits

from diversities_test import rows_of
from one_answer_test import run_select, write_pool

LABELED = list(range(10))

# What bmdal_reg 3.0.2 picks of scikit-learn's digits (Holzmueller et al., JMLR 24(164), 2023): rows
# 0 to 9 labeled, features scaled on them, sigma 0.1, BAIT-F-P and BAIT-FB-P, linear kernel.
PEER = {
    "bait_forward": [181, 1568, 968, 1104, 147, 635, 345, 655, 390, 1185, 1664, 1183, 119, 324,
                     1322, 1533, 439, 1425, 1427, 1060],
    "bait": [1568, 968, 147, 345, 119, 324, 1533, 1425, 1427, 1060, 204, 506, 959, 929, 1505, 1197,
             608, 379, 231, 618],
}


def change_of_trace(rows, inverse, everything, sign):
    """By how much each row's leaving (-1) raises, or joining (+1) lowers, the trace."""
    along = rows @ inverse
    kept = 1 + sign * np.einsum("ij,ij->i", along, rows)
    return np.einsum("ij,jk,ik->i", along, everything, along) / kept


def plain_bait(features, labeled, count, factor):
    """Picks of `features`, sigma a tenth of the labeled rows' root mean square length (of all
    rows', where there are none); `factor` x count forward, then back."""
    x = features.astype(float)
    scaling = x[labeled] if labeled else x
    sigma = 0.1 * np.sqrt((scaling**2).sum(axis=1).mean())
    everything = x.T @ x
    information = sigma**2 * np.eye(x.shape[1]) + x[labeled].T @ x[labeled]
    free = [row for row in range(len(x)) if row not in set(labeled)]
    picks = []
    while len(picks) < factor * count:
        fall = change_of_trace(x[free], np.linalg.inv(information), everything, 1)
        picks.append(free.pop(int(fall.argmax())))
        information += np.outer(x[picks[-1]], x[picks[-1]])
    while len(picks) > count:
        rise = change_of_trace(x[picks], np.linalg.inv(information), everything, -1)
        gone = picks.pop(int(rise.argmin()))
        information -= np.outer(x[gone], x[gone])
    return picks


def plain_max_diag(features, labeled, count):
    """The largest variances after the labeled rows, of the same sigma."""
    x = features.astype(float)
    scaling = x[labeled] if labeled else x
    sigma = 0.1 * np.sqrt((scaling**2).sum(axis=1).mean())
    covariance = np.linalg.inv(np.eye(x.shape[1]) + x[labeled].T @ x[labeled] / sigma**2)
    variances = np.einsum("ij,jk,ik->i", x, covariance, x)
    variances[labeled] = -1
    return list(np.argsort(-variances, kind="stable")[:count])


class Bait(unittest.TestCase):
    def picks(self, features, labeled, name, ranks=1, threads="1"):
        with tempfile.TemporaryDirectory() as folder:
            pool, labels = os.path.join(folder, "pool.h5"), os.path.join(folder, "labels.h5")
            write_pool(pool, {"features": features})
            with h5py.File(labels, "w") as file:
                file["row"] = np.array(labeled, dtype=np.int64)
                file["y"] = np.zeros(len(labeled), dtype=np.int32)
            return rows_of(run_select(
                [pool], ranks, ("--score", "random", "--diversify", name, "--batch", "20",
                                "--shortlist", str(len(features)), "--threads", threads,
                                *(("--labels", labels) if labeled else ()))))

    def test_picks_what_the_peer_and_the_definition_pick_of_digits(self):
        features = load_digits().data.astype("f4")
        for factor, name in ((1, "bait_forward"), (2, "bait")):
            for ranks, threads in ((1, "2"), (3, "1")):
                with self.subTest(rule=name, ranks=ranks):
                    self.assertEqual(self.picks(features, LABELED, name, ranks, threads),
                                     PEER[name])
            self.assertEqual(plain_bait(features, LABELED, 20, factor), PEER[name])

    def test_picks_what_the_definition_picks_of_random_numbers(self):
        for case, labeled in enumerate((LABELED, [], LABELED[:1])):
            rng = np.random.default_rng(case)
            features = rng.normal(size=(300, 14)) * np.exp(2 * rng.normal(size=14))
            features = features.astype("f4")
            for factor, name in ((1, "bait_forward"), (2, "bait")):
                with self.subTest(case=case, rule=name):
                    self.assertEqual(self.picks(features, labeled, name, case + 1),
                                     plain_bait(features, labeled, 20, factor))
            with self.subTest(case=case, rule="max_diag"):
                self.assertEqual(self.picks(features, labeled, "max_diag", case + 1),
                                 plain_max_diag(features, labeled, 20))


if __name__ == "__main__":
    unittest.main()
